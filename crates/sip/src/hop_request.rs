//! CANCEL and the ACK to a negative reply, made from the INVITE as it was sent (spec proxy-core 7.9, 7.10).

use crate::header::HeaderId;
use crate::message::Message;
use crate::reply::write_line;

/// Appends a CANCEL for `sent_invite` (the serialised INVITE, parsed again): same Request-URI, our Via, From, To, Call-ID,
/// CSeq number, Route, Max-Forwards, Require, Proxy-Require in the INVITE's order; then `Content-Length: 0`, then
/// `extra_headers` (whole lines: Reason).
pub fn write_cancel(out: &mut Vec<u8>, sent_invite: &Message, extra_headers: &[u8]) {
    write_cancel_copying(out, sent_invite, b"", extra_headers);
}

/// As `write_cancel`, copying also the headers whose name starts with `prefix` in any case. Empty: none.
pub fn write_cancel_copying(out: &mut Vec<u8>, sent_invite: &Message, prefix: &[u8], extra_headers: &[u8]) {
    write_request_line(out, sent_invite, b"CANCEL");
    write_headers(out, sent_invite, b"CANCEL", None, |id, name| {
        let by_prefix = !prefix.is_empty() && name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        matches!(id, HeaderId::Require | HeaderId::ProxyRequire) || by_prefix
    });
    out.extend_from_slice(b"Content-Length: 0\r\n");
    out.extend_from_slice(extra_headers);
    out.extend_from_slice(b"\r\n");
}

/// Appends the hop-by-hop ACK for a reply of 300 or above (RFC 3261 §17.1.1.3): as the INVITE, with the reply's To.
/// `Content-Length: 0` only if the INVITE had one.
pub fn write_ack(out: &mut Vec<u8>, sent_invite: &Message, reply: &Message) {
    write_request_line(out, sent_invite, b"ACK");
    write_headers(out, sent_invite, b"ACK", Some(reply), |_, _| false);
    if sent_invite.header(HeaderId::ContentLength).is_some() {
        out.extend_from_slice(b"Content-Length: 0\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_request_line(out: &mut Vec<u8>, sent_invite: &Message, method: &[u8]) {
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(sent_invite.request_uri());
    out.extend_from_slice(b" SIP/2.0\r\n");
}

/// Copies the headers both requests share, in the INVITE's order, and those `also` names.
fn write_headers(out: &mut Vec<u8>, sent_invite: &Message, method: &[u8], reply: Option<&Message>, also: impl Fn(HeaderId, &[u8]) -> bool) {
    let mut has_via = false;
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
            id if also(id, sent_invite.text(header.name)) => write_line(out, sent_invite, header),
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
