//! The process and the configuration: `$pp`, `$version`, `$stat`, `$sel`, `$K`, `$ccp`, `$ksr`, `$err.*`.

use script::exports::{Index, Inner};
use script::syntax::ast::Literal;
use script::value::Value;

use super::answer::number;
use crate::worker::Worker;

pub(super) fn identifier(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    number(i64::from(worker.node.process.pid))
}

pub(super) fn server_identifier(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    number(worker.node.core.server_id)
}

/// Keys of `$version`.
pub(super) const VERSION_KEYS: &[&str] = &["num", "full", "hash"];

pub(super) fn version(_worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let number = env!("CARGO_PKG_VERSION");
    match inner {
        Inner::Choice(0) => Value::text(number),
        Inner::Choice(1) => Value::text(format!("duolog {number}")),
        _ => Value::text("unknown"),
    }
}

/// `$stat(name)` or `$stat(group:name)`: a statistic.
pub(super) fn statistic(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    crate::statistics::read(&worker.node, inner.word()).map_or(Value::Null, Value::Integer)
}

/// `$sel(name)`: a select.
pub(super) fn select(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let name = inner.word().to_vec();
    crate::core::selects::value(worker, name.strip_prefix(b"@").unwrap_or(&name))
}

/// Keys of `$K`, with their values beside them.
pub(super) const SYMBOL_KEYS: &[&str] = &["IPv4", "IPv6", "UDP", "TCP", "TLS", "SCTP", "WS", "WSS"];
const SYMBOL_VALUES: &[i64] = &[2, 10, 1, 2, 3, 4, 5, 6];

pub(super) fn symbol(_worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    SYMBOL_VALUES.get(usize::from(*choice)).map_or(Value::Null, |value| Value::Integer(*value))
}

/// Keys of `$ksr`.
pub(super) const STATE_KEYS: &[&str] = &["bid", "version", "ver_num", "ver_full", "ver_hash"];

pub(super) fn state(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    match inner {
        Inner::Choice(0) => Value::Integer(0),
        Inner::Choice(1 | 2) => version(worker, &Inner::Choice(0), index),
        Inner::Choice(3) => version(worker, &Inner::Choice(1), index),
        _ => version(worker, &Inner::Choice(2), index),
    }
}

fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = name.iter().position(|byte| matches!(byte, b'.' | b':'))?;
    Some((name.get(..at)?, name.get(at + 1..)?))
}

/// `$ccp(group.name)`: a custom parameter.
pub(super) fn custom(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Some((group, name)) = split_name(inner.word()) else { return Value::Null };
    match crate::core::groups::value(worker, group, name) {
        Some(Literal::Integer(number)) => Value::Integer(number),
        Some(Literal::Text(text)) => Value::Text(text),
        None => Value::Null,
    }
}

/// Assigns a custom parameter that exists; its type stays.
pub(super) fn write_custom(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let (group, name) = split_name(inner.word()).ok_or("a custom parameter is group.name")?;
    let mut parameters = worker.node.custom.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let found = parameters
        .iter_mut()
        .rev()
        .find(|parameter| parameter.instance.is_none() && parameter.group.as_bytes() == group && parameter.name.as_bytes() == name);
    let parameter = found.ok_or("no such custom parameter")?;
    parameter.value = match &parameter.value {
        Literal::Integer(_) => Literal::Integer(value.to_integer()),
        Literal::Text(_) => Literal::Text(value.to_text()),
    };
    Ok(())
}

/// `$err.*` and other facts that are never there: a message that does not parse reaches no route.
pub(super) fn never(_worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Null
}

/// The record identifier of branch 0, written by a location lookup.
pub(super) fn record_identifier(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    worker.run.target.ruid.clone().map_or(Value::Null, Value::Text)
}

/// The user agent of the location record of branch 0.
pub(super) fn location_user_agent(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    worker.run.target.user_agent.clone().map_or(Value::Null, Value::Text)
}
