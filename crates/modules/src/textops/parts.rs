//! Functions on multipart bodies.

use script::exports::{Argument, Evaluate, Flow};
use script::value::Value;
use sip::header::HeaderId;
use sip::span::Span;

use super::body::{from_hexadecimal, replace_body};
use super::multipart::{Part, Parts, boundary, of_message, part_type};
use super::search::{absolute, text};
use crate::worker::Worker;

/// The boundary of bodies made here.
const BOUNDARY: &[u8] = b"unique-boundary-1";

fn find<'a>(worker: &Worker, parts: &'a Parts, wanted: &[u8]) -> Option<&'a Part> {
    let body = worker.run.message.body();
    parts.parts.iter().find(|part| part_type(body, part).eq_ignore_ascii_case(wanted.trim_ascii()))
}

/// `filter_body(type)`: the content of the first part of this type becomes the body; Content-Type stays as it is, the script
/// changes it. False for a body without parts.
pub(super) fn filter_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let wanted = text(arguments, 0);
    let message = &worker.run.message;
    let Some(parts) = of_message(message) else { return Flow::Code(-1) };
    let Some(kept) = find(worker, &parts, &wanted) else { return Flow::Code(-1) };
    let body = worker.run.message.body_span();
    let length = worker.run.message.body().len();
    let (before, behind) = ((0, kept.content.start), (kept.content.end, length));
    worker.run.edits.remove(absolute(body, before));
    worker.run.edits.remove(absolute(body, behind));
    Flow::Code(1)
}

/// `set_body_multipart([text, type[, boundary]])`: the given text, or the present body, becomes the first part.
pub(super) fn set_body_multipart(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (given_text, given_type, given_boundary) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    let run = &mut worker.run;
    let mark = match arguments.len() {
        1 if !given_text.is_empty() => &given_text[..],
        3.. if !given_boundary.is_empty() => &given_boundary[..],
        _ => BOUNDARY,
    };
    let takes_present = arguments.len() < 2;
    let (content, content_type) = if takes_present {
        let content_type = run.message.value(HeaderId::ContentType).unwrap_or(b"text/plain").to_vec();
        (run.message.body().to_vec(), content_type)
    } else {
        (given_text.to_vec(), given_type.to_vec())
    };
    if takes_present && content.is_empty() {
        return Flow::Code(-1);
    }
    let made = [b"--", mark, b"\r\nContent-Type: ", &content_type, b"\r\n\r\n", &content, b"\r\n--", mark, b"--\r\n"].concat();
    replace_body(run, &made, &[b"multipart/mixed;boundary=\"", mark, b"\""].concat());
    if run.message.header(HeaderId::MimeVersion).is_none() {
        super::headers::append_line(run, b"Mime-Version: 1.0", None);
    }
    Flow::Code(1)
}

fn append(worker: &mut Worker, content: &[u8], arguments: &[Argument]) -> Flow {
    let content_type = text(arguments, 1);
    if content.is_empty() || content_type.is_empty() {
        worker.log(-1, "textops", "append_body_part: neither text nor content type may be empty");
        return Flow::Code(-1);
    }
    let run = &mut worker.run;
    let mark = run.message.value(HeaderId::ContentType).and_then(boundary).map(<[u8]>::to_vec);
    let (Some(mark), Some(parts)) = (mark, of_message(&run.message)) else {
        worker.log(-1, "textops", "append_body_part: the body is not multipart");
        return Flow::Code(-1);
    };
    let mut made = [b"--", &mark[..], b"\r\nContent-Type: ", &content_type, b"\r\n"].concat();
    if let Some(disposition) = arguments.get(2) {
        made.extend_from_slice(b"Content-Disposition: ");
        made.extend_from_slice(&disposition.text());
        made.extend_from_slice(b"\r\n");
    }
    made.extend_from_slice(b"\r\n");
    made.extend_from_slice(content);
    made.extend_from_slice(b"\r\n");
    let at = absolute(run.message.body_span(), (parts.closing, parts.closing)).start;
    run.edits.insert_after(at, &made);
    remove_preamble(worker, &parts);
    Flow::Code(1)
}

/// What stands before the first part goes when parts change; it is for readers without MIME (RFC 2046 §5.1.1).
fn remove_preamble(worker: &mut Worker, parts: &Parts) {
    let end = parts.parts.first().map_or(parts.closing, |part| part.whole.start);
    let span = absolute(worker.run.message.body_span(), (0, end));
    worker.run.edits.remove(span);
}

/// `append_body_part(text, type[, disposition])`.
pub(super) fn append_body_part(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let content = text(arguments, 0);
    append(worker, &content, arguments)
}

/// `append_body_part_hex(digits, type[, disposition])`.
pub(super) fn append_body_part_hex(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match from_hexadecimal(&text(arguments, 0)) {
        Some(content) => append(worker, &content, arguments),
        None => Flow::Code(-1),
    }
}

fn store(worker: &mut Worker, arguments: &[Argument], range: fn(&Part) -> std::ops::Range<usize>) -> Flow {
    let wanted = text(arguments, 0);
    let Some(Argument::Variable(result)) = arguments.get(1) else { return Flow::Code(-1) };
    let message = &worker.run.message;
    let found = match of_message(message) {
        Some(parts) => find(worker, &parts, &wanted).and_then(|part| message.body().get(range(part))),
        None if message.value(HeaderId::ContentType).and_then(boundary).is_some() => None,
        None => Some(message.body()).filter(|body| !body.is_empty()),
    };
    match found.map(Value::text) {
        Some(value) => Flow::from(worker.write(result, value).is_ok()),
        None => Flow::Code(-1),
    }
}

/// `get_body_part(type, $result)`: the content of the first part of this type; the whole of a body that has no parts.
pub(super) fn get_body_part(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    store(worker, arguments, |part| part.content.clone())
}

/// `get_body_part_raw(type, $result)`: with the part's headers.
pub(super) fn get_body_part_raw(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    store(worker, arguments, |part| part.headers.start..part.content.end)
}

/// `remove_body_part(type)`: the first part of this type.
pub(super) fn remove_body_part(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let wanted = text(arguments, 0);
    let Some(parts) = of_message(&worker.run.message) else { return Flow::Code(-1) };
    let Some(part) = find(worker, &parts, &wanted) else { return Flow::Code(-1) };
    let span: Span = absolute(worker.run.message.body_span(), (part.whole.start, part.whole.end));
    worker.run.edits.remove(span);
    remove_preamble(worker, &parts);
    Flow::Code(1)
}
