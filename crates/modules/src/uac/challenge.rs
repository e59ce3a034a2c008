//! Reading a digest challenge as far as it can be answered (RFC 7616 §3.3, RFC 8760).

use sip::authorization::DigestCredentials;
use sip::params::Params;

use super::digest::{Algorithm, Protection};
use super::limits::CHALLENGE_VALUE_BYTES_MAX;

/// A challenge that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge<'a> {
    pub realm: &'a [u8],
    pub nonce: &'a [u8],
    /// Sent back as it came; empty: there is none.
    pub opaque: &'a [u8],
    pub algorithm: Algorithm,
    pub protection: Protection,
}

/// Why a challenge is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswerable {
    /// Basic, or another scheme.
    NotDigest,
    /// A session variant, or one that is not known.
    UnsupportedAlgorithm,
    /// Neither `auth` nor `auth-int` is offered.
    UnsupportedProtection,
    NoRealmOrNonce,
    /// Too long, or with control characters.
    BadValue,
}

impl std::fmt::Display for Unanswerable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Unanswerable::NotDigest => "the scheme is not Digest",
            Unanswerable::UnsupportedAlgorithm => "unsupported algorithm (MD5, SHA-256 and SHA-512-256 are supported)",
            Unanswerable::UnsupportedProtection => "unsupported qop (auth and auth-int are supported)",
            Unanswerable::NoRealmOrNonce => "realm or nonce missing",
            Unanswerable::BadValue => "a value is too long or holds control characters",
        })
    }
}

/// Reads the value of a WWW-Authenticate or Proxy-Authenticate header.
pub fn read(value: &[u8]) -> Result<Challenge<'_>, Unanswerable> {
    let digest = DigestCredentials::parse(value).ok_or(Unanswerable::NotDigest)?;
    let algorithm = Algorithm::of_name(digest.algorithm).ok_or(Unanswerable::UnsupportedAlgorithm)?;
    let protection = protection(digest.qop).ok_or(Unanswerable::UnsupportedProtection)?;
    if digest.nonce.is_empty() || !has_parameter(digest.params, b"realm") {
        return Err(Unanswerable::NoRealmOrNonce);
    }
    let is_bad = |text: &[u8]| text.len() > CHALLENGE_VALUE_BYTES_MAX || text.iter().any(u8::is_ascii_control);
    if [digest.realm, digest.nonce, digest.opaque].into_iter().any(is_bad) {
        return Err(Unanswerable::BadValue);
    }
    Ok(Challenge { realm: digest.realm, nonce: digest.nonce, opaque: digest.opaque, algorithm, protection })
}

fn has_parameter(parameters: &[u8], name: &[u8]) -> bool {
    Params::separated(parameters, b',').any(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

/// The protection to use of those offered: `auth` where it is among them, since bodies may change on their way.
fn protection(offered: &[u8]) -> Option<Protection> {
    if offered.trim_ascii().is_empty() {
        return Some(Protection::None);
    }
    let offers = |name: &[u8]| offered.split(|byte| *byte == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(name));
    if offers(b"auth") {
        Some(Protection::Request)
    } else if offers(b"auth-int") {
        Some(Protection::RequestAndBody)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words_are_read_in_any_case_and_with_unknown_parameters() {
        let value =
            b"DIGEST REALM=\"x\", NonCE=\"abc\", stale=maybe, domain=\"sip:x\", foo=bar, algorithm=\"md5\", QOP=\"auth-int , AUTH\"";
        let challenge = read(value).expect("a challenge");
        assert_eq!((challenge.realm, challenge.nonce, challenge.opaque), (&b"x"[..], &b"abc"[..], &b""[..]));
        assert_eq!((challenge.algorithm, challenge.protection), (Algorithm::Md5, Protection::Request));
    }

    #[test]
    fn each_reason_not_to_answer_is_told() {
        let long = format!("Digest realm=\"x\", nonce=\"{}\"", "n".repeat(CHALLENGE_VALUE_BYTES_MAX + 1));
        let cases: [(&[u8], Unanswerable); 9] = [
            (b"Basic realm=\"x\"", Unanswerable::NotDigest),
            (b"", Unanswerable::NotDigest),
            (b"Digest realm=\"x\"", Unanswerable::NoRealmOrNonce),
            (b"Digest nonce=\"x\"", Unanswerable::NoRealmOrNonce),
            (b"Digest realm=\"x\", nonce=\"n\", algorithm=MD5-sess", Unanswerable::UnsupportedAlgorithm),
            (b"Digest realm=\"x\", nonce=\"n\", algorithm=AKAv1-MD5", Unanswerable::UnsupportedAlgorithm),
            (b"Digest realm=\"x\", nonce=\"n\", qop=\"other\"", Unanswerable::UnsupportedProtection),
            (b"Digest realm=\"x\", nonce=\"a\r\n b\"", Unanswerable::BadValue),
            (long.as_bytes(), Unanswerable::BadValue),
        ];
        for (value, reason) in cases {
            assert_eq!(read(value), Err(reason), "{}", String::from_utf8_lossy(value));
        }
    }
}
