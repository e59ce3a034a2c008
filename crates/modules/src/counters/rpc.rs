//! RPC commands `cnt.*`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::node::Node;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::statistics::{Entry, Selection, entries, select};
use crate::worker::Worker;

fn text(parameters: &mut Parameters) -> Result<String, Fault> {
    parameters.text().map(|text| String::from_utf8_lossy(&text).into_owned())
}

fn find<'a>(node: &'a Node, parameters: &mut Parameters) -> Result<Entry<'a>, Fault> {
    let group = text(parameters)?;
    let name = text(parameters)?;
    named(node, &group, &name)
}

/// The line end is part of the fault's text, as clients of the original get it.
fn named<'a>(node: &'a Node, group: &str, name: &str) -> Result<Entry<'a>, Fault> {
    let found = select(node, Selection::Name { group: Some(group), name });
    found.into_iter().next().ok_or_else(|| Fault::new(400, format!("non-existent counter {group}.{name}\n")))
}

/// `cnt.get group [name]`: a value, or all of the group.
pub(super) fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let group = text(parameters)?;
    match parameters.text_or_none() {
        Some(name) => {
            let entry = named(&node, &group, &String::from_utf8_lossy(&name))?;
            Ok(Reply::one(Item::Integer(entry.value(&node))))
        }
        None => Ok(Reply::one(group_values(&node, &group))),
    }
}

/// `cnt.get_raw group name`.
pub(super) fn get_raw(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
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

/// An unknown group has no values.
fn group_values(node: &Node, group: &str) -> Item {
    let fields = select(node, Selection::Group(group)).into_iter();
    Item::Structure(fields.map(|entry| (Cow::Owned(entry.name().to_owned()), Item::Integer(entry.value(node)))).collect())
}

pub(super) fn names(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let group = text(parameters)?;
    let found = select(&node, Selection::Group(&group));
    Ok(Reply::many(found.iter().map(|entry| Item::text(entry.name())).collect()))
}

pub(super) fn values(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let group = text(parameters)?;
    Ok(Reply::one(group_values(&node, &group)))
}

pub(super) fn help(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let description = match find(&node, parameters)? {
        Entry::Defined(variable) if !variable.description.is_empty() => variable.description.clone(),
        _ => "kamailio statistic (no description)".to_owned(),
    };
    Ok(Reply::one(Item::text(description)))
}
