//! Predicates on URIs, and their comparison.

use script::exports::{Argument, Evaluate, Flow};
use script::value::Text;
use sip::uri::{Uri, host_same, same};

use crate::worker::Worker;

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

/// The text of a variable argument.
pub(super) fn variable(worker: &mut Worker, arguments: &[Argument], index: usize) -> Text {
    match arguments.get(index) {
        Some(Argument::Variable(reference)) => worker.read(reference).to_text(),
        Some(other) => other.text(),
        None => Text::empty(),
    }
}

/// `is_uri(text)`.
pub(super) fn is_uri(_: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(Uri::parse(&text(arguments, 0)).is_ok())
}

/// `cmp_uri(a, b)`: RFC 3261 §19.1.4. -1: they differ, -2: one is no URI.
pub(super) fn cmp_uri(_: &mut Worker, arguments: &[Argument]) -> Flow {
    if Uri::parse(&text(arguments, 0)).is_err() || Uri::parse(&text(arguments, 1)).is_err() {
        return Flow::Code(-2);
    }
    Flow::from(same(&text(arguments, 0), &text(arguments, 1)))
}

/// The port of an address of record: 5060 is the same as none, of a SIPS URI, too.
fn port(uri: &Uri<'_>) -> u16 {
    uri.port.unwrap_or(5060)
}

/// `cmp_aor(a, b)`: user, host and port only. -1: they differ, -2: one is no URI.
pub(super) fn cmp_aor(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let (left, right) = (text(arguments, 0), text(arguments, 1));
    let (Ok(left), Ok(right)) = (Uri::parse(&left), Uri::parse(&right)) else { return Flow::Code(-2) };
    Flow::from(left.user == right.user && host_same(left.host, right.host) && port(&left) == port(&right))
}

/// `is_gruu([uri])`: 1 with a value of `gr`, 2 without, -1 no GRUU.
pub(super) fn is_gruu(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let uri = match arguments.first() {
        Some(argument) => argument.text(),
        None => Text::from(worker.run.request_uri()),
    };
    let Ok(uri) = Uri::parse(&uri) else { return Flow::Code(-1) };
    Flow::Code(match uri.param(b"gr") {
        Some(b"") => 2,
        Some(_) => 1,
        None => -1,
    })
}

/// A plus sign and digits, at least three bytes, at most `longest`.
fn is_number(user: &[u8], longest: usize) -> bool {
    user.len() > 2 && user.len() <= longest && user.first() == Some(&b'+') && user.iter().skip(1).all(u8::is_ascii_digit)
}

/// `is_e164($variable)`.
pub(super) fn is_e164(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let number = variable(worker, arguments, 0);
    Flow::from(is_number(&number, worker.node.states.siputils.number_length_max))
}

/// `is_uri_user_e164($variable)`.
pub(super) fn is_uri_user_e164(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let uri = variable(worker, arguments, 0);
    let longest = worker.node.states.siputils.number_length_max;
    Flow::from(Uri::parse(&uri).is_ok_and(|uri| is_number(uri.user, longest)))
}

/// Is the user part of a URI an E.164 number?
pub(super) fn has_number(uri: &[u8], longest: usize) -> bool {
    Uri::parse(uri).is_ok_and(|uri| is_number(uri.user, longest))
}

/// Rewrites the user or the host of the URI held in the first argument's variable.
fn rewrite(worker: &mut Worker, arguments: &[Argument], make: fn(&Uri<'_>, &[u8]) -> Option<Vec<u8>>) -> Flow {
    let Some(Argument::Variable(reference)) = arguments.first() else { return Flow::Code(-1) };
    let value = text(arguments, 1);
    let old = worker.read(reference).to_text();
    let made = Uri::parse(&old).ok().and_then(|uri| make(&uri, &value));
    let Some(made) = made else { return Flow::Code(-1) };
    let reference = reference.clone();
    Flow::from(worker.write(&reference, script::value::Value::text(made)).is_ok())
}

/// What stands behind the host, from its port on.
fn behind_host<'a>(uri: &Uri<'a>) -> Option<&'a [u8]> {
    let start = uri.host.as_ptr() as usize - uri.whole.as_ptr() as usize;
    uri.whole.get(start.checked_add(uri.host.len())?..)
}

fn with_user(uri: &Uri<'_>, user: &[u8]) -> Option<Vec<u8>> {
    let mut made = [uri.scheme, b":", user].concat();
    if !user.is_empty() {
        made.push(b'@');
    }
    made.extend_from_slice(uri.host);
    made.extend_from_slice(behind_host(uri)?);
    Some(made)
}

fn with_host(uri: &Uri<'_>, host: &[u8]) -> Option<Vec<u8>> {
    if host.is_empty() {
        return None;
    }
    let mut made = [uri.scheme, b":"].concat();
    if uri.has_user {
        made.extend_from_slice(uri.user);
        if !uri.password.is_empty() {
            made.push(b':');
            made.extend_from_slice(uri.password);
        }
        made.push(b'@');
    }
    made.extend_from_slice(host);
    made.extend_from_slice(behind_host(uri)?);
    Some(made)
}

/// `set_uri_user($uri, user)`; an empty user removes it.
pub(super) fn set_uri_user(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    rewrite(worker, arguments, with_user)
}

/// `set_uri_host($uri, host)`.
pub(super) fn set_uri_host(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    rewrite(worker, arguments, with_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_host_are_exchanged_and_the_rest_stays() {
        let uri = Uri::parse(b"sip:bob:pw@example.com:5070;lr?a=b").expect("a uri");
        assert_eq!(with_user(&uri, b"carol").as_deref(), Some(&b"sip:carol@example.com:5070;lr?a=b"[..]));
        assert_eq!(with_user(&uri, b"").as_deref(), Some(&b"sip:example.com:5070;lr?a=b"[..]));
        assert_eq!(with_host(&uri, b"h.org").as_deref(), Some(&b"sip:bob:pw@h.org:5070;lr?a=b"[..]));
        assert_eq!(with_host(&uri, b""), None);
    }

    #[test]
    fn e164_needs_a_plus_and_digits() {
        assert!(is_number(b"+4930123", 16));
        assert!(!is_number(b"4930123", 16));
        assert!(!is_number(b"+1", 16));
        assert!(!is_number(b"+12345678901234567", 16));
    }
}
