//! The shell around the proxy: carries effects out and brings answers back. Shared by all threads.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use modules::Worker;
use modules::listing::Listing;
use modules::outbox::{Effect, LogSource, StoredDialogs};
use modules::rpc::Fault;
use modules::run::Answer;
use proxy::{Input, Proxy};
use sip::time::{Now, Time};
use transport::crew::Crew;
use transport::outbox::Datagrams;
use transport::resolver::Resolver;
use transport::tcp::{Streams, Target};

use crate::clock::Clock;
use crate::dump;
use crate::file_room::{FileRoom, Request};
use crate::loading::{Asked, Loading};
use crate::logging::{Logger, level};
use crate::names;
use crate::paced::Seats;
use crate::query_room::{self, QueryRoom};
use crate::storage_room::StorageRoom;
use crate::waiting_calls::WaitingCalls;

/// Most scripts that sleep at one time.
const SLEEPERS_MAX: usize = 10_000;

/// What every thread needs.
pub struct Shell {
    pub proxy: Proxy,
    pub clock: Clock,
    pub logger: Logger,
    /// Index in the node's sockets of each UDP socket and TCP listener.
    pub udp_places: Vec<u16>,
    pub tcp_places: Vec<u16>,
    pub resolver: OnceLock<Resolver>,
    pub streams: OnceLock<Streams>,
    pub files: OnceLock<FileRoom>,
    pub crew: OnceLock<Arc<Crew>>,
    pub queries: OnceLock<QueryRoom>,
    /// Where dialogs are stored; nothing in it when they are not.
    pub storage: OnceLock<StorageRoom>,
    /// Takes stored dialogs in; nothing in it when none are stored.
    pub loading: OnceLock<Loading>,
    /// Remote calls whose answer comes later.
    pub waiting: WaitingCalls,
    /// Long answers that are being written.
    pub listings: Seats,
    /// Who waits until when.
    sleepers: Mutex<BTreeSet<(Time, u64)>>,
    pub is_stopping: AtomicBool,
}

impl Shell {
    /// A shell without sockets; they are put in when their threads start.
    pub fn new(proxy: Proxy, clock: Clock, logger: Logger, udp_places: Vec<u16>, tcp_places: Vec<u16>) -> Shell {
        Shell {
            proxy,
            clock,
            logger,
            udp_places,
            tcp_places,
            resolver: OnceLock::new(),
            streams: OnceLock::new(),
            files: OnceLock::new(),
            crew: OnceLock::new(),
            queries: OnceLock::new(),
            storage: OnceLock::new(),
            loading: OnceLock::new(),
            waiting: WaitingCalls::default(),
            listings: Seats::default(),
            sleepers: Mutex::new(BTreeSet::new()),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Gives an input to the proxy. A panic there is a fault of ours that must not take the other calls along: it is
    /// logged, what the worker held is given up, and the worker goes on.
    pub fn handle(&self, worker: &mut Worker, now: Now, input: Input<'_>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.proxy.handle(worker, now, input)));
        if outcome.is_err() {
            self.logger.write(
                worker.number as usize,
                level::ALERT,
                "<core>",
                "a message was given up after a fault of the proxy itself (please report the panic above)",
            );
            if let Some(held) = worker.give_up() {
                self.proxy.node.transactions.abandon(held);
            }
        }
    }

    /// Carries out everything in the worker's outbox. The order is kept across transports: datagrams collected so far leave
    /// before anything is given to the stream thread, so that no answer to an INVITE over TCP overtakes our 100 over UDP.
    ///
    /// Where dialogs are stored, what announces a change waits until that is committed.
    pub fn carry_out(&self, worker: &mut Worker, datagrams: &mut Datagrams<'_>) {
        let mut outbox = std::mem::take(&mut worker.outbox);
        if let Some(storage) = self.storage.get() {
            storage.hold(self, worker.number, &mut outbox, datagrams);
        }
        for effect in &outbox.effects {
            self.carry(worker.number, effect, &outbox.bytes, datagrams);
        }
        worker.outbox = outbox;
        worker.outbox.clear();
    }

    /// Carries out one effect of a worker; `all` holds the bytes to send.
    pub(crate) fn carry(&self, worker: u32, effect: &Effect, all: &[u8], datagrams: &mut Datagrams<'_>) {
        match effect {
            Effect::Send { socket, destination, bytes } => {
                let bytes = all.get(bytes.clone()).unwrap_or_default();
                if let Some(index) = self.udp_places.iter().position(|place| place == socket) {
                    datagrams.push(index, *destination, bytes);
                }
            }
            Effect::StreamSend { socket, connection, destination, may_connect, then_close, bytes, .. } => {
                let bytes = all.get(bytes.clone()).unwrap_or_default();
                let target = Target {
                    connection: u32::try_from(*connection).ok().filter(|connection| *connection != 0),
                    destination: Some(*destination),
                    socket: self.tcp_places.iter().position(|place| place == socket).unwrap_or(0),
                    may_connect: *may_connect,
                    then_close: *then_close,
                };
                datagrams.flush();
                let sent = self.streams.get().map(|streams| streams.send(target, bytes));
                if let Some(Err(error)) = sent {
                    self.logger.write_braked(0, level::ERROR, "<core>", &format!("cannot send to {destination}: {error}"));
                }
            }
            Effect::StreamAlias { connection, port } => {
                if let (Some(streams), Ok(connection)) = (self.streams.get(), u32::try_from(*connection))
                    && let Err(error) = streams.alias(connection, *port)
                {
                    self.logger.write_braked(0, level::ERROR, "<core>", &format!("no alias for connection {connection}: {error}"));
                }
            }
            Effect::Resolve { ticket, question } => {
                let asked = self.resolver.get().map(|resolver| resolver.ask(*ticket, &question.name, question.kind.number()));
                if !matches!(asked, Some(Ok(()))) {
                    self.sleep(*ticket, Time(0));
                }
            }
            Effect::Answer { ticket, answer } => self.waiting.answer(*ticket, answer.clone()),
            Effect::ReadFile { ticket, path, bytes_max } => {
                self.ask_for_file(Request::Read { ticket: *ticket, path: path.clone(), bytes_max: *bytes_max }, *ticket);
            }
            Effect::WriteFile { ticket, path, bytes } => {
                self.ask_for_file(Request::Write { ticket: *ticket, path: path.clone(), bytes: bytes.clone() }, *ticket);
            }
            Effect::Query { ticket, connection, work } => match self.queries.get() {
                Some(queries) => queries.ask(query_room::Request { ticket: *ticket, connection: *connection, work: work.clone() }),
                None if *ticket != 0 => self.sleep(*ticket, Time(0)),
                None => {}
            },
            Effect::LoadDialogs { ticket, which } => self.load_dialogs(*ticket, which.clone()),
            Effect::AppendFile { ticket, folder, name, lines } => self.append_file(*ticket, folder.clone(), name.clone(), lines.clone()),
            Effect::Wake { ticket, at } => self.sleep(*ticket, *at),
            Effect::Log { level, text, source: LogSource::Proxy, .. } => self.log(worker, *level, text),
            Effect::Log { level, facility, text, source: LogSource::Script } => {
                self.log_of_script(worker, *level, *facility, text);
            }
            Effect::Stop => self.is_stopping.store(true, Ordering::Release),
        }
    }

    /// A request that is refused answers at once, with nothing.
    fn load_dialogs(&self, ticket: u64, which: StoredDialogs) {
        match self.loading.get().map_or(Err("no dialogs are loaded at this time"), |loading| loading.ask(ticket, which)) {
            Ok(Asked::Taken) => {}
            Ok(Asked::AllThere) => self.sleep(ticket, Time(0)),
            Err(reason) => {
                self.logger.write_braked(0, level::ERROR, "dialog", reason);
                self.sleep(ticket, Time(0));
            }
        }
    }

    /// A request that is refused answers at once, with nothing.
    fn ask_for_file(&self, request: Request, ticket: u64) {
        let refused = self.files.get().map_or(Err("no files at this time"), |files| files.ask(request)).err();
        if let Some(reason) = refused {
            self.logger.write_braked(0, level::ERROR, "<core>", reason);
            if ticket != 0 {
                self.sleep(ticket, Time(0));
            }
        }
    }

    /// Writes on a thread of its own: it takes long, and scripts wait for the files of the file room.
    fn append_file(&self, ticket: u64, folder: String, name: String, lines: Listing) {
        let waiting = self.waiting.clone();
        let begun = self.listings.paced(lines).and_then(|lines| {
            let work = move || waiting.answer(ticket, dump::append(&folder, &name, &lines));
            let thread = std::thread::Builder::new().name("dump".to_owned()).spawn(work);
            thread.map_err(|error| Fault::new(500, format!("no thread to write the file: {error}")))
        });
        if let Err(fault) = begun {
            self.waiting.answer(ticket, Err(fault));
        }
    }

    fn sleep(&self, ticket: u64, at: Time) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        let at = if sleepers.len() >= SLEEPERS_MAX { Time(0) } else { at };
        sleepers.insert((at, ticket));
    }

    /// A log line of a worker: the words before the first colon are its place.
    pub fn log(&self, worker: u32, level: i32, text: &[u8]) {
        self.heed_settings();
        let text = String::from_utf8_lossy(text);
        let (place, rest) = match text.split_once(": ") {
            None => ("<core>", &*text),
            Some(("core", rest)) => ("<core>", rest),
            Some(parts) => parts,
        };
        self.logger.write_braked(worker as usize, level, place, rest.trim_end_matches('\n'));
    }

    /// A line that a script writes: it stands as it is, its prefix is the script's.
    fn log_of_script(&self, worker: u32, level: i32, facility: Option<u8>, text: &[u8]) {
        self.heed_settings();
        self.logger.write_to(worker as usize, level, facility, "", &String::from_utf8_lossy(text));
    }

    /// The threshold and the facility may have been changed by RPC.
    fn heed_settings(&self) {
        let core = &self.proxy.node.core;
        self.logger.set_level(core.debug());
        self.logger.set_facility(core.log_facility.load(Ordering::Relaxed));
    }

    /// Brings in what arrived meanwhile: addresses that were looked up, sleepers whose time has come.
    pub fn answers(&self, worker: &mut Worker) {
        let now = self.clock.now();
        if let Some(resolver) = self.resolver.get() {
            for answer in resolver.answers() {
                let ticket = answer.ticket;
                self.handle(worker, now, Input::Answer { ticket, answer: Answer::Records(names::reply(answer)) });
            }
        }
        for bytes in self.storage.get().map(StorageRoom::take_unsent).unwrap_or_default() {
            self.handle(worker, now, Input::Unsent { bytes: &bytes });
        }
        if let Some(files) = self.files.get() {
            for (ticket, answer) in files.answers() {
                self.handle(worker, now, Input::Answer { ticket, answer });
            }
        }
        if let Some(queries) = self.queries.get() {
            for (ticket, answer) in queries.answers() {
                self.handle(worker, now, Input::Answer { ticket, answer });
            }
        }
        if let Some(loading) = self.loading.get() {
            for (ticket, answer) in loading.answers() {
                self.handle(worker, now, Input::Answer { ticket, answer });
            }
        }
        loop {
            let due = {
                let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
                match sleepers.first().copied() {
                    Some((at, ticket)) if at <= now.time => {
                        sleepers.remove(&(at, ticket));
                        Some(ticket)
                    }
                    _ => None,
                }
            };
            let Some(ticket) = due else { return };
            self.handle(worker, now, Input::Answer { ticket, answer: Answer::Awake });
        }
    }

    /// Lets the leader of the UDP workers come by.
    pub fn wake(&self) {
        if let Some(crew) = self.crew.get() {
            crew.wake();
        }
    }

    /// How long until a timer, a sleeper or a message that is held back is due.
    pub fn until_next(&self) -> Option<Duration> {
        let sleeper = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).first().map(|(at, _)| *at);
        let held = self.storage.get().and_then(StorageRoom::deadline);
        let next = [self.proxy.next_deadline(), sleeper, held].into_iter().flatten().min()?;
        Some(Duration::from_millis(next.0.saturating_sub(self.clock.now().time.0)))
    }
}
