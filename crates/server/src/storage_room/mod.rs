//! Stores dialogs (`db_mode` 1 to 3): opens the database at the start, writes on a thread of its own, and holds back what
//! announces a change until that is committed (invariant A9). No worker ever waits here.

mod bell;
mod connection;
pub mod create;
mod gate;
mod holding;
mod refusal;
mod report;
mod room;
mod writer;

pub use connection::Database;
pub use room::{StorageRoom, named, open};
