//! Parts of the request URI, the received request URI and the next hop (`$ru`, `$ou`, `$du` and their parts).

use script::exports::{Index, Inner};
use script::value::{Text, Value};
use sip::uri::Uri;

use super::answer::{length, non_empty, optional};
use crate::core::uri_edit::{Change, edit};
use crate::sockets::DEFAULT_PORT;
use crate::worker::Worker;

/// A part of a URI as variables show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    User,
    Host,
    /// 5060 when absent.
    Port,
    /// `UDP` when absent, `TLS` for SIPS.
    Transport,
    Scheme,
    Length,
    UserLength,
}

/// A part of a URI text; null when there is no URI or it does not parse.
pub(super) fn part(worker: &Worker, text: Option<&[u8]>, part: Part) -> Value {
    part_of(text, part, worker.node.core.phone2tel)
}

/// With `user=phone` a SIP URI counts as a TEL URI when `phone_is_telephone` (core parameter `phone2tel`, on by default).
fn part_of(text: Option<&[u8]>, part: Part, phone_is_telephone: bool) -> Value {
    let Some(text) = text else { return Value::Null };
    match part {
        Part::Whole => return non_empty(text),
        Part::Length => return length(text.len()),
        _ => {}
    }
    let Ok(uri) = Uri::parse(text) else { return Value::Null };
    let user = if phone_is_telephone { uri.number() } else { uri.user };
    match part {
        Part::User => non_empty(user),
        Part::Host => non_empty(uri.host),
        Part::Port => Value::text(uri.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT).to_string()),
        Part::Transport => match uri.transport() {
            Some(transport) if !transport.is_empty() => Value::text(transport),
            _ if uri.is_sips() => Value::text("TLS"),
            _ => Value::text("UDP"),
        },
        Part::Scheme if phone_is_telephone && uri.is_phone() => Value::text("tel"),
        Part::Scheme => non_empty(uri.scheme),
        Part::UserLength => length(user.len()),
        Part::Whole | Part::Length => Value::Null,
    }
}

/// The current request URI; none in replies.
pub(super) fn current(worker: &Worker) -> Option<&[u8]> {
    worker.run.message.is_request().then(|| worker.run.request_uri())
}

/// The request URI as received.
pub(super) fn original(worker: &Worker) -> Option<&[u8]> {
    worker.run.message.is_request().then(|| worker.run.message.request_uri())
}

/// The next hop, when one is set.
pub(super) fn next_hop(worker: &Worker) -> Option<&[u8]> {
    worker.run.target.next_hop.as_deref()
}

fn change(worker: &mut Worker, change: Change<'_>) -> Result<(), String> {
    if !worker.run.message.is_request() {
        return Err("replies have no request URI".to_owned());
    }
    let uri = edit(worker.run.request_uri(), change).map_err(|error| error.to_string())?;
    worker.run.set_request_uri(&uri);
    Ok(())
}

pub(super) fn write_whole(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let text = value.to_text();
    if text.is_empty() || text.len() > crate::core::uri_edit::URI_BYTES_MAX {
        return Err("the request URI cannot be empty or longer than 1024 bytes".to_owned());
    }
    worker.run.set_request_uri(&text);
    Ok(())
}

pub(super) fn write_user(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    change(worker, Change::User(&value.to_text()))
}

pub(super) fn write_host(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let text = value.to_text();
    if text.is_empty() {
        return Err("the host of the request URI cannot be empty".to_owned());
    }
    change(worker, Change::Host(&text))
}

pub(super) fn write_port(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    change(worker, Change::Port(&value.to_text()))
}

pub(super) fn write_next_hop(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let text = value.to_text();
    worker.run.set_next_hop(Some(text).filter(|text| !text.is_empty()));
    Ok(())
}

/// Host, port or transport of `$du`; null when it is not set.
pub(super) fn next_hop_part(worker: &Worker, wanted: Part) -> Value {
    part(worker, next_hop(worker), wanted)
}

/// `$nh(key)`: parts of where the request goes next.
pub(super) const NEXT_HOP_KEYS: &[&str] = &["u", "U", "d", "p", "P", "i"];

pub(super) fn next_hop_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let uri = next_hop(worker).or_else(|| current(worker));
    match inner {
        Inner::Choice(0) => part(worker, uri, Part::Whole),
        Inner::Choice(1) => part(worker, uri, Part::User),
        Inner::Choice(2) => part(worker, uri, Part::Host),
        Inner::Choice(3) => part(worker, uri, Part::Port),
        Inner::Choice(4) => part(worker, uri, Part::Transport),
        Inner::Choice(_) => {
            let host = uri.and_then(|text| Uri::parse(text).ok()).and_then(|uri| crate::sockets::parse_address(uri.host));
            host.map_or(Value::Integer(0), |address| Value::Integer(if address.is_ipv4() { 4 } else { 6 }))
        }
        _ => Value::Null,
    }
}

/// The URI of the first element of a header, for `$ai`, `$re`, `$rt` and the like.
pub(super) fn of_header(worker: &Worker, id: sip::HeaderId, at: usize) -> Option<Text> {
    let message = &worker.run.message;
    let element = message.headers_of(id).flat_map(|header| super::elements(message.text(header.value))).nth(at)?;
    sip::NameAddress::parse(element).map(|address| Text::from(address.uri))
}

pub(super) fn optional_text(text: Option<Text>) -> Value {
    optional(text.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_kamailio() {
        let uri = Some(&b"sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar"[..]);
        assert_eq!(part_of(uri, Part::User, true), Value::text("bob"));
        assert_eq!(part_of(uri, Part::Host, true), Value::text("127.0.0.1"));
        assert_eq!(part_of(uri, Part::Port, true).to_integer(), 5966);
        assert_eq!(part_of(uri, Part::Transport, true), Value::text("udp"));
        assert_eq!(part_of(uri, Part::Scheme, true), Value::text("sip"));
        assert_eq!(part_of(uri, Part::UserLength, true), Value::Integer(3));
        assert_eq!(part_of(Some(b"sip:example.com"), Part::User, true), Value::Null);
        assert_eq!(part_of(Some(b"sip:example.com"), Part::Port, true).to_integer(), 5060);
        assert_eq!(part_of(Some(b"sip:example.com"), Part::Transport, true), Value::text("UDP"));
        assert_eq!(part_of(Some(b"sips:example.com"), Part::Transport, true), Value::text("TLS"));
        assert_eq!(part_of(None, Part::Whole, true), Value::Null);
        let number = Some(&b"sip:+12;ph=x@h.com;user=phone"[..]);
        for (is_telephone, user, scheme) in [(true, "+12", "tel"), (false, "+12;ph=x", "sip")] {
            assert_eq!(part_of(number, Part::User, is_telephone), Value::text(user));
            assert_eq!(part_of(number, Part::Scheme, is_telephone), Value::text(scheme));
        }
        assert_eq!(part_of(Some(b"rubbish"), Part::Host, true), Value::Null);
    }
}
