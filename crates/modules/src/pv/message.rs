//! The message as a whole: method, status, body, lengths, buffer (`$rm`, `$rs`, `$rb`, `$ml`, `$msg(..)`).

use script::exports::{Index, Inner};
use script::value::{Text, Value};
use sip::HeaderId;

use super::answer::{length, non_empty, number, optional};
use crate::worker::Worker;

pub(super) fn method(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    let text = message.method_text();
    if text.is_empty() { Value::Null } else { Value::Symbol(crate::core::symbol_of_method(message.method()), Text::from(text)) }
}

pub(super) fn method_number(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(crate::core::symbol_of_method(worker.run.message.method()))
}

pub(super) fn status(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    if message.is_request() { Value::Null } else { number(i64::from(message.status())) }
}

pub(super) fn status_integer(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    Value::Integer(if message.is_request() { 0 } else { i64::from(message.status()) })
}

pub(super) fn reason(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    if message.is_request() { Value::Null } else { Value::text(message.reason()) }
}

pub(super) fn version(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    non_empty(worker.run.message.version())
}

/// 1 request, 2 reply.
pub(super) fn kind(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(if worker.run.message.is_request() { 1 } else { 2 })
}

pub(super) fn kind_text(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::text(if worker.run.message.is_request() { "rq" } else { "rp" })
}

pub(super) fn identifier(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(i64::try_from(worker.run.message_number).unwrap_or(i64::MAX))
}

pub(super) fn message_length(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    length(worker.run.message.bytes().len())
}

/// `$mb`: the message as received, or in onsend_route as it leaves.
pub(super) fn buffer(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    match &worker.run.core.sending {
        Some(sending) => Value::text(&sending.bytes[..]),
        None => Value::text(worker.run.message.bytes()),
    }
}

/// `$mbu`: the message with pending edits, without Via of our own.
pub(super) fn buffer_with_edits(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let run = &worker.run;
    let mut out = Vec::with_capacity(run.message.bytes().len());
    if run.message.is_request() {
        let head = sip::RequestHead { uri: run.request_uri(), ..sip::RequestHead::default() };
        sip::write_request(&mut out, &run.message, &[&run.edits], &head, run.source.protocol.is_reliable());
    } else {
        let head = sip::ReplyHead { keep_top_via: true, ..sip::ReplyHead::default() };
        sip::write_reply_relay_with(&mut out, &run.message, &[&run.edits], &head, run.source.protocol.is_reliable());
    }
    Value::text(out)
}

/// `$rb`: the body, empty and not null when there is none.
pub(super) fn body(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::text(worker.run.message.body())
}

pub(super) fn body_size(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    length(worker.run.message.body().len())
}

/// `$cl`: Content-Length, 0 when absent.
pub(super) fn content_length(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    number(worker.run.message.content_length().map_or(0, i64::from))
}

/// The value of a header that stands once.
pub(super) fn header(worker: &Worker, id: HeaderId) -> Value {
    optional(worker.run.message.value(id))
}

pub(super) fn call_id(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    non_empty(worker.run.message.call_id())
}

pub(super) fn cseq_number(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    worker.run.message.cseq().map_or(Value::Null, |cseq| Value::text(cseq.number_text))
}

pub(super) fn contact_uri(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    worker.run.message.contacts().next().map_or(Value::Null, |contact| non_empty(contact.uri))
}

/// 1 when the Contact is `*`, else 0.
pub(super) fn contact_star(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let is_star = worker.run.message.contacts().next().is_some_and(|contact| contact.is_wildcard());
    Value::Integer(i64::from(is_star))
}

/// Keys of `$msg(key)`.
pub(super) const MESSAGE_KEYS: &[&str] =
    &["len", "buf", "body", "body_len", "body_size", "hdrs", "hdrs_len", "hdrs_size", "hdrc", "fline", "fpart", "lpart"];

pub(super) fn message_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    let Inner::Choice(choice) = inner else { return Value::Null };
    let bytes = message.bytes();
    let headers_start = usize::try_from(message.first_line().end).unwrap_or(0);
    let headers_end = usize::try_from(message.headers_end()).unwrap_or(0);
    let headers = trim_line_end(bytes.get(headers_start..headers_end).unwrap_or(b""));
    match MESSAGE_KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "len" => length(bytes.len()),
        "buf" => Value::text(bytes),
        "body" => non_empty(message.body()),
        "body_len" | "body_size" => length(message.body().len()),
        "hdrs" => non_empty(headers),
        "hdrs_len" | "hdrs_size" => length(headers.len()),
        "hdrc" => length(message.headers().len()),
        "fline" => Value::text(trim_line_end(message.text(message.first_line()))),
        // First line and headers without the last line end; all but the first line.
        "fpart" => non_empty(trim_line_end(bytes.get(..headers_end).unwrap_or(b""))),
        "lpart" => non_empty(bytes.get(headers_start..).unwrap_or(b"")),
        _ => Value::Null,
    }
}

fn trim_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// `$msgbuf(index)`: one byte of the message as text.
pub(super) fn byte_at(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let at = script::value::parse_integer(inner.word()).unwrap_or(-1);
    let bytes = worker.run.message.bytes();
    let at = if at < 0 { i64::try_from(bytes.len()).unwrap_or(0) + at } else { at };
    let byte = usize::try_from(at).ok().and_then(|at| bytes.get(at));
    byte.map_or(Value::Null, |byte| Value::text(&[*byte][..]))
}

/// Overwrites one byte of the message in place.
pub(super) fn write_byte_at(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let at = script::value::parse_integer(inner.word()).and_then(|at| u32::try_from(at).ok()).ok_or("bad index")?;
    let byte = match &value {
        number if number.is_integer() => u8::try_from(number.to_integer()).map_err(|_| "not a byte")?,
        other => *other.to_text().first().ok_or("no byte to write")?,
    };
    let end = at.checked_add(1).ok_or("bad index")?;
    worker.run.tm.key = None;
    if worker.run.message.overwrite(sip::Span { start: at, end }, &[byte]) { Ok(()) } else { Err("index beyond the message".to_owned()) }
}
