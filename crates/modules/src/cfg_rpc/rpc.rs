//! `cfg.*`: custom parameters of the configuration, and `core.debug`. Other core parameters can be read.

use std::borrow::Cow;
use std::sync::PoisonError;

use script::syntax::ast::{CustomParameter, Literal};
use script::value::{Text, parse_integer};

use crate::node::Node;
use crate::rpc::{Fault, Item, Parameter, Parameters, Reply};
use crate::worker::Worker;

const GROUP_CORE: &str = "core";
const NAME_DEBUG: &str = "debug";

fn text(parameters: &mut Parameters) -> Result<String, Fault> {
    parameters.text_converted().map(|text| String::from_utf8_lossy(&text).into_owned())
}

fn item(value: &Literal) -> Item {
    match value {
        Literal::Integer(number) => Item::Integer(*number),
        Literal::Text(text) => Item::text(text),
    }
}

/// `group` or `group[id]`.
fn split_group(group: &str) -> (&str, Option<u32>) {
    match group.strip_suffix(']').and_then(|group| group.split_once('[')) {
        Some((name, id)) => (name, id.parse().ok()),
        None => (group, None),
    }
}

fn is(parameter: &CustomParameter, group: &str, name: &str) -> bool {
    let (group, instance) = split_group(group);
    parameter.group == group && parameter.instance == instance && parameter.name == name
}

fn with_custom<T>(node: &Node, work: impl FnOnce(&mut Vec<CustomParameter>) -> T) -> T {
    work(&mut node.custom.lock().unwrap_or_else(PoisonError::into_inner))
}

fn find(node: &Node, group: &str, name: &str) -> Option<Literal> {
    if group == GROUP_CORE {
        if name == NAME_DEBUG {
            return Some(Literal::Integer(i64::from(node.core.debug())));
        }
        return node.core.all.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    }
    with_custom(node, |custom| custom.iter().rev().find(|parameter| is(parameter, group, name)).map(|parameter| parameter.value.clone()))
}

/// Changes a value; its type stays.
fn set(node: &Node, group: &str, name: &str, value: Literal) -> Result<(), Fault> {
    let failed = || Fault::new(400, "Failed to set the variable");
    let number = |value: &Literal| match value {
        Literal::Integer(number) => Some(*number),
        Literal::Text(text) => parse_integer(text),
    };
    if group == GROUP_CORE && name == NAME_DEBUG {
        let level = number(&value).and_then(|level| i32::try_from(level).ok()).ok_or_else(failed)?;
        node.core.set_debug(level);
        return Ok(());
    }
    with_custom(node, |custom| {
        let parameter = custom.iter_mut().rev().find(|parameter| is(parameter, group, name)).ok_or_else(failed)?;
        parameter.value = match &parameter.value {
            Literal::Integer(_) => Literal::Integer(number(&value).ok_or_else(failed)?),
            Literal::Text(_) => Literal::Text(match value {
                Literal::Text(text) => text,
                Literal::Integer(number) => Text::from(number.to_string()),
            }),
        };
        Ok(())
    })
}

/// Names of a group in order, each once.
fn names(node: &Node, group: &str) -> Vec<String> {
    if group == GROUP_CORE {
        let mut names = vec![NAME_DEBUG.to_owned()];
        names.extend(node.core.all.iter().map(|(name, _)| name.clone()).filter(|name| name != NAME_DEBUG));
        return names;
    }
    let (group, instance) = split_group(group);
    with_custom(node, |custom| {
        let own = custom.iter().filter(|parameter| parameter.group == group && parameter.instance == instance);
        own.map(|parameter| parameter.name.clone()).collect()
    })
}

fn given(parameters: &mut Parameters) -> Result<Literal, Fault> {
    match parameters.any() {
        Some(Parameter::Integer(number)) => Ok(Literal::Integer(number)),
        Some(Parameter::Double(number)) => Ok(Literal::Integer(number as i64)),
        Some(Parameter::Text(text)) => Ok(Literal::Text(Text::from(text))),
        None => Err(Fault::new(400, "value missing")),
    }
}

fn given_integer(parameters: &mut Parameters) -> Result<Literal, Fault> {
    match given(parameters)? {
        Literal::Text(text) => parse_integer(&text).map(Literal::Integer).ok_or_else(|| Fault::new(400, "value is not an integer")),
        integer => Ok(integer),
    }
}

fn given_text(parameters: &mut Parameters) -> Result<Literal, Fault> {
    Ok(match given(parameters)? {
        Literal::Integer(number) => Literal::Text(Text::from(number.to_string())),
        text => text,
    })
}

fn change(worker: &Worker, parameters: &mut Parameters, read: fn(&mut Parameters) -> Result<Literal, Fault>) -> Result<Reply, Fault> {
    let (group, name) = (text(parameters)?, text(parameters)?);
    let value = read(parameters)?;
    set(&worker.node, &group, &name, value)?;
    Ok(Reply::empty())
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
    let (group, name) = (text(parameters)?, text(parameters)?);
    let value = read(parameters)?;
    if find(&worker.node, &group, &name).is_none() || !worker.node.states.cfg_rpc.pending.add((group, name, value)) {
        return Err(Fault::new(400, "Failed to set the variable"));
    }
    Ok(Reply::empty())
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
    for (group, name, value) in worker.node.states.cfg_rpc.pending.take() {
        set(&worker.node, &group, &name, value)?;
    }
    Ok(Reply::empty())
}

pub(super) fn rollback(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    worker.node.states.cfg_rpc.pending.take();
    Ok(Reply::empty())
}

pub(super) fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let group = text(parameters)?;
    let node = &worker.node;
    let missing = || Fault::new(400, "Failed to get the variable");
    match parameters.text_if_given()? {
        Some(name) => {
            let value = find(node, &group, &String::from_utf8_lossy(&name)).ok_or_else(missing)?;
            Ok(Reply::one(item(&value)))
        }
        None => {
            let names = names(node, &group);
            if names.is_empty() {
                return Err(missing());
            }
            let fields = names.into_iter().filter_map(|name| find(node, &group, &name).map(|value| (Cow::Owned(name), item(&value))));
            Ok(Reply::one(Item::Structure(fields.collect())))
        }
    }
}

pub(super) fn list(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = parameters.text_if_given()?.map(|text| String::from_utf8_lossy(&text).into_owned());
    let mut groups = vec![GROUP_CORE.to_owned()];
    with_custom(&worker.node, |custom| {
        for parameter in custom.iter() {
            if !groups.contains(&parameter.group) {
                groups.push(parameter.group.clone());
            }
        }
    });
    let wanted_groups = groups.into_iter().filter(|group| wanted.as_ref().is_none_or(|wanted| wanted == group));
    let lines = wanted_groups.flat_map(|group| {
        names(&worker.node, &group).into_iter().map(move |name| Item::text(format!("{group}: {name}"))).collect::<Vec<_>>()
    });
    Ok(Reply::many(lines.collect()))
}

pub(super) fn help(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (group, name) = (text(parameters)?, text(parameters)?);
    let value = find(&worker.node, &group, &name).ok_or_else(|| Fault::new(400, "Failed to get the variable description"))?;
    let description = with_custom(&worker.node, |custom| {
        custom.iter().rev().find(|parameter| is(parameter, &group, &name)).and_then(|parameter| parameter.description.clone())
    });
    let kind = if matches!(value, Literal::Integer(_)) { "integer" } else { "string" };
    Ok(Reply::many(vec![Item::text(description.unwrap_or_default()), Item::text(format!("(parameter type is {kind})"))]))
}

pub(super) fn difference(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = &worker.node;
    let items = node.states.cfg_rpc.pending.all().into_iter().map(|(group, name, value)| {
        let old = find(node, &group, &name).map_or(Item::Null, |value| item(&value));
        Item::Structure(vec![
            (Cow::Borrowed("group name"), Item::text(group)),
            (Cow::Borrowed("variable name"), Item::text(name)),
            (Cow::Borrowed("old value"), old),
            (Cow::Borrowed("new value"), item(&value)),
        ])
    });
    Ok(Reply::many(items.collect()))
}

pub(super) fn no_instances(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(400, "Groups have one instance and keep no default to go back to"))
}

#[cfg(test)]
mod tests {
    use super::split_group;

    #[test]
    fn groups_may_name_an_instance() {
        assert_eq!(split_group("voicemail"), ("voicemail", None));
        assert_eq!(split_group("g[3]"), ("g", Some(3)));
    }
}
