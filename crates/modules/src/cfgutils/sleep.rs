//! `sleep` and `usleep`: the run parks, the worker goes on (invariant A5).

use script::exports::{Argument, Flow};
use sip::time::Time;

use crate::outbox::Effect;
use crate::run::{Answer, Continuation};
use crate::worker::Worker;

/// Longest sleep, milliseconds.
pub const SLEEP_MILLISECONDS_MAX: u64 = 600_000;

/// Parks the run for a time; `then` goes on with it.
pub(super) fn park(worker: &mut Worker, milliseconds: u64, then: Continuation) -> Flow {
    let ticket = worker.take_ticket();
    let at = Time(worker.now.time.0.saturating_add(milliseconds.min(SLEEP_MILLISECONDS_MAX)));
    worker.run.continuation = Some(then);
    worker.outbox.effects.push(Effect::Wake { ticket, at });
    Flow::Wait
}

fn awake(_worker: &mut Worker, _answer: Answer) -> Flow {
    Flow::Code(1)
}

fn argument(arguments: &[Argument]) -> u64 {
    arguments.first().map_or(0, |argument| u64::try_from(argument.integer()).unwrap_or(0))
}

pub(super) fn seconds(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    park(worker, argument(arguments).saturating_mul(1000), awake)
}

/// Less than a millisecond is no wait at all.
pub(super) fn microseconds(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match argument(arguments) / 1000 {
        0 => Flow::Code(1),
        milliseconds => park(worker, milliseconds, awake),
    }
}
