//! Contacts hidden in the user part of a URI of ours: `encode_contact`, `decode_contact`, `decode_contact_header`.
//!
//! `sip:alice:pw@10.0.0.1:5070;transport=tcp` becomes `sip:PREFIX*alice*pw*10.0.0.1*5070*tcp@HOST`.

use script::exports::{Argument, Flow};
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

fn decoded(uri: &Uri<'_>, separator: u8) -> Option<Vec<u8>> {
    let fields: Vec<&[u8]> = uri.user.split(|byte| *byte == separator).collect();
    let [_, user, password, host, port, protocol] = fields.as_slice() else { return None };
    if fields.len() != FIELDS || host.is_empty() {
        return None;
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
    Some(made)
}

/// Replaces each Contact URI by what `make` gives. -1: one cannot be made or there is none.
pub(super) fn rewrite_contacts(worker: &mut Worker, make: impl Fn(&Uri<'_>) -> Option<Vec<u8>>) -> Flow {
    let run = &mut worker.run;
    let mut changes: Vec<(Span, Vec<u8>)> = Vec::new();
    for contact in run.message.contacts() {
        if contact.uri == b"*" {
            continue;
        }
        let made = Uri::parse(contact.uri).ok().and_then(|uri| make(&uri));
        let (Some(span), Some(made)) = (run.message.span_of(contact.uri), made) else { return Flow::Code(-1) };
        let is_bracketed = contact.whole.contains(&b'<');
        changes.push((span, if is_bracketed { made } else { [b"<", &made[..], b">"].concat() }));
    }
    let is_changed = !changes.is_empty();
    for (span, text) in changes {
        run.edits.replace(span, &text);
    }
    Flow::from(is_changed)
}

/// `encode_contact(prefix, host)`.
pub(super) fn encode_contact(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let prefix = arguments.first().map(Argument::text).unwrap_or_default();
    let host = arguments.get(1).map(Argument::text).unwrap_or_default();
    let separator = worker.node.states.siputils.contact_separator;
    rewrite_contacts(worker, |uri| Some(encoded(uri, &prefix, &host, separator)))
}

/// `decode_contact()`: the request URI becomes the hidden contact.
pub(super) fn decode_contact(worker: &mut Worker, _: &[Argument]) -> Flow {
    let separator = worker.node.states.siputils.contact_separator;
    let made = Uri::parse(worker.run.request_uri()).ok().and_then(|uri| decoded(&uri, separator));
    match made {
        Some(made) => {
            worker.run.set_request_uri(&made);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `decode_contact_header()`: the Contact headers become what they hide.
pub(super) fn decode_contact_header(worker: &mut Worker, _: &[Argument]) -> Flow {
    let separator = worker.node.states.siputils.contact_separator;
    rewrite_contacts(worker, |uri| decoded(uri, separator))
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
        assert_eq!(decoded(&hidden_uri, b'*').as_deref(), Some(&text[..]));
    }

    #[test]
    fn an_ordinary_user_is_not_decoded() {
        let uri = Uri::parse(b"sip:bob@h").expect("a uri");
        assert_eq!(decoded(&uri, b'*'), None);
    }
}
