//! The values of run-time variables: declared groups, custom parameters of the configuration, and instances of both.

use std::sync::{MutexGuard, PoisonError};

use script::source::Span;
use script::syntax::ast::{CustomParameter, Literal};
use script::value::Text;

use super::core_variables::{CORE, STREAMS};
use super::module_variables::{HOP_LIMIT, LOG_LINES, RINGING, TRANSACTIONS};
use super::variable::{Group, Origin, Variable, number};
use crate::core::groups::{ADDED_INSTANCES_MAX, has_instance};
use crate::node::Node;
use crate::settings::Settings;

/// Groups of modules, and those that are always there.
static OF_MODULES: &[Group] = &[
    Group { name: "tm", origin: Origin::Module, variables: TRANSACTIONS },
    Group { name: "maxfwd", origin: Origin::Module, variables: HOP_LIMIT },
    Group { name: "siputils", origin: Origin::Module, variables: RINGING },
    Group { name: "xlog", origin: Origin::Module, variables: LOG_LINES },
];
static OF_CORE: &[Group] = &[
    Group { name: "tcp", origin: Origin::Core("tcp_"), variables: STREAMS },
    Group { name: "core", origin: Origin::Core(""), variables: CORE },
];

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) group: String,
    pub(super) instance: Option<u32>,
    pub(super) name: String,
}

/// `group` or `group[id]`; None: neither.
pub(super) fn split_group(text: &str) -> Option<(&str, Option<u32>)> {
    match text.split_once('[') {
        None => Some((text, None)),
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(']')?.parse().ok()?))),
    }
}

fn custom(node: &Node) -> MutexGuard<'_, Vec<CustomParameter>> {
    node.custom.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The declared groups in the order they are listed: the module loaded last first.
pub(super) fn declared(node: &Node) -> impl Iterator<Item = &'static Group> {
    declared_by(&node.settings)
}

fn declared_by(settings: &Settings) -> impl Iterator<Item = &'static Group> {
    let of_modules = settings.loaded().iter().rev().filter_map(|name| OF_MODULES.iter().find(|group| group.name == name));
    of_modules.chain(OF_CORE)
}

/// Will there be a group of this name, declared or the configuration's own?
pub fn knows_group(settings: &Settings, name: &[u8]) -> bool {
    declared_by(settings).any(|group| group.name.as_bytes() == name) || settings.has_own_group(name)
}

fn group(node: &Node, name: &str) -> Option<&'static Group> {
    declared(node).find(|group| group.name == name)
}

/// Is there a group of this name?
pub(super) fn has_group(node: &Node, name: &str) -> bool {
    group(node, name).is_some() || custom(node).iter().any(|parameter| parameter.group == name)
}

/// All groups, the declared ones first.
pub(super) fn groups(node: &Node) -> Vec<String> {
    let mut names: Vec<String> = declared(node).map(|group| group.name.to_owned()).collect();
    for parameter in custom(node).iter() {
        if !names.contains(&parameter.group) {
            names.push(parameter.group.clone());
        }
    }
    names
}

/// Names of a group's variables in order, each once.
pub(super) fn names(node: &Node, name: &str) -> Vec<String> {
    if let Some(group) = group(node, name) {
        return group.variables.iter().map(|variable| variable.name.to_owned()).collect();
    }
    let mut names: Vec<String> = Vec::new();
    for parameter in custom(node).iter().filter(|parameter| parameter.group == name) {
        if !names.contains(&parameter.name) {
            names.push(parameter.name.clone());
        }
    }
    names
}

/// What a variable means, in a line; None: there is no such variable.
pub(super) fn help(node: &Node, group_name: &str, name: &str) -> Option<String> {
    if let Some(group) = group(node, group_name) {
        return group.variable(name).map(|variable| variable.help.to_owned());
    }
    let custom = custom(node);
    let found = custom.iter().rev().find(|parameter| parameter.group == group_name && parameter.name == name)?;
    Some(found.description.clone().unwrap_or_default())
}

fn own_place(custom: &[CustomParameter], address: &Address) -> Option<usize> {
    custom
        .iter()
        .rposition(|parameter| parameter.group == address.group && parameter.name == address.name && parameter.instance == address.instance)
}

fn variable(node: &Node, address: &Address) -> Option<(&'static Group, &'static Variable)> {
    let group = group(node, &address.group)?;
    Some((group, group.variable(&address.name)?))
}

fn is_there(node: &Node, address: &Address) -> bool {
    address.instance.is_none_or(|instance| has_instance(node, address.group.as_bytes(), instance))
}

/// The value of the group itself.
fn base(node: &Node, address: &Address) -> Option<Literal> {
    if let Some((group, variable)) = variable(node, address) {
        if (group.name, variable.name) == ("core", "debug") {
            return Some(Literal::Integer(i64::from(node.core.debug())));
        }
        let changed = node.states.cfg_rpc.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let value = changed.get(&(group.name, variable.name)).cloned();
        return Some(value.unwrap_or_else(|| group.preset(node, variable)));
    }
    let custom = custom(node);
    own_place(&custom, &Address { instance: None, ..address.clone() }).and_then(|at| custom.get(at)).map(|found| found.value.clone())
}

/// A value: an instance's own, else that of its group.
pub(super) fn value(node: &Node, address: &Address) -> Option<Literal> {
    if address.instance.is_some() {
        if !is_there(node, address) {
            return None;
        }
        let custom = custom(node);
        if let Some(own) = own_place(&custom, address).and_then(|at| custom.get(at)) {
            return Some(own.value.clone());
        }
    }
    base(node, address)
}

/// The value as it would be kept; None: no such variable, or the value does not fit.
pub(super) fn fit(node: &Node, address: &Address, value: Literal) -> Option<Literal> {
    if !is_there(node, address) {
        return None;
    }
    if let Some((group, variable)) = variable(node, address) {
        let value = variable.fit(value)?;
        let is_facility = (group.name, variable.name) == ("core", "log_facility");
        let is_known = |value: &Literal| matches!(value, Literal::Text(text) if crate::xlog::level::facility(text).is_some());
        return (!is_facility || is_known(&value)).then_some(value);
    }
    Some(match (base(node, address).or_else(|| self::value(node, address))?, value) {
        (Literal::Integer(_), value) => Literal::Integer(number(&value)?),
        (Literal::Text(_), Literal::Integer(number)) => Literal::Text(Text::from(number.to_string())),
        (Literal::Text(_), text) => text,
    })
}

/// Changes a value; false when it does not fit or cannot take effect.
pub(super) fn set(node: &Node, address: &Address, value: Literal) -> bool {
    let Some(value) = fit(node, address, value) else { return false };
    match variable(node, address) {
        Some((group, variable)) if address.instance.is_none() => set_declared(node, group, variable, Some(value)),
        _ => {
            set_custom(node, address, value);
            true
        }
    }
}

fn set_declared(node: &Node, group: &'static Group, variable: &'static Variable, value: Option<Literal>) -> bool {
    let now = value.clone().unwrap_or_else(|| group.preset(node, variable));
    {
        let mut changed = node.states.cfg_rpc.changed.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => changed.insert((group.name, variable.name), value),
            None => changed.remove(&(group.name, variable.name)),
        };
    }
    variable.apply.is_none_or(|apply| apply(node, variable.name, &now))
}

fn set_custom(node: &Node, address: &Address, value: Literal) {
    let mut custom = custom(node);
    match own_place(&custom, address).and_then(|at| custom.get_mut(at)) {
        Some(own) => own.value = value,
        None => custom.push(CustomParameter {
            group: address.group.clone(),
            instance: address.instance,
            name: address.name.clone(),
            value,
            description: None,
            span: Span::default(),
        }),
    }
}

/// Gives variables the values of the configuration again.
pub(super) fn reset(node: &Node, group_name: &str, name: Option<&str>) -> bool {
    let mut is_done = true;
    if let Some(group) = group(node, group_name) {
        for variable in group.variables.iter().filter(|variable| name.is_none_or(|name| name == variable.name)) {
            is_done &= set_declared(node, group, variable, None);
        }
        return is_done && name.is_none_or(|name| group.variable(name).is_some());
    }
    let presets = &node.states.cfg_rpc.custom_presets;
    for preset in presets.iter().filter(|preset| preset.group == group_name && preset.instance.is_none()) {
        if name.is_none_or(|name| name == preset.name) {
            let address = Address { group: preset.group.clone(), instance: None, name: preset.name.clone() };
            set_custom(node, &address, preset.value.clone());
        }
    }
    true
}

/// Takes the own value of an instance away; false when there is no such variable or instance.
pub(super) fn delete(node: &Node, address: &Address) -> bool {
    if !is_there(node, address) || value(node, address).is_none() {
        return false;
    }
    let mut custom = custom(node);
    if let Some(at) = own_place(&custom, address) {
        custom.remove(at);
    }
    drop(custom);
    // The instance stays, also without values.
    address.instance.is_none_or(|instance| add_instance(node, &address.group, instance))
}

/// Adds an instance without values of its own; false when there is no such group or no room.
pub(super) fn add_instance(node: &Node, group_name: &str, instance: u32) -> bool {
    if !has_group(node, group_name) {
        return false;
    }
    if has_instance(node, group_name.as_bytes(), instance) {
        return true;
    }
    let mut added = node.states.core.added_instances.lock().unwrap_or_else(PoisonError::into_inner);
    if added.len() >= ADDED_INSTANCES_MAX {
        return false;
    }
    added.push((group_name.to_owned(), instance));
    true
}

/// Removes an instance with its values; false when there is none.
pub(super) fn delete_instance(node: &Node, group_name: &str, instance: u32) -> bool {
    if !has_instance(node, group_name.as_bytes(), instance) {
        return false;
    }
    custom(node).retain(|parameter| parameter.group != group_name || parameter.instance != Some(instance));
    let mut added = node.states.core.added_instances.lock().unwrap_or_else(PoisonError::into_inner);
    added.retain(|(own, number)| own != group_name || *number != instance);
    true
}

#[cfg(test)]
mod tests {
    use super::split_group;

    #[test]
    fn groups_may_name_an_instance() {
        assert_eq!(split_group("voicemail"), Some(("voicemail", None)));
        assert_eq!(split_group("g[3]"), Some(("g", Some(3))));
        assert_eq!(split_group("g[x]"), None);
        assert_eq!(split_group("g[]"), None);
    }
}
