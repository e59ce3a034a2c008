//! RPC commands `corex.*` and `shm.*`.

use std::borrow::Cow;

use crate::core::rpc_process::memory_structure;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// The log threshold; with a parameter sets it and tells the old and the new one.
pub(super) fn debug(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let old = i64::from(worker.node.core.debug());
    let field = |name: &'static str, value: i64| (Cow::Borrowed(name), Item::Integer(value));
    let Ok(new) = parameters.integer() else {
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

/// `corex.pkg_summary pid|idx number`: there is one process, so each choice shows the same memory.
pub(super) fn log_memory_of(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let missing = |_| Fault::new(400, "Selector and value not provided");
    let selector = parameters.text().map_err(missing)?;
    let number = parameters.integer().map_err(missing)?;
    match selector.as_slice() {
        b"pid" => {}
        b"idx" if usize::try_from(number).is_ok_and(|index| index < worker.node.process.threads.len()) => {}
        b"idx" => return Err(Fault::new(500, "Index value out of range")),
        _ if selector.len() == 3 => return Err(Fault::new(500, "Unsupported selector type")),
        _ => return Err(Fault::new(500, "Unsupported selector")),
    }
    log_memory(worker, parameters)
}

/// `shm.report`: nobody reports.
pub(super) fn no_report(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "No report callback function"))
}

/// `shm.info`: the allocator is that of the system.
pub(super) fn information(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let total = i64::try_from(worker.node.states.core.memory.read().total).unwrap_or(i64::MAX);
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("name"), Item::text("system")), (Cow::Borrowed("size"), Item::Long(total))])))
}
