//! P-Charging-Vector (RFC 7315 §4.6): `sip_p_charging_vector(flags)` and `$pcv(...)`.

use script::exports::{Argument, Flow, Index, Inner};
use script::value::Value;
use sip::header::HeaderId;
use sip::params::Params;

use crate::worker::Worker;

const KEYS: [&[u8]; 3] = [b"icid-generated-at", b"orig-ioi", b"term-ioi"];

/// `sip_p_charging_vector(flags)`: `r` removes, `g` generates if absent, `f` replaces by a generated one. Always true.
pub(super) fn sip_p_charging_vector(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let flags = arguments.first().map(Argument::text).unwrap_or_default();
    let has = |flag: u8| flags.iter().any(|given| given.eq_ignore_ascii_case(&flag));
    let found = worker.run.message.header(HeaderId::PChargingVector).map(|header| header.line);
    let removes = has(b'r') || has(b'f');
    if let (true, Some(line)) = (removes, found) {
        worker.run.edits.remove(line);
    }
    let generates = has(b'f') || (has(b'g') && (found.is_none() || has(b'r')));
    if generates {
        let address = worker.node.sockets.at(worker.run.source.socket).map_or_else(String::new, |socket| socket.address.ip().to_string());
        let id = worker.random.next_u64();
        let line = format!("P-Charging-Vector: icid-value={:016X}{:08X};icid-generated-at={address}\r\n", id, worker.now.date.seconds());
        let at = worker.run.message.headers_end();
        worker.run.edits.insert_after(at, line.as_bytes());
    }
    Flow::Code(1)
}

/// `$pcv(all|value|genaddr|orig|term|status)`: quotes stay.
pub(super) fn variable(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let name: &[u8] = match inner {
        Inner::Choice(index) => {
            [&b"all"[..], b"value", b"genaddr", b"orig", b"term", b"status"].get(usize::from(*index)).copied().unwrap_or(b"")
        }
        other => other.word(),
    };
    let value = worker.run.message.value(HeaderId::PChargingVector);
    let Some(value) = value else {
        return if name == b"status" { Value::Integer(0) } else { Value::Null };
    };
    let find = |key: &[u8]| {
        Params::new(value)
            .find(|param| param.name.eq_ignore_ascii_case(key))
            .map_or(Value::Null, |param| Value::text(param.value.unwrap_or(b"")))
    };
    match name {
        b"all" => Value::text(value),
        b"value" => find(b"icid-value"),
        b"genaddr" => find(KEYS[0]),
        b"orig" => find(KEYS[1]),
        b"term" => find(KEYS[2]),
        b"status" => Value::Integer(1),
        _ => Value::Null,
    }
}
