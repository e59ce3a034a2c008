//! SIP, SIPS and TEL URIs: parts and comparison (RFC 3261 §19.1, RFC 3966).

use crate::params::{self, Params};
use crate::scan::{after, before, decimal, from, is_decimal};
use crate::via::host_address;
use std::fmt;

/// The parts of a URI as slices of the text it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// As written: `sip`, `sips`, `tel`, `urn`, ...
    pub scheme: &'a [u8],
    /// User without password; the number of a TEL URI. Empty when absent.
    pub user: &'a [u8],
    pub password: &'a [u8],
    /// IPv6 keeps its brackets; empty in TEL and URN URIs.
    pub host: &'a [u8],
    pub port_text: &'a [u8],
    /// `None` when absent.
    pub port: Option<u16>,
    /// Behind the first semicolon, without it. Empty when absent.
    pub params: &'a [u8],
    /// Behind the question mark, without it. Empty when absent.
    pub headers: &'a [u8],
    /// Whether there was an `@`, even with an empty user.
    pub has_user: bool,
    pub whole: &'a [u8],
}

/// Why a URI is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    NoScheme,
    UnknownScheme,
    NoHost,
    OpenBracket,
    Port,
    Octet,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriError::NoScheme => "the URI has no scheme",
            UriError::UnknownScheme => "the URI scheme is not sip, sips, tel, tels or urn",
            UriError::NoHost => "the URI has no host",
            UriError::OpenBracket => "the IPv6 bracket of the URI does not close",
            UriError::Port => "the URI port is not a number up to 65535",
            UriError::Octet => "the URI contains a space, control byte or angle bracket",
        })
    }
}

impl std::error::Error for UriError {}

impl<'a> Uri<'a> {
    /// Splits `text`. SIP and SIPS need a host; TEL and URN keep all before their parameters in `user`.
    pub fn parse(text: &'a [u8]) -> Result<Uri<'a>, UriError> {
        if has_forbidden_octet(text) {
            return Err(UriError::Octet);
        }
        let colon = memchr::memchr(b':', text).ok_or(UriError::NoScheme)?;
        let scheme = before(text, colon);
        let rest = after(text, colon);
        let is = |name: &[u8]| scheme.eq_ignore_ascii_case(name);
        if is(b"sip") || is(b"sips") {
            Uri::parse_sip(text, scheme, rest)
        } else if is(b"tel") || is(b"tels") || is(b"urn") {
            let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
            let mut uri = Uri::empty(text, scheme);
            uri.user = before(rest, end);
            uri.params = after(rest, end);
            if uri.user.is_empty() { Err(UriError::NoHost) } else { Ok(uri) }
        } else if scheme.is_empty() {
            Err(UriError::NoScheme)
        } else {
            Err(UriError::UnknownScheme)
        }
    }

    fn empty(whole: &'a [u8], scheme: &'a [u8]) -> Uri<'a> {
        Uri { scheme, user: b"", password: b"", host: b"", port_text: b"", port: None, params: b"", headers: b"", has_user: false, whole }
    }

    fn parse_sip(whole: &'a [u8], scheme: &'a [u8], rest: &'a [u8]) -> Result<Uri<'a>, UriError> {
        let mut uri = Uri::empty(whole, scheme);
        let rest = match memchr::memchr(b'@', rest) {
            Some(at) => {
                let userinfo = before(rest, at);
                let colon = memchr::memchr(b':', userinfo).unwrap_or(userinfo.len());
                uri.user = before(userinfo, colon);
                uri.password = after(userinfo, colon);
                uri.has_user = true;
                after(rest, at)
            }
            None => rest,
        };
        // Host and port are short: looking at each byte costs less than setting up a search for each delimiter.
        let end = rest.iter().position(|byte| matches!(byte, b';' | b'?')).unwrap_or(rest.len());
        let behind = from(rest, end);
        if !behind.is_empty() {
            let question = memchr::memchr(b'?', behind).unwrap_or(behind.len());
            uri.headers = after(behind, question);
            uri.params = after(before(behind, question), 0);
        }
        uri.set_host_port(before(rest, end))?;
        Ok(uri)
    }

    fn set_host_port(&mut self, text: &'a [u8]) -> Result<(), UriError> {
        let host_end = match text.first() {
            None | Some(b':') => return Err(UriError::NoHost),
            Some(b'[') => match memchr::memchr(b']', text) {
                Some(at) => at.saturating_add(1),
                None => return Err(UriError::OpenBracket),
            },
            Some(_) => text.iter().position(|byte| *byte == b':').unwrap_or(text.len()),
        };
        self.host = before(text, host_end);
        match from(text, host_end) {
            [] => Ok(()),
            [b':', port @ ..] if is_decimal(port) => {
                self.port_text = port;
                self.port = decimal(port).and_then(|port| u16::try_from(port).ok());
                if self.port.is_some() { Ok(()) } else { Err(UriError::Port) }
            }
            _ => Err(UriError::Port),
        }
    }

    /// A URI parameter: `Some(b"")` when it is bare, `None` when absent.
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        if self.params.is_empty() { None } else { params::find(self.params, name) }
    }

    /// Is the user part a telephone number, `user=phone`?
    pub fn is_phone(&self) -> bool {
        self.param(b"user").is_some_and(|kind| kind.eq_ignore_ascii_case(b"phone"))
    }

    /// The user; of a telephone number without its own parameters (RFC 3261 §19.1.6).
    pub fn number(&self) -> &'a [u8] {
        let end = if self.is_phone() { memchr::memchr(b';', self.user) } else { None };
        before(self.user, end.unwrap_or(self.user.len()))
    }

    /// The `transport` parameter as written, `None` when absent.
    pub fn transport(&self) -> Option<&'a [u8]> {
        self.param(b"transport")
    }

    /// Whether the `lr` parameter is there, with or without a value.
    pub fn is_lr(&self) -> bool {
        self.param(b"lr").is_some()
    }

    /// The `maddr` parameter, `None` when absent or empty.
    pub fn maddr(&self) -> Option<&'a [u8]> {
        self.param(b"maddr").filter(|value| !value.is_empty())
    }

    pub fn is_sips(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"sips")
    }

    pub fn is_tel(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"tel") || self.scheme.eq_ignore_ascii_case(b"tels")
    }

    /// The port, 5060 when it is absent or 0 (spec proxy-core 2.5).
    pub fn port_or_5060(&self) -> u16 {
        self.port.filter(|port| *port != 0).unwrap_or(5060)
    }

    /// The port, else the default of the transport the URI asks for: 5061 for SIPS and TLS (RFC 3263 §4.2).
    pub fn port_or_default(&self) -> u16 {
        let secure = self.is_sips() || self.transport().is_some_and(|name| name.eq_ignore_ascii_case(b"tls"));
        match self.port {
            Some(port) if port != 0 => port,
            _ if secure => 5061,
            _ => 5060,
        }
    }
}

/// Looks at every byte without stopping early: the loop then works on many bytes at once.
fn has_forbidden_octet(text: &[u8]) -> bool {
    text.iter().fold(false, |found, &byte| found | (byte <= b' ') | (byte == 0x7f) | (byte == b'<') | (byte == b'>') | (byte == b'"'))
}

/// Whether two hosts are the same: any case, IPv6 by address whatever its spelling or brackets.
pub fn host_same(a: &[u8], b: &[u8]) -> bool {
    if a.eq_ignore_ascii_case(b) {
        return true;
    }
    if !a.contains(&b':') || !b.contains(&b':') {
        return false;
    }
    matches!((host_address(a), host_address(b)), (Some(x), Some(y)) if x == y)
}

/// URI equivalence (RFC 3261 §19.1.4). Texts that do not parse are the same only when their bytes are.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let (Ok(x), Ok(y)) = (Uri::parse(a), Uri::parse(b)) else {
        return a == b;
    };
    x.scheme.eq_ignore_ascii_case(y.scheme)
        && x.has_user == y.has_user
        && text_same(x.user, y.user, false)
        && text_same(x.password, y.password, false)
        && host_same(x.host, y.host)
        && x.port == y.port
        && params_match(x.params, y.params)
        && params_match(y.params, x.params)
        && headers_match(x.headers, y.headers)
        && headers_match(y.headers, x.headers)
}

/// Every parameter of `a` that `b` has too is equal, and those that always count are not missing in `b`.
fn params_match(a: &[u8], b: &[u8]) -> bool {
    const ALWAYS: [&[u8]; 5] = [b"transport", b"user", b"ttl", b"method", b"maddr"];
    Params::new(a).all(|param| match params::find(b, param.name) {
        Some(other) => text_same(param.value.unwrap_or(b""), other, !param.name.eq_ignore_ascii_case(b"method")),
        None => !ALWAYS.iter().any(|name| param.name.eq_ignore_ascii_case(name)),
    })
}

fn headers_match(a: &[u8], b: &[u8]) -> bool {
    Params::separated(a, b'&').all(|header| {
        Params::separated(b, b'&').any(|other| {
            header.name.eq_ignore_ascii_case(other.name) && text_same(header.value.unwrap_or(b""), other.value.unwrap_or(b""), true)
        })
    })
}

/// Compares texts in which `%41` and `A` are the same.
fn text_same(a: &[u8], b: &[u8], any_case: bool) -> bool {
    Unescaped(a).map(|byte| fold(byte, any_case)).eq(Unescaped(b).map(|byte| fold(byte, any_case)))
}

fn fold(byte: u8, any_case: bool) -> u8 {
    if any_case { byte.to_ascii_lowercase() } else { byte }
}

/// The bytes of a URI part with `%HH` taken as the byte it stands for; a broken escape stays as it is.
struct Unescaped<'a>(&'a [u8]);

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.0
            && let (Some(high), Some(low)) = (hexadecimal(*high), hexadecimal(*low))
        {
            self.0 = rest;
            return Some(high.wrapping_shl(4) | low);
        }
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

fn hexadecimal(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).expect("a uri")
    }

    #[test]
    fn parts_of_a_full_uri_are_found() {
        let u = uri("sips:alice;day=tuesday:secret@[2001:db8::1]:5070;transport=TCP;lr?Subject=a@b");
        assert_eq!((u.scheme, u.user, u.password), (&b"sips"[..], &b"alice;day=tuesday"[..], &b"secret"[..]));
        assert_eq!((u.host, u.port, u.port_text), (&b"[2001:db8::1]"[..], Some(5070), &b"5070"[..]));
        assert_eq!((u.transport(), u.is_lr(), u.maddr()), (Some(&b"TCP"[..]), true, None));
        assert_eq!(u.headers, b"Subject=a@b");
        assert_eq!(uri("tel:+358-555;phone-context=5").user, b"+358-555");
        assert_eq!(uri("sip:h;lr=on;maddr=1.2.3.4").maddr(), Some(&b"1.2.3.4"[..]));
        assert_eq!((uri("sips:h").port_or_default(), uri("sip:h:0").port_or_5060()), (5061, 5060));
    }

    #[test]
    fn broken_uris_say_why() {
        for (text, why) in [
            ("alice", UriError::NoScheme),
            ("nobodyKnowsThisScheme:x", UriError::UnknownScheme),
            ("sip:", UriError::NoHost),
            ("sip:a@", UriError::NoHost),
            ("sip:[::1", UriError::OpenBracket),
            ("sip:2001:db8::10", UriError::Port),
            ("sip:h:99999", UriError::Port),
            ("<sip:a@b>", UriError::Octet),
            ("%", UriError::NoScheme),
        ] {
            assert_eq!(Uri::parse(text.as_bytes()), Err(why), "{text}");
        }
    }

    #[test]
    fn comparison_follows_the_examples_of_the_standard() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:0DB8:0::1]"),
        ] {
            assert!(same(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com:6000;transport=tcp", "sip:bob@biloxi.com"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
        ] {
            assert!(!same(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
    }
}
