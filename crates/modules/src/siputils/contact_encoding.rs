//! Contacts hidden in the user part of a URI of ours: `encode_contact`, `decode_contact`, `decode_contact_header`.
//!
//! `sip:alice:pw@10.0.0.1:5070;transport=tcp` becomes `sip:PREFIX*alice*pw*10.0.0.1*5070*tcp@HOST`.

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use sip::span::Span;
use sip::uri::Uri;

use crate::worker::Worker;

/// Fields behind the prefix: user, password, host, port, protocol.
const FIELDS: usize = 6;

fn encoded(uri: &Uri<'_>, prefix: &[u8], host: &[u8], separator: u8) -> Vec<u8> {
    let mut made = b"sip:".to_vec();
    made.extend_from_slice(prefix);
    for field in [uri.user, uri.password, uri.host, uri.port_text, uri.transport().unwrap_or(b"")] {
        made.push(separator);
        made.extend_from_slice(field);
    }
    made.push(b'@');
    made.extend_from_slice(host);
    made
}

/// What is wrong with a URI that should hide another: the return code of the functions here.
const NO_USER: i32 = -23;
const TOO_MANY_FIELDS: i32 = -24;
const TOO_FEW_FIELDS: i32 = -26;
/// There is no Contact, or the request URI cannot be read.
const NO_CONTACT: i32 = -1;

fn decoded(uri: &Uri<'_>, separator: u8) -> Result<Vec<u8>, i32> {
    if !uri.has_user {
        return Err(NO_USER);
    }
    let fields: Vec<&[u8]> = uri.user.split(|byte| *byte == separator).collect();
    let [_, user, password, host, port, protocol] = fields.as_slice() else {
        return Err(if fields.len() > FIELDS { TOO_MANY_FIELDS } else { TOO_FEW_FIELDS });
    };
    if host.is_empty() {
        return Err(TOO_FEW_FIELDS);
    }
    let mut made = b"sip:".to_vec();
    if !user.is_empty() {
        made.extend_from_slice(user);
        if !password.is_empty() {
            made.push(b':');
            made.extend_from_slice(password);
        }
        made.push(b'@');
    }
    made.extend_from_slice(host);
    if !port.is_empty() {
        made.push(b':');
        made.extend_from_slice(port);
    }
    if !protocol.is_empty() {
        made.extend_from_slice(b";transport=");
        made.extend_from_slice(protocol);
    }
    Ok(made)
}

/// What each Contact URI is to be replaced by; URIs that `make` leaves alone are not in the list. The error is the first one of
/// `make`; a URI that cannot be read is left alone.
pub(super) fn changed_contacts<E>(
    worker: &Worker,
    make: impl Fn(&Uri<'_>) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<(Span, Vec<u8>)>, E> {
    let message = &worker.run.message;
    let mut changes = Vec::new();
    for contact in message.contacts().filter(|contact| contact.uri != b"*") {
        let Ok(uri) = Uri::parse(contact.uri) else { continue };
        let (Some(span), Some(made)) = (message.span_of(contact.uri), make(&uri)?) else { continue };
        changes.push((span, made));
    }
    Ok(changes)
}

fn rewrite(worker: &mut Worker, make: impl Fn(&Uri<'_>) -> Result<Vec<u8>, i32>) -> Flow {
    match changed_contacts(worker, |uri| make(uri).map(Some)) {
        Ok(_) if worker.run.message.header(HeaderId::Contact).is_none() => Flow::Code(NO_CONTACT),
        Ok(changes) => {
            for (span, text) in changes {
                worker.run.edits.replace(span, &text);
            }
            Flow::Code(1)
        }
        Err(code) => Flow::Code(code),
    }
}

/// `encode_contact(prefix, host)`.
pub(super) fn encode_contact(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let prefix = arguments.first().map(Argument::text).unwrap_or_default();
    let host = arguments.get(1).map(Argument::text).unwrap_or_default();
    let separator = worker.node.states.siputils.contact_separator;
    rewrite(worker, |uri| Ok(encoded(uri, &prefix, &host, separator)))
}

/// `decode_contact()`: the request URI becomes the hidden contact.
pub(super) fn decode_contact(worker: &mut Worker, _: &[Argument]) -> Flow {
    let separator = worker.node.states.siputils.contact_separator;
    let made = Uri::parse(worker.run.request_uri()).map_err(|_| NO_CONTACT).and_then(|uri| decoded(&uri, separator));
    match made {
        Ok(made) => {
            worker.run.set_request_uri(&made);
            Flow::Code(1)
        }
        Err(code) => Flow::Code(code),
    }
}

/// `decode_contact_header()`: the Contact headers become what they hide.
pub(super) fn decode_contact_header(worker: &mut Worker, _: &[Argument]) -> Flow {
    let separator = worker.node.states.siputils.contact_separator;
    rewrite(worker, |uri| decoded(uri, separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_contact_comes_back_as_it_was() {
        let text = b"sip:alice:pw@10.0.0.1:5070;transport=tcp";
        let uri = Uri::parse(text).expect("a uri");
        let hidden = encoded(&uri, b"pre", b"192.0.2.1", b'*');
        assert_eq!(hidden, b"sip:pre*alice*pw*10.0.0.1*5070*tcp@192.0.2.1");
        let hidden_uri = Uri::parse(&hidden).expect("a uri");
        assert_eq!(decoded(&hidden_uri, b'*').as_deref(), Ok(&text[..]));
    }

    #[test]
    fn an_ordinary_user_is_not_decoded() {
        let code = |text: &str| decoded(&Uri::parse(text.as_bytes()).expect("a uri"), b'*').expect_err("no contact is hidden there");
        assert_eq!(code("sip:bob@h"), TOO_FEW_FIELDS);
        assert_eq!(code("sip:p*a*b*c*d*e*f@h"), TOO_MANY_FIELDS);
        assert_eq!(code("sip:h"), NO_USER);
    }
}
