//! `cfg.*`: variables that can be read and changed at run time (spec proxy-core 14.1).

use std::borrow::Cow;

use script::syntax::ast::Literal;
use script::value::Text;

use super::pending::Change;
use super::values::{self, Address};
use crate::node::Node;
use crate::rpc::{Fault, Item, Parameter, Parameters, Reply, Wire};
use crate::worker::Worker;

fn text(parameters: &mut Parameters) -> Result<String, Fault> {
    parameters.text().map(|text| String::from_utf8_lossy(&text).into_owned())
}

fn item(value: &Literal) -> Item {
    match value {
        Literal::Integer(number) => Item::Integer(*number),
        Literal::Text(text) => Item::text(text),
    }
}

fn group_or_instance(group: &str) -> Result<(String, Option<u32>), Fault> {
    let (name, instance) =
        values::split_group(group).ok_or_else(|| Fault::new(400, "Wrong group syntax. Use either \"group\", or \"group[id]\""))?;
    Ok((name.to_owned(), instance))
}

fn instance_of(group: &str) -> Result<(String, u32), Fault> {
    match values::split_group(group) {
        Some((name, Some(instance))) => Ok((name.to_owned(), instance)),
        _ => Err(Fault::new(400, "Wrong group syntax. Use \"group[id]\"")),
    }
}

/// A number or a text.
fn given(parameters: &mut Parameters) -> Result<Literal, Fault> {
    match (parameters.values.get(parameters.position()), parameters.wire) {
        (Some(Parameter::Integer(_)), _) | (Some(Parameter::Double(_)), Wire::Json) => given_integer(parameters),
        _ => given_text(parameters),
    }
}

fn given_integer(parameters: &mut Parameters) -> Result<Literal, Fault> {
    parameters.integer().map(Literal::Integer)
}

fn given_text(parameters: &mut Parameters) -> Result<Literal, Fault> {
    parameters.text().map(|text| Literal::Text(Text::from(text)))
}

/// What a change is called with: address and value.
fn wanted(parameters: &mut Parameters, read: fn(&mut Parameters) -> Result<Literal, Fault>) -> Result<(Address, Literal), Fault> {
    let (group, name) = (text(parameters)?, text(parameters)?);
    let value = read(parameters)?;
    let (group, instance) = group_or_instance(&group)?;
    Ok((Address { group, instance, name }, value))
}

fn not_set() -> Fault {
    Fault::new(400, "Failed to set the variable")
}

fn change(worker: &Worker, parameters: &mut Parameters, read: fn(&mut Parameters) -> Result<Literal, Fault>) -> Result<Reply, Fault> {
    let (address, value) = wanted(parameters, read)?;
    if values::set(&worker.node, &address, value) { Ok(Reply::empty()) } else { Err(not_set()) }
}

pub(super) fn set_any(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    change(worker, parameters, given)
}

pub(super) fn set_integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    change(worker, parameters, given_integer)
}

pub(super) fn set_text(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    change(worker, parameters, given_text)
}

fn delay(worker: &Worker, parameters: &mut Parameters, read: fn(&mut Parameters) -> Result<Literal, Fault>) -> Result<Reply, Fault> {
    let (address, value) = wanted(parameters, read)?;
    let value = values::fit(&worker.node, &address, value).ok_or_else(not_set)?;
    let change = Change { address, value: Some(value) };
    if worker.node.states.cfg_rpc.pending.add(change) { Ok(Reply::empty()) } else { Err(not_set()) }
}

pub(super) fn delay_integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    delay(worker, parameters, given_integer)
}

pub(super) fn delay_text(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    delay(worker, parameters, given_text)
}

pub(super) fn delay_any(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    delay(worker, parameters, given)
}

pub(super) fn commit(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let mut is_done = true;
    for Change { address, value } in worker.node.states.cfg_rpc.pending.take() {
        is_done &= match value {
            Some(value) => values::set(&worker.node, &address, value),
            None => values::delete(&worker.node, &address),
        };
    }
    if is_done { Ok(Reply::empty()) } else { Err(Fault::new(400, "Failed to commit the changes")) }
}

pub(super) fn rollback(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    worker.node.states.cfg_rpc.pending.take();
    Ok(Reply::empty())
}

pub(super) fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let unread = |_| Fault::new(500, "Failed to get the parameters");
    let group = text(parameters).map_err(unread)?;
    let name = if parameters.left() > 0 { Some(text(parameters).map_err(unread)?) } else { None };
    let (group, instance) = group_or_instance(&group)?;
    let node = &worker.node;
    let missing = || Fault::new(400, "Failed to get the variable");
    let read = |name: String| values::value(node, &Address { group: group.clone(), instance, name });
    if let Some(name) = name {
        return Ok(Reply::one(item(&read(name).ok_or_else(missing)?)));
    }
    let names = values::names(node, &group);
    let fields: Vec<(Cow<'static, str>, Item)> =
        names.iter().filter_map(|name| read(name.clone()).map(|value| (Cow::Owned(name.clone()), item(&value)))).collect();
    if fields.is_empty() && !names.is_empty() {
        return Err(missing());
    }
    Ok(Reply::one(Item::Structure(fields)))
}

pub(super) fn list(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = &worker.node;
    let groups = match text(parameters) {
        Ok(group) => vec![group],
        Err(_) => values::groups(node),
    };
    let line = |group: &str, name: String| Item::text(format!("{group}: {name}"));
    let lines = groups.iter().flat_map(|group| values::names(node, group).into_iter().map(move |name| line(group, name)));
    Ok(Reply::many(lines.collect()))
}

pub(super) fn help(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (group, name) = (text(parameters)?, text(parameters)?);
    let missing = || Fault::new(400, "Failed to get the variable description");
    let description = values::help(&worker.node, &group, &name).ok_or_else(missing)?;
    let value = values::value(&worker.node, &Address { group, instance: None, name }).ok_or_else(missing)?;
    let kind = if matches!(value, Literal::Integer(_)) { "integer" } else { "string" };
    Ok(Reply::many(vec![Item::text(description), Item::text(format!("(parameter type is {kind})"))]))
}

/// The changes that wait, with the values before and after.
pub(super) fn difference(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node: &Node = &worker.node;
    let items = node.states.cfg_rpc.pending.all().into_iter().map(|Change { address, value }| {
        let shown = |value: Option<Literal>| value.map_or(Item::Null, |value| item(&value));
        let new = value.or_else(|| values::value(node, &Address { instance: None, ..address.clone() }));
        let mut fields: Vec<(Cow<'static, str>, Item)> = vec![("group name".into(), Item::text(&address.group))];
        fields.extend(address.instance.map(|instance| ("group id".into(), Item::Integer(i64::from(instance)))));
        fields.push(("variable name".into(), Item::text(&address.name)));
        fields.push(("old value".into(), shown(values::value(node, &address))));
        fields.push(("new value".into(), shown(new)));
        Item::Structure(fields)
    });
    Ok(Reply::many(items.collect()))
}

/// `cfg.del group[id] name`
pub(super) fn delete(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let address = own_value(parameters)?;
    if values::delete(&worker.node, &address) { Ok(Reply::empty()) } else { Err(not_deleted()) }
}

/// `cfg.del_delayed group[id] name`
pub(super) fn delay_deletion(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let address = own_value(parameters)?;
    if values::value(&worker.node, &address).is_none() {
        return Err(not_deleted());
    }
    let change = Change { address, value: None };
    if worker.node.states.cfg_rpc.pending.add(change) { Ok(Reply::empty()) } else { Err(not_deleted()) }
}

fn own_value(parameters: &mut Parameters) -> Result<Address, Fault> {
    let (group, name) = (text(parameters)?, text(parameters)?);
    let (group, instance) = instance_of(&group)?;
    Ok(Address { group, instance: Some(instance), name })
}

fn not_deleted() -> Fault {
    Fault::new(400, "Failed to delete the value")
}

/// `cfg.reset group [name]`: the values of the configuration again.
pub(super) fn reset(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let group = text(parameters)?;
    let name = text(parameters).ok();
    if values::reset(&worker.node, &group, name.as_deref()) { Ok(Reply::empty()) } else { Err(Fault::new(500, "Reset failed")) }
}

/// `cfg.add_group_inst group[id]`
pub(super) fn add_instance(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (group, instance) = instance_of(&text(parameters)?)?;
    let is_added = values::add_instance(&worker.node, &group, instance);
    if is_added { Ok(Reply::empty()) } else { Err(Fault::new(400, "Failed to add the group instance")) }
}

/// `cfg.del_group_inst group[id]`
pub(super) fn delete_instance(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (group, instance) = instance_of(&text(parameters)?)?;
    let is_deleted = values::delete_instance(&worker.node, &group, instance);
    if is_deleted { Ok(Reply::empty()) } else { Err(Fault::new(400, "Failed to delete the group instance")) }
}
