//! RPC commands `cfgutils.*`.

use std::sync::atomic::Ordering;

use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

fn integer(parameters: &mut Parameters) -> Result<i64, Fault> {
    parameters.integer().map_err(|_| Fault::new(500, "Invalid Parameters"))
}

/// The low 32 bits of the number are the flags.
fn mask(parameters: &mut Parameters) -> Result<u32, Fault> {
    integer(parameters).map(|number| number as u32)
}

pub(super) fn set_flag(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    worker.node.states.cfgutils.flags.fetch_or(mask(parameters)?, Ordering::Relaxed);
    Ok(Reply::empty())
}

pub(super) fn reset_flag(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    worker.node.states.cfgutils.flags.fetch_and(!mask(parameters)?, Ordering::Relaxed);
    Ok(Reply::empty())
}

pub(super) fn is_flag(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let mask = mask(parameters)?;
    let is_set = worker.node.states.cfgutils.flags.load(Ordering::Relaxed) & mask == mask;
    Ok(Reply::one(Item::text(if is_set { "TRUE" } else { "FALSE" })))
}

pub(super) fn flags(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let flags = worker.node.states.cfgutils.flags.load(Ordering::Relaxed);
    Ok(Reply::one(Item::text(format!("0x{flags:X} ({flags})"))))
}

pub(super) fn set_probability(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let percent = integer(parameters)?;
    if !(0..=100).contains(&percent) {
        return Err(Fault::new(500, "Invalid Percent"));
    }
    worker.node.states.cfgutils.probability.store(percent, Ordering::Relaxed);
    Ok(Reply::empty())
}

pub(super) fn reset_probability(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let state = &worker.node.states.cfgutils;
    state.probability.store(state.initial_probability, Ordering::Relaxed);
    Ok(Reply::empty())
}

pub(super) fn probability(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let percent = worker.node.states.cfgutils.probability.load(Ordering::Relaxed);
    Ok(Reply::one(Item::text(format!("actual probability: {percent} percent"))))
}
