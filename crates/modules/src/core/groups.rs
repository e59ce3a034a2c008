//! Custom parameters as a run sees them: `cfg_select`, `cfg_reset`, and the value of `group.name` (spec cfg-language 3).

use std::sync::PoisonError;

use script::exports::{Argument, Flow};
use script::syntax::ast::{CustomParameter, Literal};
use script::value::Text;

use crate::node::Node;
use crate::worker::Worker;

/// Most instances that `cfg.add_group_inst` adds beside those of the configuration file.
pub const ADDED_INSTANCES_MAX: usize = 1024;

/// Is there such an instance: one with a value of its own, or one that was added without?
pub fn has_instance(node: &Node, group: &[u8], instance: u32) -> bool {
    let added = node.states.core.added_instances.lock().unwrap_or_else(PoisonError::into_inner);
    if added.iter().any(|(own, number)| own.as_bytes() == group && *number == instance) {
        return true;
    }
    drop(added);
    let custom = node.custom.lock().unwrap_or_else(PoisonError::into_inner);
    custom.iter().any(|parameter| parameter.group.as_bytes() == group && parameter.instance == Some(instance))
}

/// Finds a parameter: the instance's own, else the group's.
pub fn position(custom: &[CustomParameter], group: &[u8], name: &[u8], instance: Option<u32>) -> Option<usize> {
    let of = |wanted: Option<u32>| {
        custom
            .iter()
            .rposition(|parameter| parameter.group.as_bytes() == group && parameter.name.as_bytes() == name && parameter.instance == wanted)
    };
    instance.and_then(|instance| of(Some(instance))).or_else(|| of(None))
}

/// The value of `group.name` in the instance this run has selected.
pub fn value(worker: &Worker, group: &[u8], name: &[u8]) -> Option<Literal> {
    let custom = worker.node.custom.lock().unwrap_or_else(PoisonError::into_inner);
    let at = position(&custom, group, name, selected(worker, group))?;
    custom.get(at).map(|parameter| parameter.value.clone())
}

/// The instance of a group this run has selected.
pub fn selected(worker: &Worker, group: &[u8]) -> Option<u32> {
    worker.run.core.selected_instances.iter().find(|(own, _)| own[..] == *group).map(|(_, instance)| *instance)
}

fn has_group(node: &Node, group: &[u8]) -> bool {
    let custom = node.custom.lock().unwrap_or_else(PoisonError::into_inner);
    custom.iter().any(|parameter| parameter.group.as_bytes() == group)
}

fn forget(worker: &mut Worker, group: &[u8]) {
    worker.run.core.selected_instances.retain(|(own, _)| own[..] != *group);
}

/// `cfg_select("group", id)`: until the message ends, `group.name` is read from this instance.
pub(super) fn select(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let group = arguments.first().map(Argument::text).unwrap_or_default();
    let instance = arguments.get(1).and_then(|id| u32::try_from(id.integer()).ok());
    let Some(instance) = instance.filter(|instance| has_instance(&worker.node, &group, *instance)) else {
        let id = arguments.get(1).map_or(0, Argument::integer);
        let line = format!("cfg_select: there is no instance {group}[{id}]; write {group}[{id}].name = value in the configuration");
        worker.log(-1, "core", &line);
        return Flow::Code(-1);
    };
    forget(worker, &group);
    worker.run.core.selected_instances.push((Text::from(&group[..]), instance));
    Flow::Code(1)
}

/// `cfg_reset("group")`: `group.name` is read from the group itself again.
pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let group = arguments.first().map(Argument::text).unwrap_or_default();
    if !has_group(&worker.node, &group) {
        let line = format!("cfg_reset: there is no group {group}");
        worker.log(-1, "core", &line);
        return Flow::Code(-1);
    }
    forget(worker, &group);
    Flow::Code(1)
}
