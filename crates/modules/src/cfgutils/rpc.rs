//! RPC commands `cfgutils.*`.

use std::sync::atomic::Ordering;

use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

fn mask(parameters: &mut Parameters) -> Result<u32, Fault> {
    let number = parameters.integer()?;
    u32::try_from(number).ok().filter(|mask| *mask != 0).ok_or_else(|| Fault::new(500, "Invalid Parameter value (flag)"))
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
    let percent = parameters.integer()?;
    if !(0..=100).contains(&percent) {
        return Err(Fault::new(400, "incorrect probability"));
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

/// The files of the configuration are not read again.
pub(super) fn no_file_hash(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "Error calculating hash value"))
}
