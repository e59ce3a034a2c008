//! The checks, one function each, with the reply a failure asks for (RFC 3261 §16.3; spec proxy-core 11.3).

use sip::header::HeaderId;
use sip::message::Message;
use sip::uri::{Uri, UriError};

use super::{State, credentials};

pub(super) const REQUEST_URI_VERSION: i64 = 1;
pub(super) const REQUEST_URI_SCHEME: i64 = 2;
pub(super) const REQUIRED_HEADERS: i64 = 4;
pub(super) const CSEQ_METHOD: i64 = 32;
pub(super) const CSEQ_VALUE: i64 = 64;
pub(super) const CONTENT_LENGTH: i64 = 128;
pub(super) const EXPIRES_VALUE: i64 = 256;
pub(super) const PROXY_REQUIRE: i64 = 512;
pub(super) const PARSE_URIS: i64 = 1024;
pub(super) const DIGEST: i64 = 2048;
pub(super) const DUPLICATE_TAGS: i64 = 4096;
pub(super) const AUTHORIZATION: i64 = 8192;
pub(super) const TOP_VIA: i64 = 16384;
pub(super) const SIZES: i64 = 65536;

/// Which URIs `PARSE_URIS` looks at.
const URI_REQUEST: i64 = 1;
const URI_FROM: i64 = 2;
const URI_TO: i64 = 4;
const URI_CONTACT: i64 = 8;

/// The reply that a failed check asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    /// Header lines for the reply.
    pub headers: Vec<u8>,
    /// The request is too broken to be answered.
    pub is_silent: bool,
}

impl Refusal {
    /// A reply without further headers.
    pub fn new(code: u16, reason: &'static str) -> Refusal {
        Refusal { code, reason, headers: Vec::new(), is_silent: false }
    }
}

type Check = Result<(), Refusal>;

/// Makes the chosen checks in order; the first failure decides.
pub(super) fn check(state: &State, message: &Message, checks: i64, uri_checks: i64) -> Check {
    let is_on = |bit: i64| checks & bit != 0;
    let is_request = message.is_request();
    if is_request && is_on(REQUEST_URI_VERSION) {
        request_uri_version(message)?;
    }
    if is_request && is_on(REQUEST_URI_SCHEME) {
        request_uri_scheme(message)?;
    }
    if is_on(REQUIRED_HEADERS) {
        required_headers(message)?;
    }
    if is_on(TOP_VIA) && message.top_via().is_none() {
        return Err(Refusal { is_silent: true, ..Refusal::new(400, "Bad Via Header") });
    }
    if is_on(CSEQ_METHOD) {
        cseq_method(message)?;
    }
    if is_on(CSEQ_VALUE) {
        cseq_value(message)?;
    }
    if is_on(CONTENT_LENGTH) {
        content_length(message)?;
    }
    if is_on(EXPIRES_VALUE) {
        expires(message)?;
    }
    if is_request && is_on(PROXY_REQUIRE) {
        proxy_require(state, message)?;
    }
    if is_on(PARSE_URIS) {
        uris(message, uri_checks)?;
    }
    if is_on(DIGEST) {
        credentials::digest(message)?;
    }
    if is_on(AUTHORIZATION) {
        credentials::header(message)?;
    }
    if is_on(DUPLICATE_TAGS) {
        duplicate_tags(message)?;
    }
    if is_on(SIZES) {
        state.sizes.check(message)?;
    }
    Ok(())
}

fn request_uri_version(message: &Message) -> Check {
    if message.version().eq_ignore_ascii_case(b"SIP/2.0") { Ok(()) } else { Err(Refusal::new(505, "Version Not Supported (R-URI)")) }
}

fn request_uri_scheme(message: &Message) -> Check {
    match Uri::parse(message.request_uri()) {
        Ok(_) => Ok(()),
        Err(UriError::UnknownScheme | UriError::NoScheme) => Err(Refusal::new(416, "Unsupported URI Scheme in Request URI")),
        Err(_) => Err(Refusal::new(400, "Bad Request URI")),
    }
}

fn required_headers(message: &Message) -> Check {
    let silent = |reason| Err(Refusal { is_silent: true, ..Refusal::new(400, reason) });
    if message.call_id().is_empty() || message.cseq().is_none() || message.top_via().is_none() {
        return silent("Bad Headers");
    }
    if message.from().is_none() {
        return Err(Refusal::new(400, "Invalid From Header"));
    }
    if message.to().is_none() {
        return Err(Refusal::new(400, "Invalid To Header"));
    }
    Ok(())
}

fn cseq_method(message: &Message) -> Check {
    let Some(cseq) = message.cseq() else { return Err(Refusal::new(400, "Missing method in CSeq header")) };
    if cseq.method_text.is_empty() {
        return Err(Refusal::new(400, "Missing method in CSeq header"));
    }
    if message.is_request() && cseq.method_text != message.method_text() {
        return Err(Refusal::new(400, "CSeq method does not match request method"));
    }
    Ok(())
}

fn cseq_value(message: &Message) -> Check {
    let Some(cseq) = message.cseq() else { return Err(Refusal::new(400, "Missing number in CSeq header")) };
    if cseq.number_text.is_empty() {
        return Err(Refusal::new(400, "Missing number in CSeq header"));
    }
    if cseq.is_in_range() { Ok(()) } else { Err(Refusal::new(400, "CSeq number is illegal")) }
}

fn content_length(message: &Message) -> Check {
    match message.header(HeaderId::ContentLength) {
        None => Ok(()),
        Some(_) => match message.content_length() {
            Some(length) if length as usize == message.body().len() => Ok(()),
            _ => Err(Refusal::new(400, "Content-Length mis-match")),
        },
    }
}

fn expires(message: &Message) -> Check {
    let Some(value) = message.value(HeaderId::Expires) else { return Ok(()) };
    if value.is_empty() {
        return Err(Refusal::new(400, "Bad Expires Header"));
    }
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u32>().ok());
    match number {
        Some(_) if value.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(Refusal::new(400, "Expires value is illegal")),
    }
}

fn proxy_require(state: &State, message: &Message) -> Check {
    let mut unsupported: Vec<u8> = Vec::new();
    for header in message.headers_of(HeaderId::ProxyRequire) {
        for tag in message.text(header.value).split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let is_known = state.proxy_require.iter().any(|known| known.eq_ignore_ascii_case(tag));
            if !tag.is_empty() && !is_known {
                unsupported.extend_from_slice(if unsupported.is_empty() { b"" } else { b", " });
                unsupported.extend_from_slice(tag);
            }
        }
    }
    if unsupported.is_empty() {
        return Ok(());
    }
    let mut headers = b"Unsupported: ".to_vec();
    headers.extend_from_slice(&unsupported);
    headers.extend_from_slice(b"\r\n");
    Err(Refusal { headers, ..Refusal::new(420, "Bad Proxy Require Extension") })
}

fn uris(message: &Message, which: i64) -> Check {
    let is_bad = |uri: &[u8]| Uri::parse(uri).is_err();
    if which & URI_REQUEST != 0 && message.is_request() && is_bad(message.request_uri()) {
        return Err(Refusal::new(400, "Bad Request URI"));
    }
    if which & URI_FROM != 0 && message.from().is_none_or(|address| is_bad(address.uri)) {
        return Err(Refusal::new(400, "Invalid From Header"));
    }
    if which & URI_TO != 0 && message.to().is_none_or(|address| is_bad(address.uri)) {
        return Err(Refusal::new(400, "Invalid To Header"));
    }
    if which & URI_CONTACT != 0 && message.contacts().any(|address| address.uri != b"*" && is_bad(address.uri)) {
        return Err(Refusal::new(400, "Bad Contact URI"));
    }
    Ok(())
}

fn duplicate_tags(message: &Message) -> Check {
    let tags = |params: &[u8]| sip::params::Params::new(params).filter(|param| param.name.eq_ignore_ascii_case(b"tag")).count();
    if message.from().is_some_and(|address| tags(address.params) > 1) {
        return Err(Refusal::new(400, "Many From Tag Params"));
    }
    if message.to().is_some_and(|address| tags(address.params) > 1) {
        return Err(Refusal::new(400, "Many To Tag Params"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: i64 = 0x1_ffff;

    fn request(extra: &str, body: &str) -> Message {
        let text = format!(
            "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: c1\r\nCSeq: 1 OPTIONS\r\n{extra}\r\n{body}"
        );
        Message::from_bytes(text.as_bytes()).expect("a message")
    }

    fn refusal(extra: &str, body: &str) -> Option<(u16, &'static str)> {
        check(&State::default(), &request(extra, body), ALL, 15).err().map(|refusal| (refusal.code, refusal.reason))
    }

    #[test]
    fn a_plain_request_passes_every_check() {
        assert_eq!(refusal("Content-Length: 0\r\n", ""), None);
        assert_eq!(refusal("Content-Length: 4\r\nExpires: 30\r\n", "abcd"), None);
    }

    #[test]
    fn each_fault_has_its_own_reply() {
        assert_eq!(refusal("Content-Length: 9\r\n", "abcd"), Some((400, "Content-Length mis-match")));
        assert_eq!(refusal("Expires: soon\r\n", ""), Some((400, "Expires value is illegal")));
        assert_eq!(refusal("Proxy-Require: foo\r\n", ""), Some((420, "Bad Proxy Require Extension")));
        assert_eq!(refusal("Contact: <nonsense>\r\n", ""), Some((400, "Bad Contact URI")));
    }

    #[test]
    fn the_unsupported_option_tags_are_named() {
        let refused = check(&State::default(), &request("Proxy-Require: foo, bar\r\n", ""), ALL, 0).unwrap_err();
        assert_eq!(refused.headers, b"Unsupported: foo, bar\r\n");
    }
}
