//! Global flags shared by all workers: `set_gflag`, `reset_gflag`, `is_gflag`. The argument is a mask or a flag's mask text.

use std::sync::atomic::Ordering;

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// A flag number 0..31 as a mask.
fn mask(worker: &mut Worker, arguments: &[Argument]) -> Option<u32> {
    crate::core::flags::argument_bit(worker, arguments)
}

pub(super) fn set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = mask(worker, arguments) else { return Flow::Code(-1) };
    worker.node.states.cfgutils.flags.fetch_or(mask, Ordering::Relaxed);
    Flow::Code(1)
}

pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = mask(worker, arguments) else { return Flow::Code(-1) };
    worker.node.states.cfgutils.flags.fetch_and(!mask, Ordering::Relaxed);
    Flow::Code(1)
}

pub(super) fn is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(mask) = mask(worker, arguments) else { return Flow::Code(-1) };
    Flow::from(worker.node.states.cfgutils.flags.load(Ordering::Relaxed) & mask != 0)
}
