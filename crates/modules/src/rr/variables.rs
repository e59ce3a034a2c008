//! Variables of the module: `$route_uri`, `$fti`, `$tti`, `$rdir(id|name)`.

use script::exports::{Index, Inner};
use script::value::Value;

use super::direction::{Direction, direction};
use crate::worker::Worker;

/// `$route_uri`: the URI of the first Route header.
pub(super) fn route_uri(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    worker.run.message.routes().next().map_or(Value::Null, |route| Value::text(route.address.uri))
}

fn tag(worker: &Worker, of_initiator: bool) -> Value {
    let is_downstream = direction(&worker.run) == Direction::Downstream;
    let message = &worker.run.message;
    let tag = if is_downstream == of_initiator { message.from_tag() } else { message.to_tag() };
    if tag.is_empty() { Value::Null } else { Value::text(tag) }
}

/// `$fti`: the From tag of the initial request, whichever way this one travels.
pub(super) fn initiator_tag(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    tag(worker, true)
}

/// `$tti`: the To tag of the initial dialog.
pub(super) fn answerer_tag(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    tag(worker, false)
}

/// `$rdir(id)` and `$rdir(name)`.
pub(super) fn route_direction(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let direction = direction(&worker.run);
    let wants_name = match inner {
        Inner::Choice(choice) => *choice == 1,
        other => other.word() == b"name",
    };
    match (wants_name, direction) {
        (true, Direction::Downstream) => Value::text("downstream"),
        (true, Direction::Upstream) => Value::text("upstream"),
        (false, Direction::Downstream) => Value::Integer(1),
        (false, Direction::Upstream) => Value::Integer(2),
    }
}
