//! Received CANCELs (spec proxy-core 7.9).

use std::sync::Arc;

use sip::header::HeaderId;
use sip::message::Message;
use transaction::cancel::INVITE_CANCELED_REASON;
use transaction::{CancelAnswer, Checkout, Event, TransactionId};

use super::actions::perform_all;
use super::create::{Created, create};
use crate::worker::Worker;

/// The INVITE transaction that the run's CANCEL means.
pub fn invite_of(worker: &Worker) -> Option<TransactionId> {
    let node = &worker.node;
    let key = transaction::key::cancelled_key(node.transactions.secret(), &worker.run.message, &node.states.tm.settings)?;
    node.transactions.find_cancelled(&key)
}

/// Cancels the INVITE that the run's CANCEL means and answers the CANCEL. None: there is no such INVITE.
pub fn relay_cancel(worker: &mut Worker) -> Option<i32> {
    let invite = invite_of(worker)?;
    match create(worker) {
        Created::New | Created::Exists => {}
        Created::Retransmission => return Some(1),
        Created::Refused(code) => return Some(code),
    }
    let node = Arc::clone(&worker.node);
    if !node.states.tm.cancels_hop_by_hop && super::cancel_end_to_end::relay(worker, invite) {
        return Some(1);
    }
    let answer = match node.transactions.checkout(invite) {
        Checkout::Gone => CancelAnswer::NothingPending { answer_invite: false },
        Checkout::Taken(transaction) => {
            let cancel = std::mem::take(&mut worker.run.message);
            let run = worker.fresh_run();
            let (answer, used) = worker.with_run(run, |worker| {
                super::settle::attach(worker, transaction);
                let answer = cancel_held(worker, &cancel);
                super::settle::check_in(worker);
                answer
            });
            worker.recycle(used);
            worker.run.message = cancel;
            answer
        }
        Checkout::Busy => {
            let event = Event::Cancel { cancel: None, message: Box::new(worker.run.message.clone()) };
            match node.transactions.queue(invite, event) {
                transaction::Queued::Free(_) => return relay_cancel(worker),
                _ => CancelAnswer::Cancelling { choose: false },
            }
        }
    };
    super::reply_with(worker, 200, answer.reason().as_bytes(), &[]);
    Some(1)
}

/// Cancels the transaction in the run.
pub fn cancel_held(worker: &mut Worker, cancel: &Message) -> CancelAnswer {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    let reasons: Vec<u8> = cancel.headers_of(HeaderId::Reason).flat_map(|header| cancel.text(header.line).to_vec()).collect();
    crate::dialog::cancel_received(worker, cancel);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return CancelAnswer::NothingPending { answer_invite: false } };
    let answer = transaction.cancel_received(now, &reasons, settings, &mut actions);
    perform_all(worker, &actions, None);
    match answer {
        CancelAnswer::NothingPending { answer_invite: true } => {
            super::reply_with(worker, 487, INVITE_CANCELED_REASON.as_bytes(), &[]);
        }
        CancelAnswer::Cancelling { choose: true } => {
            actions.clear();
            let decision = worker.run.tm.transaction.as_mut().map(|transaction| transaction.choose(now, settings, &mut actions));
            perform_all(worker, &actions, None);
            if let Some(decision) = decision {
                super::relay_reply::carry_out(worker, decision, None);
            }
        }
        _ => {}
    }
    answer
}
