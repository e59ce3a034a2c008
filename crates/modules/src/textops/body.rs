//! Replacing the body, and bodies for replies.

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::header::HeaderId;

use super::search::text;
use crate::run::Run;
use crate::worker::Worker;

/// Bytes from hexadecimal digits. None: an odd number of them, or something else.
pub(super) fn from_hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.iter().map(|byte| (*byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0_u8, |byte, digit| (byte << 4) | digit)).collect())
}

/// Queues another body and its media type: another Content-Type goes behind the last header. Content-Length follows when
/// the message is written.
pub(crate) fn replace_body(run: &mut Run, body: &[u8], content_type: &[u8]) {
    let span = run.message.body_span();
    run.edits.forget_from(span.start);
    run.edits.replace(span, body);
    let present = run.message.header(HeaderId::ContentType).map(|header| (header.line, header.value));
    match present {
        Some((_, value)) if run.message.text(value) == content_type => {}
        Some((line, _)) => {
            run.edits.remove(line);
            super::headers::append_line(run, &[b"Content-Type: ", content_type].concat(), None);
        }
        None => super::headers::append_line(run, &[b"Content-Type: ", content_type].concat(), None),
    }
    run.edits.want_content_length();
}

fn set(worker: &mut Worker, body: &[u8], content_type: &[u8]) -> Flow {
    if body.is_empty() || content_type.is_empty() {
        worker.log(-1, "textops", "set_body: neither body nor content type may be empty; remove_body() takes a body away");
        return Flow::Code(-1);
    }
    replace_body(&mut worker.run, body, content_type);
    Flow::Code(1)
}

/// `set_body(text, type)`.
pub(super) fn set_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (body, content_type) = (text(arguments, 0), text(arguments, 1));
    set(worker, &body, &content_type)
}

/// `set_body_hex(digits, type)`.
pub(super) fn set_body_hex(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(body) = from_hexadecimal(&text(arguments, 0)) else { return Flow::Code(-1) };
    set(worker, &body, &text(arguments, 1))
}

fn set_reply(worker: &mut Worker, body: Text, content_type: Text) -> Flow {
    if body.is_empty() || content_type.is_empty() {
        worker.log(-1, "textops", "set_reply_body: neither body nor content type may be empty");
        return Flow::Code(-1);
    }
    if worker.run.reply_body.is_some() {
        worker.log(-1, "textops", "set_reply_body: the reply has a body already");
        return Flow::Code(-1);
    }
    worker.run.reply_body = Some((body, content_type));
    Flow::Code(1)
}

/// `set_reply_body(text, type)`: once for a message.
pub(super) fn set_reply_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    set_reply(worker, text(arguments, 0), text(arguments, 1))
}

/// `set_reply_body_hex(digits, type)`.
pub(super) fn set_reply_body_hex(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match from_hexadecimal(&text(arguments, 0)) {
        Some(body) => set_reply(worker, Text::from(body), text(arguments, 1)),
        None => Flow::Code(-1),
    }
}

#[cfg(test)]
mod tests {
    use super::from_hexadecimal;

    #[test]
    fn digits_come_in_pairs() {
        assert_eq!(from_hexadecimal(b"0aFF").as_deref(), Some(&[0x0a, 0xff][..]));
        assert_eq!(from_hexadecimal(b"0a1"), None);
        assert_eq!(from_hexadecimal(b"zz"), None);
        assert_eq!(from_hexadecimal(b"").as_deref(), Some(&[][..]));
    }
}
