//! What the keeper has to tell: to the gate that waits for commits, to the log, to the health of the storage.

use crate::batch::Operation;
use crate::error::StorageError;

/// Something that happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything noted up to this number is written.
    Committed { upto: u64, operations: usize, milliseconds: u64 },
    /// An attempt failed and the next one succeeded: a connection was lost while it was idle, for instance.
    Recovered { error: StorageError },
    /// Two attempts in a row failed.
    WentAway { error: StorageError },
    /// Told every [`crate::limits::AWAY_REPORT_PERIOD`] milliseconds.
    StillAway { milliseconds: u64, unsaved: usize, error: StorageError },
    /// An attempt succeeded again; what waits is being written.
    CameBack { milliseconds: u64, unsaved: usize },
    /// Nothing is left of what waited while the database was away.
    CaughtUp { operations: u64, milliseconds: u64 },
    /// The database refused this one; it is tried again without the variables and memberships that do not fit.
    Trimmed { operation: Operation, error: StorageError },
    /// The database refuses this one for good; it was left out.
    Refused { operation: Operation, error: StorageError },
}

/// How the database does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Writes succeed and nothing waits longer than it should.
    #[default]
    Well,
    /// Writes fail.
    Away,
    /// Writes succeed again, and what waited meanwhile is being written.
    Draining,
}
