//! The response to a digest challenge and the header that carries it (RFC 7616 §3.4, RFC 2617).

use md5::{Digest, Md5};
use sha2::{Sha256, Sha512_256};

use super::challenge::Challenge;

/// How much of the request the response covers (`qop`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// As in RFC 2069: no qop, no client nonce.
    None,
    /// `auth`
    Request,
    /// `auth-int`
    RequestAndBody,
}

impl Protection {
    fn name(self) -> &'static [u8] {
        match self {
            Protection::None => b"",
            Protection::Request => b"auth",
            Protection::RequestAndBody => b"auth-int",
        }
    }
}

/// The hash of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha256,
    Sha512With256Bits,
}

impl Algorithm {
    /// Reads `algorithm`; absent is MD5. None: not supported.
    pub fn of_name(name: &[u8]) -> Option<Algorithm> {
        let all = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512With256Bits];
        if name.is_empty() {
            return Some(Algorithm::Md5);
        }
        all.into_iter().find(|algorithm| name.eq_ignore_ascii_case(algorithm.name()))
    }

    fn name(self) -> &'static [u8] {
        match self {
            Algorithm::Md5 => b"MD5",
            Algorithm::Sha256 => b"SHA-256",
            Algorithm::Sha512With256Bits => b"SHA-512-256",
        }
    }

    /// The hash of the parts with colons between them, in hexadecimal.
    pub fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        let text = parts.join(&b':');
        match self {
            Algorithm::Md5 => hexadecimal(&Md5::digest(&text)),
            Algorithm::Sha256 => hexadecimal(&Sha256::digest(&text)),
            Algorithm::Sha512With256Bits => hexadecimal(&Sha512_256::digest(&text)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// What the password of a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret<'a> {
    Password(&'a [u8]),
    /// The hash of user, realm and password in hexadecimal (HA1).
    Hashed(&'a [u8]),
}

/// The request that is sent again with credentials.
#[derive(Debug, Clone, Copy)]
pub struct Protected<'a> {
    pub method: &'a [u8],
    pub uri: &'a [u8],
    pub body: &'a [u8],
}

/// How often this client nonce was used with the nonce: a client nonce of ours is used once.
const NONCE_COUNT: &[u8] = b"00000001";

/// The `response` to a challenge. `client_nonce` plays no part without a qop.
pub fn response(challenge: &Challenge<'_>, username: &[u8], secret: Secret<'_>, request: Protected<'_>, client_nonce: &[u8]) -> Vec<u8> {
    let algorithm = challenge.algorithm;
    let whom = match secret {
        Secret::Password(password) => algorithm.hash(&[username, challenge.realm, password]),
        Secret::Hashed(hash) => hash.to_vec(),
    };
    let what = match challenge.protection {
        Protection::RequestAndBody => algorithm.hash(&[request.method, request.uri, &algorithm.hash(&[request.body])]),
        Protection::None | Protection::Request => algorithm.hash(&[request.method, request.uri]),
    };
    match challenge.protection {
        Protection::None => algorithm.hash(&[&whom, challenge.nonce, &what]),
        protection => algorithm.hash(&[&whom, challenge.nonce, NONCE_COUNT, client_nonce, protection.name(), &what]),
    }
}

/// The value of the Authorization or Proxy-Authorization header, parameters in the order Kamailio writes them.
pub fn header_value(challenge: &Challenge<'_>, username: &[u8], uri: &[u8], client_nonce: &[u8], response: &[u8]) -> Vec<u8> {
    let mut out = b"Digest".to_vec();
    let mut quoted = |name: &str, value: &[u8]| {
        out.extend_from_slice(if out.len() > b"Digest".len() { b", " } else { b" " });
        out.extend_from_slice(&[name.as_bytes(), b"=\"", value, b"\""].concat());
    };
    quoted("username", username);
    quoted("realm", challenge.realm);
    quoted("nonce", challenge.nonce);
    quoted("uri", uri);
    if !challenge.opaque.is_empty() {
        quoted("opaque", challenge.opaque);
    }
    if challenge.protection != Protection::None {
        out.extend_from_slice(
            &[b", qop=", challenge.protection.name(), b", nc=", NONCE_COUNT, b", cnonce=\"", client_nonce, b"\""].concat(),
        );
    }
    out.extend_from_slice(&[b", response=\"", response, b"\", algorithm=", challenge.algorithm.name()].concat());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(algorithm: Algorithm, protection: Protection) -> Challenge<'static> {
        Challenge {
            realm: b"http-auth@example.org",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            opaque: b"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
            algorithm,
            protection,
        }
    }

    const GET: Protected<'static> = Protected { method: b"GET", uri: b"/dir/index.html", body: b"" };

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let client_nonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let answer = |algorithm| {
            let challenge = challenge(algorithm, Protection::Request);
            text(response(&challenge, b"Mufasa", Secret::Password(b"Circle of Life"), GET, client_nonce))
        };
        assert_eq!(answer(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(answer(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out_also_from_the_hashed_password() {
        let challenge = Challenge {
            realm: b"testrealm@host.com",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            opaque: b"5ccc069c403ebaf9f0171e9517f40e41",
            ..challenge(Algorithm::Md5, Protection::Request)
        };
        for secret in [Secret::Password(b"Circle Of Life"), Secret::Hashed(b"939e7578ed9e3c518a452acee763bce9")] {
            assert_eq!(text(response(&challenge, b"Mufasa", secret, GET, b"0a4f113b")), "6629fae49393a05397450978507c4ef1");
        }
    }

    #[test]
    fn without_a_qop_the_response_is_that_of_kamailio() {
        let challenge = Challenge { realm: b"x", nonce: b"abc", opaque: b"", algorithm: Algorithm::Md5, protection: Protection::None };
        let invite = Protected { method: b"INVITE", uri: b"sip:bob@example.com", body: b"" };
        let response = response(&challenge, b"alice", Secret::Password(b"secret"), invite, b"unused");
        assert_eq!(
            text(header_value(&challenge, b"alice", invite.uri, b"unused", &response)),
            "Digest username=\"alice\", realm=\"x\", nonce=\"abc\", uri=\"sip:bob@example.com\", \
             response=\"ae1479e7427a02d6d805415a11fbbf25\", algorithm=MD5"
        );
    }

    #[test]
    fn with_a_qop_the_header_is_that_of_kamailio() {
        let challenge = Challenge { realm: b"x", nonce: b"abc", opaque: b"", algorithm: Algorithm::Md5, protection: Protection::Request };
        let invite = Protected { method: b"INVITE", uri: b"sip:bob@example.com", body: b"" };
        let response = response(&challenge, b"alice", Secret::Password(b"secret"), invite, b"7167810");
        assert_eq!(
            text(header_value(&challenge, b"alice", invite.uri, b"7167810", &response)),
            "Digest username=\"alice\", realm=\"x\", nonce=\"abc\", uri=\"sip:bob@example.com\", qop=auth, nc=00000001, \
             cnonce=\"7167810\", response=\"06173e8a5ddb4c0ccce0bfa9296a6278\", algorithm=MD5"
        );
    }

    #[test]
    fn the_body_counts_with_auth_int_only() {
        let with_body = Protected { body: b"v=0\r\n", ..GET };
        for (protection, is_same) in [(Protection::None, true), (Protection::Request, true), (Protection::RequestAndBody, false)] {
            let challenge = challenge(Algorithm::Sha256, protection);
            let answer = |request| response(&challenge, b"a", Secret::Password(b"p"), request, b"c");
            assert_eq!(answer(GET) == answer(with_body), is_same, "{protection:?}");
        }
    }

    #[test]
    fn algorithms_are_named_in_any_case() {
        assert_eq!(Algorithm::of_name(b"sha-512-256"), Some(Algorithm::Sha512With256Bits));
        assert_eq!(Algorithm::of_name(b""), Some(Algorithm::Md5));
        assert_eq!(Algorithm::of_name(b"SHA-256-sess"), None);
        assert_eq!(Algorithm::Sha512With256Bits.hash(&[b"a"]).len(), 64);
    }
}
