//! `$DLG_count`, `$DLG_status`, `$DLG_lifetime`, `$dlg(...)`, `$dlg_ctx(...)`, `$dlg_var(...)` (spec dialog 5).

use ::dialog::view::AttributeValue;
use ::dialog::{Attribute, DialogId, Leg};
use script::Program;
use script::exports::{Index, Inner};
use script::syntax::ast::RouteKind;
use script::value::{Text, Value};
use sip::method::Method;

use super::context::{self, PENDING_VARIABLES_MAX};
use crate::worker::Worker;

/// Names of `$dlg(...)`, in the order of [`attribute`].
pub(super) const NAMES: &[&str] = &[
    "ref",
    "h_id",
    "h_entry",
    "state",
    "dflags",
    "sflags",
    "toroute",
    "lifetime",
    "start_ts",
    "callid",
    "from_uri",
    "to_uri",
    "from_tag",
    "to_tag",
    "from_cseq",
    "to_cseq",
    "from_rs",
    "to_rs",
    "from_contact",
    "to_contact",
    "from_bindaddr",
    "to_bindaddr",
    "end_reason",
    "end_code",
    "end_text",
];

fn attribute(choice: u16) -> Option<Attribute> {
    const ATTRIBUTES: [Attribute; 25] = [
        Attribute::References,
        Attribute::HashId,
        Attribute::HashEntry,
        Attribute::State,
        Attribute::DialogFlags,
        Attribute::ScriptFlags,
        Attribute::TimeoutRoute,
        Attribute::Lifetime,
        Attribute::StartTime,
        Attribute::CallId,
        Attribute::FromUri,
        Attribute::ToUri,
        Attribute::Tag(Leg::Caller),
        Attribute::Tag(Leg::Callee),
        Attribute::CSeq(Leg::Caller),
        Attribute::CSeq(Leg::Callee),
        Attribute::RouteSet(Leg::Caller),
        Attribute::RouteSet(Leg::Callee),
        Attribute::Contact(Leg::Caller),
        Attribute::Contact(Leg::Callee),
        Attribute::Socket(Leg::Caller),
        Attribute::Socket(Leg::Callee),
        Attribute::EndReason,
        Attribute::EndCode,
        Attribute::EndText,
    ];
    ATTRIBUTES.get(usize::from(choice)).copied()
}

fn number(value: i64) -> Value {
    Value::Number(value, Text::from(value.to_string()))
}

/// The dialog of the message; while a CANCEL is processed the lookup may set the context.
fn dialog(worker: &mut Worker) -> Option<DialogId> {
    let found = context::message_dialog(worker)?;
    if worker.node.states.dialog.cancel_sets_context && worker.run.message.method() == Method::Cancel {
        worker.run.dialog.context.dialog = Some(found);
    }
    Some(found)
}

/// `$DLG_count`.
pub(super) fn count(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    let node = &worker.node;
    let active = if node.states.dialog.enable_stats { node.dialogs.statistics().active } else { 0 };
    number(i64::try_from(active).unwrap_or(i64::MAX))
}

/// `$DLG_status`.
pub(super) fn status(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    worker.run.dialog.status.map_or(Value::Null, |(state, _)| number(i64::from(state)))
}

/// `$DLG_lifetime`.
pub(super) fn lifetime(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    worker.run.dialog.status.map_or(Value::Null, |(_, age)| number(i64::from(age)))
}

/// `$dlg(name)`.
pub(super) fn field(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    let (Some(attribute), Some(dialog)) = (attribute(*choice), dialog(worker)) else { return Value::Null };
    match worker.node.dialogs.attribute(dialog, attribute) {
        Some(Some(AttributeValue::Number(value))) => number(value),
        Some(Some(AttributeValue::Text(text))) => Value::text(text),
        _ => Value::Null,
    }
}

/// Names of `$dlg_ctx(...)`, in the order the functions below use.
pub(super) const CONTEXT_NAMES: &[&str] = &["on", "flags", "timeout", "timeout_bye", "timeout_route", "timeout_route_id", "set", "dir"];

/// Those that cannot be written (5.6.3 changes `on` instead).
pub(super) const CONTEXT_NAMES_FIXED: &[&str] = &["timeout_route_id", "set", "dir"];

/// `$dlg_ctx(name)`.
pub(super) fn context_field(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    let context = &worker.run.dialog.context;
    let route = context.timeout_route.as_ref();
    match choice {
        0 => number(context.on),
        1 => number(i64::from(context.flags)),
        2 => number(context.timeout),
        3 => number(context.timeout_bye),
        4 => route.filter(|(number, _)| *number > 0).map_or(Value::Null, |(_, name)| Value::Text(name.clone())),
        5 => number(route.map_or(0, |(number, _)| i64::from((*number).max(0)))),
        6 => number(i64::from(context.dialog.is_some())),
        7 => number(context.direction as i64),
        _ => Value::Null,
    }
}

/// Writes `$dlg_ctx(name)`.
pub(super) fn set_context_field(worker: &mut Worker, inner: &Inner, _: Option<Index>, value: Value) -> Result<(), String> {
    let Inner::Choice(choice) = inner else { return Err(String::from("dlg_ctx: unknown name")) };
    let integer = if value.is_integer() { value.to_integer() } else { 0 };
    match choice {
        0 => worker.run.dialog.context.on = integer,
        1 => worker.run.dialog.context.flags = integer as u32,
        2 => worker.run.dialog.context.timeout = integer,
        3 => worker.run.dialog.context.timeout_bye = integer,
        4 => set_timeout_route(worker, &value),
        // The fixed ones: refused when the configuration is read.
        _ => return Err(String::from("dlg_ctx: this field cannot be written")),
    }
    Ok(())
}

/// A name of a route; one that does not exist gets the number 0 and keeps its name.
fn set_timeout_route(worker: &mut Worker, value: &Value) {
    let name = value.to_text();
    if name.is_empty() {
        worker.run.dialog.context.timeout_route = None;
        return;
    }
    if name.len() > ::dialog::limits::TIMEOUT_ROUTE_BYTES_MAX {
        worker.log(-1, "dialog", "the name of the timeout route is longer than 31 characters, it is ignored");
        return;
    }
    let number = number_of_route(&worker.node.program, &name);
    if number < 0 {
        worker.log(-1, "dialog", &format!("timeout route '{name}' does not exist"));
    }
    worker.run.dialog.context.timeout_route = Some((number, name));
}

/// The number Kamailio has for a block: named ones count from 1 in the order of the file; -1: there is no such block.
pub(super) fn number_of_route(program: &Program<Worker>, name: &[u8]) -> i32 {
    let mut named = program.routes(RouteKind::Request).filter(|(_, block)| !block.is_empty());
    named.position(|(_, block)| block.as_bytes() == name).map_or(-1, |place| i32::try_from(place + 1).unwrap_or(i32::MAX))
}

/// `$dlg_var(key)`.
pub(super) fn variable(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let key = inner.word();
    match dialog(worker) {
        Some(dialog) => worker.node.dialogs.variable(dialog, key).map_or(Value::Null, Value::text),
        None => {
            let pending = &worker.run.dialog.pending_variables;
            pending.iter().find(|(name, _)| name[..] == *key).map_or(Value::Null, |(_, value)| Value::Text(value.clone()))
        }
    }
}

/// Writes `$dlg_var(key)`: null removes, a number is kept as its digits.
pub(super) fn set_variable(worker: &mut Worker, inner: &Inner, _: Option<Index>, value: Value) -> Result<(), String> {
    let key = inner.word();
    let value = if value.is_null() { None } else { Some(value.to_text()) };
    match dialog(worker) {
        Some(dialog) => {
            let changed = worker.node.dialogs.set_variable(worker.now, dialog, key, value.as_deref());
            changed.map(|_| ()).map_err(|error| format!("dlg_var: {error:?}"))
        }
        None => set_pending(&mut worker.run.dialog.pending_variables, key, value),
    }
}

fn set_pending(pending: &mut Vec<(Text, Text)>, key: &[u8], value: Option<Text>) -> Result<(), String> {
    let place = pending.iter().position(|(name, _)| name[..] == *key);
    match (place, value) {
        (Some(place), Some(value)) => {
            if let Some((_, old)) = pending.get_mut(place) {
                *old = value;
            }
        }
        (Some(place), None) => {
            pending.remove(place);
        }
        (None, Some(value)) if pending.len() < PENDING_VARIABLES_MAX => pending.insert(0, (Text::from(key), value)),
        (None, Some(_)) => return Err(String::from("dlg_var: too many variables")),
        (None, None) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_dlg_has_an_attribute() {
        for place in 0..NAMES.len() {
            assert!(attribute(u16::try_from(place).unwrap()).is_some());
        }
        assert_eq!(attribute(u16::try_from(NAMES.len()).unwrap()), None);
    }

    #[test]
    fn pending_variables_are_replaced_in_place_and_new_ones_come_first() {
        let mut pending = Vec::new();
        set_pending(&mut pending, b"a", Some(Text::from("1"))).unwrap();
        set_pending(&mut pending, b"b", Some(Text::from("2"))).unwrap();
        set_pending(&mut pending, b"a", Some(Text::from("3"))).unwrap();
        let seen: Vec<(&[u8], &[u8])> = pending.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        assert_eq!(seen, [(&b"b"[..], &b"2"[..]), (&b"a"[..], &b"3"[..])]);
        set_pending(&mut pending, b"b", None).unwrap();
        set_pending(&mut pending, b"nothing", None).unwrap();
        assert_eq!(pending.len(), 1);
    }
}
