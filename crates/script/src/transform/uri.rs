//! `uri.` transformations: the parts of a SIP, SIPS or TEL URI (RFC 3261 §19.1).

use super::parameter::pairs;
use super::{Entry, Shape, input, integer, output, text_parameter};
use crate::value::{Text, Value};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("uri.user", 0, &[], |value, _| part(value, |uri| uri.user)),
    Entry::new("uri.host", 0, &[], |value, _| part(value, |uri| uri.host)),
    Entry::new("uri.passwd", 0, &[], |value, _| part(value, |uri| uri.password)),
    Entry::new("uri.port", 0, &[], port),
    Entry::new("uri.params", 0, &[], |value, _| part(value, |uri| uri.parameters)),
    Entry::new("uri.headers", 0, &[], |value, _| part(value, |uri| uri.headers)),
    Entry::new("uri.scheme", 0, &[], |value, _| part(value, |uri| uri.scheme)),
    Entry::new("uri.param", 1, &[Shape::Text], parameter),
    Entry::new("uri.rmparam", 1, &[Shape::Text], remove_parameter),
    Entry::new("uri.transport", 0, &[], |value, _| named(value, b"transport")),
    Entry::new("uri.ttl", 0, &[], |value, _| named(value, b"ttl")),
    Entry::new("uri.uparam", 0, &[], |value, _| named(value, b"user")),
    Entry::new("uri.maddr", 0, &[], |value, _| named(value, b"maddr")),
    Entry::new("uri.method", 0, &[], |value, _| named(value, b"method")),
    Entry::new("uri.lr", 0, &[], |value, _| named(value, b"lr")),
    Entry::new("uri.r2", 0, &[], |value, _| named(value, b"r2")),
    Entry::new("uri.tosocket", 0, &[], to_socket),
    Entry::new("uri.duri", 0, &[], |value, _| rebuilt(value, false, true)),
    Entry::new("uri.saor", 0, &[], |value, _| rebuilt(value, true, false)),
    Entry::new("uri.suri", 0, &[], |value, _| rebuilt(value, true, true)),
];

/// The parts of a URI as slices of its text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts<'a> {
    pub scheme: &'a [u8],
    pub user: &'a [u8],
    pub password: &'a [u8],
    /// With brackets for IPv6.
    pub host: &'a [u8],
    pub port: &'a [u8],
    /// Without the leading `;`.
    pub parameters: &'a [u8],
    /// Without the leading `?`.
    pub headers: &'a [u8],
}

/// Bytes that make a host none.
const NOT_IN_HOST: &[u8] = b" =<>,\"";

fn split_once(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|found| *found == byte) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

impl<'a> Parts<'a> {
    /// The parts of `text`, or `None` when it is no URI.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Parts<'a>> {
        let (scheme, rest) = split_once(text, b':');
        let rest = rest?;
        let is_telephone = scheme.eq_ignore_ascii_case(b"tel") || scheme.eq_ignore_ascii_case(b"tels");
        let is_known = is_telephone || [&b"sip"[..], b"sips", b"urn"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if !is_known {
            return None;
        }
        let mut parts = Parts { scheme, ..Parts::default() };
        if is_telephone {
            let (user, _) = split_once(rest, b';');
            parts.user = user;
            return (!user.is_empty()).then_some(parts);
        }
        // The user part may hold `;` and `?`, so the last `@` before any header part decides.
        let at = rest.iter().position(|byte| *byte == b'@');
        let rest = match at {
            Some(at) => {
                let (user, password) = split_once(rest.get(..at)?, b':');
                parts.user = user;
                parts.password = password.unwrap_or_default();
                rest.get(at + 1..)?
            }
            None => rest,
        };
        let (rest, headers) = split_once(rest, b'?');
        parts.headers = headers.unwrap_or_default();
        let (address, parameters) = split_once(rest, b';');
        parts.parameters = parameters.unwrap_or_default();
        if address.first() == Some(&b'[') {
            let end = address.iter().position(|byte| *byte == b']')? + 1;
            parts.host = address.get(..end)?;
            let after = address.get(end..)?;
            parts.port = if after.is_empty() { after } else { after.strip_prefix(b":")? };
        } else {
            let (host, port) = split_once(address, b':');
            parts.host = host;
            parts.port = port.unwrap_or_default();
        }
        let is_port = parts.port.len() <= 5 && parts.port.iter().all(u8::is_ascii_digit);
        if parts.parameter(b"user").is_some_and(|kind| kind.eq_ignore_ascii_case(b"phone")) {
            parts.user = split_once(parts.user, b';').0;
        }
        if parts.headers.is_empty() && parts.ends_with_empty_maddr() {
            return None;
        }
        (!parts.host.is_empty() && is_port && !parts.host.iter().any(|byte| NOT_IN_HOST.contains(byte))).then_some(parts)
    }

    /// Kamailio takes no URI whose last parameter is a `maddr` without an address.
    fn ends_with_empty_maddr(&self) -> bool {
        let (name, value) =
            split_once(self.parameters.rsplit(|byte| *byte == b';').find(|parameter| !parameter.is_empty()).unwrap_or_default(), b'=');
        name.eq_ignore_ascii_case(b"maddr") && value.unwrap_or_default().is_empty()
    }

    /// The value of a parameter, empty when it has none.
    pub(crate) fn parameter(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.parameters.split(|byte| *byte == b';').find_map(|parameter| {
            let (found, value) = split_once(parameter, b'=');
            found.eq_ignore_ascii_case(name).then(|| value.unwrap_or_default())
        })
    }
}

fn part(value: &Value, of: impl for<'a> Fn(&Parts<'a>) -> &'a [u8]) -> Option<Value> {
    let text = input(value)?;
    output(of(&Parts::parse(&text)?))
}

/// An absent port is empty text and the integer 0.
fn port(value: &Value, _: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let parts = Parts::parse(&text)?;
    if parts.port.is_empty() {
        return Some(Value::Number(0, Text::empty()));
    }
    integer(std::str::from_utf8(parts.port).ok()?.parse().ok()?)
}

fn named(value: &Value, name: &[u8]) -> Option<Value> {
    let text = input(value)?;
    output(Parts::parse(&text)?.parameter(name).unwrap_or_default())
}

fn parameter(value: &Value, parameters: &[Value]) -> Option<Value> {
    let name = text_parameter(parameters, 0)?;
    let text = input(value)?;
    let list = Parts::parse(&text)?.parameters;
    let found = if list.is_empty() { None } else { pairs(list, b';')?.into_iter().rfind(|(found, _)| found.eq_ignore_ascii_case(&name)) };
    output(found.map(|(_, value)| value).unwrap_or_default())
}

fn remove_parameter(value: &Value, parameters: &[Value]) -> Option<Value> {
    let name = text_parameter(parameters, 0)?;
    let text = input(value)?;
    let parts = Parts::parse(&text)?;
    if parts.parameters.is_empty() {
        return output(&text);
    }
    let headers_length = if parts.headers.is_empty() { 0 } else { parts.headers.len() + 1 };
    let tail_length = headers_length + parts.parameters.len() + 1;
    let mut out = text.get(..text.len().checked_sub(tail_length)?)?.to_vec();
    for parameter in parts.parameters.split(|byte| *byte == b';') {
        if !split_once(parameter, b'=').0.eq_ignore_ascii_case(&name) {
            out.push(b';');
            out.extend_from_slice(parameter);
        }
    }
    if !parts.headers.is_empty() {
        out.push(b'?');
        out.extend_from_slice(parts.headers);
    }
    output(out)
}

/// `proto:host:port`
fn to_socket(value: &Value, _: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let parts = Parts::parse(&text)?;
    let is_secure = parts.scheme.eq_ignore_ascii_case(b"sips");
    let transport = parts.parameter(b"transport").filter(|transport| !transport.is_empty());
    let transport = transport.unwrap_or(if is_secure { b"tls" } else { b"udp" }).to_ascii_lowercase();
    let port: &[u8] = if !parts.port.is_empty() {
        parts.port
    } else if transport == b"tls" {
        b"5061"
    } else {
        b"5060"
    };
    output([&transport, parts.host, port].join(&b':'))
}

/// The address written again from its parts.
fn rebuilt(value: &Value, with_user: bool, with_destination: bool) -> Option<Value> {
    let text = input(value)?;
    let parts = Parts::parse(&text)?;
    let mut out = parts.scheme.to_vec();
    out.push(b':');
    if with_user && !parts.user.is_empty() {
        out.extend_from_slice(parts.user);
        out.push(b'@');
    }
    out.extend_from_slice(parts.host);
    if with_destination {
        if !parts.port.is_empty() {
            out.push(b':');
            out.extend_from_slice(parts.port);
        }
        if let Some(transport) = parts.parameter(b"transport").filter(|transport| !transport.is_empty()) {
            out.extend_from_slice(b";transport=");
            out.extend_from_slice(transport);
        }
    }
    output(out)
}
