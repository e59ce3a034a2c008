//! The host that scripts run on: one for each thread, owns the current run, the outbox and the seeded randomness.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::exports::{Evaluate, Host, RunLimits};
use script::format::Format;
use script::syntax::ast::{CoreWord, RouteKind};
use script::value::{Text, Value};
use script::variable::Reference;
use script::vm::{self, Stacks};
use sip::time::Now;
use transaction::Spares;

use crate::core::overload::Backlog;
use crate::node::Node;
use crate::outbox::{Effect, LogSource, Outbox};
use crate::run::Run;
use crate::scratch::Scratch;
use crate::tm::TransactionData;

/// Most nested runs on one stack: branch route inside failure route inside event route and so on.
pub const NESTED_RUNS_MAX: usize = 8;
/// Most spare run states a worker keeps for reuse.
pub const SPARE_RUNS_MAX: usize = 16;
/// Most stacks and buffers of scripts that a worker keeps for reuse; a buffer that grew larger than this is not kept.
pub const SPARE_STACKS_MAX: usize = NESTED_RUNS_MAX + 1;
pub const SPARE_BUFFER_BYTES_MAX: usize = 65_536;

/// One worker. The program's functions get it as `&mut`.
pub struct Worker {
    pub node: Arc<Node>,
    pub now: Now,
    pub outbox: Outbox,
    /// The run that scripts see now.
    pub run: Box<Run>,
    pub random: Random,
    /// Memory of ended transactions.
    pub spares: Spares<TransactionData>,
    pub scratch: Scratch,
    /// Number of the worker, from 0.
    pub number: u32,
    /// Messages received so far by this worker.
    pub messages: u64,
    /// The queue it takes its datagrams from; told by whoever drives it.
    pub backlog: Backlog,
    /// Boxed, because a run moves between the worker, its spares and the parked ones.
    #[allow(clippy::vec_box)]
    spare: Vec<Box<Run>>,
    spare_stacks: Vec<Stacks>,
    spare_buffers: Vec<Vec<u8>>,
    nested: usize,
    tickets: u64,
}

impl Worker {
    /// A worker of a node; the seed must differ between workers.
    pub fn new(node: Arc<Node>, number: u32, seed: u64, now: Now) -> Worker {
        Worker {
            node,
            now,
            outbox: Outbox::default(),
            run: Box::default(),
            random: Random::new(seed),
            spares: Spares::default(),
            scratch: Scratch::default(),
            number,
            messages: 0,
            backlog: Backlog::default(),
            spare: Vec::new(),
            spare_stacks: Vec::new(),
            spare_buffers: Vec::new(),
            nested: 0,
            tickets: 0,
        }
    }

    /// A ticket for an effect that will be answered, unique among all workers; the run that parks remembers it.
    pub fn take_ticket(&mut self) -> u64 {
        self.tickets += 1;
        let ticket = (u64::from(self.number) << 48) | self.tickets;
        self.run.ticket = ticket;
        ticket
    }

    /// Can a function called now wait? Only the outermost run of a request can.
    pub fn can_wait(&self) -> bool {
        self.nested == 0 && self.run.route == RouteKind::Request && !self.run.is_faked
    }

    /// A cleared run state, reused when there is one.
    pub fn fresh_run(&mut self) -> Box<Run> {
        let mut run = self.spare.pop().unwrap_or_default();
        run.clear();
        run
    }

    /// Gives a run state back for reuse.
    pub fn recycle(&mut self, mut run: Box<Run>) {
        // What counts for others must not wait for the next use.
        run.dialog.reservations.clear();
        if self.spare.len() < SPARE_RUNS_MAX {
            self.spare.push(run);
        }
    }

    /// Runs `work` with another run in place, then puts the former one back and returns the used one.
    pub fn with_run<T>(&mut self, run: Box<Run>, work: impl FnOnce(&mut Worker) -> T) -> (T, Box<Run>) {
        let outer = std::mem::replace(&mut self.run, run);
        let result = work(self);
        let used = std::mem::replace(&mut self.run, outer);
        (result, used)
    }

    /// Runs a route to its end on the current run. A function that wants to wait inside is refused (it gets -1):
    /// only the outermost run of a message can park. None: no such route, or nested too deeply.
    pub fn run_route(&mut self, kind: RouteKind, name: &str) -> Option<vm::Finish> {
        let route = self.node.program.route(kind, name.as_bytes())?;
        self.run_route_id(route)
    }

    /// As [`Worker::run_route`] by id.
    pub fn run_route_id(&mut self, route: script::RouteId) -> Option<vm::Finish> {
        if self.nested >= NESTED_RUNS_MAX {
            self.log(-1, "script", "too many nested runs, route not run");
            return None;
        }
        self.nested += 1;
        let node = Arc::clone(&self.node);
        let mut run = vm::run(&node.program, self, route);
        while let vm::Run::Parked(frame) = run {
            self.run.continuation = None;
            self.log(-1, "script", "a function that waits cannot be used in this route");
            run = vm::resume(&node.program, self, frame, -1);
        }
        self.nested -= 1;
        match run {
            vm::Run::Done(finish) => Some(finish),
            vm::Run::Parked(_) => None,
        }
    }

    /// After a fault inside a run: everything half done is dropped. The transaction that was held, for the caller to abandon.
    pub fn give_up(&mut self) -> Option<transaction::TransactionId> {
        let run = std::mem::take(&mut self.run);
        self.outbox.clear();
        self.nested = 0;
        run.tm.transaction.as_ref().map(|transaction| transaction.id())
    }

    /// A log line if the level passes the threshold: -5 alert .. -1 error, 0 warning, 1 notice, 2 info, 3 debug.
    pub fn log(&mut self, level: i32, room: &str, text: &str) {
        if level <= self.node.core.debug() {
            let prefix = crate::core::log_prefix::text(self).map(|prefix| prefix.to_string()).unwrap_or_default();
            let line = format!("{prefix}{room}: {text}");
            self.outbox.effects.push(Effect::Log { level, facility: None, source: LogSource::Proxy, text: line.into_bytes() });
        }
    }

    /// Is this one of the module's names loaded?
    pub fn has_module(&self, name: &str) -> bool {
        self.node.loaded.has(name)
    }
}

impl Host for Worker {
    fn log_level(&self) -> i32 {
        self.node.core.debug()
    }

    fn log(&mut self, level: i32, place: &str, text: &str) {
        Worker::log(self, level, place, text);
    }

    fn reached(&mut self, position: u32) {
        self.run.position = position;
    }

    fn return_code(&self) -> i64 {
        self.run.return_code
    }

    fn set_return_code(&mut self, code: i64) {
        self.run.return_code = code;
    }

    fn core_word(&mut self, word: CoreWord) -> Value {
        crate::core::words::value(self, word)
    }

    fn is_myself(&mut self, word: CoreWord) -> bool {
        crate::core::words::is_myself(self, word)
    }

    fn select(&mut self, name: &[u8]) -> Value {
        crate::core::selects::value(self, name)
    }

    fn limits(&self) -> RunLimits {
        RunLimits {
            while_loops_max: self.node.core.max_while_loops.load(Ordering::Relaxed),
            depth_max: self.node.core.max_recursive_level,
            return_mode: self.node.core.return_mode,
            ..RunLimits::default()
        }
    }

    fn spare_stacks(&mut self) -> Option<Stacks> {
        self.spare_stacks.pop()
    }

    fn keep_stacks(&mut self, stacks: Stacks) {
        if self.spare_stacks.len() < SPARE_STACKS_MAX {
            self.spare_stacks.push(stacks);
        }
    }

    fn spare_buffer(&mut self) -> Vec<u8> {
        self.spare_buffers.pop().unwrap_or_default()
    }

    fn keep_buffer(&mut self, mut buffer: Vec<u8>) {
        if self.spare_buffers.len() < SPARE_STACKS_MAX && buffer.capacity() <= SPARE_BUFFER_BYTES_MAX {
            buffer.clear();
            self.spare_buffers.push(buffer);
        }
    }
}

impl Evaluate for Worker {
    fn read(&mut self, reference: &Reference) -> Value {
        vm::read(self, reference)
    }

    fn write(&mut self, reference: &Reference, value: Value) -> Result<(), String> {
        vm::write(self, reference, value)
    }

    fn format(&mut self, format: &Format) -> Text {
        vm::format_text(self, format)
    }
}

/// Seeded randomness (SplitMix64): the same seed gives the same run. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound` (0 when the bound is 0).
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }
}
