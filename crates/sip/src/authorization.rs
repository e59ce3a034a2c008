//! Credentials of `Authorization` and `Proxy-Authorization` (RFC 3261 §20.7, RFC 8760, RFC 7616).

use crate::params::{Params, unquote};
use crate::scan::{before, from, is_space, trim, trim_start};

/// Digest credentials or challenge. Values are without quotes; empty when absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DigestCredentials<'a> {
    pub username: &'a [u8],
    pub realm: &'a [u8],
    pub nonce: &'a [u8],
    pub uri: &'a [u8],
    pub response: &'a [u8],
    pub algorithm: &'a [u8],
    pub cnonce: &'a [u8],
    pub opaque: &'a [u8],
    pub qop: &'a [u8],
    /// Nonce count, 8 hexadecimal digits as written.
    pub nc: &'a [u8],
    /// Behind the scheme, untouched.
    pub params: &'a [u8],
}

/// Scheme and the rest of a credentials or challenge value.
pub fn scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let value = trim(value);
    let end = value.iter().position(|byte| is_space(*byte)).unwrap_or(value.len());
    (before(value, end), trim_start(from(value, end)))
}

impl<'a> DigestCredentials<'a> {
    /// Reads a value of scheme `Digest`; `None` for another scheme. Bare tokens are skipped, the first of equal names
    /// counts. Nothing is required: see `is_complete`.
    pub fn parse(value: &'a [u8]) -> Option<DigestCredentials<'a>> {
        let (name, params) = scheme(value);
        if !name.eq_ignore_ascii_case(b"Digest") {
            return None;
        }
        let mut digest = DigestCredentials { params, ..DigestCredentials::default() };
        for param in Params::separated(params, b',') {
            let Some(value) = param.value else { continue };
            if let Some(field) = digest.field(param.name)
                && field.is_empty()
            {
                *field = unquote(value);
            }
        }
        Some(digest)
    }

    fn field(&mut self, name: &[u8]) -> Option<&mut &'a [u8]> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        Some(match name.len() {
            2 if is("nc") => &mut self.nc,
            3 if is("uri") => &mut self.uri,
            3 if is("qop") => &mut self.qop,
            5 if is("realm") => &mut self.realm,
            5 if is("nonce") => &mut self.nonce,
            6 if is("cnonce") => &mut self.cnonce,
            6 if is("opaque") => &mut self.opaque,
            8 if is("username") => &mut self.username,
            8 if is("response") => &mut self.response,
            9 if is("algorithm") => &mut self.algorithm,
            _ => return None,
        })
    }

    /// Whether all that RFC 7616 §3.4 demands of credentials is there: username, realm, nonce, uri, response, and with a
    /// qop also cnonce and nc.
    pub fn is_complete(&self) -> bool {
        let needed = [self.username, self.realm, self.nonce, self.uri, self.response];
        needed.iter().all(|text| !text.is_empty()) && (self.qop.is_empty() || (!self.cnonce.is_empty() && !self.nc.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_commas_do_not_split_and_fields_lose_their_quotes() {
        let value = b"Digest username=\"bob, \\\"b\\\"\", realm=\"a.b\",nonce=\"n=1\", uri=\"sip:a@b;x\" , response=\"66\",\r\n algorithm=MD5, cnonce=\"c\", opaque=\"\", qop=auth, nc=00000001";
        let digest = DigestCredentials::parse(value).expect("digest");
        assert_eq!((digest.username, digest.realm, digest.nonce), (&b"bob, \\\"b\\\""[..], &b"a.b"[..], &b"n=1"[..]));
        assert_eq!((digest.uri, digest.response, digest.algorithm), (&b"sip:a@b;x"[..], &b"66"[..], &b"MD5"[..]));
        assert_eq!((digest.cnonce, digest.opaque, digest.qop, digest.nc), (&b"c"[..], &b""[..], &b"auth"[..], &b"00000001"[..]));
        assert!(digest.is_complete());
    }

    #[test]
    fn bare_tokens_and_empty_credentials_are_incomplete() {
        for value in [&b"Digest username, realm"[..], b"Digest", b"digest ,,,=,", b"Digest nonce=\"open"] {
            assert!(!DigestCredentials::parse(value).expect("digest").is_complete());
        }
        assert_eq!(DigestCredentials::parse(b"Basic dXNlcg=="), None);
        assert_eq!(DigestCredentials::parse(b""), None);
    }
}
