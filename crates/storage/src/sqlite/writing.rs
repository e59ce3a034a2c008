//! Applying a batch: all of it in one transaction, or nothing.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::batch::{Batch, Operation};
use crate::error::{ErrorKind, StorageError};
use crate::names::TableNames;
use crate::row::{Cell, DialogRow};

use super::texts::Texts;
use super::transaction::in_transaction;
use super::{Sqlite, errors};

impl Sqlite {
    pub(super) fn apply_batch(&mut self, names: &TableNames, batch: &Batch) -> Result<(), StorageError> {
        if batch.operations.is_empty() {
            return Ok(());
        }
        self.file.check(&self.url)?;
        self.deadline.restart();
        let texts = Texts::of(&mut self.texts, names);
        let mut writer = Writer::new(&self.connection, &texts);
        let Err(error) = in_transaction(&self.connection, || writer.write(batch)) else {
            if self.journal == "wal" {
                self.checkpoints.committed(batch.operations.len());
            }
            return Ok(());
        };
        let place = writer.at.map(|(entry, id)| format!("dialog {entry}:{id}: ")).unwrap_or_default();
        let told = match &error {
            Failure::Sqlite(error) => errors::explained(&self.url, error),
            Failure::NoNumber => StorageError::new(ErrorKind::Refused, self.url.to_string(), "the row has no slot or no number"),
        };
        match told.kind {
            ErrorKind::Refused => Err(StorageError { reason: place + &told.reason, ..told }),
            _ => Err(told),
        }
    }
}

enum Failure {
    Sqlite(rusqlite::Error),
    NoNumber,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

/// The statements of one batch, each prepared when it is first needed.
struct Writer<'a> {
    connection: &'a Connection,
    texts: &'a Texts,
    insert: Option<CachedStatement<'a>>,
    update: Option<CachedStatement<'a>>,
    delete: Option<CachedStatement<'a>>,
    insert_variable: Option<CachedStatement<'a>>,
    delete_variables: Option<CachedStatement<'a>>,
    /// The dialog that is being written.
    at: Option<(u32, u32)>,
}

impl<'a> Writer<'a> {
    fn new(connection: &'a Connection, texts: &'a Texts) -> Writer<'a> {
        let (insert, update, delete, insert_variable, delete_variables) = (None, None, None, None, None);
        Writer { connection, texts, insert, update, delete, insert_variable, delete_variables, at: None }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        for operation in &batch.operations {
            match operation {
                Operation::Put { row, is_new, variables } => self.put(row, *is_new, variables.as_deref(), batch.is_retry)?,
                Operation::Remove { entry, id } => self.remove(*entry, *id)?,
            }
        }
        self.at = None;
        Ok(())
    }

    fn put(&mut self, row: &DialogRow, is_new: bool, variables: Option<&[(Vec<u8>, Vec<u8>)]>, is_retry: bool) -> Result<(), Failure> {
        self.at = row.id();
        let (entry, id) = self.at.ok_or(Failure::NoNumber)?;
        if is_new && is_retry {
            self.remove_row(entry, id)?;
        }
        if is_new || self.update(row)? == 0 {
            self.insert(row)?;
        }
        let Some(variables) = variables else { return Ok(()) };
        if is_retry || !is_new {
            self.remove_variables(entry, id)?;
        }
        // Oldest first: what is read last is the newest.
        variables.iter().rev().try_for_each(|(key, value)| self.insert_variable(entry, id, key, value))
    }

    fn remove(&mut self, entry: u32, id: u32) -> Result<(), Failure> {
        self.at = Some((entry, id));
        self.remove_row(entry, id)?;
        self.remove_variables(entry, id)
    }

    fn insert(&mut self, row: &DialogRow) -> Result<(), Failure> {
        let statement = prepared(&mut self.insert, self.connection, &self.texts.insert)?;
        bind(statement, row)?;
        statement.raw_execute()?;
        Ok(())
    }

    /// How many rows there were to change.
    fn update(&mut self, row: &DialogRow) -> Result<usize, Failure> {
        let statement = prepared(&mut self.update, self.connection, &self.texts.update)?;
        bind(statement, row)?;
        Ok(statement.raw_execute()?)
    }

    fn remove_row(&mut self, entry: u32, id: u32) -> Result<(), Failure> {
        prepared(&mut self.delete, self.connection, &self.texts.delete)?.execute([word(entry), word(id)])?;
        Ok(())
    }

    fn remove_variables(&mut self, entry: u32, id: u32) -> Result<(), Failure> {
        prepared(&mut self.delete_variables, self.connection, &self.texts.delete_variables)?.execute([word(entry), word(id)])?;
        Ok(())
    }

    fn insert_variable(&mut self, entry: u32, id: u32, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        let statement = prepared(&mut self.insert_variable, self.connection, &self.texts.insert_variable)?;
        statement.execute((word(entry), word(id), Text(key), Text(value)))?;
        Ok(())
    }
}

fn prepared<'s, 'a>(
    place: &'s mut Option<CachedStatement<'a>>,
    connection: &'a Connection,
    text: &str,
) -> rusqlite::Result<&'s mut CachedStatement<'a>> {
    match place {
        Some(statement) => Ok(statement),
        empty => Ok(empty.insert(connection.prepare_cached(text)?)),
    }
}

fn bind(statement: &mut CachedStatement<'_>, row: &DialogRow) -> rusqlite::Result<()> {
    (1..).zip(&row.cells).try_for_each(|(place, cell)| match cell {
        Cell::Null => statement.raw_bind_parameter(place, rusqlite::types::Null),
        Cell::Integer(number) => statement.raw_bind_parameter(place, u32::try_from(*number).map_or(*number, word)),
        Cell::Text(text) => statement.raw_bind_parameter(place, Text(text)),
    })
}

/// A number as Kamailio stores it here: a signed word of the same 32 bits.
pub(super) fn word(number: u32) -> i64 {
    i64::from(number.cast_signed())
}

/// Bytes that are stored as text, whether they are UTF-8 or not.
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
