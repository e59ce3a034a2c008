//! Carries out what a step of the transaction room asks for: resending, CANCEL, ACK (spec proxy-core 7.9, 7.10).

use std::sync::Arc;

use sip::message::Message;
use transaction::{Action, CancelReason, Transaction};

use super::data::TransactionData;
use crate::node::Node;
use crate::outbox::Outbox;
use crate::worker::Worker;

/// Carries out actions on the run's transaction. `reply`: the reply in hand, which an ACK acknowledges.
pub fn perform_all(worker: &mut Worker, actions: &[Action], reply: Option<&Message>) {
    if actions.is_empty() {
        return;
    }
    let node = Arc::clone(&worker.node);
    let now = worker.now.time;
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return };
    for action in actions {
        perform(&node, now, &mut transaction, *action, reply, &mut worker.outbox);
    }
    worker.run.tm.transaction = Some(transaction);
}

/// Carries out actions with the run's own message as the reply in hand.
pub fn perform_with_message(worker: &mut Worker, actions: &[Action]) {
    if actions.is_empty() {
        return;
    }
    let message = std::mem::take(&mut worker.run.message);
    perform_all(worker, actions, Some(&message));
    worker.run.message = message;
}

/// Carries out one action.
pub fn perform(
    node: &Node,
    now: sip::time::Time,
    transaction: &mut Transaction<TransactionData>,
    action: Action,
    reply: Option<&Message>,
    outbox: &mut Outbox,
) {
    match action {
        Action::Resend(buffer) => {
            if let Some((endpoint, bytes)) = transaction.buffer(buffer) {
                outbox.send(endpoint, bytes);
            }
        }
        Action::Cancel { branch, reason } => send_cancel(node, now, transaction, branch, reason, outbox),
        Action::Acknowledge { branch } => {
            if let (Some(sent), Some(reply)) = (sent_invite(transaction, branch), reply) {
                let start = outbox.bytes.len();
                sip::write_ack(&mut outbox.bytes, &sent, reply);
                finish(transaction, branch, start, outbox);
            }
        }
        Action::AcknowledgeSuccess { branch } => {
            if let (Some(sent), Some(reply)) = (sent_invite(transaction, branch), reply) {
                let start = outbox.bytes.len();
                super::local::write_success_ack(node, &sent, reply, &mut outbox.bytes);
                let usual = transaction.branches.get(branch).and_then(|branch| branch.endpoint);
                match usual {
                    Some(usual) => outbox.send_written(&super::local::success_ack_endpoint(node, &sent, reply, usual), start),
                    None => outbox.bytes.truncate(start),
                }
            }
        }
    }
}

fn sent_invite(transaction: &Transaction<TransactionData>, branch: usize) -> Option<Message> {
    Message::from_bytes(&transaction.branches.get(branch)?.sent).ok()
}

fn finish(transaction: &Transaction<TransactionData>, branch: usize, start: usize, outbox: &mut Outbox) {
    match transaction.branches.get(branch).and_then(|branch| branch.endpoint) {
        Some(endpoint) => outbox.send_written(&endpoint, start),
        None => outbox.bytes.truncate(start),
    }
}

fn send_cancel(
    node: &Node,
    now: sip::time::Time,
    transaction: &mut Transaction<TransactionData>,
    branch: usize,
    reason: CancelReason,
    outbox: &mut Outbox,
) {
    let Some(sent) = sent_invite(transaction, branch) else { return };
    let settings = &node.states.tm.settings;
    let headers = match reason {
        CancelReason::EndToEnd => transaction.cancel_reasons.to_vec(),
        CancelReason::Cause(200) if settings.local_cancel_reason => b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n".to_vec(),
        CancelReason::Cause(code) if settings.local_cancel_reason => format!("Reason: SIP;cause={code}\r\n").into_bytes(),
        CancelReason::Cause(_) | CancelReason::None => Vec::new(),
    };
    let prefix = node.states.tm.additional_cancel_headers.as_deref().unwrap_or_default();
    let start = outbox.bytes.len();
    sip::write_cancel_copying(&mut outbox.bytes, &sent, prefix, &headers);
    let bytes = outbox.bytes.get(start..).unwrap_or_default();
    transaction.cancel_sent(now, branch, bytes);
    finish(transaction, branch, start, outbox);
}
