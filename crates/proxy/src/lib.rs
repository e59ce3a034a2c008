//! The spine: joins messages, scripts, transactions and dialogs into one machine without I/O. The newcomer starts here.
//!
//! [`Proxy::handle`] is the one door (invariant A2): an [`Input`] goes in with the time, effects come out in the worker's
//! outbox. The same code runs behind sockets and in the simulator.
//!
//! This crate opens no socket, reads no clock and starts no thread; it does not know how effects are carried out.

mod awaited_slots;
mod input;
mod overload;
mod parked;
mod reply;
mod request;
pub mod startup;
mod timers;

pub use awaited_slots::WAITING_REQUESTS_MAX;
pub use input::Input;
pub use startup::{Checked, Prepared, StartError, check, check_with, start};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use modules::core::events;
use modules::corex::{self, interception};
use modules::dialog;
use modules::registry::Loaded;
use modules::rpc::{Command, Fault, Parameters, Reply};
use modules::{Node, Worker};
use sip::limits::Limits;
use sip::time::{Now, Time};

use awaited_slots::AwaitedSlots;
use parked::Parked;

/// One proxy. Shared by all workers.
pub struct Proxy {
    pub node: Arc<Node>,
    limits: Limits,
    parked: Parked,
    awaited: AwaitedSlots,
    commands: Vec<&'static Command>,
    /// Last whole second whose once-a-second work was done.
    second: AtomicU64,
}

impl Proxy {
    /// A proxy over a started node.
    pub fn new(node: Node) -> Proxy {
        let loaded: &Loaded = &node.loaded;
        let commands = loaded.commands();
        let limits = Limits::default();
        Proxy {
            node: Arc::new(node),
            limits,
            parked: Parked::default(),
            awaited: AwaitedSlots::default(),
            commands,
            second: AtomicU64::new(0),
        }
    }

    /// A worker of this proxy. Seeds must differ between workers and between starts.
    pub fn worker(&self, number: u32, seed: u64, now: Now) -> Worker {
        Worker::new(Arc::clone(&self.node), number, seed, now)
    }

    /// Does everything one input asks for; effects are in `worker.outbox` afterwards.
    pub fn handle(&self, worker: &mut Worker, now: Now, input: Input<'_>) {
        worker.now = now;
        let first = worker.outbox.effects.len();
        match input {
            Input::Message { bytes, from } => self.receive(worker, bytes, from),
            Input::Answer { ticket, answer } => self.resume(worker, ticket, answer),
            Input::Unsent { bytes } => modules::tm::unsent(worker, bytes),
            Input::Tick => self.tick(worker),
        }
        dialog::carry_out_wishes(worker);
        corex::sending(worker, first);
    }

    fn receive(&self, worker: &mut Worker, bytes: &[u8], from: transaction::Endpoint) {
        if is_keepalive(bytes) {
            return;
        }
        events::started(worker);
        let rewritten = match events::bytes_received(worker, bytes, from) {
            Ok(rewritten) => rewritten,
            Err(events::Dropped) => return,
        };
        let bytes = rewritten.as_deref().unwrap_or(bytes);
        let rewritten = interception::received(worker, bytes, from);
        self.take(worker, rewritten.as_deref().unwrap_or(bytes), from, true);
    }

    /// A message as it stands after the routes for raw bytes. `may_wait`: for a dialog that is not loaded yet.
    fn take(&self, worker: &mut Worker, bytes: &[u8], from: transaction::Endpoint, may_wait: bool) {
        worker.messages += 1;
        if self.ends_unparsed(worker, bytes, from) {
            return;
        }
        let number = worker.messages;
        worker.run.clear();
        worker.run.source = from;
        worker.run.message_number = number;
        let node = Arc::clone(&self.node);
        let parsed = worker.run.message.parse(bytes, &self.limits).and_then(|()| worker.run.message.check_required());
        if let Err(error) = parsed {
            node.states.core.counters.bad_header();
            worker.log(-1, "core", &format!("message from {} dropped: {error}", from.address));
            events::parse_failed(worker);
            return;
        }
        if may_wait && self.awaits_its_slot(worker, bytes, from) {
            return;
        }
        if worker.run.message.is_request() {
            request::receive(self, worker);
        } else {
            reply::receive(worker);
        }
    }

    /// A moment not later than the next timer; None: nothing is armed.
    pub fn next_deadline(&self) -> Option<Time> {
        if self.node.dialogs.has_wishes() {
            return Some(Time(0));
        }
        let transactions = self.node.transactions.next_deadline();
        let second = Time((self.second.load(Ordering::Relaxed) + 1) * timers::SECOND);
        Some(transactions.map_or(second, |deadline| deadline.min(second)))
    }

    /// Every RPC command of the loaded modules, sorted by name.
    pub fn commands(&self) -> &[&'static Command] {
        &self.commands
    }

    /// Runs an RPC command; effects are in `worker.outbox` afterwards.
    pub fn call(&self, worker: &mut Worker, now: Now, name: &str, parameters: &mut Parameters) -> Result<Reply, Fault> {
        worker.now = now;
        worker.run.clear();
        let command = self
            .commands
            .binary_search_by(|command| command.name.cmp(name))
            .ok()
            .and_then(|index| self.commands.get(index))
            .ok_or_else(|| Fault::new(500, format!("command {name} not found")))?;
        let first = worker.outbox.effects.len();
        let result = (command.run)(worker, parameters);
        dialog::carry_out_wishes(worker);
        corex::sending(worker, first);
        result
    }

    /// Runs parked and waiting for answers.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// Requests that wait for their dialogs to be loaded.
    pub fn awaiting_dialogs(&self) -> usize {
        self.awaited.len()
    }
}

/// CRLF, zero and STUN-less keepalives (spec proxy-core 1.1): at most four bytes or only line ends.
fn is_keepalive(bytes: &[u8]) -> bool {
    bytes.len() <= 4 || bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
