//! RPC commands `mod.*` and `pkg.*`: memory by module and process does not exist here; the shapes do.

use std::borrow::Cow;

use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

fn module_name(worker: &Worker, parameters: &mut Parameters) -> Result<Vec<u8>, Fault> {
    let name = parameters.text_if_given()?.ok_or_else(|| Fault::new(500, "Module name or \"all\" needed"))?;
    let is_known = name == b"all" || worker.node.loaded.modules.iter().any(|module| module.name.as_bytes() == name);
    if is_known { Ok(name) } else { Err(Fault::new(500, "Module not found")) }
}

/// One text for each module: memory of the process is not split by module.
pub(super) fn modules(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = module_name(worker, parameters)?;
    let modules = worker.node.loaded.modules.iter().filter(|module| wanted == b"all" || module.name.as_bytes() == wanted);
    Ok(Reply::many(modules.map(|module| Item::text(format!("Module: {}\n", module.name))).collect()))
}

fn field(name: &'static str, value: i64) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), Item::Integer(value))
}

/// One structure for each thread; all share the memory of the process.
pub(super) fn threads(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let memory = worker.node.states.core.memory.read();
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let process = &worker.node.process;
    let mut threads: Vec<(String, u32)> = process.threads.clone();
    if threads.is_empty() {
        threads.push(("main".to_owned(), process.pid));
    }
    let items = threads.into_iter().enumerate().map(|(index, (name, id))| {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        Item::Structure(vec![
            field("entry", index),
            field("pid", i64::from(id)),
            field("rank", index),
            field("used", signed(memory.used)),
            field("free", signed(memory.free())),
            field("real_used", signed(memory.used)),
            field("total_size", signed(memory.total)),
            field("total_frags", 0),
            (Cow::Borrowed("desc"), Item::text(name)),
        ])
    });
    Ok(Reply::many(items.collect()))
}

pub(super) fn information(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("name"), Item::text("system")), field("mode", 0)])))
}
