//! The thread `db-fetch`: reads the slots that requests wait for while the whole table is being loaded.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use storage::intake::Intake;
use storage::{Selection, StorageError};

use super::link::Link;
use super::reader::Reader;
use super::{Answers, Request, answer};
use crate::shell::Shell;
use crate::storage_room::Database;

/// How often the thread looks whether loading is over.
const LOOK_PERIOD: Duration = Duration::from_millis(500);
/// Pause before a slot that could not be read is read again, and how long that goes on: requests wait no longer.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(4_500);

pub(super) struct Fetcher {
    shell: Arc<Shell>,
    link: Link,
    answers: Answers,
    /// Of all slots, so that what is wrong with many rows is told of a few times.
    intake: Intake,
    /// Held while rows are read.
    fetching: Arc<Mutex<()>>,
}

impl Fetcher {
    pub(super) fn new(shell: Arc<Shell>, database: Database, answers: Answers, fetching: Arc<Mutex<()>>) -> Fetcher {
        Fetcher { shell, link: Link::new(database), answers, intake: Intake::default(), fetching }
    }

    /// Serves requests until everything is loaded.
    pub(super) fn work(mut self, inbox: &Receiver<Request<u32>>) {
        loop {
            match inbox.recv_timeout(LOOK_PERIOD) {
                Ok(Request { ticket, what: entry }) => {
                    let outcome = self.fetch_patiently(entry).map_err(|error| error.to_string());
                    answer(&self.shell, &self.answers, ticket, outcome);
                }
                Err(RecvTimeoutError::Timeout) if self.shell.proxy.node.dialogs.is_loading() => {}
                Err(_) => break,
            }
        }
    }

    /// A request handled without its dialog may end the call and leave the dialog behind: one error is no reason for that.
    fn fetch_patiently(&mut self, entry: u32) -> Result<u64, StorageError> {
        let begun = Instant::now();
        loop {
            let outcome = self.fetch(entry);
            let is_passing = outcome.as_ref().is_err_and(StorageError::is_passing);
            if !is_passing || begun.elapsed() >= PATIENCE || !self.shell.proxy.node.dialogs.is_loading() {
                return outcome;
            }
            std::thread::park_timeout(RETRY_PAUSE);
        }
    }

    /// Brings the slot's dialogs in with their variables.
    fn fetch(&mut self, entry: u32) -> Result<u64, StorageError> {
        let Fetcher { shell, link, intake, fetching, .. } = self;
        let _reading = fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let dialogs = &shell.proxy.node.dialogs;
        if dialogs.slot_is_loaded(entry) {
            return Ok(0);
        }
        let slots = dialogs.settings().hash_size;
        let which = Selection::Slot(entry);
        link.read(|database, backend| {
            let reader = Reader { shell, database, is_long: false, gives_up_at_stop: false };
            let mut variables = reader.variables(backend, &which, slots)?;
            let before = intake.taken;
            reader.dialogs(backend, &which, &mut variables, intake)?;
            dialogs.mark_slot_loaded(entry);
            Ok(intake.taken - before)
        })
    }
}
