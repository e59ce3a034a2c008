//! Message flags: `setflag`, `resetflag`, `isflagset`, and the bit of a flag number for other modules (spec cfg-language 15).

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// The mask of a flag 0..31.
pub fn bit(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number < 32).map(|number| 1 << number)
}

/// The mask of the first argument; logs when it is no flag.
pub fn argument_bit(worker: &mut Worker, arguments: &[Argument]) -> Option<u32> {
    let number = arguments.first().map_or(-1, Argument::integer);
    let found = bit(number);
    if found.is_none() {
        let text = format!("{number} is not a flag (0..31)");
        worker.log(-1, "core", &text);
    }
    found
}

pub(super) fn set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = argument_bit(worker, arguments) else { return Flow::Code(-1) };
    worker.run.flags |= mask;
    Flow::Code(1)
}

pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = argument_bit(worker, arguments) else { return Flow::Code(-1) };
    worker.run.flags &= !mask;
    Flow::Code(1)
}

pub(super) fn is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = argument_bit(worker, arguments) else { return Flow::Code(-1) };
    Flow::from(worker.run.flags & mask != 0)
}
