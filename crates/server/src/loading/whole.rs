//! The thread `db-load`: reads the whole table at the start, later what scripts ask for.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dialog::Storing;
use modules::dialog::Condition;
use storage::intake::Intake;
use storage::{DialogRow, ErrorKind, Selection, StorageError, VariableTable};

use super::link::Link;
use super::reader::Reader;
use super::{Answers, Request, Wanted, answer};
use crate::logging::level;
use crate::shell::Shell;
use crate::storage_room::{Database, StorageRoom};

/// Pause before a database that is away is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Longest time to empty the tables: servers remove row by row.
const EMPTYING_TIME: Duration = Duration::from_secs(30);
/// A connection that was not used for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Most dialogs of one Call-ID that are taken.
const OF_CALL_ID_MAX: usize = dialog::limits::DIALOGS_OF_CALL_ID_MAX;

pub(super) struct Whole {
    shell: Arc<Shell>,
    link: Link,
    answers: Answers,
    /// Held by the other thread while it reads rows.
    fetching: Arc<Mutex<()>>,
}

impl Whole {
    pub(super) fn new(shell: Arc<Shell>, database: Database, answers: Answers, fetching: Arc<Mutex<()>>) -> Whole {
        Whole { shell, link: Link::new(database), answers, fetching }
    }

    /// Loads what is to be loaded at the start, then serves scripts as long as the process lives.
    pub(super) fn work(mut self, inbox: &Receiver<Request<Wanted>>) {
        if self.shell.proxy.node.dialogs.is_loading() {
            self.load_at_start();
        }
        loop {
            match inbox.recv_timeout(IDLE_MAX) {
                Ok(first) => self.serve(std::iter::once(first).chain(inbox.try_iter())),
                Err(RecvTimeoutError::Timeout) => self.link.close(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn load_at_start(&mut self) {
        let begun = Instant::now();
        let mut loaded = Loaded::default();
        let outcome = self.load_patiently(&mut loaded);
        let shell = Arc::clone(&self.shell);
        let node = &shell.proxy.node;
        if outcome.is_ok() && node.dialogs.settings().storing == Storing::AtStop {
            // No request has to wait for that.
            (0..node.dialogs.settings().hash_size).for_each(|entry| node.dialogs.mark_slot_loaded(entry));
            self.empty_tables();
        }
        // A stop leaves requests for what is not loaded waiting: the next process serves them when they come again.
        if !self.leaves_off() {
            let _not_reading = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
            node.dialogs.finish_loading();
        }
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(()) if self.leaves_off() => {
                self.log(level::NOTICE, &format!("the stop ends loading, after {}", loaded.intake.summary()));
            }
            Ok(()) if loaded.intake.rows == 0 => self.log(level::INFO, "no dialogs are stored"),
            Ok(()) => self.summarise(&loaded, &format!("loaded {} in {seconds:.2} s", loaded.intake.summary())),
            Err(error) => {
                node.states.dialog.storage_health.set_trouble(&error.to_string());
                self.summarise(&loaded, &format!("loading ended early, after {}", loaded.intake.summary()));
                self.log(level::ERROR, &format!("stored dialogs cannot be read: {error}; those not loaded yet are unknown here"));
            }
        }
        node.states.dialog.storage_health.is_loading.store(false, Ordering::Release);
    }

    /// The process stops, and what is not loaded yet stays where it is.
    fn leaves_off(&self) -> bool {
        let storing = self.shell.proxy.node.dialogs.settings().storing;
        storing != Storing::AtStop && self.shell.is_stopping.load(Ordering::Relaxed)
    }

    fn summarise(&self, loaded: &Loaded, text: &str) {
        self.log(if loaded.intake.skipped() > 0 { level::WARNING } else { level::NOTICE }, text);
        if loaded.orphans > 0 {
            self.log(level::WARNING, &format!("{} stored variables belong to no stored dialog", loaded.orphans));
        }
        if loaded.variables_refused > 0 {
            self.log(level::WARNING, &format!("{} stored variables cannot be used", loaded.variables_refused));
        }
    }

    /// Loads everything; a database that is away is tried again until the process stops.
    fn load_patiently(&mut self, loaded: &mut Loaded) -> Result<(), StorageError> {
        let mut told: Option<String> = None;
        loop {
            let Err(error) = self.load_all(true, loaded) else { return Ok(()) };
            if !error.is_passing() || error.kind == ErrorKind::Corrupt || self.shell.is_stopping.load(Ordering::Relaxed) {
                return Err(error);
            }
            let text = error.to_string();
            if told.as_ref() != Some(&text) {
                self.log(level::ERROR, &format!("stored dialogs cannot be read now, trying again: {text}"));
                told = Some(text);
            }
            std::thread::park_timeout(RETRY_PAUSE);
        }
    }

    /// Reads both tables once. What was taken before an error counts in `loaded`.
    fn load_all(&mut self, is_start: bool, loaded: &mut Loaded) -> Result<(), StorageError> {
        let Whole { shell, link, .. } = self;
        let node = &shell.proxy.node;
        let gives_up_at_stop = node.dialogs.settings().storing != Storing::AtStop;
        link.read(|database, backend| {
            let reader = Reader { shell, database, is_long: is_start, gives_up_at_stop };
            let mut variables = reader.variables(backend, &Selection::All, node.dialogs.settings().hash_size)?;
            loaded.variables_refused = variables.refused();
            reader.dialogs(backend, &Selection::All, &mut variables, &mut loaded.intake)?;
            loaded.orphans = variables.orphans();
            Ok(())
        })
    }

    /// `db_mode` 3: from now on the tables hold what the next stop writes (spec dialog 13.55). Tried until it is done: out of
    /// what is left, calls that end meanwhile would come back after the next start.
    fn empty_tables(&mut self) {
        let mut database = self.link.database.clone();
        database.options.call_timeout = database.options.call_timeout.max(EMPTYING_TIME);
        let mut link = Link::new(database);
        let mut told: Option<String> = None;
        // What a stop that waited long enough writes is not to be emptied any more.
        let is_over = || self.shell.storage.get().is_some_and(StorageRoom::is_ending);
        while !is_over()
            && let Err(error) = link.read(|database, backend| backend.empty(&database.names))
        {
            let is_last = !error.is_passing() || self.shell.is_stopping.load(Ordering::Relaxed);
            let consequence =
                if is_last { "calls of theirs that are over may be there again after the next start" } else { "trying again" };
            let text = format!("the tables cannot be emptied, {consequence}: {error}");
            if told.as_ref() != Some(&text) {
                self.log(level::ERROR, &text);
                told = Some(text);
            }
            if is_last {
                return;
            }
            std::thread::park_timeout(RETRY_PAUSE);
        }
    }

    /// Several that want everything are served by one reading.
    fn serve(&mut self, requests: impl Iterator<Item = Request<Wanted>>) {
        let mut of_all = Vec::new();
        for Request { ticket, what } in requests {
            match what {
                Wanted::All => of_all.push(ticket),
                Wanted::CallId(call_id) => {
                    let outcome = self.while_loading(|own| own.load_call_id(&call_id));
                    answer(&self.shell, &self.answers, ticket, outcome.map_err(|error| error.to_string()));
                }
            }
        }
        if of_all.is_empty() {
            return;
        }
        let outcome = self.while_loading(Whole::load_extra).map_err(|error| error.to_string());
        for ticket in of_all {
            answer(&self.shell, &self.answers, ticket, outcome.clone());
        }
    }

    /// What ends while `work` runs is not brought back by a row read before.
    fn while_loading<T>(&mut self, work: impl FnOnce(&mut Whole) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let shell = Arc::clone(&self.shell);
        // Before the writer told of itself for the first time nothing waits.
        if matches!(shell.proxy.node.states.dialog.storage_health.condition(), Condition::Away | Condition::Draining) {
            // A row may be that of a dialog whose end is not written yet.
            let place = self.link.database.url.to_string();
            return Err(StorageError::new(ErrorKind::Away, place, "changes of before are not all written").remedy("try again later"));
        }
        shell.proxy.node.dialogs.begin_loading_more();
        let done = work(self);
        shell.proxy.node.dialogs.finish_loading();
        done
    }

    /// `dlg_db_load_extra()`: how many came.
    fn load_extra(&mut self) -> Result<u64, StorageError> {
        let mut loaded = Loaded::default();
        let outcome = self.load_all(false, &mut loaded);
        self.summarise(&loaded, &format!("dlg_db_load_extra: loaded {}", loaded.intake.summary()));
        outcome.map(|()| loaded.intake.taken)
    }

    /// `dlg_db_load_callid()`: how many came.
    fn load_call_id(&mut self, call_id: &[u8]) -> Result<u64, StorageError> {
        let Whole { shell, link, .. } = self;
        let slots = shell.proxy.node.dialogs.settings().hash_size;
        let intake = link.read(|database, backend| {
            let reader = Reader { shell, database, is_long: false, gives_up_at_stop: false };
            let mut rows: Vec<DialogRow> = Vec::new();
            backend.load(&database.names, &Selection::CallId(call_id.to_vec()), &mut |row| {
                rows.push(row.clone());
                if rows.len() < OF_CALL_ID_MAX { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
            })?;
            let mut intake = Intake::default();
            let entry = shell.proxy.node.dialogs.slot_of(call_id);
            let mut variables =
                if rows.is_empty() { VariableTable::default() } else { reader.variables(backend, &Selection::Slot(entry), slots)? };
            reader.rows(&rows, &mut variables, &mut intake);
            Ok(intake)
        })?;
        if intake.existing > 0 {
            let text =
                format!("{} stored dialogs of Call-ID '{}' are in memory already", intake.existing, String::from_utf8_lossy(call_id));
            self.log(level::WARNING, &text);
        }
        Ok(intake.taken)
    }

    fn log(&self, level: i32, text: &str) {
        self.shell.log(0, level, format!("dialog: {text}").as_bytes());
    }
}

/// What a reading of both tables brought.
#[derive(Debug, Default)]
struct Loaded {
    intake: Intake,
    /// Variables whose dialog is not there.
    orphans: usize,
    variables_refused: u64,
}
