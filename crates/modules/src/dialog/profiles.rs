//! Script functions on profiles (spec dialog 4, 6).

use std::sync::Arc;

use ::dialog::ProfileId;
use script::exports::{Argument, Evaluate, Flow, Routes};
use script::value::{Text, Value};

use super::context::{self, PENDING_PROFILES_MAX};
use crate::worker::Worker;

/// The profile of the first argument and the value it is used with.
fn profile(worker: &mut Worker, arguments: &[Argument], value: Option<&Argument>) -> Option<(ProfileId, Option<Text>)> {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let node = Arc::clone(&worker.node);
    let found = std::str::from_utf8(&name).ok().and_then(|name| node.dialogs.profiles().find(name));
    let Some(profile) = found else {
        worker.log(-2, "dialog", &format!("profile <{name}> not defined"));
        return None;
    };
    let value = value.map(Argument::text);
    if value.as_ref().is_some_and(|value| value.is_empty()) {
        worker.log(-1, "dialog", &format!("the value for profile <{name}> is empty"));
        return None;
    }
    if node.dialogs.profiles().has_value(profile) != Some(true) {
        return Some((profile, None));
    }
    if value.is_none() {
        worker.log(-1, "dialog", &format!("profile <{name}> needs a value"));
        return None;
    }
    Some((profile, value))
}

/// `set_dlg_profile(profile[, value])`.
pub(super) fn set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((profile, value)) = profile(worker, arguments, arguments.get(1)) else { return Flow::Code(-1) };
    if let Some(dialog) = context::message_dialog(worker) {
        return Flow::from(worker.node.dialogs.profile_join(worker.now, dialog, profile, value.as_deref()).is_ok());
    }
    let pending = &mut worker.run.dialog.pending_profiles;
    if pending.len() < PENDING_PROFILES_MAX && worker.run.route_set == Routes::REQUEST {
        pending.push((profile, value));
        return Flow::Code(1);
    }
    worker.log(-1, "dialog", "set_dlg_profile: no dialog, and it can be set in advance in a request route only");
    Flow::Code(-1)
}

/// `unset_dlg_profile(profile[, value])`.
pub(super) fn unset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.route_set == Routes::REQUEST {
        worker.log(-1, "dialog", "dialog delete profile cannot be used in request route");
        return Flow::Code(-1);
    }
    let Some((profile, value)) = profile(worker, arguments, arguments.get(1)) else { return Flow::Code(-1) };
    let Some(dialog) = context::message_dialog(worker) else { return Flow::Code(-1) };
    Flow::from(worker.node.dialogs.profile_leave(worker.now, dialog, profile, value.as_deref()) == Ok(true))
}

/// `is_in_profile(profile[, value])`.
pub(super) fn is_in(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((profile, value)) = profile(worker, arguments, arguments.get(1)) else { return Flow::Code(-1) };
    let Some(dialog) = context::message_dialog(worker) else { return Flow::Code(-1) };
    Flow::from(worker.node.dialogs.profile_has(dialog, profile, value.as_deref()) == Ok(true))
}

/// `get_profile_size(profile[, value], $var)`.
pub(super) fn size(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = if arguments.len() > 2 { arguments.get(1) } else { None };
    let Some((profile, value)) = profile(worker, arguments, value) else { return Flow::Code(-1) };
    let Some(Argument::Variable(destination)) = arguments.last() else { return Flow::Code(-1) };
    let size = worker.node.dialogs.profiles().size(profile, value.as_deref()).unwrap_or(0);
    let destination = Arc::clone(destination);
    Flow::from(worker.write(&destination, Value::Integer(i64::try_from(size).unwrap_or(i64::MAX))).is_ok())
}

/// `dlg_set_timeout_by_profile(profile[, value], seconds)`.
pub(super) fn set_timeout(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let seconds = arguments.last().map_or(0, Argument::integer);
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let node = Arc::clone(&worker.node);
    let Some(profile) = std::str::from_utf8(&name).ok().and_then(|name| node.dialogs.profiles().find(name)) else {
        worker.log(-2, "dialog", &format!("profile <{name}> not defined"));
        return Flow::Code(-1);
    };
    let value = if arguments.len() > 2 { arguments.get(1).map(Argument::text).filter(|value| !value.is_empty()) } else { None };
    if seconds <= 0 {
        worker.log(-1, "dialog", "dlg_set_timeout_by_profile: the timeout must be above 0");
        return Flow::Code(-1);
    }
    let mut members = node.dialogs.profile_members(profile, value.as_deref());
    members.sort_unstable();
    members.dedup();
    for dialog in members {
        if node.dialogs.state(dialog).is_some_and(|state| state != ::dialog::State::Unconfirmed) {
            // A member that ended meanwhile needs no timeout.
            let _ = node.dialogs.set_timeout(worker.now, dialog, seconds);
        }
    }
    Flow::Code(1)
}

/// `dlg_remote_profile("add"|"rm", profile, value, uid, expires)`.
pub(super) fn remote(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |place: usize| arguments.get(place).map(Argument::text).unwrap_or_default();
    let (command, name, value, unique) = (text(0), text(1), text(2), text(3));
    let expires = u64::try_from(arguments.get(4).map_or(0, Argument::integer)).unwrap_or(0);
    let node = Arc::clone(&worker.node);
    let profiles = node.dialogs.profiles();
    let found = std::str::from_utf8(&name).ok().and_then(|name| profiles.find(name));
    let Some(profile) = found.filter(|_| !unique.is_empty()) else {
        worker.log(-1, "dialog", &format!("dlg_remote_profile: profile <{name}> or its unique id is missing"));
        return Flow::Code(-1);
    };
    let value = (profiles.has_value(profile) == Some(true)).then_some(&value[..]);
    match &command[..] {
        b"add" => Flow::from(profiles.add_remote(profile, value, &unique, expires).is_ok()),
        b"rm" => Flow::from(value.is_none_or(|value| !value.is_empty()) && profiles.remove_remote(profile, value, &unique).is_ok()),
        _ => {
            worker.log(-1, "dialog", &format!("dlg_remote_profile: unknown command {command}"));
            Flow::Code(-1)
        }
    }
}
