//! The one interface of the three databases. Calls wait for the database, each with a deadline.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::batch::Batch;
#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
use crate::error::ErrorKind;
use crate::error::StorageError;
use crate::names::TableNames;
use crate::query::{QueryBounds, QueryResult};
use crate::row::{DialogRow, VariableRow};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use crate::url::Driver;
use crate::url::Url;

/// Which rows are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The whole table.
    All,
    /// Those of one hash slot: few, found by the index.
    Slot(u32),
    /// Those with this Call-ID. Of variables: not supported, ask for the slot.
    CallId(Vec<u8>),
}

/// How a connection behaves.
#[derive(Clone, Copy, Debug)]
pub struct ConnectOptions {
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest time for one call; streams of rows count from row to row.
    pub call_timeout: Duration,
    /// SQLite: a file that does not exist is made, with Kamailio's tables (the names given to `check`).
    pub may_create: bool,
    /// Rows asked for at a time where the database can (`db_fetch_rows`); 0: all at once.
    pub fetch_rows: usize,
}

/// A connection to a database. Not shared: one owner, one call at a time.
pub trait Backend: Send {
    /// Are both tables there, in the versions 7 and 1, with all columns? The error names what is missing and how to make it.
    /// A SQLite file that was made by `connect` gets its tables here.
    fn check(&mut self, names: &TableNames) -> Result<(), StorageError>;

    /// Makes both tables, their indexes and their rows in `version` as Kamailio's own scripts do. What is there is kept.
    fn create(&mut self, names: &TableNames) -> Result<(), StorageError>;

    /// The highest number in each slot that has one, of those numbers that are `start` plus a multiple of `step` (step 0 or 1:
    /// of all).
    fn highest(&mut self, names: &TableNames, start: u32, step: u32) -> Result<Vec<(u32, u32)>, StorageError>;

    /// Hands each row to `each`, in memory used again for the next one, until it breaks.
    fn load(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// The same for variables, in the order in which they were written.
    fn load_variables(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&VariableRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;

    /// Applies all or nothing, durably as far as the database promises. An error of kind `Refused` is about a row;
    /// any other kind leaves the outcome unknown. What is tried again after either is marked as a retry.
    fn apply(&mut self, names: &TableNames, batch: &Batch) -> Result<(), StorageError>;

    /// Empties both tables (`db_mode` 3 after loading).
    fn empty(&mut self, names: &TableNames) -> Result<(), StorageError>;

    /// Runs one statement of a script.
    fn query(&mut self, statement: &[u8], bounds: QueryBounds) -> Result<QueryResult, StorageError>;

    /// Runs statements of ours that give no rows: all of them or none.
    fn run_together(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError>;
}

/// Opens a connection. SQLite files are locked against another duolog by the caller, not here.
pub fn connect(url: &Url, options: ConnectOptions) -> Result<Box<dyn Backend>, StorageError> {
    match url.driver {
        #[cfg(feature = "sqlite")]
        Driver::Sqlite => crate::sqlite::connect(url, options),
        #[cfg(feature = "postgres")]
        Driver::Postgres => crate::postgres::connect(url, options),
        #[cfg(feature = "mysql")]
        Driver::Mysql => crate::mysql::connect(url, options),
        #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
        other => {
            let _ = options;
            let reason = format!("this duolog was built without {}", other.module());
            Err(StorageError::new(ErrorKind::Configuration, url.to_string(), reason))
        }
    }
}
