//! RPC commands `corex.*` and `shm.*`.

use std::borrow::Cow;

use crate::core::rpc_process::memory_structure;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// The log threshold; with a parameter sets it and tells the old and the new one.
pub(super) fn debug(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let old = i64::from(worker.node.core.debug());
    let field = |name: &'static str, value: i64| (Cow::Borrowed(name), Item::Integer(value));
    let Some(new) = parameters.integer_if_given()? else {
        return Ok(Reply::one(Item::Structure(vec![field("debug", old)])));
    };
    let level = i32::try_from(new).map_err(|_| Fault::new(400, "bad level"))?;
    worker.node.core.set_debug(level);
    Ok(Reply::one(Item::Structure(vec![field("old", old), field("new", new)])))
}

/// Writes the memory of the process to the log.
pub(super) fn log_memory(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let memory = worker.node.states.core.memory.read();
    let line = format!("memory: total {} used {} most used {}", memory.total, memory.used, memory.most_used);
    worker.log(1, "corex", &line);
    Ok(Reply::empty())
}

pub(super) fn memory(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(memory_structure(worker, 1, Item::Long)))
}

pub(super) fn information(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("name"), Item::text("system")), (Cow::Borrowed("mode"), Item::Integer(0))])))
}
