//! The storage of a running proxy: what the threads share, the start and the stop.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dialog::{DialogId, Storing};
use modules::dialog::{Condition, StorageSettings};
use modules::node::Node;
use modules::settings::Settings;
use sip::time::Time;
use storage::keeper::{Keeper, Schedule, dialog_of};
use storage::limits::{JOURNAL_TIDY_STEP, STOP_TIME_MAX};
use storage::sqlite::Lock;
use storage::{Backend, Batch, Driver, Operation};

use super::bell::{Bell, NAP_MAX};
use super::connection::{Connection, Database};
use super::gate::Gate;
use super::writer::Writer;
use crate::logging::level;
use crate::shell::Shell;

/// Messages the kernel refused and that wait for a worker; beyond, their transactions time out.
const UNSENT_MAX: usize = 1_000;

/// A database that was opened and looked at, and nothing taken from it yet.
pub struct Opened {
    pub database: Database,
    pub settings: StorageSettings,
    pub backend: Box<dyn Backend>,
    lock: Option<Lock>,
}

/// Opens the database that the parameters name; None: dialogs are not stored. The error says what, where, why and the remedy.
pub fn open(node: &Node) -> Result<Option<Opened>, String> {
    let Some(settings) = node.states.dialog.storage.clone() else { return Ok(None) };
    let database = named(&settings, &node.settings)?;
    let failed = |error: storage::StorageError| format!("dialog: {error}");
    let lock = match database.url.driver {
        Driver::Sqlite => Some(Lock::take(&database.url).map_err(failed)?),
        _ => None,
    };
    let mut backend = database.connect_or_create().map_err(failed)?;
    backend.check(&database.names).map_err(failed)?;
    Ok(Some(Opened { database, settings, backend, lock }))
}

/// The database that the parameters name; nobody looks whether it is there.
pub fn named(settings: &StorageSettings, parameters: &Settings) -> Result<Database, String> {
    let database = Database::of(settings, parameters).map_err(|error| format!("dialog: {error}"))?;
    let module = database.url.driver.module();
    if parameters.is_loaded(module) {
        Ok(database)
    } else {
        Err(format!("dialog: db_url {} needs the module {module}: add loadmodule \"{module}.so\"", database.url))
    }
}

/// Dialogs whose first row the keeper took and has not written yet.
#[derive(Debug, Default)]
pub(super) struct NewInHand(HashSet<(u32, u32)>);

impl NewInHand {
    /// A batch goes out: the whole hand, or a part of it.
    pub fn goes_out(&mut self, batch: &Batch) {
        let new = batch.operations.iter().filter(|operation| matches!(operation, Operation::Put { is_new: true, .. }));
        self.0.extend(new.filter_map(dialog_of));
    }

    /// Nothing is in hand any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn contains(&self, id: DialogId) -> bool {
        self.0.contains(&(id.entry, id.id))
    }
}

/// Storage while the proxy runs.
pub struct StorageRoom {
    settings: StorageSettings,
    /// Of `db_mode` 1.
    pub(super) gate: Option<Gate>,
    pub(super) bell: Bell,
    pub(super) is_stopping: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
    unsent: Mutex<Vec<Vec<u8>>>,
    /// With `db_failure_mode` 1 only.
    new_in_hand: Mutex<NewInHand>,
    _lock: Option<Lock>,
}

impl StorageRoom {
    /// Starts the writer. From now on the shell's messages wait for their commit.
    pub fn start(shell: &Arc<Shell>, opened: Opened) -> Result<(), String> {
        let Opened { database, settings, backend, lock } = opened;
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let schedule = match settings.storing {
            Storing::Never => return Ok(()),
            Storing::Realtime => Schedule::AtOnce { interval: milliseconds(settings.commit_interval) },
            Storing::Delayed => Schedule::Periodic { period: milliseconds(settings.update_period) },
            Storing::AtStop => Schedule::AtStop,
        };
        let gate = (settings.storing == Storing::Realtime).then(|| Gate::new(milliseconds(settings.hold_time)));
        let health = &shell.proxy.node.states.dialog.storage_health;
        *health.place.lock().unwrap_or_else(PoisonError::into_inner) = database.url.to_string();
        let connection = Connection::new(database, backend);
        let room = StorageRoom {
            settings,
            gate,
            bell: Bell::default(),
            is_stopping: AtomicBool::new(false),
            thread: Mutex::new(None),
            unsent: Mutex::new(Vec::new()),
            new_in_hand: Mutex::new(NewInHand::default()),
            _lock: lock,
        };
        if shell.storage.set(room).is_err() {
            return Ok(());
        }
        let keeper = Keeper::new(shell.clock.now(), schedule);
        let writer = Writer::new(Arc::clone(shell), keeper, connection);
        let watched = Arc::clone(shell);
        let work = move || {
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                StorageRoom::writer_was_lost(&watched);
                StorageRoom::tidy_until_stop(&watched);
            }
        };
        let thread = std::thread::Builder::new().name("db-write".to_owned()).spawn(work);
        let thread = thread.map_err(|error| format!("cannot start thread db-write: {error}"))?;
        if let Some(room) = shell.storage.get() {
            let _ = room.bell.sleeper.set(thread.thread().clone());
            *room.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        }
        Ok(())
    }

    /// The writer ended by a fault of its own: calls go on without it.
    fn writer_was_lost(shell: &Shell) {
        let text = "storing dialogs ended after a fault of the proxy itself (please report the panic above): calls go on and nothing \
                    is stored; restart when they are over";
        shell.logger.write(0, level::ALERT, "dialog", text);
        shell.proxy.node.states.dialog.storage_health.enter(Condition::Away, shell.clock.now().date.seconds());
        if let Some(gate) = shell.storage.get().and_then(|room| room.gate.as_ref()) {
            gate.open();
            shell.wake();
        }
    }

    /// Nobody takes changes any more: notes of calls that are over go, so that they do not pile up.
    fn tidy_until_stop(shell: &Shell) {
        let dialogs = &shell.proxy.node.dialogs;
        let mut tidy_at = JOURNAL_TIDY_STEP;
        while !shell.is_stopping.load(Ordering::Acquire) {
            if dialogs.unsaved() >= tidy_at {
                dialogs.forget_stale_changes();
                tidy_at = dialogs.unsaved().saturating_mul(2).max(JOURNAL_TIDY_STEP);
            }
            std::thread::park_timeout(NAP_MAX);
        }
    }

    pub fn settings(&self) -> &StorageSettings {
        &self.settings
    }

    /// Dialogs without row whose changes the keeper took. To be locked before it takes more: nobody is to see a dialog that
    /// left the engine's notes and is not among these.
    pub(super) fn new_in_hand(&self) -> Option<MutexGuard<'_, NewInHand>> {
        self.settings.refuses_unstored.then(|| self.new_in_hand.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last changes are being written.
    pub fn is_ending(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Longest wait of a message for its commit; None: messages do not wait.
    pub fn hold_time(&self) -> Option<Duration> {
        self.gate.as_ref().map(|_| self.settings.hold_time)
    }

    /// How long a message that comes now waits on the average, because others wait for their commit.
    pub fn patience(&self) -> Duration {
        let is_holding = self.gate.as_ref().is_some_and(Gate::is_holding);
        if is_holding { self.settings.commit_interval / 2 } else { Duration::ZERO }
    }

    /// When somebody has to come by.
    pub fn deadline(&self) -> Option<Time> {
        self.gate.as_ref().and_then(Gate::deadline)
    }

    /// Keeps a message that the kernel refused until a worker tells its transaction.
    pub(super) fn keep_unsent(&self, bytes: Vec<u8>) {
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        if unsent.len() < UNSENT_MAX {
            unsent.push(bytes);
        }
    }

    /// Those messages.
    pub fn take_unsent(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.unsent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what is left, within a bound, and ends the writer. Workers have ended before.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.bell.ring_loudly();
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let end = Instant::now() + Duration::from_millis(STOP_TIME_MAX) + self.settings.call_timeout + NAP_MAX;
        while !thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use storage::{Column, DialogRow};

    use super::*;

    fn put(id: u32) -> Operation {
        let mut row = DialogRow::default();
        row.set_number(Column::HashEntry, 7);
        row.set_number(Column::HashId, id);
        Operation::Put { row: Box::new(row), is_new: true, variables: Some(Vec::new()) }
    }

    #[test]
    fn a_dialog_of_another_part_of_the_hand_has_no_row_either() {
        let batch = |ids: &[u32]| Batch { operations: ids.iter().map(|id| put(*id)).collect(), is_retry: false };
        let mut new = NewInHand::default();
        new.goes_out(&batch(&[1, 2]));
        // The database refused one of them, so they are tried one by one.
        new.goes_out(&batch(&[1]));
        assert!(new.contains(DialogId { entry: 7, id: 2 }) && !new.contains(DialogId { entry: 7, id: 3 }));
        new.clear();
        assert!(!new.contains(DialogId { entry: 7, id: 2 }));
    }
}
