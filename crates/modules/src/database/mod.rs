//! Databases as modules see them: which connections a configuration wants, statements out, rows in. The server carries
//! statements out on threads of its own, so that no worker waits (invariants A1, A5).

mod connections;
mod limits;
mod statement;
#[cfg(test)]
mod tests;

pub(crate) use connections::named;
pub use connections::{Connection, Driver, State, driver_of};
pub use limits::{CONNECTIONS_MAX, RESULT_BYTES_MAX, RESULT_ROWS_MAX, SESSIONS_MAX};
pub use statement::{quoted, reads};

use script::value::{Text, Value};

/// What a statement gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Empty: the statement is none that gives rows.
    pub columns: Vec<Text>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// Rows inserted, updated or deleted.
    pub affected: u64,
}

/// What is to be done on a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A statement of a script, its result within [`RESULT_ROWS_MAX`] and [`RESULT_BYTES_MAX`].
    Statement(Text),
    /// The table of `htable` with this place gets the content of its database table.
    LoadTable(usize),
    /// The other way round.
    StoreTable(usize),
}
