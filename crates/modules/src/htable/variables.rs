//! `$sht` and its kin.

use std::sync::Arc;

use script::exports::{Index, Inner};
use script::value::Value;

use super::Table;
use super::item_match::{Test, split};
use crate::worker::Worker;

/// The table and the rest of `table=>rest`.
fn find<'a>(worker: &mut Worker, inner: &'a Inner) -> Option<(Arc<Table>, &'a [u8])> {
    let found = split(inner.word()).and_then(|(name, rest)| Some((Arc::clone(worker.node.states.htable.table(name)?), rest)));
    if found.is_none() {
        worker.log(-1, "htable", &format!("no such table: {}", String::from_utf8_lossy(inner.word())));
    }
    found
}

/// `$sht(table=>key)`.
pub(super) fn item(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    find(worker, inner).map_or(Value::Null, |(table, key)| table.value(worker.now.time, key))
}

/// `$sht(table=>key) = value`; `$null` removes.
pub(super) fn set_item(worker: &mut Worker, inner: &Inner, _: Option<Index>, value: Value) -> Result<(), String> {
    let Some((table, key)) = find(worker, inner) else { return Err("no such table".to_owned()) };
    if value.is_null() {
        table.remove(key);
        return Ok(());
    }
    if table.set(worker.now.time, key, value.kept(), None) { Ok(()) } else { Err("the table is full or the key too long".to_owned()) }
}

/// `$shtex(table=>key)`: seconds until it expires; 0 never, and for an absent item.
pub(super) fn expire(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let now = worker.now.time;
    let Some((table, key)) = find(worker, inner) else { return Value::Null };
    table.item(now, key).map_or(Value::Integer(0), |item| {
        let left = item.expires.map_or(0, |end| end.since(now).div_ceil(1000));
        Value::Integer(i64::try_from(left).unwrap_or(i64::MAX))
    })
}

/// `$shtex(table=>key) = seconds`.
pub(super) fn set_expire(worker: &mut Worker, inner: &Inner, _: Option<Index>, value: Value) -> Result<(), String> {
    let Some((table, key)) = find(worker, inner) else { return Err("no such table".to_owned()) };
    let seconds = u64::try_from(value.to_integer()).map_err(|_| "the time is negative".to_owned())?;
    table.set_expire(worker.now.time, key, seconds);
    Ok(())
}

fn count(worker: &mut Worker, inner: &Inner, accepts: fn(&Test<'_>, &[u8], &Value) -> bool) -> Value {
    let Some((table, expression)) = find(worker, inner) else { return Value::Null };
    let Some(test) = Test::of_variable(expression) else {
        worker.log(-1, "htable", "unknown operator in a count");
        return Value::Null;
    };
    let found = table.count(worker.now.time, |key, value| accepts(&test, key, value));
    Value::Integer(i64::try_from(found).unwrap_or(i64::MAX))
}

/// `$shtcn(table=>expression)`: items counted by name.
pub(super) fn count_names(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    count(worker, inner, |test, key, _| test.accepts_name(key))
}

/// `$shtcv(table=>expression)`: items counted by value.
pub(super) fn count_values(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    count(worker, inner, |test, _, value| test.accepts_value(value))
}

fn add(worker: &mut Worker, inner: &Inner, difference: i64) -> Value {
    let Some((table, key)) = find(worker, inner) else { return Value::Null };
    table.add(worker.now.time, key, difference).map_or(Value::Null, Value::Integer)
}

/// `$shtinc(table=>key)`: one more, the new value.
pub(super) fn increment(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    add(worker, inner, 1)
}

/// `$shtdec(table=>key)`: one less, the new value.
pub(super) fn decrement(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    add(worker, inner, -1)
}

/// `$shtrecord(key|value)`: the item that expired.
pub(super) fn record(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let wants_value = match inner {
        Inner::Choice(choice) => *choice == 1,
        other => other.word() == b"value",
    };
    match &worker.run.htable.record {
        Some((_, value)) if wants_value => value.clone(),
        Some((key, _)) => Value::Text(key.clone()),
        None => Value::Null,
    }
}
