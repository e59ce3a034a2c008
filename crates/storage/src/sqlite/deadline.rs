//! No call lasts for ever: SQLite is interrupted when a call has not moved on for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::limits::SQLITE_STEPS_BETWEEN_LOOKS;

/// Says to the watch over a connection that a call began, or that a row came out of it.
pub(super) struct Deadline {
    moved: Arc<AtomicBool>,
}

impl Deadline {
    /// Watches a connection. The clock is read only by what runs for long: once in some thousand steps of SQLite.
    pub(super) fn watch(connection: &mut Connection, longest: Duration) -> rusqlite::Result<Deadline> {
        let moved = Arc::new(AtomicBool::new(true));
        let looked_at = Arc::clone(&moved);
        let mut since = Instant::now();
        let is_late = move || {
            if looked_at.swap(false, Ordering::Relaxed) {
                since = Instant::now();
                return false;
            }
            since.elapsed() >= longest
        };
        connection.progress_handler(SQLITE_STEPS_BETWEEN_LOOKS, Some(is_late))?;
        Ok(Deadline { moved })
    }

    /// The time counts from now on.
    pub(super) fn restart(&self) {
        self.moved.store(true, Ordering::Relaxed);
    }
}
