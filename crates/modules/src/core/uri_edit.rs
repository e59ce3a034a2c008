//! Changing one part of a URI text and keeping the others byte for byte (spec cfg-language 16.1).

use sip::uri::Uri;

/// Longest URI a script may build, in bytes (spec proxy-core 1.4).
pub const URI_BYTES_MAX: usize = 1024;

/// One change of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Replaces the user and keeps the password; empty removes both.
    User(&'a [u8]),
    /// Replaces user and password by `user` or `user:password`.
    UserPassword(&'a [u8]),
    /// Replaces the host.
    Host(&'a [u8]),
    /// Replaces host and port by `host` or `host:port`.
    HostPort(&'a [u8]),
    /// As [`Change::HostPort`] and drops the `transport` parameter.
    HostPortTransport(&'a [u8]),
    /// Replaces the port; empty removes it.
    Port(&'a [u8]),
    /// Puts text before the user.
    Prefix(&'a [u8]),
    /// Removes this many bytes from the start of the user.
    Strip(usize),
    /// Removes this many bytes from the end of the user.
    StripTail(usize),
    /// Adds `user=phone` when there is no `user` parameter.
    UserPhone,
}

/// Why a URI cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditError {
    /// The URI or what would come out is not a URI.
    BadUri,
    /// The result is longer than [`URI_BYTES_MAX`].
    TooLong,
}

impl std::fmt::Display for EditError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            EditError::BadUri => "not a valid URI",
            EditError::TooLong => "URI too long",
        })
    }
}

#[derive(Clone)]
struct Parts {
    user: Vec<u8>,
    password: Vec<u8>,
    host: Vec<u8>,
    port: Vec<u8>,
    params: Vec<u8>,
}

/// The URI with one change.
pub fn edit(uri: &[u8], change: Change<'_>) -> Result<Vec<u8>, EditError> {
    let parsed = Uri::parse(uri).map_err(|_| EditError::BadUri)?;
    let mut parts = Parts {
        user: parsed.user.to_vec(),
        password: parsed.password.to_vec(),
        host: parsed.host.to_vec(),
        port: parsed.port_text.to_vec(),
        params: parsed.params.to_vec(),
    };
    let scheme = match (change, parsed.scheme) {
        (Change::Host(_) | Change::HostPort(_) | Change::HostPortTransport(_), scheme) if scheme.eq_ignore_ascii_case(b"tel") => {
            number_becomes_user(&mut parts);
            b"sip"
        }
        // A number has no port.
        (Change::Port(_), scheme) if scheme.eq_ignore_ascii_case(b"tel") => return Ok(uri.to_vec()),
        (_, scheme) => scheme,
    };
    apply(&mut parts, change);
    let out = assemble(scheme, &parsed, &parts);
    if out.len() > URI_BYTES_MAX {
        return Err(EditError::TooLong);
    }
    match Uri::parse(&out) {
        Ok(_) => Ok(out),
        Err(_) => Err(EditError::BadUri),
    }
}

/// A telephone number that gets a host is a SIP URI from then on: number and parameters are its user (RFC 3261 §19.1.6).
fn number_becomes_user(parts: &mut Parts) {
    if !parts.params.is_empty() {
        parts.user.push(b';');
        parts.user.append(&mut parts.params);
    }
    parts.params = b"user=phone".to_vec();
}

fn apply(parts: &mut Parts, change: Change<'_>) {
    match change {
        Change::User(user) => {
            parts.user = user.to_vec();
            if user.is_empty() {
                parts.password.clear();
            }
        }
        Change::UserPassword(text) => {
            let (user, password) = split_last_of_first(text);
            parts.user = user.to_vec();
            parts.password = password.to_vec();
        }
        Change::Host(host) => parts.host = host.to_vec(),
        Change::HostPort(text) => set_host_port(parts, text),
        Change::HostPortTransport(text) => {
            set_host_port(parts, text);
            parts.params = without_param(&parts.params, b"transport");
        }
        Change::Port(port) => parts.port = port.to_vec(),
        Change::Prefix(prefix) => {
            parts.user.splice(0..0, prefix.iter().copied());
        }
        Change::Strip(count) => {
            parts.user.drain(..count.min(parts.user.len()));
            forget_password_without_user(parts);
        }
        Change::StripTail(count) => {
            parts.user.truncate(parts.user.len().saturating_sub(count));
            forget_password_without_user(parts);
        }
        Change::UserPhone => {
            if sip::params::find(&parts.params, b"user").is_none() {
                if !parts.params.is_empty() {
                    parts.params.push(b';');
                }
                parts.params.extend_from_slice(b"user=phone");
            }
        }
    }
}

fn forget_password_without_user(parts: &mut Parts) {
    if parts.user.is_empty() {
        parts.password.clear();
    }
}

fn set_host_port(parts: &mut Parts, text: &[u8]) {
    let colon = text.iter().rposition(|byte| *byte == b':').filter(|at| !text.get(*at..).is_some_and(|tail| tail.contains(&b']')));
    let (host, port) = match colon {
        Some(at) => (text.get(..at).unwrap_or(b""), text.get(at + 1..).unwrap_or(b"")),
        None => (text, &b""[..]),
    };
    parts.host = host.to_vec();
    parts.port = port.to_vec();
}

fn split_last_of_first(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b':') {
        Some(at) => (text.get(..at).unwrap_or(b""), text.get(at + 1..).unwrap_or(b"")),
        None => (text, b""),
    }
}

/// Parameters (without leading semicolon) without one of them.
pub fn without_param(params: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.len());
    for param in sip::params::Params::new(params) {
        if param.name.eq_ignore_ascii_case(name) {
            continue;
        }
        if !out.is_empty() {
            out.push(b';');
        }
        out.extend_from_slice(param.whole);
    }
    out
}

fn assemble(scheme: &[u8], parsed: &Uri<'_>, parts: &Parts) -> Vec<u8> {
    let mut out = Vec::with_capacity(parsed.whole.len() + 32);
    out.extend_from_slice(scheme);
    out.push(b':');
    out.extend_from_slice(&parts.user);
    if !parts.password.is_empty() {
        out.push(b':');
        out.extend_from_slice(&parts.password);
    }
    if !parts.host.is_empty() {
        if !parts.user.is_empty() {
            out.push(b'@');
        }
        out.extend_from_slice(&parts.host);
    }
    if !parts.port.is_empty() {
        out.push(b':');
        out.extend_from_slice(&parts.port);
    }
    if !parts.params.is_empty() {
        out.push(b';');
        out.extend_from_slice(&parts.params);
    }
    if !parsed.headers.is_empty() {
        out.push(b'?');
        out.extend_from_slice(parsed.headers);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(uri: &str, change: Change<'_>) -> String {
        String::from_utf8(edit(uri.as_bytes(), change).expect("a URI comes out")).expect("text")
    }

    #[test]
    fn every_change_gives_what_kamailio_gives() {
        let uri = "sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar";
        assert_eq!(edited(uri, Change::HostPort(b"h:5")), "sip:bob:pw@h:5;transport=udp;foo=bar");
        assert_eq!(edited(uri, Change::Host(b"hh")), "sip:bob:pw@hh:5966;transport=udp;foo=bar");
        assert_eq!(edited(uri, Change::Port(b"")), "sip:bob:pw@127.0.0.1;transport=udp;foo=bar");
        assert_eq!(edited(uri, Change::UserPassword(b"u:p")), "sip:u:p@127.0.0.1:5966;transport=udp;foo=bar");
        assert_eq!(edited(uri, Change::User(b"v")), "sip:v:pw@127.0.0.1:5966;transport=udp;foo=bar");
        assert_eq!(edited(uri, Change::User(b"")), "sip:127.0.0.1:5966;transport=udp;foo=bar");
        assert_eq!(edited("sip:12345@hh", Change::Strip(2)), "sip:345@hh");
        assert_eq!(edited("sip:345@hh", Change::StripTail(9)), "sip:hh");
        assert_eq!(edited("sip:a@b:1;transport=tcp;x=1?h=1", Change::UserPhone), "sip:a@b:1;transport=tcp;x=1;user=phone?h=1");
        assert_eq!(edited("sip:a@b:1;transport=tcp;x=1?h=1", Change::HostPortTransport(b"q:9")), "sip:a@q:9;x=1?h=1");
        assert_eq!(edited("sip:zz:99;x=1", Change::Prefix(b"00")), "sip:00@zz:99;x=1");
        assert_eq!(edited("sip:a@[::1]:5", Change::HostPort(b"[2001:db8::1]")), "sip:a@[2001:db8::1]");
    }

    #[test]
    fn a_number_that_gets_a_host_becomes_a_sip_uri() {
        assert_eq!(edited("tel:+4912345", Change::Host(b"example.com")), "sip:+4912345@example.com;user=phone");
        assert_eq!(edited("tel:+4912345;x=y", Change::HostPort(b"h:99")), "sip:+4912345;x=y@h:99;user=phone");
        assert_eq!(
            edited("tel:+4912345;x=y", Change::HostPortTransport(b"h:99;transport=tcp")),
            "sip:+4912345;x=y@h:99;transport=tcp;user=phone"
        );
        assert_eq!(edited("tel:+4912345", Change::Port(b"5090")), "tel:+4912345");
        assert_eq!(edited("tel:+4912345;x=y", Change::Strip(2)), "tel:912345;x=y");
    }

    #[test]
    fn what_would_not_be_a_uri_is_refused() {
        assert_eq!(edit(b"nonsense", Change::User(b"x")), Err(EditError::BadUri));
        assert_eq!(edit(b"sip:a@b", Change::Port(b"x1")), Err(EditError::BadUri));
        assert_eq!(edit(b"sip:a@b", Change::User(&[b'x'; URI_BYTES_MAX])), Err(EditError::TooLong));
    }
}
