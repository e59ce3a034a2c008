//! The tables of a file: are they as they must be, making them, emptying them.

use rusqlite::{Connection, OptionalExtension};

use crate::error::{ErrorKind, StorageError};
use crate::limits::SQLITE_CHECKPOINT_PAGES;
use crate::names::TableNames;
use crate::schema;
use crate::url::Driver;

use super::transaction::in_transaction;
use super::{Sqlite, errors};

impl Sqlite {
    pub(super) fn check_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.deadline.restart();
        if self.may_create && self.is_bare().map_err(|error| self.failed(&error))? {
            self.create_tables(names)?;
        }
        self.check_columns(&names.dialogs, &names.columns)?;
        self.check_columns(&names.variables, &names.variable_columns)?;
        for (table, wanted) in schema::wanted_versions(names) {
            let found = version_of(&self.connection, table).map_err(|error| self.failed(&error))?;
            if found != Some(wanted) {
                return Err(schema::wrong_version(&self.url, table, found, wanted));
            }
        }
        self.make_writable()
    }

    pub(super) fn create_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.deadline.restart();
        self.make_writable()?;
        let statements = schema::create_statements(Driver::Sqlite, names);
        self.change_tables(&statements)
    }

    pub(super) fn empty_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.deadline.restart();
        self.change_tables(&[&names.dialogs, &names.variables].map(|table| format!("DELETE FROM {table}")))
    }

    fn change_tables(&self, statements: &[String]) -> Result<(), StorageError> {
        let run = || statements.iter().try_for_each(|statement| self.connection.execute(statement, []).map(drop));
        in_transaction(&self.connection, run).map_err(|error: rusqlite::Error| self.failed(&error))
    }

    /// Holds the file no table at all: just made, or made by a start that was killed at once?
    fn is_bare(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
    }

    fn check_columns(&self, table: &str, wanted: &[String]) -> Result<(), StorageError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
            statement.query_map([table], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let found = read().map_err(|error| self.failed(&error))?;
        if found.is_empty() {
            return Err(schema::missing_table(&self.url, table));
        }
        let is_missing = |name: &&String| !found.iter().any(|column| column.eq_ignore_ascii_case(name));
        wanted.iter().find(is_missing).map_or(Ok(()), |column| Err(schema::missing_column(&self.url, table, column)))
    }

    /// Dialogs are going to be written: may they be, and does the file keep its journal in the way that is wanted?
    fn make_writable(&mut self) -> Result<(), StorageError> {
        let is_read_only = self.connection.is_readonly("main").map_err(|error| self.failed(&error))?;
        if is_read_only {
            return Err(StorageError::new(ErrorKind::ReadOnly, self.url.to_string(), "may not be written")
                .remedy(errors::read_only_remedy(&self.url.database)));
        }
        let set = self.connection.pragma_update_and_check(None, "journal_mode", self.journal, |row| row.get::<_, String>(0));
        match set {
            // The log is worked on by `checkpoints`; commits do so only if that does not come about.
            Ok(mode) if mode.eq_ignore_ascii_case(self.journal) => {
                self.connection.pragma_update(None, "wal_autocheckpoint", 2 * SQLITE_CHECKPOINT_PAGES).map_err(|error| self.failed(&error))
            }
            Ok(mode) => {
                let reason = format!("keeps its journal in the mode {mode}, not {}", self.journal);
                Err(StorageError::new(ErrorKind::Configuration, self.url.to_string(), reason).remedy(self.journal_remedy()))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn journal_remedy(&self) -> String {
        format!("on a file system without shared memory, such as NFS, use {}?journal=delete", self.url)
    }
}

/// What stands in `version` about a table.
fn version_of(connection: &Connection, table: &str) -> rusqlite::Result<Option<i64>> {
    let there: bool =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1))", [schema::VERSION_TABLE], |row| row.get(0))?;
    if !there {
        return Ok(None);
    }
    let text = format!("SELECT CAST(table_version AS INTEGER) FROM {} WHERE table_name = ?1", schema::VERSION_TABLE);
    connection.query_row(&text, [table], |row| row.get(0)).optional()
}
