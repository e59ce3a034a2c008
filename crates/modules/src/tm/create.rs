//! Creating and finding server transactions for received requests (spec proxy-core 7.2, 7.3).

use std::sync::Arc;

use script::value::Value;
use sip::method::Method;
use transaction::{Checkout, Creation, Delivery, Event, Key, Transaction, TransactionId};

use super::data::TransactionData;
use super::limits::RETRY_AFTER_SECONDS;
use crate::next_hop::error;
use crate::sl;
use crate::worker::Worker;

/// What `create` found or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// A new transaction, now held by the run.
    New,
    /// The run has one already.
    Exists,
    /// The request came before; its last reply was sent again.
    Retransmission,
    /// Not possible: internal error code.
    Refused(i32),
}

/// Makes the transaction of the run's request, once.
pub fn create(worker: &mut Worker) -> Created {
    if worker.run.tm.transaction.is_some() {
        return Created::Exists;
    }
    let method = worker.run.message.method();
    if !worker.run.message.is_request() || method == Method::Ack {
        return Created::Refused(-1);
    }
    if worker.run.message.check_relayable().is_err() {
        return Created::Refused(error::BAD_REQUEST);
    }
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let Some(key) = request_key(worker) else {
        return Created::Refused(-9);
    };
    let route = sl::reply_endpoint(&node, &worker.run);
    let message = &worker.run.message;
    match node.transactions.create(&key, worker.now.time, route, settings, message, &mut worker.spares) {
        Creation::New(transaction) => {
            adopt(worker, transaction);
            crate::dialog::transaction_created(worker);
            Created::New
        }
        Creation::Exists(id) => {
            resend(worker, id);
            crate::dialog::transaction_exists(worker);
            Created::Retransmission
        }
        Creation::Full => {
            refuse(worker);
            Created::Refused(error::NO_ROOM)
        }
    }
}

/// The header of a 503 that a full table causes.
pub fn retry_after() -> String {
    format!("Retry-After: {RETRY_AFTER_SECONDS}\r\n")
}

/// No room for one more transaction: 503 without one (invariant A6).
fn refuse(worker: &mut Worker) {
    worker.log(-1, "tm", "the transaction table is full, the request is refused with 503");
    let own = worker.run.reply_headers.len();
    worker.run.reply_headers.extend_from_slice(retry_after().as_bytes());
    sl::reply(worker, 503, b"Service Unavailable");
    worker.run.reply_headers.truncate(own);
}

/// Takes over into the new transaction what the script has set for the message so far.
fn adopt(worker: &mut Worker, mut transaction: Box<Transaction<TransactionData>>) {
    let run = &mut worker.run;
    let tm = &mut run.tm;
    transaction.armed = tm.armed;
    let mut timers = tm.timers;
    let state = &worker.node.states.tm;
    for (place, name) in [
        (&mut timers.final_response, &state.final_response_variable),
        (&mut timers.final_response_invite, &state.final_response_invite_variable),
    ] {
        if let (0, Some(name)) = (*place, name) {
            *place = seconds(&run.attributes.avps.read(name, None)).saturating_mul(1_000);
        }
    }
    transaction.change_retransmission(timers.retransmit_first, timers.retransmit_longest);
    transaction.change_lifetime(timers.lifetime_invite, timers.lifetime_other);
    transaction.change_final_response(worker.now.time, timers.final_response_invite, timers.final_response);
    let flags = &mut transaction.flags;
    for (place, wanted) in [
        (&mut flags.auto_100, tm.auto_100),
        (&mut flags.disable_6xx, tm.disable_6xx),
        (&mut flags.disable_internal_reply, tm.disable_internal_reply),
        (&mut flags.no_cancel_reason, tm.no_cancel_reason),
        (&mut flags.disable_failover, tm.disable_failover),
        (&mut flags.no_auto_ack, tm.no_auto_ack),
    ] {
        if let Some(wanted) = wanted {
            *place = wanted;
        }
    }
    transaction.message_flags = run.flags;
    tm.is_request_run = true;
    let data = &mut transaction.data;
    data.extended_flags = run.extended_flags;
    data.uses_sent_headers = tm.uses_sent_headers;
    data.source = Some(run.source);
    data.request_uri = run.target.uri.clone();
    data.next_hop = run.target.next_hop.clone();
    data.path = run.target.path.clone();
    data.socket = run.target.socket;
    data.record_route.clone_from(&run.rr.plan);
    data.force_rport = run.force_rport;
    data.local_rport = run.local_rport;
    data.advertised = (run.advertised_address.clone(), run.advertised_port);
    run.tm.transaction = Some(transaction);
}

/// A number of seconds in a variable; 0 when it holds none.
fn seconds(value: &Value) -> u32 {
    match value {
        Value::Integer(number) => u32::try_from(*number).unwrap_or(0),
        Value::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        _ => 0,
    }
}

/// Is the run's request one that came before? Then its last reply is sent again.
pub fn absorb_retransmission(worker: &mut Worker) -> bool {
    worker.run.tm.key = request_key(worker);
    match find(worker) {
        Some(id) => {
            resend(worker, id);
            true
        }
        None => false,
    }
}

fn find(worker: &Worker) -> Option<TransactionId> {
    worker.node.transactions.find(&request_key(worker)?)
}

/// The kept key, else the one of the message as it is now.
fn request_key(worker: &Worker) -> Option<Key> {
    let node = &worker.node;
    let made = || transaction::key::request_key(node.transactions.secret(), &worker.run.message, &node.states.tm.settings);
    worker.run.tm.key.or_else(made)
}

/// Is there a transaction for the run's request, whoever holds it?
pub fn exists(worker: &Worker) -> bool {
    worker.run.tm.transaction.is_some() || find(worker).is_some()
}

/// Takes the transaction of the run's request into the run.
pub fn lookup_request(worker: &mut Worker) -> bool {
    let Some(id) = find(worker) else { return false };
    match worker.node.transactions.checkout(id) {
        Checkout::Taken(transaction) => {
            let flags = (worker.run.flags, worker.run.extended_flags);
            super::settle::attach(worker, transaction);
            (worker.run.flags, worker.run.extended_flags) = flags;
            worker.run.tm.is_request_run = true;
            true
        }
        Checkout::Busy | Checkout::Gone => false,
    }
}

fn resend(worker: &mut Worker, id: TransactionId) {
    let node = Arc::clone(&worker.node);
    if let Delivery::Taken(transaction, _) = node.transactions.deliver(id, Event::Retransmission) {
        if let Some((endpoint, bytes)) = transaction.on_retransmission().and_then(|buffer| transaction.buffer(buffer)) {
            worker.outbox.send(endpoint, bytes);
        }
        super::settle::return_transaction(worker, transaction);
    }
}

/// An ACK before the script: true when it acknowledges a reply made here and goes no further (spec proxy-core 7.10).
pub fn absorb_ack(worker: &mut Worker) -> bool {
    let node = Arc::clone(&worker.node);
    let secret = node.transactions.secret();
    let settings = &node.states.tm.settings;
    let key = transaction::key::request_key(secret, &worker.run.message, settings);
    let by_via = key.and_then(|key| node.transactions.find(&key));
    if let Some(id) = by_via
        && acknowledge(worker, id, true)
    {
        return true;
    }
    let call = key.map(|key| key.call).or_else(|| transaction::key::call_hash(secret, &worker.run.message));
    let Some(call) = call else { return false };
    let mut candidates = std::mem::take(&mut worker.scratch.transactions);
    node.transactions.find_by_call(call, Method::Invite, &mut candidates);
    let is_ours = candidates.drain(..).filter(|id| Some(*id) != by_via).any(|id| acknowledge(worker, id, false));
    worker.scratch.transactions = candidates;
    is_ours
}

fn acknowledge(worker: &mut Worker, id: TransactionId, by_via: bool) -> bool {
    let node = Arc::clone(&worker.node);
    let mut transaction = match node.transactions.checkout(id) {
        Checkout::Taken(transaction) => transaction,
        Checkout::Gone => return false,
        Checkout::Busy => {
            let event = Event::Acknowledge { message: Box::new(worker.run.message.clone()), by_via, source: worker.run.source };
            match node.transactions.deliver(id, event) {
                Delivery::Taken(transaction, _) => transaction,
                // The holder decides; an ACK found by its Via belongs to a failure reply as a rule.
                Delivery::Queued => return by_via,
                Delivery::Dropped | Delivery::Gone(_) => return false,
            }
        }
    };
    let step = transaction.ack_received(worker.now.time, &worker.run.message, by_via, &node.states.tm.settings);
    super::settle::return_transaction(worker, transaction);
    matches!(step, transaction::AckStep::Absorbed { .. })
}
