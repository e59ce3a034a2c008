//! Script functions on profiles (spec dialog 4, 6).

use std::sync::Arc;

use ::dialog::{DialogId, Limit, ProfileError, ProfileId, State};
use script::exports::{Argument, Evaluate, Flow, Routes};
use script::value::{Text, Value};

use super::context::{self, PENDING_PROFILES_MAX};
use crate::worker::Worker;

/// What `dlg_profile_acquire()` answers when every place is taken.
const FULL: Flow = Flow::Code(-2);
/// What it answers when there is no dialog, and no request route in which one can still be made.
const NO_DIALOG: Flow = Flow::Code(-3);
/// Larger limits mean as much: more calls than that never exist, and RPC shows them in 32 bits with sign.
const PLACES_MAX: u32 = i32::MAX as u32;

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

/// `dlg_profile_acquire(profile[, value], limit[, headroom])`: joins if the limit has a place, in one step (invariant P6).
pub(super) fn acquire(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = arguments.get(1).filter(|_| arguments.len() > 2);
    let Some((profile, value)) = acquired(worker, arguments, value) else { return Flow::Code(-1) };
    let places = arguments.get(if arguments.len() > 2 { 2 } else { 1 }).map_or(0, Argument::integer);
    let headroom = arguments.get(3).map(Argument::integer);
    if places < 0 || headroom.is_some_and(|headroom| headroom < 0) {
        worker.log(-1, "dialog", "dlg_profile_acquire: a limit and a headroom are numbers from 0");
        return Flow::Code(-1);
    }
    let number = |given: i64| u32::try_from(given).unwrap_or(u32::MAX).min(PLACES_MAX);
    let limit = Limit { places: number(places), headroom: headroom.map(number) };
    let joined = match context::message_dialog(worker) {
        Some(dialog) => worker.node.dialogs.profile_acquire(worker.now, dialog, profile, value.as_deref(), limit),
        None => reserve(worker, profile, value, limit),
    };
    match joined {
        Ok(()) => Flow::Code(1),
        Err(ProfileError::Full) => FULL,
        Err(ProfileError::UnknownDialog) => NO_DIALOG,
        Err(error) => {
            worker.log(-1, "dialog", &format!("dlg_profile_acquire: {error:?}"));
            Flow::Code(-1)
        }
    }
}

/// The profile to acquire a place in; a value is needed, or means nothing.
fn acquired(worker: &mut Worker, arguments: &[Argument], value: Option<&Argument>) -> Option<(ProfileId, Option<Text>)> {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let profiles = worker.node.dialogs.profiles();
    let found = std::str::from_utf8(&name).ok().and_then(|name| profiles.find(name));
    match found.map(|profile| (profile, profiles.has_value(profile) == Some(true))) {
        Some((profile, false)) => Some((profile, None)),
        _ => self::profile(worker, arguments, value),
    }
}

/// A place for the dialog that this request may still make: decided now, kept by the run (spec dialog 6.4).
fn reserve(worker: &mut Worker, profile: ProfileId, value: Option<Text>, limit: Limit) -> Result<(), ProfileError> {
    if worker.run.route_set != Routes::REQUEST {
        return Err(ProfileError::UnknownDialog);
    }
    let state = &mut worker.run.dialog;
    if state.reservations.iter().any(|reservation| reservation.is_for(profile, value.as_deref())) {
        return Ok(());
    }
    if state.reservations.len() >= PENDING_PROFILES_MAX {
        return Err(ProfileError::Refused);
    }
    state.reservations.push(worker.node.dialogs.profile_reserve(profile, value.as_deref(), limit)?);
    // The place stands for what set_dlg_profile() may have asked for before.
    state.pending_profiles.retain(|(pending, with)| *pending != profile || *with != value);
    Ok(())
}

/// Places acquired before the dialog are its memberships from now on; one it cannot take is free again.
pub(super) fn adopt(worker: &mut Worker, dialog: DialogId) {
    for reservation in std::mem::take(&mut worker.run.dialog.reservations) {
        if let Err(error) = worker.node.dialogs.profile_adopt(worker.now, dialog, reservation) {
            worker.log(-1, "dialog", &format!("a place acquired for dialog [{dialog}] is given back: {error:?}"));
        }
    }
}

/// `unset_dlg_profile(profile[, value])`.
pub(super) fn unset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.route_set == Routes::REQUEST && !worker.node.states.dialog.unsets_in_request {
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

/// The profile of the first argument with all its values.
fn whole(worker: &mut Worker, arguments: &[Argument]) -> Option<(ProfileId, Option<Text>)> {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let found = std::str::from_utf8(&name).ok().and_then(|name| worker.node.dialogs.profiles().find(name));
    if found.is_none() {
        worker.log(-2, "dialog", &format!("profile <{name}> not defined"));
    }
    found.map(|profile| (profile, None))
}

/// `dlg_set_timeout_by_profile(profile[, value], seconds)`.
pub(super) fn set_timeout(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let seconds = arguments.last().map_or(0, Argument::integer);
    let node = Arc::clone(&worker.node);
    let found = if arguments.len() > 2 { self::profile(worker, arguments, arguments.get(1)) } else { whole(worker, arguments) };
    let Some((profile, value)) = found else { return Flow::Code(-1) };
    if seconds <= 0 {
        worker.log(-1, "dialog", "dlg_set_timeout_by_profile: the timeout must be above 0");
        return Flow::Code(-1);
    }
    let mut members = node.dialogs.profile_members(profile, value.as_deref());
    members.sort_unstable();
    members.dedup();
    for dialog in members {
        if node.dialogs.state(dialog).is_some_and(|state| state != State::Unconfirmed) {
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
    let Some(expires) = arguments.get(4).and_then(Argument::number) else {
        worker.log(-1, "dialog", "dlg_remote_profile: the time it expires is no number");
        return Flow::Code(-1);
    };
    let expires = u64::try_from(expires).unwrap_or(0);
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

#[cfg(test)]
mod tests;
