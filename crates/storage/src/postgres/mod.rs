//! The PostgreSQL back end: one connection to one database.

mod asking;
mod connecting;
mod errors;
mod reading;
mod tables;
mod together;
mod values;
mod writing;

use std::ops::ControlFlow;

use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::backend::{Backend, Selection};
use crate::batch::Batch;
use crate::error::StorageError;
use crate::line::{self, Line};
use crate::lost_sessions::Session;
use crate::names::TableNames;
use crate::query::{QueryBounds, QueryResult};
use crate::row::{DialogRow, VariableRow};

use writing::Statements;

pub use connecting::connect;

/// What the line holds: the driver's two halves and what is known of the session.
struct Connection {
    client: Client,
    /// Moves the bytes; ends with the connection.
    driver: JoinHandle<()>,
    session: Session,
    /// The statements that write, for the names used last.
    statements: Option<Statements>,
}

impl line::Connection for Connection {
    fn is_broken(&self) -> bool {
        self.client.is_closed()
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn close(self) {
        drop((self.statements, self.client));
        let _ = self.driver.await;
    }
}

/// A connection to PostgreSQL.
struct Postgres {
    line: Line<Connection>,
}

impl Backend for Postgres {
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
        self.run_statements(statements)
    }
}
