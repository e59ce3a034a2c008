//! RPC commands `mod.*` and `pkg.*`: memory by module and process does not exist here; the shapes do.

use std::borrow::Cow;

use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// `mod.stats module|all pkg|shm|all`: memory of the process is not split by module, so each total is 0.
pub(super) fn modules(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = parameters.text().map_err(|_| Fault::new(500, "Module name or \"all\" needed"))?;
    let kind = parameters.text().map_err(|_| Fault::new(500, "\"pkg\" or \"shm\" or \"all\" needed"))?;
    let totals: usize = match kind.as_slice() {
        b"pkg" | b"shm" => 1,
        b"all" => 2,
        _ => 0,
    };
    let one = |name: &[u8]| {
        let mut items = vec![Item::Text([b"Module: ", name].concat())];
        items.extend(std::iter::repeat_n(Item::Structure(vec![field("Total", 0)]), totals));
        items.push(Item::text(""));
        items
    };
    if wanted != b"all" {
        return Ok(Reply::many(one(&wanted)));
    }
    // The core stands first among the modules and comes last here.
    let (core, modules) = worker.node.loaded.modules.split_at(1);
    Ok(Reply::many(modules.iter().chain(core).flat_map(|module| one(module.name.as_bytes())).collect()))
}

fn field(name: &'static str, value: i64) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), Item::Integer(value))
}

/// What of the threads `pkg.stats` shows.
enum Filter {
    All,
    Id(i64),
    Rank(i64),
    Index(i64),
}

fn filter(parameters: &mut Parameters) -> Result<Filter, Fault> {
    let Some(kind) = parameters.text_or_none() else { return Ok(Filter::All) };
    let make: fn(i64) -> Filter = match kind.as_slice() {
        b"pid" => Filter::Id,
        b"rank" => Filter::Rank,
        b"index" => Filter::Index,
        _ => return Err(Fault::new(500, "Invalid filter type")),
    };
    parameters.integer().map(make).map_err(|_| Fault::new(500, "One more parameter expected"))
}

/// One structure for each thread; all share the memory of the process.
pub(super) fn threads(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let filter = filter(parameters)?;
    let memory = worker.node.states.core.memory.read();
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let threads = worker.node.process.threads.iter().zip(0_i64..);
    let shown = threads.filter(|(thread, index)| match filter {
        Filter::All => true,
        Filter::Id(id) => i64::from(thread.id) == id,
        Filter::Rank(rank) => i64::from(thread.rank) == rank,
        Filter::Index(wanted) => *index == wanted,
    });
    let items: Vec<Item> = shown
        .map(|(thread, index)| {
            Item::Structure(vec![
                field("entry", index),
                field("pid", i64::from(thread.id)),
                field("rank", i64::from(thread.rank)),
                field("used", signed(memory.used)),
                field("free", signed(memory.free())),
                field("real_used", signed(memory.used)),
                field("total_size", signed(memory.total)),
                field("total_frags", 0),
                (Cow::Borrowed("desc"), Item::text(&thread.name)),
            ])
        })
        .collect();
    if items.is_empty() && matches!(filter, Filter::Id(_)) {
        return Err(Fault::new(500, "No such pid"));
    }
    Ok(Reply::many(items))
}

/// `pkg.info`: the allocator is that of the system.
pub(super) fn information(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let total = i64::try_from(worker.node.states.core.memory.read().total).unwrap_or(i64::MAX);
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("name"), Item::text("system")), field("size", total)])))
}
