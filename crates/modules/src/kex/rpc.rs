//! RPC commands `stats.*` (spec proxy-core 14.1).

use std::borrow::Cow;
use std::sync::Arc;

use crate::node::Node;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::statistics::{Entry, Selection, select};
use crate::worker::Worker;

/// Most selections one call may name.
const SELECTIONS_MAX: usize = 256;
const NOTHING_TO_READ: &str = "Please provide which stats to retrieve";
const NOTHING_TO_RESET: &str = "Please provide stats name";

/// The statistics that are named; `missing`: the fault of a call that names none. A name that is no text ends the list.
fn selected<'a>(node: &'a Node, parameters: &mut Parameters, missing: &str) -> Result<Vec<Entry<'a>>, Fault> {
    let first = parameters.text().map_err(|_| Fault::new(400, missing))?;
    let mut entries = select(node, Selection::parse(&String::from_utf8_lossy(&first)));
    for _ in 1..SELECTIONS_MAX {
        let Some(name) = parameters.text_or_none() else { break };
        entries.extend(select(node, Selection::parse(&String::from_utf8_lossy(&name))));
    }
    Ok(entries)
}

/// `group:name = value` texts.
pub(super) fn texts(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let entries = selected(&node, parameters, NOTHING_TO_READ)?;
    let line = |entry: &Entry<'_>| Item::text(format!("{}:{} = {}", entry.group(), entry.name(), entry.value(&node)));
    Ok(Reply::many(entries.iter().map(line).collect()))
}

fn structure(worker: &mut Worker, parameters: &mut Parameters, make: fn(i64) -> Item) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let entries = selected(&node, parameters, NOTHING_TO_READ)?;
    let fields = entries.iter().map(|entry| (Cow::Owned(format!("{}.{}", entry.group(), entry.name())), make(entry.value(&node))));
    Ok(Reply::one(Item::Structure(fields.collect())))
}

/// Values as texts.
pub(super) fn fetch(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    structure(worker, parameters, |value| Item::text(value.to_string()))
}

/// Values as numbers.
pub(super) fn fetch_numbers(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    structure(worker, parameters, Item::Long)
}

pub(super) fn reset(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    for entry in selected(&node, parameters, NOTHING_TO_RESET)? {
        entry.reset(&node);
    }
    Ok(Reply::empty())
}

/// Resets and tells the value now and before: `group:name = 0 (7)`.
pub(super) fn clear(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let mut items = Vec::new();
    for entry in selected(&node, parameters, NOTHING_TO_RESET)? {
        let before = entry.value(&node);
        entry.reset(&node);
        let now = entry.value(&node);
        let name = format!("{}:{}", entry.group(), entry.name());
        items.push(Item::text(if now == before { format!("{name} = {now}") } else { format!("{name} = {now} ({before})") }));
    }
    Ok(Reply::many(items))
}
