//! RPC commands `cnt.*`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::node::Node;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::statistics::{Entry, Selection, entries, select};
use crate::worker::Worker;

fn text(parameters: &mut Parameters) -> Result<String, Fault> {
    parameters.text_converted().map(|text| String::from_utf8_lossy(&text).into_owned())
}

fn find<'a>(node: &'a Node, parameters: &mut Parameters) -> Result<Entry<'a>, Fault> {
    let group = text(parameters)?;
    let name = text(parameters)?;
    let found = select(node, Selection::Name { group: Some(&group), name: &name });
    found.into_iter().next().ok_or_else(|| Fault::new(400, format!("non-existent counter {group}.{name}")))
}

pub(super) fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let entry = find(&node, parameters)?;
    Ok(Reply::one(Item::Integer(entry.value(&node))))
}

pub(super) fn reset(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    find(&node, parameters)?.reset(&node);
    Ok(Reply::empty())
}

pub(super) fn groups(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let mut names: Vec<&str> = entries(&worker.node).iter().map(Entry::group).collect();
    names.dedup();
    Ok(Reply::many(names.into_iter().map(Item::text).collect()))
}

fn group<'a>(node: &'a Node, parameters: &mut Parameters) -> Result<Vec<Entry<'a>>, Fault> {
    let name = text(parameters)?;
    let found = select(node, Selection::Group(&name));
    if found.is_empty() { Err(Fault::new(400, format!("non-existent group {name}"))) } else { Ok(found) }
}

pub(super) fn names(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    Ok(Reply::many(group(&node, parameters)?.iter().map(|entry| Item::text(entry.name())).collect()))
}

pub(super) fn values(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let found = group(&node, parameters)?;
    let fields = found.iter().map(|entry| (Cow::Owned(entry.name().to_owned()), Item::Integer(entry.value(&node))));
    Ok(Reply::one(Item::Structure(fields.collect())))
}

pub(super) fn help(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let description = match find(&node, parameters)? {
        Entry::Defined(variable) if !variable.description.is_empty() => variable.description.clone(),
        _ => "kamailio statistic (no description)".to_owned(),
    };
    Ok(Reply::one(Item::text(description)))
}
