//! Contacts hidden in a parameter: `contact_param_encode` and its kin.

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::uri::Uri;

use super::contact_encoding::changed_contacts;
use super::uri_parameters::without_parameter;
use crate::worker::Worker;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 with the URL alphabet and without padding (RFC 4648 §5).
fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(4) / 3 + 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 4];
        for (slot, byte) in group.iter_mut().skip(1).zip(chunk) {
            *slot = *byte;
        }
        let bits = u32::from_be_bytes(group);
        for digit in 0..=chunk.len() {
            let value = (bits >> (18 - 6 * digit)) & 0x3f;
            text.push(ALPHABET.get(value as usize).copied().unwrap_or(b'A'));
        }
    }
    text
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut bits: u32 = 0;
    let mut held = 0;
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 6 | u32::try_from(value).ok()?) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// True whether a Contact was changed or not; false when one could not be read.
fn rewrite(worker: &mut Worker, make: impl Fn(&Uri<'_>) -> Result<Option<Vec<u8>>, ()>) -> Flow {
    let Ok(changes) = changed_contacts(worker, make) else { return Flow::Code(-1) };
    for (span, uri) in changes {
        // A parameter of the URI needs brackets, or it would belong to the header.
        let message = &worker.run.message;
        let is_bracketed = message.text(sip::span::Span { start: span.start.saturating_sub(1), end: span.start }) == b"<";
        let text = if is_bracketed { uri } else { [b"<", &uri[..], b">"].concat() };
        worker.run.edits.replace(span, &text);
    }
    Flow::Code(1)
}

fn name_and_address(arguments: &[Argument]) -> (Text, Text) {
    let text = |index: usize| arguments.get(index).map(Argument::text).unwrap_or_default();
    (text(0), text(1))
}

fn hidden(address: &[u8], name: &[u8], secret: &[u8]) -> Vec<u8> {
    [b"sip:", address, b";", name, b"=", &encode(secret)].concat()
}

/// What a URI hides in the parameter. None: it has no such parameter. The error: nothing readable is in it.
fn revealed(uri: &Uri<'_>, name: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let Some(hidden) = uri.param(name) else { return Ok(None) };
    decode(hidden).filter(|text| Uri::parse(text).is_ok()).map(Some).ok_or(())
}

/// `contact_param_encode(name, address)`: `sip:ADDRESS;NAME=ENCODED`.
pub(super) fn contact_param_encode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, address) = name_and_address(arguments);
    rewrite(worker, |uri| Ok(Some(hidden(strip_scheme(&address), &name, uri.whole))))
}

/// `contact_param_encode_alias(name, address)`: as above, the user stays visible.
pub(super) fn contact_param_encode_alias(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, address) = name_and_address(arguments);
    rewrite(worker, |uri| {
        let visible = if uri.has_user { [uri.user, b"@", strip_scheme(&address)].concat() } else { strip_scheme(&address).to_vec() };
        Ok(Some(hidden(&visible, &name, uri.whole)))
    })
}

fn strip_scheme(address: &[u8]) -> &[u8] {
    address.strip_prefix(b"sip:").unwrap_or(address)
}

/// `contact_param_decode(name)`: the Contact URIs become what they hide.
pub(super) fn contact_param_decode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, _) = name_and_address(arguments);
    rewrite(worker, |uri| revealed(uri, &name))
}

/// `contact_param_decode_ruri(name)`: the request URI becomes what it hides.
pub(super) fn contact_param_decode_ruri(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, _) = name_and_address(arguments);
    let made = Uri::parse(worker.run.request_uri()).map_err(|_| ()).and_then(|uri| revealed(&uri, &name));
    let Ok(made) = made else { return Flow::Code(-1) };
    if let Some(made) = made {
        worker.run.set_request_uri(&made);
    }
    Flow::Code(1)
}

/// `contact_param_rm(name)`: removes the parameter from the Contact URIs.
pub(super) fn contact_param_rm(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, _) = name_and_address(arguments);
    rewrite(worker, |uri| Ok(without_parameter(uri, &name)))
}

/// `contact_param_check(name)`: has a Contact URI this parameter?
pub(super) fn contact_param_check(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, _) = name_and_address(arguments);
    let has = |uri: &[u8]| Uri::parse(uri).is_ok_and(|uri| uri.param(&name).is_some());
    Flow::from(worker.run.message.contacts().any(|contact| has(contact.uri)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_texts_of_every_length_come_back() {
        let text = b"sip:alice@10.0.0.1:5070;x=1";
        for length in 0..text.len() {
            let part = text.get(..length).unwrap_or_default();
            assert_eq!(decode(&encode(part)).as_deref(), Some(part));
        }
        assert_eq!(encode(b"foobar"), b"Zm9vYmFy");
        assert_eq!(decode(b"!"), None);
    }
}
