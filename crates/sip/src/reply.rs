//! Replies made here, for any request that has an index (spec proxy-core section 5, RFC 3261 §8.2.6).

use crate::header::{Header, HeaderId};
use crate::message::Message;
use crate::params;
use crate::serialise::{Received, write_number};
use crate::span::Span;
use crate::via::Via;
use crate::via_mark::{Placement, marks};
use std::net::SocketAddr;

/// What a local reply says.
#[derive(Clone, Copy, Debug)]
pub struct ReplyParts<'a> {
    /// 100 to 999.
    pub code: u16,
    pub reason: &'a [u8],
    /// Added when `code` is 180 or above and the request's To has no tag. Empty: none.
    pub to_tag: &'a [u8],
    /// Where the request came from; goes into the top Via.
    pub source: SocketAddr,
    /// Write rport although the sender did not ask for it.
    pub force_rport: bool,
    /// Whole lines, each with its line end.
    pub extra_headers: &'a [u8],
    /// The whole `Server` value; `None` writes no header.
    pub server: Option<&'a [u8]>,
    pub body: &'a [u8],
    /// Written only with a body. Empty: none (it may be among the extra headers).
    pub content_type: &'a [u8],
    /// Added to the top Via, each with its semicolon.
    pub via_parameters: &'a [u8],
}

impl<'a> ReplyParts<'a> {
    /// A reply with a code, a reason and where the request came from, and nothing else.
    pub fn new(code: u16, reason: &'a [u8], source: SocketAddr) -> ReplyParts<'a> {
        ReplyParts {
            code,
            reason,
            to_tag: b"",
            source,
            force_rport: false,
            extra_headers: b"",
            server: None,
            body: b"",
            content_type: b"",
            via_parameters: b"",
        }
    }
}

/// Appends the reply: status line; Via, From, To, Call-ID, CSeq and (180 to 299) Record-Route in the request's order;
/// extra headers; Server; Content-Length; body. Total over any message: absent headers are left out.
pub fn write_reply(out: &mut Vec<u8>, request: &Message, parts: &ReplyParts<'_>) {
    write_reply_head(out, request.version(), parts);
    let record_routes = (180..300).contains(&parts.code);
    let (top_via, to) = (request.header_index(HeaderId::Via), request.header_index(HeaderId::To));
    for (index, header) in request.headers().iter().enumerate() {
        match header.id {
            HeaderId::Via if Some(index) == top_via => write_top_via(out, request, header, parts),
            HeaderId::To if Some(index) == to => write_to(out, request, header, parts),
            HeaderId::Via | HeaderId::From | HeaderId::To | HeaderId::CallId | HeaderId::CSeq => {
                write_line(out, request, header);
            }
            HeaderId::RecordRoute if record_routes => write_line(out, request, header),
            _ => {}
        }
    }
    out.extend_from_slice(parts.extra_headers);
    write_tail(out, parts);
}

/// The status line.
pub(crate) fn write_reply_head(out: &mut Vec<u8>, version: &[u8], parts: &ReplyParts<'_>) {
    out.extend_from_slice(if version.is_empty() { b"SIP/2.0" } else { version });
    out.push(b' ');
    write_number(out, usize::from(parts.code));
    out.push(b' ');
    out.extend_from_slice(parts.reason);
    out.extend_from_slice(b"\r\n");
}

/// What follows the extra headers.
pub(crate) fn write_tail(out: &mut Vec<u8>, parts: &ReplyParts<'_>) {
    if !parts.body.is_empty() && !parts.content_type.is_empty() {
        out.extend_from_slice(b"Content-Type: ");
        out.extend_from_slice(parts.content_type);
        out.extend_from_slice(b"\r\n");
    }
    if let Some(server) = parts.server {
        out.extend_from_slice(b"Server: ");
        out.extend_from_slice(server);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Content-Length: ");
    write_number(out, parts.body.len());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(parts.body);
}

/// Copies a header line up to the end of its value, with a clean line end.
pub(crate) fn write_line(out: &mut Vec<u8>, message: &Message, header: &Header) {
    out.extend_from_slice(line_of(message, header));
    out.extend_from_slice(b"\r\n");
}

/// A header line up to the end of its value.
fn line_of<'a>(message: &'a Message, header: &Header) -> &'a [u8] {
    message.text(Span { start: header.line.start, end: header.value.end })
}

fn write_top_via(out: &mut Vec<u8>, request: &Message, header: &Header, parts: &ReplyParts<'_>) {
    match request.top_via() {
        Some(via) => write_via_line(out, line_of(request, header), &via, parts),
        None => write_line(out, request, header),
    }
}

/// The line of the top Via, given without its line end, with what the reply adds to it.
pub(crate) fn write_via_line(out: &mut Vec<u8>, line: &[u8], via: &Via<'_>, parts: &ReplyParts<'_>) {
    let offset = (via.whole.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
    let received = Received { source: parts.source, force_rport: parts.force_rport };
    let mut at = 0;
    for mark in marks(via, received, Placement::Reply).iter().filter(|mark| !mark.is_none()) {
        out.extend_from_slice(line.get(at..offset.saturating_add(mark.start)).unwrap_or_default());
        out.extend_from_slice(mark.text());
        at = offset.saturating_add(mark.end);
    }
    if !parts.via_parameters.is_empty() {
        let end = offset.saturating_add(via.whole.len()).max(at);
        out.extend_from_slice(line.get(at..end).unwrap_or_default());
        out.extend_from_slice(parts.via_parameters);
        at = end;
    }
    out.extend_from_slice(line.get(at..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

fn write_to(out: &mut Vec<u8>, request: &Message, header: &Header, parts: &ReplyParts<'_>) {
    if parts.code < 180 || parts.to_tag.is_empty() || !request.to_tag().is_empty() {
        return write_line(out, request, header);
    }
    match request.to().and_then(|to| empty_tag(request, to.params)) {
        Some(tag) => {
            out.extend_from_slice(request.text(Span { start: header.line.start, end: tag.start }));
            out.extend_from_slice(b"tag=");
            out.extend_from_slice(parts.to_tag);
            out.extend_from_slice(request.text(Span { start: tag.end, end: header.value.end }));
        }
        None => write_added_tag(out, line_of(request, header), parts.to_tag),
    }
    out.extend_from_slice(b"\r\n");
}

/// The line of a To without tag, with one.
pub(crate) fn write_added_tag(out: &mut Vec<u8>, line: &[u8], tag: &[u8]) {
    out.extend_from_slice(line);
    out.extend_from_slice(b";tag=");
    out.extend_from_slice(tag);
}

/// Where a tag parameter without a value stands.
fn empty_tag(request: &Message, params: &[u8]) -> Option<Span> {
    let tag = params::Params::new(params).find(|param| param.name.eq_ignore_ascii_case(b"tag"))?;
    request.span_of(tag.whole)
}

#[cfg(test)]
mod tests;
