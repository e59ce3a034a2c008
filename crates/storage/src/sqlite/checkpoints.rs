//! Bringing the write-ahead log into the file, beside the commits: it waits for the disk, and calls should not.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::limits::{SQLITE_CHECKPOINT_OPERATIONS, SQLITE_CHECKPOINT_PAGES, SQLITE_CHECKPOINTS_BEHIND};

/// How long writers are kept away at most, when readers keep the log from beginning anew.
const RESTART_TIME_MAX: Duration = Duration::from_millis(50);

/// A thread with a connection of its own that works on the log while commits are appended to it.
pub(super) struct Checkpoints {
    path: PathBuf,
    /// Operations since the thread was last woken.
    operations: usize,
    running: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Checkpoints {
    pub(super) fn of(path: &Path) -> Checkpoints {
        Checkpoints { path: path.to_owned(), operations: 0, running: None }
    }

    /// So many operations were committed. Waits when the thread is far behind, so that the log cannot grow without end.
    pub(super) fn committed(&mut self, operations: usize) {
        self.operations += operations;
        if self.operations < SQLITE_CHECKPOINT_OPERATIONS {
            return;
        }
        self.operations = 0;
        if self.running.is_none() {
            self.running = start(&self.path);
        }
        if self.running.as_ref().is_some_and(|(wake, _)| wake.send(()).is_err()) {
            self.running = None;
        }
    }
}

impl Drop for Checkpoints {
    /// The last connection that is closed removes the log, so the thread's goes first.
    fn drop(&mut self) {
        if let Some((wake, thread)) = self.running.take() {
            drop(wake);
            let _ = thread.join();
        }
    }
}

/// Without the thread the commits do the work, from twice the length on.
fn start(path: &Path) -> Option<(SyncSender<()>, JoinHandle<()>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).ok()?;
    connection.busy_timeout(RESTART_TIME_MAX).ok()?;
    let (wake, woken) = sync_channel(SQLITE_CHECKPOINTS_BEHIND);
    let thread = thread::Builder::new().name("checkpoints".to_owned()).spawn(move || run(&connection, &woken)).ok()?;
    Some((wake, thread))
}

/// What fails here fails in a commit, too, where it is told.
fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        while woken.try_recv().is_ok() {}
        let length = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
        if length.is_ok_and(|pages| pages >= SQLITE_CHECKPOINT_PAGES) {
            // Writers wait for this one, but little is left for it to do.
            let _ = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
        }
    }
}
