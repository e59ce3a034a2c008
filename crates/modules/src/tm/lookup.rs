//! Look-ups of next hops that no script waits for: branches of failure routes and requests made here.
//!
//! The branch is reserved in its transaction, so the transaction stays open; the answer sends it or lets it fail.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use transaction::settings::FailureReplies;
use transaction::{Event, Protocol, TransactionId};

use super::actions::perform_all;
use super::limits::LOOKUPS_MAX;
use super::local::LocalRequest;
use super::sending::{Prepared, send_reserved};
use crate::next_hop::{self, Hop, error};
use crate::node::Node;
use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

/// A next hop still without address.
#[derive(Debug, Clone)]
pub struct Name {
    pub host: String,
    pub port: u16,
    pub protocol: Protocol,
}

/// Look-ups under way, by ticket.
#[derive(Debug, Default)]
pub struct Lookups {
    waiting: Mutex<HashMap<u64, Lookup>>,
}

#[derive(Debug)]
struct Lookup {
    transaction: TransactionId,
    branch: usize,
    name: Name,
    work: Work,
    /// The answer, kept until the transaction is free.
    hop: Option<Result<Hop, i32>>,
}

#[derive(Debug)]
enum Work {
    Branch(Box<Prepared>),
    Local(Box<LocalRequest>),
}

impl Lookups {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<u64, Lookup>) -> T) -> T {
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// May one more look-up start?
pub fn has_room(node: &Node) -> bool {
    node.states.tm.lookups.with(|waiting| waiting.len()) < LOOKUPS_MAX
}

/// Looks up the next hop of a reserved branch of the run's transaction.
pub fn of_branch(worker: &mut Worker, branch: usize, prepared: Prepared, name: Name) {
    if let Some(transaction) = worker.run.tm.transaction.as_ref().map(|transaction| transaction.id()) {
        start(worker, Lookup { transaction, branch, name, work: Work::Branch(Box::new(prepared)), hop: None });
    }
}

/// Looks up the next hop of a request made here, whose branch 0 is reserved.
pub fn of_local(worker: &mut Worker, transaction: TransactionId, request: LocalRequest, name: Name) {
    start(worker, Lookup { transaction, branch: 0, name, work: Work::Local(Box::new(request)), hop: None });
}

fn start(worker: &mut Worker, lookup: Lookup) {
    // No run waits for this ticket.
    let own = worker.run.ticket;
    let ticket = worker.take_ticket();
    worker.run.ticket = own;
    let (host, port) = (lookup.name.host.clone(), lookup.name.port);
    worker.node.states.tm.lookups.with(|waiting| waiting.insert(ticket, lookup));
    worker.outbox.effects.push(Effect::Resolve { ticket, host, port });
}

/// An answer that no parked run waits for. False: no transaction does either.
pub fn answered(worker: &mut Worker, ticket: u64, answer: Answer) -> bool {
    let addresses = match answer {
        Answer::Addresses(addresses) => addresses,
        Answer::Awake => Vec::new(),
    };
    let node = std::sync::Arc::clone(&worker.node);
    let lookups = &node.states.tm.lookups;
    let transaction = lookups.with(|waiting| {
        let lookup = waiting.get_mut(&ticket)?;
        lookup.hop = Some(next_hop::of_answer(&addresses, lookup.name.port, lookup.name.protocol, &node.sockets));
        Some(lookup.transaction)
    });
    let Some(transaction) = transaction else { return false };
    if !super::deliver(worker, transaction, Event::Other(ticket)) {
        lookups.with(|waiting| waiting.remove(&ticket));
    }
    true
}

/// Goes on with the look-up on the run's transaction.
pub fn resume(worker: &mut Worker, ticket: u64) {
    let node = std::sync::Arc::clone(&worker.node);
    let Some(lookup) = node.states.tm.lookups.with(|waiting| waiting.remove(&ticket)) else { return };
    let Some(transaction) = &worker.run.tm.transaction else { return };
    if !transaction.is_open() {
        return;
    }
    let hop = if transaction.flags.canceled { Err(error::CANCELED) } else { lookup.hop.unwrap_or(Err(error::BAD_ADDRESS)) };
    let sent = hop.and_then(|hop| match &lookup.work {
        Work::Branch(prepared) => send_reserved(worker, lookup.branch, prepared, hop),
        Work::Local(request) => super::local::send_reserved(worker, request, hop),
    });
    let Err(code) = sent else { return };
    worker.log(-1, "tm", &format!("next hop {} cannot be used ({code})", lookup.name.host));
    match lookup.work {
        Work::Local(_) => super::local::complete(worker, status(code), None),
        Work::Branch(_) => fail(worker, lookup.branch, code),
    }
}

fn status(code: i32) -> u16 {
    crate::sl::error_reply(code, "TM").0
}

/// The branch could not go out. It counts as never added: replies that were set aside for it may win again, as when
/// `t_relay` fails at once (spec proxy-core 7.5.5).
fn fail(worker: &mut Worker, branch: usize, code: i32) {
    let node = std::sync::Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let (status, reason) = crate::sl::error_reply(code, "TM");
    transaction.last_error = Some((status, reason.into_boxed_str()));
    if transaction.branches.get(branch).is_some_and(|branch| !branch.is_final() && branch.endpoint.is_none()) {
        transaction.branch_not_sent(now, branch, settings);
    }
    if settings.failure_replies == FailureReplies::DropIfBranchesAdded && transaction.branches.iter().all(|branch| branch.flags.dropped) {
        for branch in transaction.branches.iter_mut().filter(|branch| branch.reply.is_some()) {
            branch.flags.dropped = false;
        }
    }
    let decision = transaction.choose(now, settings, &mut actions);
    perform_all(worker, &actions, None);
    super::relay_reply::carry_out(worker, decision, None);
}
