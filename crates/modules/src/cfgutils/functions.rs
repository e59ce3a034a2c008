//! Chance, stopping, memory reports, hashing, and routes by name.

use std::sync::atomic::Ordering;

use script::exports::{Argument, Flow, Index, Inner};
use script::syntax::ast::RouteKind;
use script::value::Value;

use crate::outbox::Effect;
use crate::worker::Worker;

const PERCENT: i64 = 100;
/// `$RANDOM` is below this, as C's `rand` is on Linux.
const RANDOM_BOUND: u64 = 1 << 31;

pub(super) fn random(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(i64::try_from(worker.random.below(RANDOM_BOUND)).unwrap_or(0))
}

pub(super) fn set_probability(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let percent = arguments.first().map_or(-1, Argument::integer);
    if !(0..=PERCENT).contains(&percent) {
        worker.log(-1, "cfgutils", "rand_set_prob: not a percentage");
        return Flow::Code(-1);
    }
    worker.node.states.cfgutils.probability.store(percent, Ordering::Relaxed);
    Flow::Code(1)
}

pub(super) fn reset_probability(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let state = &worker.node.states.cfgutils;
    state.probability.store(state.initial_probability, Ordering::Relaxed);
    Flow::Code(1)
}

/// Answers the percentage itself as code.
pub(super) fn probability(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let percent = worker.node.states.cfgutils.probability.load(Ordering::Relaxed);
    Flow::Code(i32::try_from(percent).unwrap_or(-1))
}

pub(super) fn random_event(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let percent = worker.node.states.cfgutils.probability.load(Ordering::Relaxed);
    let drawn = i64::try_from(worker.random.below(100)).unwrap_or(PERCENT);
    Flow::from(drawn < percent)
}

pub(super) fn abort(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.log(-5, "cfgutils", "the script called abort()");
    worker.outbox.effects.push(Effect::Stop);
    Flow::Code(0)
}

/// The four memory reports of Kamailio write one line here.
pub(super) fn memory_report(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let memory = worker.node.states.core.memory.read();
    let line = format!("memory: total {} used {} most used {}", memory.total, memory.used, memory.most_used);
    worker.log(2, "cfgutils", &line);
    Flow::Code(1)
}

/// `core_hash(one, other, size)`: the low `size` bits of the hash, plus one; one bit when the size is not above 0.
pub(super) fn hash(_worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |at: usize| arguments.get(at).map(Argument::text).unwrap_or_default();
    let bits = u32::try_from(arguments.get(2).map_or(0, Argument::integer)).unwrap_or(0).clamp(1, 31);
    let hash = ::dialog::hash::core_hash_of_two(&text(0), &text(1));
    Flow::Code(i32::try_from(hash & ((1 << bits) - 1)).unwrap_or(0).saturating_add(1))
}

fn route(worker: &Worker, arguments: &[Argument]) -> Option<script::RouteId> {
    let name = arguments.first().map(Argument::text).filter(|name| !name.is_empty())?;
    worker.node.program.route(RouteKind::Request, std::str::from_utf8(&name).ok()?)
}

pub(super) fn route_exists(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(route(worker, arguments).is_some())
}

/// Runs the route and answers its code; -1 when there is none.
pub(super) fn run_route_if_exists(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(route) = route(worker, arguments) else { return Flow::Code(-1) };
    let Some(finish) = worker.run_route_id(route) else { return Flow::Code(-1) };
    match finish.how {
        script::vm::Ended::Return => Flow::Code(i32::try_from(finish.code).unwrap_or(1)),
        _ => Flow::Code(0),
    }
}
