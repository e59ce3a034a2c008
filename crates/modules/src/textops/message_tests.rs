//! Predicates on the current message.

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use sip::message::Message;
use sip::method::Method;

use super::search::text;
use crate::worker::Worker;

/// Does the message have this method? Known names in any case, others byte for byte.
fn has_method(message: &Message, name: &[u8]) -> bool {
    let name = name.trim_ascii();
    let method = message.method_text();
    // Another spelling can only name a known method, which the message may spell in capitals alone.
    method == name || (message.method() != Method::Other && method.eq_ignore_ascii_case(name))
}

/// `is_method("INVITE|ACK")`: of the request, or of the reply's CSeq.
pub(super) fn is_method(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let names = text(arguments, 0);
    Flow::from(names.split(|byte| *byte == b'|').any(|name| has_method(&worker.run.message, name)))
}

/// Type and subtype of a Content-Type value.
pub(super) fn media_type(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b';').next().unwrap_or(b"").trim_ascii()
}

/// `has_body([type])`. Without Content-Type a body counts as `application/sdp`.
pub(super) fn has_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let message = &worker.run.message;
    if message.body().is_empty() {
        return Flow::Code(-1);
    }
    let Some(wanted) = arguments.first().map(Argument::text).filter(|wanted| !wanted.is_empty()) else { return Flow::Code(1) };
    let given = message.value(HeaderId::ContentType).map_or(&b"application/sdp"[..], media_type);
    Flow::from(given.eq_ignore_ascii_case(wanted.trim_ascii()))
}

/// `is_privacy(type)`: a word of the Privacy header (RFC 3323 §4.2).
pub(super) fn is_privacy(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let wanted = text(arguments, 0);
    let message = &worker.run.message;
    let is_named = message
        .headers_of(HeaderId::Privacy)
        .flat_map(|header| message.text(header.value).split(|byte| matches!(byte, b';' | b',')))
        .any(|word| word.trim_ascii().eq_ignore_ascii_case(&wanted));
    Flow::from(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(first_line: &str, method: &str) -> Message {
        let text = format!(
            "{first_line}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\r\n"
        );
        Message::from_bytes(text.as_bytes()).expect("a message")
    }

    #[test]
    fn the_method_of_requests_and_replies_is_compared() {
        let request = message("INVITE sip:b@h SIP/2.0", "INVITE");
        assert!(has_method(&request, b"INVITE"));
        assert!(has_method(&request, b"invite"));
        assert!(!has_method(&request, b"BYE"));
        let reply = message("SIP/2.0 200 OK", "BYE");
        assert!(has_method(&reply, b"BYE"));
        let other = message("FOO sip:b@h SIP/2.0", "FOO");
        assert!(has_method(&other, b"FOO"));
        assert!(!has_method(&other, b"BAR"));
    }
}
