//! The MySQL and MariaDB back end: one connection to one database.

mod asking;
mod connecting;
mod errors;
mod reading;
mod tables;
mod values;
mod writing;

use std::cell::Cell;
use std::ops::ControlFlow;

use mysql_async::Conn;

use crate::backend::{Backend, Selection};
use crate::batch::Batch;
use crate::error::StorageError;
use crate::line::{self, Line};
use crate::lost_sessions::Session;
use crate::names::TableNames;
use crate::query::{QueryBounds, QueryResult};
use crate::row::{DialogRow, VariableRow};
use crate::url::Url;

pub use connecting::connect;

/// What the line holds: the driver's connection and what is known of the session.
struct Connection {
    conn: Conn,
    session: Session,
    state: State,
}

/// What is found out about a connection while it is in use.
struct State {
    url: Url,
    /// The driver or the server gave it up.
    is_broken: Cell<bool>,
    /// Values that do not fit are errors, whatever the server is set to.
    is_strict: Cell<bool>,
}

impl State {
    /// What an error means here.
    fn failed(&self, error: &mysql_async::Error) -> StorageError {
        if errors::ends_connection(error) {
            self.is_broken.set(true);
        }
        errors::explained(&self.url, error)
    }
}

impl line::Connection for Connection {
    fn is_broken(&self) -> bool {
        self.state.is_broken.get()
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn close(self) {
        let _ = self.conn.disconnect().await;
    }
}

/// A connection to MySQL or MariaDB.
struct Mysql {
    line: Line<Connection>,
}

impl Backend for Mysql {
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

/// A name that stands in a statement, whatever words MySQL keeps for itself.
fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// Names of columns, separated.
fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}
