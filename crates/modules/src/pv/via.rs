//! Via elements: `$via0(key)`, `$via1(key)`, `$viaZ(key)`.

use script::exports::Inner;
use script::value::Value;
use transaction::Protocol;

use super::answer::{non_empty, optional};
use crate::core::words::protocol_number;
use crate::sockets::DEFAULT_PORT;
use crate::worker::Worker;

/// Which of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Second,
    Last,
}

/// Keys; those from `oc` on are the overload control parameters of RFC 7339.
pub(super) const KEYS: &[&str] =
    &["host", "port", "proto", "protoid", "branch", "rport", "received", "i", "params", "oc", "ocval", "ocalgo", "ocvalid", "ocseq"];

pub(super) fn key(worker: &Worker, which: Which, inner: &Inner) -> Value {
    let mut vias = worker.run.message.vias();
    let via = match which {
        Which::First => vias.next(),
        Which::Second => vias.nth(1),
        Which::Last => vias.last(),
    };
    let (Some(via), Inner::Choice(choice)) = (via, inner) else { return Value::Null };
    match KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "host" => non_empty(via.host),
        "port" => Value::Integer(i64::from(via.port.unwrap_or(DEFAULT_PORT))),
        "proto" => non_empty(via.transport),
        "protoid" => Protocol::from_bytes(via.transport).map_or(Value::Integer(0), |protocol| Value::Integer(protocol_number(protocol))),
        "branch" => non_empty(via.branch),
        "rport" => optional(via.rport),
        "received" => non_empty(via.received),
        "params" => non_empty(via.params.strip_prefix(b";").unwrap_or(via.params)),
        "oc" | "ocval" => optional(via.param(b"oc")),
        "ocalgo" => optional(via.param(b"oc-algo").map(sip::params::unquote)),
        "ocvalid" => optional(via.param(b"oc-validity")),
        "ocseq" => optional(via.param(b"oc-seq")),
        other => optional(via.param(other.as_bytes())),
    }
}
