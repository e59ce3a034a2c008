//! One Via element: protocol, sent-by, the parameters responses travel by (RFC 3261 §18.2, §20.42; RFC 3581).

use crate::params::{self, Params};
use crate::scan::{Elements, after, before, decimal, from, is_decimal, is_space, same_name, trim, trim_end, trim_start};
use std::net::IpAddr;

/// One Via element; every part is a slice of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `SIP`.
    pub protocol: &'a [u8],
    /// `2.0`.
    pub version: &'a [u8],
    /// `UDP`, `TCP`, `TLS`, `WS`, ... as written.
    pub transport: &'a [u8],
    /// Host of sent-by; IPv6 keeps its brackets.
    pub host: &'a [u8],
    /// `None` when absent or above 65535.
    pub port: Option<u16>,
    pub port_text: &'a [u8],
    /// Empty when absent.
    pub branch: &'a [u8],
    /// Empty when absent.
    pub received: &'a [u8],
    /// `Some(b"")` when bare.
    pub rport: Option<&'a [u8]>,
    /// From the first semicolon on.
    pub params: &'a [u8],
    /// The whole element, trimmed.
    pub whole: &'a [u8],
    /// Host and port as written.
    pub sent_by: &'a [u8],
    /// Position of its header line in `Message::headers`.
    pub header: usize,
}

/// The branch prefix that promises a unique transaction key (RFC 3261 §8.1.1.7).
pub const BRANCH_COOKIE: &[u8] = b"z9hG4bK";

impl<'a> Via<'a> {
    /// Reads one element. `None` unless it is `SIP/2.0/TRANSPORT host[:digits][;params]` with a host.
    pub fn parse(element: &'a [u8], header: usize) -> Option<Via<'a>> {
        let whole = trim(element);
        let slash = memchr::memchr(b'/', whole)?;
        let protocol = trim(before(whole, slash));
        let rest = after(whole, slash);
        let slash = memchr::memchr(b'/', rest)?;
        let version = trim(before(rest, slash));
        if !protocol.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
            return None;
        }
        let rest = trim_start(after(rest, slash));
        let space = rest.iter().position(|byte| is_space(*byte))?;
        let transport = before(rest, space);
        let rest = trim_start(from(rest, space));
        let params_at = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let sent_by = trim_end(before(rest, params_at));
        let (host, port_text) = split_host_port(sent_by)?;
        if transport.is_empty() || transport.contains(&b';') {
            return None;
        }
        let mut via = Via {
            protocol,
            version,
            transport,
            host,
            port: decimal(port_text).and_then(|port| u16::try_from(port).ok()),
            port_text,
            branch: b"",
            received: b"",
            rport: None,
            params: from(rest, params_at),
            whole,
            sent_by,
            header,
        };
        via.note_params();
        Some(via)
    }

    fn note_params(&mut self) {
        if self.note_plain_params().is_none() {
            self.note_any_params();
        }
    }

    /// Nearly always there is a branch and nothing else, or a bare `rport` behind it.
    fn note_plain_params(&mut self) -> Option<()> {
        let rest = self.params.strip_prefix(b";branch=")?;
        let end = rest.iter().position(|byte| *byte <= b' ' || matches!(byte, b';' | b'"' | b'=')).unwrap_or(rest.len());
        let rport = match from(rest, end) {
            b"" => None,
            b";rport" => Some(&b""[..]),
            _ => return None,
        };
        (self.branch, self.rport) = (before(rest, end), rport);
        Some(())
    }

    fn note_any_params(&mut self) {
        for param in Params::new(self.params) {
            let value = param.value.unwrap_or(b"");
            match param.name.len() {
                6 if self.branch.is_empty() && same_name(param.name, b"branch") => self.branch = value,
                8 if self.received.is_empty() && same_name(param.name, b"received") => self.received = value,
                5 if self.rport.is_none() && same_name(param.name, b"rport") => self.rport = Some(value),
                _ => {}
            }
        }
    }

    /// A parameter: `Some(b"")` when it is bare, `None` when absent.
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        params::find(self.params, name)
    }

    /// Port of sent-by, 5060 when absent or 0, 5061 for TLS and WSS (RFC 3261 §18.2.2).
    pub fn port_or_default(&self) -> u16 {
        let secure = self.transport.eq_ignore_ascii_case(b"TLS") || self.transport.eq_ignore_ascii_case(b"WSS");
        match self.port {
            Some(port) if port != 0 => port,
            _ if secure => 5061,
            _ => 5060,
        }
    }

    /// Whether the branch carries the RFC 3261 cookie (case-sensitive, spec proxy-core 7.2.1) and more.
    pub fn has_cookie(&self) -> bool {
        self.branch.len() > BRANCH_COOKIE.len() && self.branch.starts_with(BRANCH_COOKIE)
    }

    /// Whether the host of sent-by is the literal address `source`.
    pub fn host_is(&self, source: IpAddr) -> bool {
        host_address(self.host) == Some(source)
    }
}

/// The address a host text spells, brackets allowed around IPv6; `None` for a name.
pub fn host_address(host: &[u8]) -> Option<IpAddr> {
    let bare = match host {
        [b'[', inner @ .., b']'] => inner,
        _ => host,
    };
    let may_be_address = bare.first().is_some_and(u8::is_ascii_digit) || bare.contains(&b':');
    if bare.len() > 45 || !may_be_address {
        return None;
    }
    std::str::from_utf8(bare).ok()?.parse().ok()
}

/// Host and port text of `host[:port]`, white space allowed around the colon. `None` when the host is empty, a bracket
/// does not close or the port is not all digits.
pub fn split_host_port(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (host, rest) = if text.first() == Some(&b'[') {
        let end = memchr::memchr(b']', text)?.checked_add(1)?;
        (before(text, end), trim_start(from(text, end)))
    } else {
        let end = memchr::memchr(b':', text).unwrap_or(text.len());
        (trim_end(before(text, end)), from(text, end))
    };
    if host.is_empty() || host == b"[]" || host.iter().any(|byte| is_space(*byte)) {
        return None;
    }
    match rest {
        [] => Some((host, b"")),
        [b':', port @ ..] if is_decimal(trim(port)) => Some((host, trim(port))),
        _ => None,
    }
}

/// Whether every element of a Via header value can be parsed, with no empty element and no empty parameter.
/// The top header is held to this before a message is let in (spec proxy-core 1.1 step 4).
pub fn is_well_formed(value: &[u8]) -> bool {
    if value.first() == Some(&b',') || value.last() == Some(&b',') {
        return false;
    }
    let mut count = 0usize;
    for element in Elements::new(value) {
        match Via::parse(element, 0) {
            Some(via) if params::is_well_formed(via.params) => count = count.saturating_add(1),
            _ => return false,
        }
    }
    count > 0
}

/// Cuts the first comma element off a Via value: the value without it, or `None` when it is the only one.
pub fn behind_first(value: &[u8]) -> Option<&[u8]> {
    let at = crate::scan::find_outside(value, b',')?;
    let rest = trim_start(after(value, at));
    if rest.is_empty() { None } else { Some(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via<'_> {
        Via::parse(text.as_bytes(), 0).expect("a via")
    }

    #[test]
    fn all_parts_are_found_through_white_space_and_folding() {
        let v = via("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ;branch=390skdjuw; rport ;received=1.2.3.4");
        assert_eq!((v.protocol, v.version, v.transport), (&b"SIP"[..], &b"2.0"[..], &b"UDP"[..]));
        assert_eq!((v.host, v.port, v.port_text), (&b"192.0.2.2"[..], Some(5070), &b"5070"[..]));
        assert_eq!((v.branch, v.received, v.rport), (&b"390skdjuw"[..], &b"1.2.3.4"[..], Some(&b""[..])));
        assert!(!v.has_cookie());
    }

    #[test]
    fn ipv6_keeps_brackets_and_compares_as_an_address() {
        let v = via("SIP/2.0/TLS [2001:DB8:0::1];branch=z9hG4bKa;rport=7");
        assert_eq!((v.host, v.port, v.port_or_default()), (&b"[2001:DB8:0::1]"[..], None, 5061));
        assert!(v.host_is("2001:db8::1".parse().expect("address")));
        assert_eq!(v.rport, Some(&b"7"[..]));
        assert!(v.has_cookie());
    }

    #[test]
    fn broken_elements_are_refused_and_odd_ports_are_not() {
        for text in ["", ":]", "SIP/2.0/UDP :]", "SIP/7.0/UDP h", "SIP/2.0/UDP", "SIP/2.0/UDP h:x", "SIP/2.0/UDP [::1", "X/2.0/UDP h"] {
            assert_eq!(Via::parse(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(via("SIP/2.0/UDP h:99999").port, None);
        assert_eq!(via("SIP/2.0/UDP h:99999").port_text, b"99999");
        assert_eq!(via("SIP/2.0/UDP h:0").port, Some(0));
    }

    #[test]
    fn null_parameters_are_not_well_formed() {
        assert!(is_well_formed(b"SIP/2.0/UDP a;branch=x, SIP/2.0/TCP b"));
        assert!(!is_well_formed(b"SIP/2.0/UDP 192.0.2.15;;,;,,"));
        assert!(!is_well_formed(b""));
    }
}
