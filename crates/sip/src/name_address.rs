//! `From`, `To`, `Contact`, `Route` values: display name, URI, header parameters (RFC 3261 §20.10, §25.1).

use crate::params;
use crate::scan::{after, before, from, quoted_end, trim, trim_start};

/// One name-addr or addr-spec with its header parameters. All parts are slices of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddress<'a> {
    /// Display name as written, quotes included; empty when there is none.
    pub display: &'a [u8],
    /// The URI without angle brackets; `*` for a wildcard Contact.
    pub uri: &'a [u8],
    /// What follows the URI, from its first semicolon; empty when there are no parameters.
    pub params: &'a [u8],
    /// The whole element, trimmed.
    pub whole: &'a [u8],
}

impl<'a> NameAddress<'a> {
    /// Reads one element. `None` when it is empty, or a quote or bracket does not close.
    pub fn parse(element: &'a [u8]) -> Option<NameAddress<'a>> {
        let whole = trim(element);
        let quoted = match whole.first()? {
            b'"' => quoted_end(whole, 0)?,
            _ => 0,
        };
        let open = memchr::memchr2(b'<', b'"', from(whole, quoted)).and_then(|width| width.checked_add(quoted));
        match open {
            Some(at) if whole.get(at) == Some(&b'<') => NameAddress::bracketed(whole, at),
            Some(at) => {
                let bracket = bracket_behind_quotes(whole, at);
                match bracket {
                    Some(bracket) => NameAddress::bracketed(whole, bracket),
                    None => NameAddress::bare(whole),
                }
            }
            None => NameAddress::bare(whole),
        }
    }

    fn bracketed(whole: &'a [u8], open: usize) -> Option<NameAddress<'a>> {
        let inside = after(whole, open);
        let close = memchr::memchr(b'>', inside)?;
        let params = trim(after(inside, close));
        if params.contains(&b'"') && !params::quotes_close(params) {
            return None;
        }
        Some(NameAddress { display: trim(before(whole, open)), uri: trim(before(inside, close)), params, whole })
    }

    /// An addr-spec: what follows the first semicolon are header parameters, not URI parameters (§20.10).
    fn bare(whole: &'a [u8]) -> Option<NameAddress<'a>> {
        let end = memchr::memchr(b';', whole).unwrap_or(whole.len());
        let params = trim(from(whole, end));
        let uri = trim(before(whole, end));
        if uri.is_empty() || uri.contains(&b'"') || !params::quotes_close(params) {
            return None;
        }
        Some(NameAddress { display: b"", uri, params, whole })
    }

    /// The tag parameter; empty when it is absent or has no value.
    pub fn tag(&self) -> &'a [u8] {
        // Nearly always it is the only parameter and written plainly.
        match self.params.strip_prefix(b";tag=") {
            Some(tag) if tag.iter().all(|byte| *byte > b' ' && !matches!(byte, b';' | b'"')) => tag,
            _ => self.param(b"tag").unwrap_or(b""),
        }
    }

    /// A header parameter: `Some(b"")` when it is bare, `None` when absent. Quotes are kept.
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        if self.params.is_empty() { None } else { params::find(self.params, name) }
    }

    /// A wildcard Contact (`*`, RFC 3261 §10.2.2).
    pub fn is_wildcard(&self) -> bool {
        self.uri == b"*" && self.display.is_empty()
    }
}

/// The opening bracket behind tokens and quoted strings that start at or behind `at`, before any semicolon.
fn bracket_behind_quotes(whole: &[u8], at: usize) -> Option<usize> {
    if before(whole, at).contains(&b';') {
        return None;
    }
    let end = quoted_end(whole, at)?;
    let rest = trim_start(from(whole, end));
    if rest.first() != Some(&b'<') {
        return None;
    }
    whole.len().checked_sub(rest.len())
}

/// One entry of a `Route`, `Record-Route` or `Path` list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteEntry<'a> {
    pub address: NameAddress<'a>,
    /// The entry as written, without its separating comma.
    pub whole: &'a [u8],
    /// Position of its header line in `Message::headers`.
    pub header: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NameAddress<'_> {
        NameAddress::parse(text.as_bytes()).expect("an address")
    }

    #[test]
    fn parameters_behind_brackets_belong_to_the_header_and_inside_to_the_uri() {
        let address = parse("\"A. \\\"B\\\" <x>\" <sip:a@b;transport=tcp?h=v> ; tag = 7 ;q=1");
        assert_eq!(address.display, b"\"A. \\\"B\\\" <x>\"");
        assert_eq!(address.uri, b"sip:a@b;transport=tcp?h=v");
        assert_eq!(address.tag(), b"7");
        assert_eq!(address.param(b"Q"), Some(&b"1"[..]));
        assert_eq!(address.param(b"transport"), None);
    }

    #[test]
    fn an_address_without_brackets_has_no_uri_parameters() {
        let address = parse("sip:a@b;tag=x");
        assert_eq!((address.uri, address.tag()), (&b"sip:a@b"[..], &b"x"[..]));
        assert_eq!(parse("Bell, Alexander <sip:b@c>;tag=43").display, b"Bell, Alexander");
        assert_eq!(parse("<sip:b@c>;tag=").tag(), b"");
        assert_eq!(parse("<sip:b@c>;tag=1;x=2").tag(), b"1");
        assert_eq!(parse("<sip:b@c>;tag= 1 ;tag=2").tag(), b"1");
        assert_eq!(parse("<sip:b@c>;x=\";tag=3\";Tag=4").tag(), b"4");
        assert!(parse("*").is_wildcard());
        assert_eq!(parse("token \"quoted\" <sip:b@c>;tag=1").uri, b"sip:b@c");
    }

    #[test]
    fn open_quotes_and_brackets_are_refused() {
        for text in ["", "  ", "\"Mr. J. User <sip:j@e.com>", "<sip:a@b", "<sip:a@b>;x=\"abc"] {
            assert_eq!(NameAddress::parse(text.as_bytes()), None, "{text}");
        }
    }
}
