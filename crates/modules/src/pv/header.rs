//! Headers by name: `$hdr`, `$hdrc`, `$hfl`, `$hflc`, and `$expires`.

use script::exports::{Index, Inner};
use script::value::Value;
use sip::HeaderId;

use super::answer::length;
use crate::worker::Worker;

/// Picks one of the values: negative indexes count from the end, `[*]` joins all with commas, none is the first.
fn pick(values: &[&[u8]], index: Option<Index>) -> Value {
    let found = match index {
        None => values.first(),
        Some(Index::At(number)) => match usize::try_from(number) {
            Ok(number) => values.get(number),
            Err(_) => {
                usize::try_from(number.unsigned_abs()).ok().and_then(|back| values.len().checked_sub(back)).and_then(|at| values.get(at))
            }
        },
        Some(Index::All) if !values.is_empty() => return Value::text(values.join(&b","[..])),
        Some(_) => None,
    };
    found.map_or(Value::Null, |value| Value::text(*value))
}

fn bodies<'a>(worker: &'a Worker, name: &[u8]) -> Vec<&'a [u8]> {
    let message = &worker.run.message;
    message.headers_named(name).map(|header| message.text(header.value)).collect()
}

/// `$hdr(name)`.
pub(super) fn header(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    pick(&bodies(worker, inner.word()), index)
}

/// `$hdrc(name)`.
pub(super) fn header_count(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    length(bodies(worker, inner.word()).len())
}

/// Headers whose values are comma lists (RFC 3261 §7.3.1 and the extensions that define such lists).
const LISTS: &[HeaderId] = &[
    HeaderId::Via,
    HeaderId::Route,
    HeaderId::RecordRoute,
    HeaderId::Contact,
    HeaderId::Path,
    HeaderId::PAssertedIdentity,
    HeaderId::PPreferredIdentity,
    HeaderId::Diversion,
    HeaderId::Require,
    HeaderId::ProxyRequire,
    HeaderId::Supported,
    HeaderId::Unsupported,
    HeaderId::Allow,
];

fn list_bodies<'a>(worker: &'a Worker, name: &[u8]) -> Vec<&'a [u8]> {
    let message = &worker.run.message;
    let is_list = LISTS.contains(&HeaderId::from_name(name));
    let mut out = Vec::new();
    for header in message.headers_named(name) {
        let value = message.text(header.value);
        if is_list {
            out.extend(super::elements(value));
        } else {
            out.push(value);
        }
    }
    out
}

/// `$hfl(name)`: the elements of comma lists, one after the other over all headers of the name.
pub(super) fn element(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    pick(&list_bodies(worker, inner.word()), index)
}

/// `$hflc(name)`.
pub(super) fn element_count(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    length(list_bodies(worker, inner.word()).len())
}

/// Keys of `$expires(key)`.
pub(super) const EXPIRES_KEYS: &[&str] = &["min", "max"];

/// The least or greatest expiry among Contacts; a Contact without one counts with the Expires header.
pub(super) fn expires(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let message = &worker.run.message;
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let common = message.value(HeaderId::Expires).and_then(number);
    let mut found: Vec<i64> = message.contacts().filter_map(|contact| contact.param(b"expires").and_then(number).or(common)).collect();
    if found.is_empty() {
        found.extend(common);
    }
    let picked = if matches!(inner, Inner::Choice(0)) { found.iter().min() } else { found.iter().max() };
    picked.map_or(Value::Null, |seconds| super::answer::number(*seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_both_ends() {
        let values = [&b"one, two"[..], b"three"];
        assert_eq!(pick(&values, None), Value::text("one, two"));
        assert_eq!(pick(&values, Some(Index::At(1))), Value::text("three"));
        assert_eq!(pick(&values, Some(Index::At(-1))), Value::text("three"));
        assert_eq!(pick(&values, Some(Index::At(-2))), Value::text("one, two"));
        assert_eq!(pick(&values, Some(Index::At(-3))), Value::Null);
        assert_eq!(pick(&values, Some(Index::At(2))), Value::Null);
        assert_eq!(pick(&values, Some(Index::All)), Value::text("one, two,three"));
        assert_eq!(pick(&[], Some(Index::All)), Value::Null);
    }
}
