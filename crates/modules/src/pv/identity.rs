//! Identity headers: `$ai`, `$pu` and its parts, `$re`, `$rt`, `$di` and its parameters.

use script::exports::{Index, Inner};
use script::value::Value;
use sip::{HeaderId, NameAddress};

use super::answer::{non_empty, optional};
use super::uri::{Part, of_header, optional_text, part};
use crate::worker::Worker;

/// A position from an index; none is the first, negative counts from the end.
fn position(worker: &Worker, id: HeaderId, index: Option<Index>) -> Option<usize> {
    match index {
        Some(Index::At(number)) if number < 0 => {
            let message = &worker.run.message;
            let count = message.headers_of(id).flat_map(|header| super::elements(message.text(header.value))).count();
            count.checked_sub(usize::try_from(number.unsigned_abs()).ok()?)
        }
        Some(Index::At(number)) => usize::try_from(number).ok(),
        _ => Some(0),
    }
}

fn address(worker: &Worker, id: HeaderId, index: Option<Index>) -> Option<NameAddress<'_>> {
    let at = position(worker, id, index)?;
    let message = &worker.run.message;
    let element = message.headers_of(id).flat_map(|header| super::elements(message.text(header.value))).nth(at)?;
    NameAddress::parse(element)
}

pub(super) fn asserted(worker: &mut Worker, _inner: &Inner, index: Option<Index>) -> Value {
    address(worker, HeaderId::PAssertedIdentity, index).map_or(Value::Null, |address| non_empty(address.uri))
}

/// A part of P-Preferred-Identity's URI.
pub(super) fn preferred(worker: &Worker, index: Option<Index>, wanted: Part) -> Value {
    part(worker, address(worker, HeaderId::PPreferredIdentity, index).map(|address| address.uri), wanted)
}

pub(super) fn preferred_display(worker: &mut Worker, _inner: &Inner, index: Option<Index>) -> Value {
    address(worker, HeaderId::PPreferredIdentity, index).map_or(Value::Null, |address| non_empty(address.display))
}

/// The URI of the first element of a header.
pub(super) fn uri(worker: &Worker, id: HeaderId) -> Value {
    optional_text(of_header(worker, id, 0))
}

/// A parameter of the first Diversion.
pub(super) fn diversion_param(worker: &Worker, name: &[u8]) -> Value {
    let address = address(worker, HeaderId::Diversion, None);
    optional(address.and_then(|address| address.param(name)).map(sip::params::unquote))
}
