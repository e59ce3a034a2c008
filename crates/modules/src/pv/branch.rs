//! Branches: `$branch(key)`, `$sbranch(key)`, `$br`, `$bR`, `$ds`, and the functions on `$sbranch`.

use script::exports::{Argument, Flow, Index, Inner};
use script::value::{Text, Value};

use super::answer::length;
use super::network::socket_of;
use crate::core::branches;
use crate::run::Target;
use crate::worker::Worker;

/// Keys of `$branch` and `$sbranch`.
pub(super) const KEYS: &[&str] =
    &["uri", "dst_uri", "path", "q", "send_socket", "count", "flags", "ruid", "location_ua", "ua", "otcpid", "instance", "regid"];

fn key_of(inner: &Inner) -> &'static str {
    match inner {
        Inner::Choice(choice) => KEYS.get(usize::from(*choice)).copied().unwrap_or(""),
        _ => "",
    }
}

fn text(text: &Option<Text>) -> Value {
    text.as_ref().map_or(Value::Null, |text| Value::Text(text.clone()))
}

fn field(worker: &Worker, target: &Target, key: &str) -> Value {
    match key {
        "uri" => text(&target.uri),
        "dst_uri" => text(&target.next_hop),
        "path" => text(&target.path),
        "q" => target.q.filter(|q| *q >= 0).map_or(Value::Null, |q| Value::Integer(i64::from(q))),
        "send_socket" => socket_of(worker, target.socket).map_or(Value::Null, Value::Text),
        "flags" => Value::Integer(i64::from(target.flags)),
        "ruid" => text(&target.ruid),
        "location_ua" | "ua" => text(&target.user_agent),
        "instance" => text(&target.instance),
        "otcpid" | "regid" => Value::Integer(0),
        _ => Value::Null,
    }
}

fn set_field(worker: &Worker, target: &mut Target, key: &str, value: &Value) -> Result<(), String> {
    let given = (!value.is_null()).then(|| value.to_text());
    match key {
        "uri" => target.uri = Some(given.filter(|uri| !uri.is_empty()).ok_or("the URI of a branch cannot be removed")?),
        "dst_uri" => target.next_hop = given,
        "path" => target.path = given,
        "q" => target.q = given.is_some().then(|| i32::try_from(value.to_integer()).unwrap_or(-1)),
        "send_socket" => {
            target.socket = match given {
                Some(text) => Some(worker.node.sockets.find_text(&text).ok_or_else(|| format!("{text} is not a listening socket"))?),
                None => None,
            };
        }
        "flags" => target.flags = flags(value)?,
        "ruid" => target.ruid = given,
        "location_ua" | "ua" => target.user_agent = given,
        "instance" => target.instance = given,
        _ => return Err("read only".to_owned()),
    }
    Ok(())
}

fn flags(value: &Value) -> Result<u32, String> {
    u32::try_from(value.to_integer()).map_err(|_| "not a set of 32 flags".to_owned())
}

/// Position of an index among the added branches; none is the first, negative counts from the end.
fn position(worker: &Worker, index: Option<Index>) -> Option<usize> {
    let count = worker.run.branches.len();
    let position = match index {
        Some(Index::At(number)) if number < 0 => count.checked_sub(usize::try_from(number.unsigned_abs()).ok()?)?,
        Some(Index::At(number)) => usize::try_from(number).ok()?,
        _ => 0,
    };
    (position < count).then_some(position)
}

/// `$branch(key)`, `$(branch(key)[i])`.
pub(super) fn read(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    let key = key_of(inner);
    if key == "count" {
        // Null rather than 0 when there is none.
        return match worker.run.branches.len() {
            0 => Value::Null,
            count => length(count),
        };
    }
    let Some(target) = position(worker, index).and_then(|position| worker.run.branches.get(position)) else { return Value::Null };
    field(worker, target, key)
}

/// Assigns a field; `$(branch(uri)[i]) = $null` removes the branch.
pub(super) fn write(worker: &mut Worker, inner: &Inner, index: Option<Index>, value: Value) -> Result<(), String> {
    let key = key_of(inner);
    let position = position(worker, index).ok_or("no such branch")?;
    if key == "uri" && value.is_null() {
        worker.run.branches.remove(position);
        return Ok(());
    }
    let mut target = worker.run.branches.get(position).cloned().ok_or("no such branch")?;
    set_field(worker, &mut target, key, &value)?;
    if let Some(slot) = worker.run.branches.get_mut(position) {
        *slot = target;
    }
    Ok(())
}

pub(super) fn read_static(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    field(worker, &worker.run.pv.static_branch, key_of(inner))
}

pub(super) fn write_static(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let mut target = worker.run.pv.static_branch.clone();
    let key = key_of(inner);
    if key == "uri" && value.is_null() {
        target.uri = None;
    } else {
        set_field(worker, &mut target, key, &value)?;
    }
    worker.run.pv.static_branch = target;
    Ok(())
}

/// Appends `$sbranch` to the branches.
pub(super) fn append_static(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let mut target = worker.run.pv.static_branch.clone();
    if target.uri.is_none() {
        worker.log(-1, "pv", "sbranch_append: $sbranch(uri) is not set");
        return Flow::Code(-1);
    }
    // Without a priority it has the least one, not none (seen on Kamailio 5.6.3).
    target.q.get_or_insert(0);
    Flow::from(branches::append(worker, target))
}

/// Takes `$sbranch` as the request's own target.
pub(super) fn set_request_uri(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let mut target = worker.run.pv.static_branch.clone();
    target.q.get_or_insert(0);
    if target.uri.is_none() {
        worker.log(-1, "pv", "sbranch_set_ruri: $sbranch(uri) is not set");
        return Flow::Code(-1);
    }
    worker.run.target = target;
    worker.run.is_target_consumed = false;
    Flow::Code(1)
}

pub(super) fn reset_static(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.pv.static_branch = Target::default();
    Flow::Code(1)
}

/// `$br`: the URI of the first added branch.
pub(super) fn first(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    worker.run.branches.first().map_or(Value::Null, |target| text(&target.uri))
}

/// `$br = uri` appends a branch; null removes all.
pub(super) fn write_first(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    if value.is_null() {
        worker.run.branches.clear();
        return Ok(());
    }
    let target = Target { uri: Some(value.to_text()), ..Target::default() };
    if branches::append(worker, target) { Ok(()) } else { Err("the branch was not added".to_owned()) }
}

/// `$bR`: all added branches.
pub(super) fn all(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let mut out = Vec::new();
    for target in &worker.run.branches {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        branches::write_address(&mut out, target.uri.as_deref().unwrap_or(b""), target.q);
    }
    super::answer::non_empty(&out)
}

/// `$ds`: the destination set as the Contact of a redirect.
pub(super) fn destination_set(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let line = crate::sl::redirect_contacts(&worker.run, crate::sl::Rich::default());
    super::answer::non_empty(line.strip_suffix(b"\r\n").unwrap_or(&line))
}
