//! The SQLite back end: one connection to one file.

mod asking;
mod checkpoints;
mod deadline;
mod errors;
mod file;
mod lock;
mod opening;
mod reading;
mod tables;
mod texts;
mod transaction;
mod writing;

use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;

use crate::backend::{Backend, Selection};
use crate::batch::Batch;
use crate::error::StorageError;
use crate::names::TableNames;
use crate::query::{QueryBounds, QueryResult};
use crate::row::{DialogRow, VariableRow};
use crate::url::Url;

use checkpoints::Checkpoints;
use deadline::Deadline;
use file::FileIdentity;
use texts::Texts;

pub use lock::Lock;
pub use opening::connect;

/// An open file.
pub(crate) struct Sqlite {
    /// Above the connection, which closes the log.
    checkpoints: Checkpoints,
    connection: Connection,
    deadline: Deadline,
    /// For errors; holds no password.
    url: Url,
    file: FileIdentity,
    /// How the file keeps its journal while dialogs are stored in it: `wal`, `delete`.
    journal: &'static str,
    /// A file without any table gets them at `check`.
    may_create: bool,
    /// Rows asked for at a time, at least 1.
    page: u32,
    /// The statements for the names used last.
    texts: Option<Arc<Texts>>,
}

impl Backend for Sqlite {
    fn check(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.check_tables(names)
    }

    fn create(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.create_tables(names)
    }

    fn highest(&mut self, names: &TableNames, start: u32, step: u32) -> Result<Vec<(u32, u32)>, StorageError> {
        self.highest_numbers(names, start, step)
    }

    fn load(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.load_dialogs(names, which, each)
    }

    fn load_variables(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&VariableRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.load_variable_rows(names, which, each)
    }

    fn apply(&mut self, names: &TableNames, batch: &Batch) -> Result<(), StorageError> {
        self.apply_batch(names, batch)
    }

    fn empty(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.empty_tables(names)
    }

    fn query(&mut self, statement: &[u8], bounds: QueryBounds) -> Result<QueryResult, StorageError> {
        self.run_statement(statement, bounds)
    }

    fn run_together(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError> {
        self.run_all_statements(statements)
    }
}

impl Sqlite {
    /// What an error of SQLite means here.
    fn failed(&self, error: &rusqlite::Error) -> StorageError {
        errors::explained(&self.url, error)
    }
}

#[cfg(test)]
mod tests;
