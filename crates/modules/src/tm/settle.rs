//! Taking a transaction into a run and putting it back: what was queued meanwhile is done before it is truly back.

use std::sync::Arc;

use transaction::{Branch, CheckIn, Event, Transaction};

use super::actions::{perform_all, perform_with_message};
use super::data::TransactionData;
use super::reply::LocalReply;
use crate::worker::Worker;

/// Most events done for one transaction in a row before it is put back anyway.
const ROUNDS_MAX: usize = 1_000;

/// Puts a transaction into the run: variables, flags and armed routes come with it.
pub fn attach(worker: &mut Worker, mut transaction: Box<Transaction<TransactionData>>) {
    let run = &mut worker.run;
    std::mem::swap(&mut run.attributes, &mut transaction.data.attributes);
    transaction.data.attributes.clear();
    run.extended_flags = transaction.data.extended_flags;
    run.corex.via_wishes = transaction.data.via_wishes;
    run.corex.via_flags = transaction.data.message_via_flags;
    run.flags = transaction.message_flags;
    run.tm.armed = transaction.armed;
    run.tm.transaction = Some(transaction);
}

/// Takes the transaction out of the run with the variables and flags as they are now.
pub fn detach(worker: &mut Worker) -> Option<Box<Transaction<TransactionData>>> {
    let run = &mut worker.run;
    let mut transaction = run.tm.transaction.take()?;
    std::mem::swap(&mut run.attributes, &mut transaction.data.attributes);
    run.attributes.clear();
    if !run.tm.is_request_run {
        transaction.data.extended_flags = run.extended_flags;
        transaction.message_flags = run.flags;
    }
    transaction.data.via_wishes = run.corex.via_wishes;
    transaction.data.message_via_flags = run.corex.via_flags;
    transaction.data.reply_no_connect |= run.core.hints.reply_no_connect;
    transaction.data.reply_close |= run.core.hints.reply_close;
    Some(transaction)
}

/// Ends the run's work on its transaction: back into the table, queued events done.
pub fn check_in(worker: &mut Worker) {
    if let Some(transaction) = detach(worker) {
        return_transaction(worker, transaction);
    }
}

/// Puts a transaction that is in no run back into the table.
pub fn return_transaction(worker: &mut Worker, transaction: Box<Transaction<TransactionData>>) {
    let node = Arc::clone(&worker.node);
    let mut transaction = transaction;
    for _ in 0..ROUNDS_MAX {
        worker.spares.collect(&mut transaction);
        match node.transactions.check_in(transaction) {
            CheckIn::Done => return,
            CheckIn::Freed(mut ended, _) => {
                crate::dialog::transaction_ended(worker, &mut ended.data);
                worker.spares.keep(ended, TransactionData::renew);
                return;
            }
            CheckIn::Events(held, events) => {
                let run = worker.fresh_run();
                let (held, used) = worker.with_run(run, |worker| {
                    attach(worker, held);
                    for event in events {
                        process_queued(worker, event);
                    }
                    detach(worker)
                });
                worker.recycle(used);
                match held {
                    Some(held) => transaction = held,
                    None => return,
                }
            }
        }
    }
}

/// Does one event on the transaction in the run.
pub fn process_queued(worker: &mut Worker, event: Event) {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    match event {
        Event::Reply { branch, message, source } => {
            worker.run.message = *message;
            worker.run.source = source;
            super::received::process(worker, branch);
        }
        Event::Retransmission => {
            if let Some(transaction) = &worker.run.tm.transaction
                && let Some((endpoint, bytes)) = transaction.on_retransmission().and_then(|buffer| transaction.buffer(buffer))
            {
                worker.outbox.send(endpoint, bytes);
            }
        }
        Event::Acknowledge { message, by_via, .. } => {
            if let Some(transaction) = &mut worker.run.tm.transaction {
                transaction.ack_received(now, &message, by_via, settings);
            }
        }
        Event::Cancel { message, .. } => {
            super::cancel::cancel_held(worker, &message);
        }
        Event::Answer { code, reason, to_tag, headers, body } => {
            let reply = LocalReply { code, reason: reason.as_bytes(), headers: &headers, to_tag: &to_tag, body: &body };
            super::reply::send_reply(worker, reply);
        }
        Event::CancelBranches { branch, cause } => {
            let mut actions = Vec::new();
            if let Some(transaction) = &mut worker.run.tm.transaction {
                let which = branch.map_or(transaction::Which::All, transaction::Which::This);
                let reason = cause.map_or(transaction::CancelReason::None, transaction::CancelReason::Cause);
                transaction.cancel_branches(now, which, reason, settings, &mut actions);
            }
            perform_all(worker, &actions, None);
        }
        Event::Resume { serial, route } => super::failure::resume(worker, serial, script::RouteId(route)),
        Event::Other(token) => match super::failover::unsent_branch(token) {
            Some(branch) => super::failover::after_send_error(worker, branch),
            None => super::lookup::resume(worker, token),
        },
    }
}

/// After the request route: the delayed error reply, release of what leads nowhere, check-in (spec proxy-core 7.3.6).
pub fn finish_request(worker: &mut Worker) {
    if worker.run.tm.transaction.is_none() {
        return;
    }
    let node = Arc::clone(&worker.node);
    let error = std::mem::take(&mut worker.run.tm.delayed_error);
    let has_branches = worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.branches.iter().any(Branch::is_pending));
    // A relay that failed beside one that goes on leaves the answer to that one.
    if error != 0 && !has_branches {
        let (code, reason) = crate::sl::error_reply(error, "TM");
        super::reply_with(worker, code, reason.as_bytes(), &[]);
    }
    let mut actions = Vec::new();
    if let Some(transaction) = &mut worker.run.tm.transaction {
        let leads_nowhere = transaction.branches.is_empty() && transaction.is_open() && !transaction.suspension().is_suspended();
        if leads_nowhere {
            transaction.release(worker.now.time, &node.states.tm.settings, &mut actions);
        }
    }
    perform_with_message(worker, &actions);
    check_in(worker);
}
