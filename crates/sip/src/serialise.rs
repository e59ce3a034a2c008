//! Writes a message for sending: kept bytes, edits, our Via and Record-Route, received and rport, Content-Length.

use crate::edit::{Counter, Edits, Sink, Walk, with_lists};
use crate::fields::ContentLength;
use crate::header::HeaderId;
use crate::message::Message;
use crate::span::Span;
use crate::via;
use crate::via_mark::{Mark, Placement, marks};
use std::net::SocketAddr;

/// Marks the top Via with where the request came from (RFC 3261 §18.2.1, RFC 3581; spec proxy-core 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Source address and port of the request.
    pub source: SocketAddr,
    /// Write rport although the sender did not ask for it.
    pub force_rport: bool,
}

/// What a forwarded request gets beside the script's edits. Everything empty or `None`: an edited copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestHead<'a> {
    /// Another method; `None` keeps the received one.
    pub method: Option<&'a [u8]>,
    /// The Request-URI to write; empty keeps the received one.
    pub uri: &'a [u8],
    /// Whole lines put first of all headers (Record-Route).
    pub before_headers: &'a [u8],
    /// Our whole Via line, put right before the first Via (or first, when there is none). Empty: none.
    pub via: &'a [u8],
    /// A whole Route line made from a path vector, put before the first Route, else right behind our Via.
    pub route_first: &'a [u8],
    /// Edits the received top Via; `None` leaves it alone.
    pub top_via_received: Option<Received>,
}

/// What a relayed reply gets beside the script's edits.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplyHead<'a> {
    /// A whole new first line with its line end; empty keeps the received one.
    pub status_line: &'a [u8],
    /// Keep the top Via (a reply that is read again, not relayed).
    pub keep_top_via: bool,
}

/// Something written at `at` in place of the bytes up to `resume`.
#[derive(Clone, Copy)]
struct Stop<'a> {
    at: u32,
    resume: u32,
    text: &'a [u8],
}

/// Appends the request to `out`. A Content-Length that is there always tells the length of the body written; on a stream
/// (`is_stream`) a missing one is added, on UDP only where an edit asks for it (spec proxy-core 4.5, invariant M3).
pub fn write_request(out: &mut Vec<u8>, message: &Message, edits: &[&Edits], head: &RequestHead<'_>, is_stream: bool) {
    write_request_line(out, message, head);
    out.extend_from_slice(head.before_headers);
    let headers_start = message.first_line().end;
    let line_start = |id| message.header(id).map(|header| header.line.start);
    let via_at = line_start(HeaderId::Via).unwrap_or(headers_start);
    let route_at = line_start(HeaderId::Route).unwrap_or(via_at);
    let (via_start, marks) = top_via_marks(message, edits, head.top_via_received);
    let mark_stop = |mark: &Mark| Span::new(via_start.saturating_add(mark.start), via_start.saturating_add(mark.end));
    let [first, second] = &marks;
    let (first_at, second_at) = (mark_stop(first), mark_stop(second));
    let mut stops = [
        Stop { at: via_at, resume: via_at, text: head.via },
        Stop { at: route_at, resume: route_at, text: head.route_first },
        Stop { at: first_at.start, resume: first_at.end, text: first.text() },
        Stop { at: second_at.start, resume: second_at.end, text: second.text() },
    ];
    stops.sort_by_key(|stop| stop.at);
    let length = wanted_length(message, edits, is_stream);
    with_lists(message.bytes(), edits, |walk| {
        let mut at = headers_start;
        for stop in stops.iter().filter(|stop| !stop.text.is_empty()) {
            write_headers(out, message, walk, edits, Span { start: at, end: stop.at }, length);
            walk.write_texts_at(out, stop.at);
            out.extend_from_slice(stop.text);
            at = stop.resume;
        }
        write_rest(out, message, walk, edits, at, length);
    });
}

/// Appends a received reply without its top Via (spec proxy-core 3.7).
pub fn write_reply_relay(out: &mut Vec<u8>, message: &Message, edits: &[&Edits], is_stream: bool) {
    write_reply_relay_with(out, message, edits, &ReplyHead::default(), is_stream);
}

/// Appends a received reply with a head of choice: another status line, the top Via kept or removed.
pub fn write_reply_relay_with(out: &mut Vec<u8>, message: &Message, edits: &[&Edits], head: &ReplyHead<'_>, is_stream: bool) {
    if head.status_line.is_empty() {
        out.extend_from_slice(message.text(message.first_line()));
    } else {
        out.extend_from_slice(head.status_line);
    }
    let removed = if head.keep_top_via { None } else { top_via_removal(message) };
    let length = wanted_length(message, edits, is_stream);
    with_lists(message.bytes(), edits, |walk| {
        let mut at = message.first_line().end;
        if let Some(removed) = removed {
            write_headers(out, message, walk, edits, Span { start: at, end: removed.start }, length);
            at = removed.end;
        }
        write_rest(out, message, walk, edits, at, length);
    });
}

/// The bytes that go when the top Via goes: its whole line if it stands alone, else its element with the comma.
pub fn top_via_removal(message: &Message) -> Option<Span> {
    let header = message.header(HeaderId::Via)?;
    match via::behind_first(message.text(header.value)) {
        Some(rest) => message.span_of(rest).map(|rest| Span { start: header.value.start, end: rest.start }),
        None => Some(header.line),
    }
}

fn write_request_line(out: &mut Vec<u8>, message: &Message, head: &RequestHead<'_>) {
    out.extend_from_slice(head.method.unwrap_or(message.method_text()));
    out.push(b' ');
    out.extend_from_slice(if head.uri.is_empty() { message.request_uri() } else { head.uri });
    let rest = Span { start: message.request_uri_span().end, end: message.first_line().end };
    out.extend_from_slice(message.text(rest));
}

/// The marks for the top Via and where its element starts; none when the script deletes that Via.
fn top_via_marks(message: &Message, edits: &[&Edits], received: Option<Received>) -> (usize, [Mark; 2]) {
    let none = (0, [Mark::NONE, Mark::NONE]);
    let (Some(received), Some(via)) = (received, message.top_via()) else {
        return none;
    };
    let Some(span) = message.span_of(via.whole) else {
        return none;
    };
    if is_deleted(edits, span) {
        return none;
    }
    (span.start as usize, marks(&via, received, Placement::Forwarded))
}

/// What Content-Length has to become.
#[derive(Clone, Copy)]
enum Length {
    Keep,
    /// Put the number in place of every value there is.
    Replace(usize),
    /// Add a header as the last one.
    Add(usize),
}

/// Writes the header bytes of `range` with their edits, and the length in each Content-Length among them.
fn write_headers(out: &mut Vec<u8>, message: &Message, walk: &mut Walk<'_>, edits: &[&Edits], range: Span, length: Length) {
    let mut at = range.start;
    if let Length::Replace(length) = length {
        let within = |value: Span| value.start >= range.start && value.end <= range.end;
        let headers = message.headers_of(HeaderId::ContentLength);
        for header in headers.filter(|header| within(header.value) && !is_deleted(edits, header.line)) {
            walk.write(out, at, header.value.start, false);
            walk.write_texts_at(out, header.value.start);
            write_number(out, length);
            at = header.value.end;
        }
    }
    walk.write(out, at, range.end, false);
}

/// Writes headers from `at`, the empty line and the body.
fn write_rest(out: &mut Vec<u8>, message: &Message, walk: &mut Walk<'_>, edits: &[&Edits], at: u32, length: Length) {
    let headers_end = message.headers_end();
    write_headers(out, message, walk, edits, Span { start: at, end: headers_end }, length);
    walk.write(out, headers_end, headers_end, true);
    if let Length::Add(length) = length {
        out.extend_from_slice(b"Content-Length: ");
        write_number(out, length);
        out.extend_from_slice(b"\r\n");
    }
    if !message.is_head_terminated() {
        out.extend_from_slice(b"\r\n");
        return;
    }
    // Texts at the start of the body are body; texts inside the empty line would break it and are moved behind it.
    out.put(message.text(Span { start: headers_end, end: message.body_span().start }));
    walk.write(out, message.body_span().start, message.body_span().end, true);
}

fn is_deleted(edits: &[&Edits], span: Span) -> bool {
    edits.iter().any(|list| list.deletes(span))
}

fn wanted_length(message: &Message, edits: &[&Edits], is_stream: bool) -> Length {
    let touched = edits.iter().any(|list| list.touches_body(message.headers_end()));
    let length = if touched { edited_body_length(message, edits) } else { message.body().len() };
    if message.headers_of(HeaderId::ContentLength).all(|header| is_deleted(edits, header.line)) {
        let is_wanted = is_stream || edits.iter().any(|list| list.wants_content_length());
        return if is_wanted { Length::Add(length) } else { Length::Keep };
    }
    match message.content_length_state() {
        ContentLength::Bytes(now) if now as usize == length => Length::Keep,
        _ => Length::Replace(length),
    }
}

fn edited_body_length(message: &Message, edits: &[&Edits]) -> usize {
    let body = message.body_span();
    if !message.is_head_terminated() {
        return 0;
    }
    with_lists(message.bytes(), edits, |walk| {
        let mut counter = Counter(0);
        walk.skip_to(message.headers_end().saturating_add(1));
        walk.write(&mut counter, body.start, body.end, true);
        counter.0
    })
}

/// Appends a number in decimal digits.
pub(crate) fn write_number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at = at.saturating_sub(1);
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or(b""));
}

/// Whether the headers of a message written for sending hold a NUL, or a CR that no LF follows: octets that a careless
/// receiver takes for a line end (option `strict_octets`). The body is not looked at.
pub fn has_forbidden_octets(sent: &[u8]) -> bool {
    let mut at = 0usize;
    while let Some(width) = memchr::memchr3(b'\0', b'\r', b'\n', crate::scan::from(sent, at)) {
        let found = at.saturating_add(width);
        match crate::scan::from(sent, found) {
            [b'\r', b'\n', b'\r', b'\n', ..] | [b'\n', b'\n', ..] | [b'\n', b'\r', b'\n', ..] => {
                return false;
            }
            [b'\r', b'\n', ..] => at = found.saturating_add(2),
            [b'\n', ..] => at = found.saturating_add(1),
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests;
