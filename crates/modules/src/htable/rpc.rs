//! RPC commands `htable.*` (spec proxy-core 11.18, 14).

use std::borrow::Cow;
use std::sync::Arc;

use script::transform::time::Calendar;
use script::value::Value;

use super::stored::{self, Asked};
use super::{Item as TableItem, Table};
use crate::rpc::{Command, Fault, Item, Parameters, Reply, Wire};
use crate::worker::Worker;

type Fields = Vec<(Cow<'static, str>, Item)>;

/// The table a call names.
fn table(worker: &Worker, name: &[u8]) -> Result<Arc<Table>, Fault> {
    worker.node.states.htable.table(name).map(Arc::clone).ok_or_else(|| Fault::new(500, "No such htable"))
}

fn only_table(worker: &Worker, parameters: &mut Parameters) -> Result<Arc<Table>, Fault> {
    let name = parameters.text().map_err(|_| Fault::new(500, "No htable name given"))?;
    table(worker, &name)
}

/// Without a database no table is looked for.
fn stored_table(worker: &Worker, parameters: &mut Parameters) -> Result<Arc<Table>, Fault> {
    if worker.node.states.htable.database.is_none() {
        return Err(Fault::new(500, "No htable db_url"));
    }
    only_table(worker, parameters)
}

fn missing(wanted: &str) -> Fault {
    Fault::new(500, format!("Not enough parameters ({wanted}"))
}

fn text(parameters: &mut Parameters, wanted: &str) -> Result<Vec<u8>, Fault> {
    parameters.text().map_err(|_| missing(wanted))
}

fn converted(parameters: &mut Parameters, wanted: &str) -> Result<Vec<u8>, Fault> {
    parameters.text_converted().map_err(|_| missing(wanted))
}

fn integer(parameters: &mut Parameters, wanted: &str) -> Result<i64, Fault> {
    // Numbers may be written as texts here, on either wire.
    parameters.converts |= parameters.wire == Wire::Binrpc;
    parameters.integer().map_err(|_| missing(wanted))
}

fn integer_item(number: usize) -> Item {
    Item::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn ok(text: &str) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::text(text)))
}

fn value_fields(name: &[u8], item: &TableItem) -> (Item, Item, Item) {
    let (value, kind) = match &item.value {
        Value::Integer(number) => (Item::Integer(*number), "int"),
        other => (Item::text(other.to_text()), "str"),
    };
    (Item::text(name), value, Item::text(kind))
}

fn dump(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = only_table(worker, parameters)?;
    let mut items = Vec::new();
    for slot in 0..table.slot_count() {
        let found = table.slot_items(worker.now.time, slot);
        if found.is_empty() {
            continue;
        }
        let entries = found
            .iter()
            .map(|(key, item)| {
                let (name, value, kind) = value_fields(key, item);
                Item::Structure(vec![("name".into(), name), ("value".into(), value), ("type".into(), kind)])
            })
            .collect();
        items.push(Item::Structure(vec![
            ("entry".into(), integer_item(slot)),
            ("size".into(), integer_item(found.len())),
            ("slot".into(), Item::Array(entries)),
        ]));
    }
    Ok(Reply::many(items))
}

fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = "htable name and key name)";
    let (name, key) = (text(parameters, wanted)?, text(parameters, wanted)?);
    let table = table(worker, &name)?;
    let now = worker.now.time;
    let item = table.item(now, &key).ok_or_else(|| Fault::new(500, "Key name doesn't exist in htable."))?;
    let (name, value, _) = value_fields(&key, &item);
    let flags = if matches!(item.value, Value::Integer(_)) { 0 } else { 2 };
    let expire = match item.expires {
        Some(end) => local_time(worker, end.since(now).div_ceil(1000)),
        None => Item::text("NEVER"),
    };
    let fields: Fields =
        vec![("name".into(), name), ("value".into(), value), ("flags".into(), Item::Integer(flags)), ("expire".into(), expire)];
    Ok(Reply::one(Item::Structure(vec![("item".into(), Item::Structure(fields))])))
}

/// The local time in so many seconds.
fn local_time(worker: &Worker, seconds: u64) -> Item {
    let seconds = i64::try_from(worker.now.date.seconds().saturating_add(seconds)).unwrap_or(i64::MAX);
    Item::Text(Calendar::new(seconds, worker.node.process.utc_offset_seconds).format(b"%Y-%m-%d %H:%M:%S"))
}

const SET: &str = "htable name, key name and value)";
const SET_EXPIRING: &str = "htable name, key name, value and expire)";

fn set(worker: &Worker, table: &Table, key: &[u8], value: Value) -> Result<Reply, Fault> {
    if table.set(worker.now.time, key, value, None) {
        ok("Ok. Key set to new value.")
    } else {
        Err(Fault::new(500, "Failed to set the item"))
    }
}

/// An item whose time is over before it is set does not stay.
fn set_expiring(worker: &Worker, name: &[u8], key: &[u8], value: Value, seconds: i64) -> Result<Reply, Fault> {
    let failed = || Fault::new(500, "Failed to set the item");
    let table = table(worker, name).map_err(|_| failed())?;
    match u64::try_from(seconds) {
        Ok(seconds) if table.set(worker.now.time, key, value, Some(seconds)) => {}
        Ok(_) => return Err(failed()),
        Err(_) => {
            table.remove(key);
        }
    }
    ok("Ok. Key set to new value.")
}

fn set_text(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (name, key, value) = (text(parameters, SET)?, text(parameters, SET)?, converted(parameters, SET)?);
    set(worker, &*table(worker, &name)?, &key, Value::text(value))
}

fn set_integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (name, key, value) = (text(parameters, SET)?, text(parameters, SET)?, integer(parameters, SET)?);
    set(worker, &*table(worker, &name)?, &key, Value::Integer(value))
}

fn set_text_expiring(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (name, key) = (text(parameters, SET_EXPIRING)?, text(parameters, SET_EXPIRING)?);
    let value = converted(parameters, SET_EXPIRING)?;
    let seconds = parameters.integer().map_err(|_| missing(SET_EXPIRING))?;
    set_expiring(worker, &name, &key, Value::text(value), seconds)
}

fn set_integer_expiring(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (name, key) = (text(parameters, SET_EXPIRING)?, text(parameters, SET_EXPIRING)?);
    let value = integer(parameters, SET_EXPIRING)?;
    let seconds = integer(parameters, SET_EXPIRING)?;
    set_expiring(worker, &name, &key, Value::Integer(value), seconds)
}

/// `htable.setex`: a key that is not there is no fault.
fn set_expire(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = "htable name, item name and expire)";
    let (name, key) = (text(parameters, wanted)?, text(parameters, wanted)?);
    let seconds = integer(parameters, wanted)?;
    let table = table(worker, &name)?;
    match u64::try_from(seconds) {
        Ok(seconds) => table.set_expire(worker.now.time, &key, seconds),
        Err(_) => table.remove(&key),
    };
    ok("Ok")
}

/// The text of the first fault lacks its bracket in the original, too.
fn delete(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = "htable name & key name";
    let (name, key) = (text(parameters, wanted)?, text(parameters, wanted)?);
    if table(worker, &name)?.remove(&key) { ok("Ok. Key deleted.") } else { Err(Fault::new(404, "Key not found in htable.")) }
}

fn flush(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    only_table(worker, parameters)?.clear();
    ok("Ok. Htable flushed.")
}

/// The table defined last comes first, as clients of the original see it.
fn list(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let describe = |table: &Arc<Table>| {
        let definition = &table.definition;
        Item::Structure(vec![
            ("name".into(), Item::text(&table.name)),
            ("dbtable".into(), Item::text(&definition.database_table)),
            ("dbmode".into(), Item::Integer(definition.database_mode)),
            ("expire".into(), Item::Integer(i64::try_from(definition.expire).unwrap_or(i64::MAX))),
            ("updateexpire".into(), Item::Integer(i64::from(definition.renews_expiry))),
            ("size".into(), integer_item(definition.slots)),
            ("dmqreplicate".into(), Item::Integer(i64::from(definition.replicates))),
        ])
    };
    Ok(Reply::many(worker.node.states.htable.tables.iter().rev().map(describe).collect()))
}

fn statistics(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let describe = |table: &Arc<Table>| {
        let (least, most) = table.slot_extremes();
        Item::Structure(vec![
            ("name".into(), Item::text(&table.name)),
            ("slots".into(), integer_item(table.slot_count())),
            ("all".into(), integer_item(table.len())),
            ("min".into(), integer_item(least)),
            ("max".into(), integer_item(most)),
        ])
    };
    Ok(Reply::many(worker.node.states.htable.tables.iter().rev().map(describe).collect()))
}

fn reload(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = stored_table(worker, parameters)?;
    stored::ask(worker, parameters, &table, Asked::Reload)
}

fn store(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = stored_table(worker, parameters)?;
    stored::ask(worker, parameters, &table, Asked::Store)
}

fn no_replication(_: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "HTable DMQ not enabled"))
}

/// The commands of the module.
pub(super) static COMMANDS: &[Command] = &[
    Command::new("htable.dump", "Items of a table by slot.", dump).array(),
    Command::new("htable.delete", "Deletes a key.", delete),
    Command::new("htable.get", "Shows one item.", get),
    Command::new("htable.sets", "Sets a key to a text.", set_text),
    Command::new("htable.seti", "Sets a key to an integer.", set_integer),
    Command::new("htable.setex", "Sets the seconds until a key expires.", set_expire),
    Command::new("htable.setxs", "Sets a key to a text that expires.", set_text_expiring),
    Command::new("htable.setxi", "Sets a key to an integer that expires.", set_integer_expiring),
    Command::new("htable.listTables", "Lists all tables with their attributes.", list).array(),
    Command::new("htable.reload", "Loads a table anew from the database.", reload),
    Command::new("htable.store", "Writes a table to the database.", store),
    Command::new("htable.stats", "Sizes of all tables.", statistics).array(),
    Command::new("htable.flush", "Removes all items of a table.", flush),
    Command::new("htable.dmqsync", "Synchronises from DMQ peers.", no_replication),
    Command::new("htable.dmqresync", "Synchronises anew from DMQ peers.", no_replication),
];
