//! Checks of digest credentials (RFC 3261 §22.4, RFC 7616 §3.4).

use sip::header::HeaderId;
use sip::message::Message;
use sip::params::{Params, unquote};

use super::checks::Refusal;

/// The values of the Authorization and Proxy-Authorization headers.
fn values(message: &Message) -> impl Iterator<Item = &[u8]> {
    [HeaderId::Authorization, HeaderId::ProxyAuthorization]
        .into_iter()
        .flat_map(move |id| message.headers_of(id).map(move |header| message.text(header.value)))
}

/// Scheme and parameters of a credentials value.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = value.iter().position(u8::is_ascii_whitespace)?;
    Some((value.get(..end)?, value.get(end..)?.trim_ascii()))
}

fn find<'a>(params: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    Params::separated(params, b',').find(|param| param.name.eq_ignore_ascii_case(name)).map(|param| unquote(param.value.unwrap_or(b"")))
}

/// Have all digest credentials user, nonce and response?
pub(super) fn digest(message: &Message) -> Result<(), Refusal> {
    for value in values(message) {
        let Some((scheme, params)) = split(value) else { return Err(Refusal::new(400, "Bad Auth Credentials")) };
        if !scheme.eq_ignore_ascii_case(b"Digest") {
            continue;
        }
        for (name, reason) in
            [(&b"username"[..], "Auth Empty User"), (&b"nonce"[..], "Auth Empty Nonce"), (&b"response"[..], "Auth Empty Response")]
        {
            match find(params, name) {
                Some(b"") => return Err(Refusal::new(400, reason)),
                Some(_) => {}
                None => return Err(Refusal::new(400, "Bad Auth Credentials")),
            }
        }
    }
    Ok(())
}

/// Has every authorization header a scheme and parameters?
pub(super) fn header(message: &Message) -> Result<(), Refusal> {
    match values(message).all(|value| split(value).is_some()) {
        true => Ok(()),
        false => Err(Refusal::new(400, "Bad Auth Header")),
    }
}
