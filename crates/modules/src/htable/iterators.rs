//! Walking over the items of a table, slot by slot.

use std::sync::Arc;

use script::exports::{Argument, Flow, Index, Inner};
use script::value::{Text, Value};

use super::{ITERATORS_MAX, Item, Table};
use crate::worker::Worker;

/// A named position in a table.
#[derive(Debug)]
pub(super) struct Iterator {
    name: Text,
    table: Arc<Table>,
    next_slot: usize,
    /// Items of the slots read so far that are still to come, last first.
    coming: Vec<(Text, Item)>,
    current: Option<(Text, Value)>,
}

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn find<'a>(worker: &'a mut Worker, name: &[u8]) -> Option<&'a mut Iterator> {
    worker.run.htable.iterators.iter_mut().find(|iterator| &*iterator.name == name)
}

/// `sht_iterator_start(name, table)`.
pub(super) fn start(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let Some(table) = worker.node.states.htable.table(&text(arguments, 1)).map(Arc::clone) else {
        worker.log(-1, "htable", "sht_iterator_start: no such table");
        return Flow::Code(-1);
    };
    let iterators = &mut worker.run.htable.iterators;
    iterators.retain(|iterator| iterator.name != name);
    if iterators.len() >= ITERATORS_MAX {
        worker.log(-1, "htable", "too many iterators at a time");
        return Flow::Code(-1);
    }
    iterators.push(Iterator { name, table, next_slot: 0, coming: Vec::new(), current: None });
    Flow::Code(1)
}

/// `sht_iterator_end(name)`: false when there is none of this name.
pub(super) fn end(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let iterators = &mut worker.run.htable.iterators;
    let count = iterators.len();
    iterators.retain(|iterator| iterator.name != name);
    Flow::from(iterators.len() < count)
}

/// `sht_iterator_next(name)`: false behind the last item.
pub(super) fn next(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let now = worker.now.time;
    let Some(iterator) = find(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    while iterator.coming.is_empty() && iterator.next_slot < iterator.table.slot_count() {
        iterator.coming = iterator.table.slot_items(now, iterator.next_slot);
        iterator.coming.reverse();
        iterator.next_slot += 1;
    }
    iterator.current = iterator.coming.pop().map(|(key, item)| (key, item.value));
    Flow::from(iterator.current.is_some())
}

/// Does something with the current key. -1: there is none.
fn with_current(worker: &mut Worker, arguments: &[Argument], work: impl FnOnce(&Table, &[u8], sip::time::Time) -> bool) -> Flow {
    let now = worker.now.time;
    let Some(iterator) = find(worker, &text(arguments, 0)) else { return Flow::Code(-1) };
    let Some((key, _)) = &iterator.current else { return Flow::Code(-1) };
    Flow::from(work(&iterator.table, key, now))
}

/// `sht_iterator_rm(name)`: removes the current item.
pub(super) fn remove(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_current(worker, arguments, |table, key, _| table.remove(key))
}

/// `sht_iterator_sets(name, text)`.
pub(super) fn set_text(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = text(arguments, 1);
    with_current(worker, arguments, |table, key, now| table.set(now, key, Value::Text(value), None))
}

/// `sht_iterator_seti(name, integer)`.
pub(super) fn set_integer(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = arguments.get(1).map_or(0, Argument::integer);
    with_current(worker, arguments, |table, key, now| table.set(now, key, Value::Integer(value), None))
}

/// `sht_iterator_setex(name, seconds)`.
pub(super) fn set_expire(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(seconds) = u64::try_from(arguments.get(1).map_or(0, Argument::integer)) else { return Flow::Code(-1) };
    with_current(worker, arguments, |table, key, now| table.set_expire(now, key, seconds))
}

/// `$shtitkey(name)`.
pub(super) fn key(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let current = find(worker, inner.word()).and_then(|iterator| iterator.current.as_ref());
    current.map_or(Value::Null, |(key, _)| Value::Text(key.clone()))
}

/// `$shtitval(name)`.
pub(super) fn value(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let current = find(worker, inner.word()).and_then(|iterator| iterator.current.as_ref());
    current.map_or(Value::Null, |(_, value)| value.clone())
}
