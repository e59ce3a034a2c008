//! The next address of a name after one has failed: a further branch with the same request (spec proxy-core 6.5).

use std::sync::Arc;

use sip::header::HeaderId;
use sip::message::Message;
use sip::method::Method;
use transaction::branch_id::read_branch;
use transaction::{BranchId, Event};

use super::local::LocalRequest;
use super::lookup;
use super::sending::{Prepared, reserve, send_reserved};
use crate::blocklist::{self, reason};
use crate::dns::{self, Search, Step};
use crate::next_hop::{NextHop, error};
use crate::worker::Worker;

/// A branch that went to one address of a name, and what its request needs to go to the next.
#[derive(Debug)]
pub struct Fallback {
    branch: usize,
    request: Request,
}

#[derive(Debug)]
enum Request {
    Relayed(Box<Prepared>),
    /// One made here, and how its address was found.
    Own(Box<LocalRequest>, Box<Search>),
}

/// `failover_reply_codes`: final replies besides 503 that make the next address be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyCodes {
    /// First and last status of each range.
    ranges: Vec<(u16, u16)>,
}

impl ReplyCodes {
    /// `code=480;class=6;488`: a status, or all of a class.
    pub fn parse(text: &str) -> Result<ReplyCodes, String> {
        let mut ranges = Vec::new();
        for word in text.split([';', ',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
            let (key, value) = word.split_once('=').unwrap_or(("code", word));
            let range = match (key.trim(), value.trim().parse::<u16>()) {
                ("class", Ok(class @ 3..=6)) => (class * 100, class * 100 + 99),
                ("code", Ok(code @ 300..=699)) => (code, code),
                _ => return Err(format!("failover_reply_codes: `{word}` is neither code=300..699 nor class=3..6")),
            };
            ranges.push(range);
        }
        Ok(ReplyCodes { ranges })
    }

    fn contain(&self, code: u16) -> bool {
        code == 503 || self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }
}

/// Keeps what a branch that was sent needs to try the next address. Nothing for one that did not go to a name.
pub fn remember(worker: &mut Worker, branch: usize, prepared: Prepared) {
    let is_wanted = prepared.search.is_some() && !prepared.is_forced && worker.node.core.dns.tries_next_address();
    if let Some(transaction) = worker.run.tm.transaction.as_mut().filter(|_| is_wanted) {
        transaction.data.fallbacks.push(Fallback { branch, request: Request::Relayed(Box::new(prepared)) });
    }
}

/// As [`remember`] for a request made here.
pub fn remember_own(worker: &mut Worker, branch: usize, request: LocalRequest, search: Search) {
    let is_wanted = worker.node.core.dns.tries_next_address();
    let Some(transaction) = worker.run.tm.transaction.as_mut().filter(|_| is_wanted) else { return };
    if transaction.branches.get(branch).is_some_and(|branch| branch.endpoint.is_some()) {
        transaction.data.fallbacks.push(Fallback { branch, request: Request::Own(Box::new(request), Box::new(search)) });
    }
}

/// `blst_*`: which failures of branches put their destination on the blocklist, and for how long (spec proxy-core 6.6).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// A 503 does.
    pub after_503: bool,
    /// Seconds without a Retry-After (0: not at all), and the bounds of what it says; 0: none above.
    pub default_seconds: u64,
    pub min_seconds: u64,
    pub max_seconds: u64,
    /// Methods whose timeouts count, and that are held back, as bits of their numbers.
    pub methods_add: i64,
    pub methods_lookup: i64,
}

impl Listing {
    /// How long a 503 lists its sender; None: not at all.
    fn seconds_of(&self, reply: &Message) -> Option<u64> {
        let text = reply.header(HeaderId::RetryAfter).map(|header| reply.text(header.value));
        let said = text.and_then(|text| {
            let digits = text.trim_ascii().iter().take_while(|byte| byte.is_ascii_digit()).copied().collect();
            String::from_utf8(digits).ok()?.parse::<u64>().ok()
        });
        let most = if self.max_seconds == 0 { u64::MAX } else { self.max_seconds };
        Some(said.unwrap_or(self.default_seconds).max(self.min_seconds).min(most)).filter(|seconds| *seconds > 0)
    }
}

fn list(worker: &Worker, branch: usize, reasons: u8, seconds: Option<u64>) {
    let endpoint = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.branches.get(branch)?.endpoint);
    if let Some(endpoint) = endpoint {
        blocklist::add(worker, &endpoint, reasons, seconds);
    }
}

/// A final reply came: does it make the branch's next address be tried?
pub fn after_reply(worker: &mut Worker, branch: usize, code: u16) {
    let listing = &worker.node.states.tm.blocklist;
    if code == 503
        && listing.after_503
        && let Some(seconds) = listing.seconds_of(&worker.run.message)
    {
        list(worker, branch, reason::UNAVAILABLE, Some(seconds));
    }
    let waits = |transaction: &transaction::Transaction<super::TransactionData>| {
        transaction.branches.get(branch).is_none_or(|branch| branch.flags.reply_suspended)
    };
    if worker.node.states.tm.failover_codes.contain(code) && !worker.run.tm.transaction.as_deref().is_none_or(waits) {
        after_failure(worker, branch);
    }
}

/// Nobody answered on a branch.
pub fn after_timeout(worker: &mut Worker, branch: usize) {
    let now = worker.now.time;
    let may_be_there = |transaction: &transaction::Transaction<super::TransactionData>| {
        transaction.is_expired(now) || transaction.branches.get(branch).is_none_or(|branch| branch.flags.provisional)
    };
    if worker.run.tm.transaction.as_deref().is_none_or(may_be_there) {
        return;
    }
    let method = worker.run.tm.transaction.as_ref().map_or(Method::Other, |transaction| transaction.method());
    if worker.node.states.tm.blocklist.methods_add & crate::core::symbol_of_method(method) != 0 {
        list(worker, branch, reason::TIMEOUT, None);
    }
    after_failure(worker, branch);
}

/// Marks an event as "the request of this branch did not leave"; tickets of look-ups never have this bit.
const UNSENT: u64 = 1 << 63;

/// The branch of an event about a request that did not leave.
pub fn unsent_branch(token: u64) -> Option<usize> {
    if token & UNSENT != 0 { usize::try_from(token & !UNSENT).ok() } else { None }
}

/// A message did not leave. Its branch fails, if it is the request of one (RFC 3261 §18.4).
pub fn unsent(worker: &mut Worker, bytes: &[u8]) {
    let Ok(message) = Message::from_bytes(bytes) else { return };
    if !message.is_request() || matches!(message.method(), Method::Ack | Method::Cancel) {
        return;
    }
    let Some(via) = message.top_via() else { return };
    if let BranchId::Transaction { id, branch } = read_branch(worker.node.transactions.secret(), via.branch) {
        worker.run.clear();
        super::deliver(worker, id, Event::Other(UNSENT | branch as u64));
    }
}

/// The request of a branch of the run's transaction did not leave: the next address is tried, and the branch ends as one to
/// which nothing could be sent.
pub fn after_send_error(worker: &mut Worker, branch: usize) {
    let is_waiting = |transaction: &transaction::Transaction<super::TransactionData>| {
        transaction.branches.get(branch).is_some_and(|branch| branch.is_underway() && !branch.flags.provisional)
    };
    if !worker.run.tm.transaction.as_deref().is_some_and(is_waiting) {
        return;
    }
    let is_stream = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.branches.get(branch)?.endpoint);
    let is_stream = is_stream.is_some_and(|endpoint| endpoint.protocol.is_reliable());
    list(worker, branch, if is_stream { reason::SEND | reason::CONNECT } else { reason::SEND }, None);
    after_failure(worker, branch);
    let node = Arc::clone(&worker.node);
    if node.states.tm.settings.failure_route_on_send_error {
        // `failure_exec_mode`: its timer lets the branch fail.
        return;
    }
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let (status, reason) = crate::sl::error_reply(error::SEND, "TM");
    transaction.last_error = Some((status, reason.into_boxed_str()));
    let decision = transaction.fail_branch(worker.now.time, branch, status, &node.states.tm.settings, &mut actions);
    super::perform_all(worker, &actions, None);
    super::relay_reply::carry_out(worker, decision, None);
}

fn after_failure(worker: &mut Worker, branch: usize) {
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let fallbacks = &mut transaction.data.fallbacks;
    let Some(place) = fallbacks.iter().position(|fallback| fallback.branch == branch) else { return };
    let fallback = fallbacks.swap_remove(place);
    match fallback.request {
        Request::Relayed(prepared) => {
            instead(worker, *prepared);
        }
        Request::Own(request, search) => {
            own_instead(worker, branch, *request, *search);
        }
    }
}

/// Sends a request made here to the next address that takes it, as it went to the one before but for its Via. True: a branch
/// is under way, or its address is being looked up.
pub fn own_instead(worker: &mut Worker, branch: usize, mut request: LocalRequest, mut search: Search) -> bool {
    let node = Arc::clone(&worker.node);
    let Some(transaction) = &worker.run.tm.transaction else { return false };
    let Some(start) = transaction.branches.get(branch).map(|branch| branch.start.clone()) else { return false };
    request.routed = Some(transaction.request.bytes().to_vec()).filter(|bytes| !bytes.is_empty());
    while may_try(worker) {
        let step = dns::step(worker, &mut search);
        if !matches!(step, Step::Ask(_) | Step::Go(_)) || !lookup::has_room(&node) {
            return false;
        }
        let Some(transaction) = &mut worker.run.tm.transaction else { return false };
        let Ok(index) = transaction.add_branch(start.clone(), &node.states.tm.settings) else { return false };
        let Step::Go(hop) = step else {
            lookup::of_own_branch(worker, index, request, search, step);
            return true;
        };
        if super::local::send_reserved(worker, &request, hop).is_ok() {
            remember_own(worker, index, request, search);
            return true;
        }
        if let Some(transaction) = &mut worker.run.tm.transaction {
            transaction.branch_not_sent(worker.now.time, index, &node.states.tm.settings);
        }
    }
    false
}

/// Sends the request to the next address that takes it, as a new branch. True: one is under way, or its address is being
/// looked up. Bounded by the addresses of a search and the branches of a transaction.
pub fn instead(worker: &mut Worker, mut prepared: Prepared) -> bool {
    let Some(destination) = prepared.search.as_ref().map(|search| search.destination().clone()) else { return false };
    if prepared.is_forced {
        return false;
    }
    prepared.is_further_address = true;
    while may_try(worker) {
        prepared.hop = Ok(NextHop::Name(destination.clone()));
        if let Some(question) = prepared.look_up(worker, None) {
            if !lookup::has_room(&worker.node) {
                return false;
            }
            let Some(prepared) = routed_again(worker, prepared) else { return false };
            let Ok(index) = reserve(worker, &prepared) else { return false };
            lookup::of_branch(worker, index, prepared, question);
            return true;
        }
        let Ok(NextHop::Address(hop)) = prepared.hop else { return false };
        let Some(again) = routed_again(worker, prepared) else { return false };
        prepared = again;
        let Ok(index) = reserve(worker, &prepared) else { return false };
        if send_reserved(worker, index, &prepared, hop).is_ok() {
            remember(worker, index, prepared);
            return true;
        }
    }
    false
}

/// With `reparse_on_dns_failover=0` a further branch is made of the received request, so its branch route runs for it, too.
/// None: the route dropped the branch.
fn routed_again(worker: &mut Worker, former: Prepared) -> Option<Prepared> {
    if worker.node.states.tm.repeats_sent_request {
        return Some(former);
    }
    let transaction = super::settle::detach(worker)?;
    let index = transaction.branches.len();
    let copy = super::failure::copy_of(worker, &transaction);
    let ((again, transaction), used) = worker.with_run(copy, |worker| {
        super::settle::attach(worker, transaction);
        let again = super::relay::prepare_again(worker, &former, index);
        (again, super::settle::detach(worker))
    });
    worker.recycle(used);
    if let Some(transaction) = transaction {
        super::settle::attach(worker, transaction);
    }
    let Prepared { message, target, edits, record_route, .. } = again?;
    Some(Prepared { message, target, edits, record_route, ..former })
}

fn may_try(worker: &Worker) -> bool {
    let node = Arc::clone(&worker.node);
    node.core.dns.tries_next_address()
        && worker
            .run
            .tm
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.is_open() && !transaction.flags.disable_failover && !transaction.flags.canceled)
}

#[cfg(test)]
mod tests;
