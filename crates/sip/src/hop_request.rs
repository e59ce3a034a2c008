//! CANCEL and the ACK to a negative reply, made from the INVITE as it was sent (spec proxy-core 7.9, 7.10).

use crate::header::HeaderId;
use crate::message::Message;
use crate::reply::write_line;

const NO_BODY: &[u8] = b"Content-Length: 0\r\n";

/// Appends a CANCEL for `sent_invite` (the serialised INVITE, parsed again): same Request-URI, our Via, From, To, Call-ID,
/// CSeq number, Route, Max-Forwards in the INVITE's order, `Content-Length: 0`; then `extra_headers` (whole lines: Reason).
/// Require and Proxy-Require do not belong into a CANCEL (RFC 3261 §9.1).
pub fn write_cancel(out: &mut Vec<u8>, sent_invite: &Message, extra_headers: &[u8]) {
    write_cancel_copying(out, sent_invite, b"", extra_headers);
}

/// As `write_cancel`, copying also the headers whose name starts with `prefix` in any case. Empty: none.
pub fn write_cancel_copying(out: &mut Vec<u8>, sent_invite: &Message, prefix: &[u8], extra_headers: &[u8]) {
    write_request_line(out, sent_invite, b"CANCEL");
    write_headers(out, sent_invite, b"CANCEL", None, prefix);
    if sent_invite.header(HeaderId::ContentLength).is_none() {
        out.extend_from_slice(NO_BODY);
    }
    out.extend_from_slice(extra_headers);
    out.extend_from_slice(b"\r\n");
}

/// Appends the hop-by-hop ACK for a reply of 300 or above (RFC 3261 §17.1.1.3): as the INVITE, with the reply's To, and the
/// headers whose name starts with `prefix`. `Content-Length: 0` only if the INVITE had one.
pub fn write_ack(out: &mut Vec<u8>, sent_invite: &Message, reply: &Message, prefix: &[u8]) {
    write_request_line(out, sent_invite, b"ACK");
    write_headers(out, sent_invite, b"ACK", Some(reply), prefix);
    out.extend_from_slice(b"\r\n");
}

/// Where a CANCEL or ACK takes its headers from when that is not the INVITE as it was sent (`reparse_invite=0`).
#[derive(Clone, Copy, Debug)]
pub struct FromReceived<'a> {
    /// Request-URI, our Via and the CSeq number, which may have been raised on the way out.
    pub sent_invite: &'a Message,
    /// Everything else.
    pub received_invite: &'a Message,
    /// A `User-Agent` header without its line end, or nothing.
    pub user_agent: &'a [u8],
}

/// Appends a CANCEL made from the INVITE as it was received.
pub fn write_cancel_from_received(out: &mut Vec<u8>, from: FromReceived<'_>, extra_headers: &[u8]) {
    write_from_received(out, from, b"CANCEL", None);
    out.extend_from_slice(extra_headers);
    out.extend_from_slice(b"\r\n");
}

/// Appends the hop-by-hop ACK made from the INVITE as it was received, with the reply's To.
pub fn write_ack_from_received(out: &mut Vec<u8>, from: FromReceived<'_>, reply: &Message) {
    write_from_received(out, from, b"ACK", Some(reply));
    out.extend_from_slice(b"\r\n");
}

fn write_from_received(out: &mut Vec<u8>, from: FromReceived<'_>, method: &[u8], reply: Option<&Message>) {
    let invite = from.received_invite;
    write_request_line(out, from.sent_invite, method);
    write_top_via(out, from.sent_invite);
    for id in [HeaderId::From, HeaderId::CallId] {
        write_all(out, invite, id);
    }
    write_all(out, reply.unwrap_or(invite), HeaderId::To);
    write_cseq(out, from.sent_invite, method);
    for id in [HeaderId::MaxForwards, HeaderId::Route] {
        write_all(out, invite, id);
    }
    if !from.user_agent.is_empty() {
        out.extend_from_slice(from.user_agent);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(NO_BODY);
}

fn write_all(out: &mut Vec<u8>, message: &Message, id: HeaderId) {
    for header in message.headers_of(id) {
        write_line(out, message, header);
    }
}

fn write_request_line(out: &mut Vec<u8>, sent_invite: &Message, method: &[u8]) {
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(sent_invite.request_uri());
    out.extend_from_slice(b" SIP/2.0\r\n");
}

/// Copies the headers both requests share, in the INVITE's order, and those whose name starts with `prefix`.
fn write_headers(out: &mut Vec<u8>, sent_invite: &Message, method: &[u8], reply: Option<&Message>, prefix: &[u8]) {
    let starts = |name: &[u8]| name.get(..prefix.len()).is_some_and(|start| !prefix.is_empty() && start.eq_ignore_ascii_case(prefix));
    let mut has_via = false;
    let mut has_length = false;
    for header in sent_invite.headers() {
        match header.id {
            HeaderId::Via if has_via => {}
            HeaderId::Via => {
                has_via = true;
                write_top_via(out, sent_invite);
            }
            HeaderId::CSeq => write_cseq(out, sent_invite, method),
            HeaderId::To => match reply.and_then(|reply| reply.header(HeaderId::To).map(|to| (reply, to))) {
                Some((reply, to)) => write_line(out, reply, to),
                None => write_line(out, sent_invite, header),
            },
            HeaderId::From | HeaderId::CallId | HeaderId::Route | HeaderId::MaxForwards => {
                write_line(out, sent_invite, header);
            }
            HeaderId::ContentLength if has_length => {}
            HeaderId::ContentLength => {
                has_length = true;
                out.extend_from_slice(NO_BODY);
            }
            _ if starts(sent_invite.text(header.name)) => write_line(out, sent_invite, header),
            _ => {}
        }
    }
}

fn write_top_via(out: &mut Vec<u8>, sent_invite: &Message) {
    if let Some(via) = sent_invite.top_via() {
        out.extend_from_slice(b"Via: ");
        out.extend_from_slice(via.whole);
        out.extend_from_slice(b"\r\n");
    }
}

fn write_cseq(out: &mut Vec<u8>, sent_invite: &Message, method: &[u8]) {
    if let Some(cseq) = sent_invite.cseq() {
        out.extend_from_slice(b"CSeq: ");
        out.extend_from_slice(cseq.number_text);
        out.push(b' ');
        out.extend_from_slice(method);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
