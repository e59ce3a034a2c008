//! Takes stored dialogs into the engine (spec dialog 8.5, 8.6): the process serves first and loads meanwhile, what a request
//! waits for comes before the rest.
//!
//! Two threads, each with a connection of its own: `db-load` reads the whole table once and then does what
//! `dlg_db_load_callid` and `dlg_db_load_extra` ask for; `db-fetch` reads hash slots that requests wait for and ends with the
//! loading.

mod fetch;
mod link;
mod reader;
mod rehash;
mod start;
mod whole;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dialog::Storing;
use modules::outbox::StoredDialogs;
use modules::run::Answer;

use crate::logging::level;
use crate::shell::Shell;
use crate::storage_room::Database;

pub use start::{announce, prepare};

/// Most slots that wait to be read; there is one request for each.
const SLOT_REQUESTS_MAX: usize = proxy::WAITING_REQUESTS_MAX;
/// Most loads that scripts ask for at one time.
const SCRIPT_REQUESTS_MAX: usize = 256;
/// Longest wait of a stop for the end of loading, and how often it looks.
const LAST_WAIT_MAX: Duration = Duration::from_secs(60);
const LAST_WAIT_PERIOD: Duration = Duration::from_millis(5);

/// What somebody waits for.
#[derive(Debug)]
struct Request<T> {
    ticket: u64,
    what: T,
}

/// What a script asks for.
#[derive(Debug)]
enum Wanted {
    CallId(Vec<u8>),
    All,
}

type Answers = Arc<Mutex<VecDeque<(u64, Answer)>>>;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is answered when it is done.
    Taken,
    /// Nothing is left to be loaded.
    AllThere,
}

/// The desk of both threads.
pub struct Loading {
    slots: SyncSender<Request<u32>>,
    scripts: SyncSender<Request<Wanted>>,
    answers: Answers,
}

impl Loading {
    /// Starts the threads; what [`prepare`] left to be loaded is loaded now.
    pub fn start(shell: &Arc<Shell>, database: &Database) -> Result<Loading, String> {
        let (slots, slot_inbox) = sync_channel(SLOT_REQUESTS_MAX);
        let (scripts, script_inbox) = sync_channel(SCRIPT_REQUESTS_MAX);
        let answers = Answers::default();
        // Loading does not end while a slot is being read: what ends then would not be remembered any more, and a row read
        // before could bring it back.
        let fetching = Arc::new(Mutex::new(()));
        if shell.proxy.node.dialogs.is_loading() {
            let fetcher = fetch::Fetcher::new(Arc::clone(shell), database.clone(), Arc::clone(&answers), Arc::clone(&fetching));
            spawn("db-fetch", move || fetcher.work(&slot_inbox))?;
        }
        let whole = whole::Whole::new(Arc::clone(shell), database.clone(), Arc::clone(&answers), fetching);
        let watched = Arc::clone(shell);
        spawn("db-load", move || {
            if catch_unwind(AssertUnwindSafe(|| whole.work(&script_inbox))).is_err() {
                loader_was_lost(&watched);
            }
        })?;
        Ok(Loading { slots, scripts, answers })
    }

    /// Takes a request, to be answered under the ticket. Err: it is not taken, and why.
    pub fn ask(&self, ticket: u64, which: StoredDialogs) -> Result<Asked, &'static str> {
        match which {
            StoredDialogs::OfSlot(entry) => put(&self.slots, ticket, entry),
            StoredDialogs::OfCallId(call_id) => put(&self.scripts, ticket, Wanted::CallId(call_id)),
            StoredDialogs::All => put(&self.scripts, ticket, Wanted::All),
        }
    }

    /// The process stops. `db_mode` 3 has to load everything and empty the tables before the stop writes them; elsewhere
    /// loading leaves off by itself.
    pub fn end(&self, shell: &Shell) {
        let end = Instant::now() + LAST_WAIT_MAX;
        let is_needed = shell.proxy.node.dialogs.settings().storing == Storing::AtStop;
        while is_needed && shell.proxy.node.dialogs.is_loading() && Instant::now() < end {
            std::thread::park_timeout(LAST_WAIT_PERIOD);
        }
    }

    /// What was done since the last call.
    pub fn answers(&self) -> VecDeque<(u64, Answer)> {
        std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The thread that loads ended by a fault of its own. What it did not load is still found when a request asks for it, so
/// loading goes on in that way, except in `db_mode` 3, whose stop would wait for its end.
fn loader_was_lost(shell: &Shell) {
    let text = "loading stored dialogs ended after a fault of the proxy itself (please report the panic above): those not loaded yet \
                come when a request asks for them, and their lifetimes do not run";
    shell.logger.write(0, level::ALERT, "dialog", text);
    let node = &shell.proxy.node;
    let was_start = node.states.dialog.storage_health.is_loading.load(Ordering::Acquire);
    if !was_start || node.dialogs.settings().storing == Storing::AtStop {
        node.dialogs.finish_loading();
    }
}

fn put<T>(inbox: &SyncSender<Request<T>>, ticket: u64, what: T) -> Result<Asked, &'static str> {
    match inbox.try_send(Request { ticket, what }) {
        Ok(()) => Ok(Asked::Taken),
        Err(TrySendError::Full(_)) => Err("too many wait for stored dialogs"),
        // Slots are read until loading ends.
        Err(TrySendError::Disconnected(_)) => Ok(Asked::AllThere),
    }
}

fn answer(shell: &Shell, answers: &Answers, ticket: u64, outcome: Result<u64, String>) {
    answers.lock().unwrap_or_else(PoisonError::into_inner).push_back((ticket, Answer::DialogsLoaded(outcome)));
    if let Some(crew) = shell.crew.get() {
        crew.wake();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(|_| ()).map_err(|error| format!("cannot start thread {name}: {error}"))
}
