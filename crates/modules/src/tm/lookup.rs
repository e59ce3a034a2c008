//! Look-ups of next hops that no script waits for: branches of failure routes, further addresses, requests made here.
//!
//! The branch is reserved in its transaction, so the transaction stays open; the answer sends it or lets it fail.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use transaction::settings::FailureReplies;
use transaction::{Event, TransactionId};

use super::actions::perform_all;
use super::limits::LOOKUPS_MAX;
use super::local::LocalRequest;
use super::sending::{Prepared, send_reserved};
use crate::dns::record::Question;
use crate::dns::{self, Destination, Search, Step};
use crate::next_hop::{Hop, error};
use crate::node::Node;
use crate::run::Answer;
use crate::worker::Worker;

/// Look-ups under way, by ticket.
#[derive(Debug, Default)]
pub struct Lookups {
    waiting: Mutex<HashMap<u64, Lookup>>,
}

#[derive(Debug)]
struct Lookup {
    transaction: TransactionId,
    branch: usize,
    search: Search,
    work: Work,
    /// The result, kept until the transaction is free.
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

/// Goes on with the look-up of a reserved branch of the run's transaction, which has come to a question.
pub fn of_branch(worker: &mut Worker, branch: usize, mut prepared: Prepared, question: Question) {
    let Some(transaction) = worker.run.tm.transaction.as_ref().map(|transaction| transaction.id()) else { return };
    let Some(search) = prepared.search.take() else { return };
    let work = Work::Branch(Box::new(prepared));
    go_on(worker, Lookup { transaction, branch, search: *search, work, hop: None }, Step::Ask(question));
}

/// Looks up the next hop of a request made here, whose branch 0 is reserved.
pub fn of_local(worker: &mut Worker, transaction: TransactionId, request: LocalRequest, destination: Destination) {
    let mut search = dns::search(worker, destination);
    let step = dns::step(worker, &mut search);
    go_on(worker, Lookup { transaction, branch: 0, search, work: Work::Local(Box::new(request)), hop: None }, step);
}

/// Goes on with the look-up of a further branch of a request made here.
pub fn of_own_branch(worker: &mut Worker, branch: usize, request: LocalRequest, search: Search, step: Step) {
    let Some(transaction) = worker.run.tm.transaction.as_ref().map(|transaction| transaction.id()) else { return };
    go_on(worker, Lookup { transaction, branch, search, work: Work::Local(Box::new(request)), hop: None }, step);
}

fn go_on(worker: &mut Worker, mut lookup: Lookup, step: Step) {
    let node = std::sync::Arc::clone(&worker.node);
    let lookups = &node.states.tm.lookups;
    let hop = match step {
        Step::Ask(question) => {
            let ticket = dns::ask_apart(worker, question);
            lookups.with(|waiting| waiting.insert(ticket, lookup));
            return;
        }
        Step::Go(hop) => Ok(hop),
        Step::Unreachable => Err(error::NO_SOCKET),
        Step::Exhausted => Err(error::BAD_ADDRESS),
    };
    lookup.hop = Some(hop);
    let transaction = lookup.transaction;
    // Nothing is asked: the ticket only finds the look-up again once the transaction is free.
    let own = worker.run.ticket;
    let ticket = worker.take_ticket();
    worker.run.ticket = own;
    lookups.with(|waiting| waiting.insert(ticket, lookup));
    if !super::deliver(worker, transaction, Event::Other(ticket)) {
        lookups.with(|waiting| waiting.remove(&ticket));
    }
}

/// An answer that no parked run waits for. False: no transaction does either.
pub fn answered(worker: &mut Worker, ticket: u64, answer: &Answer) -> bool {
    let node = std::sync::Arc::clone(&worker.node);
    let Some(mut lookup) = node.states.tm.lookups.with(|waiting| waiting.remove(&ticket)) else { return false };
    let step = dns::proceed(worker, &mut lookup.search, answer.clone());
    go_on(worker, lookup, step);
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
    let host = lookup.search.destination().host.clone();
    let code = match lookup.work {
        Work::Local(request) => match hop.and_then(|hop| super::local::send_reserved(worker, &request, hop)) {
            Ok(()) => return super::failover::remember_own(worker, lookup.branch, *request, lookup.search),
            Err(code) => {
                let goes_on = code == error::SEND && super::failover::own_instead(worker, lookup.branch, *request, lookup.search);
                if lookup.branch == 0 && !goes_on {
                    super::local::complete(worker, status(code), None);
                } else {
                    fail(worker, lookup.branch, code);
                }
                code
            }
        },
        Work::Branch(mut prepared) => {
            prepared.search = Some(Box::new(lookup.search));
            match hop.and_then(|hop| send_reserved(worker, lookup.branch, &prepared, hop)) {
                Ok(()) => return super::failover::remember(worker, lookup.branch, *prepared),
                Err(code) => {
                    super::failover::instead(worker, *prepared);
                    fail(worker, lookup.branch, code);
                    code
                }
            }
        }
    };
    worker.log(-1, "tm", &format!("next hop {host} cannot be used ({code})"));
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
            // Its failure route has run: it is what asked for the branch that could not go out.
            branch.armed.failure = None;
        }
    }
    let decision = transaction.choose(now, settings, &mut actions);
    perform_all(worker, &actions, None);
    super::relay_reply::carry_out(worker, decision, None);
}
