//! Dialogs in tables (`db_mode`): rows in, rows out, in SQLite, PostgreSQL and MySQL, laid out as Kamailio's tables
//! `dialog` (version 7) and `dialog_vars` (version 1), so that either server goes on with what the other one wrote.
//!
//! [`Backend`] is the small interface of the three databases; its calls wait for the database, with deadlines, so they
//! belong on threads of their own. [`keeper::Keeper`] decides what is written when, and is pure.
//!
//! This crate knows no SIP messages and no scripts. Clocks are read and threads are run by the back ends only: for their
//! deadlines, and for what SQLite does beside the commits.

pub mod backend;
pub mod batch;
pub mod columns;
pub mod dialogs;
pub mod error;
pub mod held;
pub mod intake;
pub mod keeper;
pub mod limits;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod line;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod lost_sessions;
pub mod membership;
#[cfg(feature = "mysql")]
mod mysql;
pub mod names;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
pub mod query;
pub mod row;
pub mod schema;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod url;
pub mod variable_table;

pub use backend::{Backend, Selection, connect};
pub use batch::{Batch, Operation};
pub use columns::{Column, ColumnType};
pub use error::{ErrorKind, StorageError};
pub use names::TableNames;
pub use query::{QueryResult, Value};
pub use row::{Cell, DialogRow, VariableRow};
pub use url::{Driver, Url};
pub use variable_table::VariableTable;
