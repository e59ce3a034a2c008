//! Tables that live in a database, too: what is read at the start, and what is written back (spec proxy-core 11.18).

use std::collections::BTreeMap;
use std::sync::Arc;

use script::value::{Text, Value, parse_integer};
use sip::time::Now;

use super::definition::Definition;
use super::{Item, State, Table};
use crate::database::{self, Driver, Rows, quoted};
use crate::settings::Settings;

/// Rows of one INSERT.
const INSERT_ROWS_MAX: usize = 200;
/// Column `key_type` of an item of an array; 0 of all others.
const TYPE_ARRAY: i64 = 1;
/// Column `value_type` of an integer; 0 of a text.
const TYPE_INTEGER: i64 = 1;
/// What stands for NULL where several columns make one value.
const NULL_IN_LIST: &[u8] = b"*";

/// Where tables are stored.
#[derive(Debug)]
pub struct Database {
    /// Place of the connection.
    pub connection: usize,
    driver: Driver,
    key_name: String,
    key_type: String,
    value_type: String,
    key_value: String,
    /// None: `db_expires` 0, ends are neither read nor written.
    expires: Option<String>,
    array_suffix: Text,
}

/// `db_url`, when a table wants it.
pub(crate) fn url(settings: &Settings) -> Option<String> {
    let is_stored = |text: &Text| super::definition::parse(text).is_ok_and(|definition| !definition.database_table.is_empty());
    if !settings.is_loaded("htable") || !settings.texts("htable", "htable").iter().any(is_stored) {
        return None;
    }
    settings.text("htable", "db_url").map(|url| url.to_string()).filter(|url| !url.is_empty())
}

impl Database {
    /// None: no table is stored anywhere.
    pub(super) fn read(settings: &Settings, tables: &[Arc<Table>]) -> Result<Option<Database>, String> {
        let Some(url) = url(settings) else { return Ok(None) };
        let connection = database::State::start(settings)?.place_of(&url).ok_or("htable: db_url: too many databases")?;
        for table in tables {
            check_names(&table.definition)?;
        }
        let column = |parameter: &str| {
            let name = settings.text("htable", parameter).unwrap_or_default();
            if is_name(&name) { Ok(name.to_string()) } else { Err(format!("htable: {parameter} `{name}` is no name of a column")) }
        };
        let has_expires = settings.integer("htable", "db_expires") != 0;
        Ok(Some(Database {
            connection,
            driver: database::driver_of(settings, &url)?,
            key_name: column("key_name_column")?,
            key_type: column("key_type_column")?,
            value_type: column("value_type_column")?,
            key_value: column("key_value_column")?,
            expires: if has_expires { Some(column("expires_column")?) } else { None },
            array_suffix: settings.text("htable", "array_size_suffix").unwrap_or_default(),
        }))
    }

    /// The statement that reads a table.
    pub fn selection(&self, definition: &Definition) -> String {
        let (mut columns, key) = match definition.columns.first() {
            Some(key) => (definition.columns.iter().map(Text::to_string).collect(), key.to_string()),
            None => {
                (vec![self.key_name.clone(), self.key_type.clone(), self.value_type.clone(), self.key_value.clone()], self.key_name.clone())
            }
        };
        if definition.columns.is_empty() {
            columns.extend(self.expires.clone());
        }
        format!("SELECT {} FROM {} ORDER BY {key}", columns.join(","), definition.database_table)
    }

    /// The items that the rows of the selection stand for. The error names the row.
    pub fn items(&self, definition: &Definition, rows: Rows, now: Now) -> Result<Vec<(Text, Item)>, String> {
        let end = (definition.expire > 0).then(|| now.time.plus(definition.expire.saturating_mul(1000)));
        let mut items = Vec::with_capacity(rows.rows.len());
        if !definition.columns.is_empty() {
            for (number, row) in rows.rows.into_iter().enumerate() {
                let (key, value) = joined(definition, &row).ok_or_else(|| format!("row {number} has a NULL key"))?;
                items.push((key, Item { value, expires: end }));
            }
            return Ok(items);
        }
        let mut arrays: BTreeMap<Text, i64> = BTreeMap::new();
        for (number, row) in rows.rows.into_iter().enumerate() {
            let row = Row::of(row).ok_or_else(|| format!("row {number} has a NULL key or value"))?;
            let expires = match self.expires.as_ref().map(|_| row.expires).filter(|seconds| *seconds > 0 && definition.expire > 0) {
                Some(seconds) => match (seconds.saturating_mul(1000)).checked_sub(now.date.0).filter(|left| *left > 0) {
                    Some(left) => Some(now.time.plus(left)),
                    None => continue,
                },
                None => end,
            };
            let key = match row.key_type {
                TYPE_ARRAY => {
                    let place = arrays.entry(row.key.clone()).or_default();
                    let key = [&row.key[..], format!("[{place}]").as_bytes()].concat();
                    *place = place.saturating_add(1);
                    Text::from(key)
                }
                _ => row.key,
            };
            items.push((key, Item { value: row.value, expires }));
        }
        let size = |(name, count): (Text, i64)| {
            (Text::from([&name[..], &self.array_suffix].concat()), Item { value: Value::Integer(count), expires: end })
        };
        items.extend(arrays.into_iter().map(size));
        Ok(items)
    }

    /// The statements that make the database table as the table is now; to be carried out together or not at all.
    pub fn storing<'a>(&'a self, table: &'a Table, now: Now) -> impl Iterator<Item = String> + 'a {
        let name = &table.definition.database_table;
        let expires = self.expires.as_ref().map(|column| format!(",{column}")).unwrap_or_default();
        let (key, kind, type_, value) = (&self.key_name, &self.key_type, &self.value_type, &self.key_value);
        let head = format!("INSERT INTO {name} ({key},{kind},{type_},{value}{expires}) VALUES ");
        let (mut slots, mut rows) = (0..table.slot_count(), Vec::new());
        let insertions = std::iter::from_fn(move || {
            while rows.len() < INSERT_ROWS_MAX
                && let Some(slot) = slots.next()
            {
                rows.extend(table.slot_items(now.time, slot).iter().map(|(key, item)| self.row(key, item, now)));
            }
            let count = rows.len().min(INSERT_ROWS_MAX);
            (count > 0).then(|| format!("{head}{}", rows.drain(..count).collect::<Vec<String>>().join(",")))
        });
        std::iter::once(format!("DELETE FROM {name}")).chain(insertions)
    }

    fn row(&self, key: &Text, item: &Item, now: Now) -> String {
        let text = |text: &[u8]| String::from_utf8_lossy(&quoted(self.driver, text)).into_owned();
        let kind = i64::from(matches!(item.value, Value::Integer(_))) * TYPE_INTEGER;
        let (key, value) = (text(key), text(&item.value.to_text()));
        let expires = match &self.expires {
            Some(_) => format!(",{}", item.expires.map_or(0, |end| now.date.seconds().saturating_add(end.since(now.time).div_ceil(1000)))),
            None => String::new(),
        };
        format!("({key},0,{kind},{value}{expires})")
    }
}

impl State {
    /// Places of the tables that are loaded at the start.
    pub fn loaded(&self) -> impl Iterator<Item = usize> + '_ {
        self.places(|_| true)
    }

    /// Places of the tables that are stored at a clean stop (`dbmode` 1).
    pub fn stored_at_stop(&self) -> impl Iterator<Item = usize> + '_ {
        self.places(|definition| definition.database_mode != 0 && definition.columns.is_empty())
    }

    fn places(&self, is_wanted: fn(&Definition) -> bool) -> impl Iterator<Item = usize> + '_ {
        let is_stored = move |definition: &Definition| !definition.database_table.is_empty() && is_wanted(definition);
        let tables = if self.database.is_some() { &self.tables[..] } else { &[] };
        tables.iter().enumerate().filter(move |(_, table)| is_stored(&table.definition)).map(|(place, _)| place)
    }

    /// The statement that reads the table at a place.
    pub fn selection(&self, place: usize) -> Option<String> {
        Some(self.database.as_ref()?.selection(&self.tables.get(place)?.definition))
    }

    /// The table at a place has afterwards what these rows say, and nothing else.
    pub fn fill(&self, place: usize, rows: Rows, now: Now) -> Result<usize, String> {
        let (Some(database), Some(table)) = (&self.database, self.tables.get(place)) else { return Err("no such table".to_owned()) };
        let named = |error| format!("table {} of the database: {error}", table.definition.database_table);
        let items = database.items(&table.definition, rows, now).map_err(named)?;
        table.replace(items).map_err(named)
    }

    /// The statements that store the table at a place, to be carried out together or not at all.
    pub fn storing(&self, place: usize, now: Now) -> Option<impl Iterator<Item = String> + '_> {
        Some(self.database.as_ref()?.storing(self.tables.get(place)?, now))
    }
}

/// A row of key name, key type, value type, value and perhaps expires.
struct Row {
    key: Text,
    key_type: i64,
    value: Value,
    /// Unix time; 0 none.
    expires: u64,
}

impl Row {
    fn of(row: Vec<Value>) -> Option<Row> {
        let mut cells = row.into_iter();
        let mut next = || cells.next().unwrap_or_default();
        let (key, key_type, value_type, value, expires) = (next(), next(), next(), next(), next());
        if key.is_null() || value.is_null() {
            return None;
        }
        let value = match value_type.to_integer() {
            TYPE_INTEGER => Value::Integer(parse_integer(&value.to_text()).unwrap_or(0)),
            _ => Value::Text(value.to_text()),
        };
        let expires = u64::try_from(expires.to_integer()).unwrap_or(0);
        Some(Row { key: key.to_text(), key_type: key_type.to_integer(), value, expires })
    }
}

/// Key and value of a row in columns of the table's own: the value is a text of all columns behind the first.
fn joined(definition: &Definition, row: &[Value]) -> Option<(Text, Value)> {
    let (key, values) = row.split_first().filter(|(key, _)| !key.is_null())?;
    let null = definition.null_text.as_deref().unwrap_or(NULL_IN_LIST);
    let mut text = Vec::new();
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            text.push(definition.delimiter);
        }
        if value.is_null() { text.extend_from_slice(null) } else { value.append_to(&mut text) }
    }
    Some((key.to_text(), Value::text(text)))
}

/// Names stand in statements as they are.
fn check_names(definition: &Definition) -> Result<(), String> {
    let name = &definition.database_table;
    let mut all = definition.columns.iter().chain((!name.is_empty()).then_some(name));
    match all.find(|name| !is_name(name)) {
        Some(bad) => Err(format!("htable: {}: `{bad}` is no name of a table or column", definition.name)),
        None => Ok(()),
    }
}

/// A word of letters, digits and `_`, perhaps with the schema in front.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte))
}
