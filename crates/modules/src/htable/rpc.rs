//! RPC commands `htable.*` (spec proxy-core 11.18, 14).

use std::borrow::Cow;
use std::sync::Arc;

use script::value::Value;

use super::{Item as TableItem, Table};
use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

type Fields = Vec<(Cow<'static, str>, Item)>;

fn table(worker: &Worker, parameters: &mut Parameters) -> Result<Arc<Table>, Fault> {
    let name = parameters.text_converted().map_err(|_| Fault::new(500, "No htable name given"))?;
    worker.node.states.htable.table(&name).map(Arc::clone).ok_or_else(|| Fault::new(500, "No such htable"))
}

fn key(parameters: &mut Parameters, wanted: &str) -> Result<Vec<u8>, Fault> {
    parameters.text_converted().map_err(|_| Fault::new(500, format!("Not enough parameters ({wanted})")))
}

fn integer(parameters: &mut Parameters, wanted: &str) -> Result<i64, Fault> {
    parameters.integer().map_err(|_| Fault::new(500, format!("Not enough parameters ({wanted})")))
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
    let table = table(worker, parameters)?;
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
    let table = table(worker, parameters)?;
    let key = key(parameters, "htable name and key name")?;
    let now = worker.now.time;
    let item = table.item(now, &key).ok_or_else(|| Fault::new(500, "Key name doesn't exist in htable."))?;
    let (name, value, _) = value_fields(&key, &item);
    let flags = if matches!(item.value, Value::Integer(_)) { 0 } else { 2 };
    let expire = match item.expires {
        Some(end) => end.since(now).div_ceil(1000).to_string(),
        None => "NEVER".to_owned(),
    };
    let fields: Fields =
        vec![("name".into(), name), ("value".into(), value), ("flags".into(), Item::Integer(flags)), ("expire".into(), Item::text(expire))];
    Ok(Reply::one(Item::Structure(vec![("item".into(), Item::Structure(fields))])))
}

fn store(worker: &Worker, table: &Table, key: &[u8], value: Value, seconds: Option<i64>, done: &str) -> Result<Reply, Fault> {
    let seconds = match seconds.map(u64::try_from) {
        None => None,
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Err(Fault::new(500, "The expire value must not be negative")),
    };
    if table.set(worker.now.time, key, value, seconds) { ok(done) } else { Err(Fault::new(500, "Failed to set the item")) }
}

fn set_text(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let key = key(parameters, "htable name, key name and value")?;
    let value = parameters.text_converted().map_err(|_| Fault::new(500, "Not enough parameters (htable name, key name and value)"))?;
    store(worker, &table, &key, Value::text(value), None, "Ok. Key set to new value.")
}

fn set_integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let key = key(parameters, "htable name, key name and value")?;
    let value = integer(parameters, "htable name, key name and value")?;
    store(worker, &table, &key, Value::Integer(value), None, "Ok. Key set to new value.")
}

fn set_text_expiring(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let wanted = "htable name, key name, value and expire";
    let key = key(parameters, wanted)?;
    let value = parameters.text_converted().map_err(|_| Fault::new(500, format!("Not enough parameters ({wanted})")))?;
    let seconds = integer(parameters, wanted)?;
    store(worker, &table, &key, Value::text(value), Some(seconds), "Ok. Key set to new value and expire.")
}

fn set_integer_expiring(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let wanted = "htable name, key name, value and expire";
    let key = key(parameters, wanted)?;
    let value = integer(parameters, wanted)?;
    let seconds = integer(parameters, wanted)?;
    store(worker, &table, &key, Value::Integer(value), Some(seconds), "Ok. Key set to new value and expire.")
}

fn set_expire(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let wanted = "htable name, key name and expire";
    let key = key(parameters, wanted)?;
    let seconds = u64::try_from(integer(parameters, wanted)?).map_err(|_| Fault::new(500, "The expire value must not be negative"))?;
    if table.set_expire(worker.now.time, &key, seconds) { ok("Ok") } else { Err(Fault::new(500, "Key name doesn't exist in htable.")) }
}

fn delete(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let table = table(worker, parameters)?;
    let key = key(parameters, "htable name and key name")?;
    if table.remove(&key) { ok("Ok. Key deleted.") } else { Err(Fault::new(404, "Key not found in htable.")) }
}

fn flush(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    table(worker, parameters)?.clear();
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

fn no_database(_: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "No htable db_url"))
}

fn no_replication(_: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "HTable DMQ not enabled"))
}

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

/// The commands of the module.
pub(super) static COMMANDS: &[Command] = &[
    command("htable.dump", "Items of a table by slot.", true, dump),
    command("htable.delete", "Deletes a key.", false, delete),
    command("htable.get", "Shows one item.", false, get),
    command("htable.sets", "Sets a key to a text.", false, set_text),
    command("htable.seti", "Sets a key to an integer.", false, set_integer),
    command("htable.setex", "Sets the seconds until a key expires.", false, set_expire),
    command("htable.setxs", "Sets a key to a text that expires.", false, set_text_expiring),
    command("htable.setxi", "Sets a key to an integer that expires.", false, set_integer_expiring),
    command("htable.listTables", "Lists all tables with their attributes.", true, list),
    command("htable.reload", "Loads a table anew from the database.", false, no_database),
    command("htable.store", "Writes a table to the database.", false, no_database),
    command("htable.stats", "Sizes of all tables.", true, statistics),
    command("htable.flush", "Removes all items of a table.", false, flush),
    command("htable.dmqsync", "Synchronises from DMQ peers.", false, no_replication),
    command("htable.dmqresync", "Synchronises anew from DMQ peers.", false, no_replication),
];
