//! Script functions on tables.

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::value::{Text, Value};

use super::Table;
use super::item_match::{Test, split};
use super::locks::{HELD_MAX, Held};
use crate::worker::Worker;

/// Answer of `sht_is_null`: the item is there.
const NOT_NULL: i32 = -2;
/// Answer of `sht_is_null`: there is no such table.
const NO_TABLE: i32 = 2;
/// Answer of `sht_lock` and `sht_unlock`: there is no such table, or the argument names none.
const NO_TABLE_TO_LOCK: i32 = -11;
/// Most lines `sht_print()` writes.
const PRINTED_MAX: usize = 1_000;

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn table(worker: &mut Worker, name: &[u8]) -> Option<Arc<Table>> {
    let found = worker.node.states.htable.table(name.trim_ascii()).map(Arc::clone);
    if found.is_none() {
        worker.log(-1, "htable", &format!("no such table: {}", String::from_utf8_lossy(name)));
    }
    found
}

/// The table and the rest of an argument `table=>rest`.
fn table_and_rest(worker: &mut Worker, argument: &Text) -> Option<(Arc<Table>, Text)> {
    let (name, rest) = split(argument)?;
    Some((table(worker, name)?, Text::from(rest)))
}

/// `sht_print()`: every item into the log.
pub(super) fn sht_print(worker: &mut Worker, _: &[Argument]) -> Flow {
    let node = Arc::clone(&worker.node);
    let mut left = PRINTED_MAX;
    for table in &node.states.htable.tables {
        for slot in 0..table.slot_count() {
            for (key, item) in table.slot_items(worker.now.time, slot) {
                if left == 0 {
                    return Flow::Code(1);
                }
                left -= 1;
                worker.log(-1, "htable", &format!("{}[{slot}] {key} = {}", table.name, item.value.to_text()));
            }
        }
    }
    Flow::Code(1)
}

/// `sht_rm(table, key)`.
pub(super) fn sht_rm(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    table.remove(&text(arguments, 1));
    Flow::Code(1)
}

fn remove_by_expression(worker: &mut Worker, arguments: &[Argument], by_name: bool) -> Flow {
    let Some((table, expression)) = table_and_rest(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    let Some(test) = Test::of_expression(&expression) else {
        worker.log(-1, "htable", "bad regular expression");
        return Flow::Code(-1);
    };
    table.remove_where(|key, value| if by_name { test.accepts_name(key) } else { test.accepts_value(value) });
    Flow::Code(1)
}

/// `sht_rm_name_re("table=>re")`.
pub(super) fn sht_rm_name_re(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    remove_by_expression(worker, arguments, true)
}

/// `sht_rm_value_re("table=>re")`.
pub(super) fn sht_rm_value_re(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    remove_by_expression(worker, arguments, false)
}

/// Runs `work` with the table and test of a call `(table, operator, text)`.
fn with_test(worker: &mut Worker, arguments: &[Argument], work: impl FnOnce(&Worker, &Table, &Test<'_>) -> Flow) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    let (operator, operand) = (text(arguments, 1), text(arguments, 2));
    let Some(test) = Test::of_function(&operator, &operand) else {
        worker.log(-1, "htable", "unknown operator or bad expression");
        return Flow::Code(-1);
    };
    work(worker, &table, &test)
}

/// `sht_rm_name(table, operator, text)`.
pub(super) fn sht_rm_name(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_test(worker, arguments, |_, table, test| {
        table.remove_where(|key, _| test.accepts_name(key));
        Flow::Code(1)
    })
}

/// `sht_rm_value(table, operator, text)`.
pub(super) fn sht_rm_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_test(worker, arguments, |_, table, test| {
        table.remove_where(|_, value| test.accepts_value(value));
        Flow::Code(1)
    })
}

/// `sht_match_name(table, operator, text)` and `sht_has_name`.
pub(super) fn sht_match_name(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_test(worker, arguments, |worker, table, test| Flow::from(table.count(worker.now.time, |key, _| test.accepts_name(key)) > 0))
}

/// `sht_match_str_value(table, operator, text)` and `sht_has_str_value`.
pub(super) fn sht_match_str_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_test(worker, arguments, |worker, table, test| Flow::from(table.count(worker.now.time, |_, value| test.accepts_value(value)) > 0))
}

/// `sht_lock("table=>key")`: the key's slot, until `sht_unlock` or the end of the run.
pub(super) fn sht_lock(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((table, key)) = table_and_rest(worker, &text(arguments, 0)) else { return Flow::Code(NO_TABLE_TO_LOCK) };
    if worker.run.htable.held.len() >= HELD_MAX {
        worker.log(-1, "htable", "too many locks held");
        return Flow::Code(-1);
    }
    match Held::take(&table.locks, table.slot_of(&key), worker.number) {
        Some(held) => {
            worker.run.htable.held.push(held);
            Flow::Code(1)
        }
        None => {
            worker.log(-1, "htable", "another worker keeps the lock");
            Flow::Code(-1)
        }
    }
}

/// `sht_unlock("table=>key")`: true also when this run does not hold the slot.
pub(super) fn sht_unlock(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((table, key)) = table_and_rest(worker, &text(arguments, 0)) else { return Flow::Code(NO_TABLE_TO_LOCK) };
    let slot = table.slot_of(&key);
    let held = &mut worker.run.htable.held;
    if let Some(position) = held.iter().rposition(|held| held.is(&table.locks, slot)) {
        held.remove(position);
    }
    Flow::Code(1)
}

/// `sht_reset(table)`: removes everything.
pub(super) fn sht_reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    table.clear();
    Flow::Code(1)
}

fn set(worker: &mut Worker, arguments: &[Argument], value: Value) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    let key = text(arguments, 1);
    if key.is_empty() {
        return Flow::Code(-1);
    }
    let seconds = u64::try_from(arguments.get(3).map_or(0, Argument::integer)).unwrap_or(0);
    Flow::from(table.set(worker.now.time, &key, value, Some(seconds)))
}

/// `sht_setxs(table, key, text, seconds)`.
pub(super) fn sht_setxs(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    set(worker, arguments, Value::Text(text(arguments, 2)))
}

/// `sht_setxi(table, key, integer, seconds)`.
pub(super) fn sht_setxi(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = arguments.get(2).map_or(0, Argument::integer);
    set(worker, arguments, Value::Integer(value))
}

/// `sht_is_null(table, key)`: 1 absent, -2 there, 2 no such table.
pub(super) fn sht_is_null(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(NO_TABLE) };
    Flow::Code(if table.item(worker.now.time, &text(arguments, 1)).is_none() { 1 } else { NOT_NULL })
}

fn add(worker: &mut Worker, arguments: &[Argument], difference: i64) -> Flow {
    let Some(table) = table(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    let sum = table.add(worker.now.time, &text(arguments, 1), difference);
    Flow::Code(sum.and_then(|sum| i32::try_from(sum).ok()).unwrap_or(-1))
}

/// `sht_inc(table, key)`: the new value; 0 ends the script as in Kamailio.
pub(super) fn sht_inc(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    add(worker, arguments, 1)
}

/// `sht_dec(table, key)`.
pub(super) fn sht_dec(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    add(worker, arguments, -1)
}
