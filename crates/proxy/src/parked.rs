//! Scripts that wait for an answer: frame and run are kept under a ticket (invariant A5).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use modules::cfgutils::hashed_file;
use modules::run::{Answer, Run};
use modules::{Worker, dns, htable, tm};
use script::exports::Flow;
use script::vm;

use crate::{Proxy, request};

/// Most runs that wait at one time; beyond, the waiting function fails at once.
pub const PARKED_MAX: usize = 10_000;

/// Runs that wait, by ticket.
#[derive(Default)]
pub struct Parked {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    runs: BTreeMap<u64, (vm::Frame, Box<Run>)>,
    /// How many of them have this hash of Call-ID and CSeq number.
    calls: BTreeMap<u64, u32>,
}

fn call_of(run: &Run) -> Option<u64> {
    run.tm.key.map(|key| key.call)
}

impl Parked {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().runs.len()
    }

    /// Does a run wait for a request with this hash of Call-ID and CSeq number?
    pub(crate) fn holds(&self, call: u64) -> bool {
        self.lock().calls.contains_key(&call)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, ticket: u64, frame: vm::Frame, run: Box<Run>) -> Result<(), (vm::Frame, Box<Run>)> {
        let mut waiting = self.lock();
        if waiting.runs.len() >= PARKED_MAX || waiting.runs.contains_key(&ticket) {
            return Err((frame, run));
        }
        if let Some(call) = call_of(&run) {
            *waiting.calls.entry(call).or_default() += 1;
        }
        waiting.runs.insert(ticket, (frame, run));
        Ok(())
    }

    fn take(&self, ticket: u64) -> Option<(vm::Frame, Box<Run>)> {
        let mut waiting = self.lock();
        let (frame, run) = waiting.runs.remove(&ticket)?;
        if let Some(call) = call_of(&run)
            && let Entry::Occupied(mut count) = waiting.calls.entry(call)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        Some((frame, run))
    }
}

impl Proxy {
    /// Drives a run of the main script until it is done or parks. None: parked.
    pub(crate) fn drive(&self, worker: &mut Worker, mut run: vm::Run) -> Option<vm::Finish> {
        loop {
            match run {
                vm::Run::Done(finish) => return Some(finish),
                vm::Run::Parked(frame) => {
                    let ticket = worker.run.ticket;
                    let fresh = worker.fresh_run();
                    let waiting = std::mem::replace(&mut worker.run, fresh);
                    match self.parked.put(ticket, frame, waiting) {
                        Ok(()) => return None,
                        Err((frame, waiting)) => {
                            let unused = std::mem::replace(&mut worker.run, waiting);
                            worker.recycle(unused);
                            worker.log(-1, "core", "too many scripts wait; the function fails");
                            worker.run.continuation = None;
                            tm::refuse_waiting(worker);
                            let node = Arc::clone(&self.node);
                            run = vm::resume(&node.program, worker, frame, -1);
                        }
                    }
                }
            }
        }
    }

    /// Goes on with the run that waits for this ticket; one that is gone is ignored.
    pub(crate) fn resume(&self, worker: &mut Worker, ticket: u64, answer: Answer) {
        let Some((frame, waiting)) = self.parked.take(ticket) else {
            // A remote call may wait for a file, a transaction for the address of a branch.
            worker.run.clear();
            if self.slot_answered(worker, ticket, &answer) {
                return;
            }
            if !hashed_file::answered(worker, ticket, &answer)
                && !htable::answered(worker, ticket, &answer)
                && !tm::answered(worker, ticket, &answer)
            {
                dns::answered(worker, ticket, answer);
            }
            return;
        };
        let former = std::mem::replace(&mut worker.run, waiting);
        worker.recycle(former);
        let flow = match worker.run.continuation.take() {
            Some(continuation) => continuation(worker, answer),
            None => Flow::Code(-1),
        };
        let node = Arc::clone(&self.node);
        let run = match flow {
            Flow::Wait => vm::Run::Parked(frame),
            Flow::Code(code) => vm::resume(&node.program, worker, frame, code),
        };
        if self.drive(worker, run).is_some() {
            request::finish(worker);
        } else {
            // The parked run took its transaction along.
            debug_assert!(!tm::has_transaction(worker));
        }
    }
}
