//! Carries out what a step of the transaction room asks for: resending, CANCEL, ACK (spec proxy-core 7.9, 7.10).

use std::sync::Arc;

use script::syntax::ast::RouteKind;
use sip::FromReceived;
use sip::message::Message;
use transaction::{Action, CancelReason, Endpoint, Transaction};

use super::data::TransactionData;
use super::local_route;
use super::success_ack::{self, Additions};
use crate::node::Node;
use crate::worker::Worker;

/// Carries out actions on the run's transaction. `reply`: the reply in hand, which an ACK acknowledges.
pub fn perform_all(worker: &mut Worker, actions: &[Action], reply: Option<&Message>) {
    if actions.is_empty() {
        return;
    }
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return };
    for action in actions {
        perform(worker, &mut transaction, *action, reply);
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

fn perform(worker: &mut Worker, transaction: &mut Transaction<TransactionData>, action: Action, reply: Option<&Message>) {
    match action {
        Action::Resend(buffer) => {
            if let Some((endpoint, bytes)) = transaction.buffer(buffer) {
                worker.outbox.send(endpoint, bytes);
            }
        }
        Action::Cancel { branch, reason } => send_cancel(worker, transaction, branch, reason),
        Action::Acknowledge { branch } => {
            if let (Some(sent), Some(to), Some(reply)) = (sent_invite(transaction, branch), endpoint(transaction, branch), reply) {
                let start = worker.outbox.bytes.len();
                let node = Arc::clone(&worker.node);
                match from_received(&node, transaction, &sent) {
                    Some(from) => sip::write_ack_from_received(&mut worker.outbox.bytes, from, reply),
                    None => {
                        let prefix = node.states.tm.additional_cancel_headers.as_deref().unwrap_or_default();
                        sip::write_ack(&mut worker.outbox.bytes, &sent, reply, prefix);
                    }
                }
                let is_routed = worker.node.states.tm.routes_ack;
                finish(worker, to, start, is_routed);
            }
        }
        Action::AcknowledgeSuccess { branch } => {
            if let Some(reply) = reply {
                acknowledge_success(worker, transaction, branch, reply, Additions::default());
            }
        }
    }
}

/// Sends the ACK to a 2xx of an INVITE made here. False: the INVITE is not there any more.
pub fn acknowledge_success(
    worker: &mut Worker,
    transaction: &Transaction<TransactionData>,
    branch: usize,
    reply: &Message,
    additions: Additions<'_>,
) -> bool {
    let node = Arc::clone(&worker.node);
    let (Some(sent), Some(invite)) = (sent_invite(transaction, branch), endpoint(transaction, branch)) else { return false };
    let source = worker.run.source.address.port().ne(&0).then_some(worker.run.source);
    let to = success_ack::endpoint(&node, &sent, reply, invite, source);
    let own_branch = success_ack::branch(&node, transaction, branch, worker.random.next_u64());
    let bytes = success_ack::write(&node, &sent, reply, own_branch.as_deref(), to, additions);
    let start = worker.outbox.bytes.len();
    worker.outbox.bytes.extend_from_slice(&bytes);
    if finish(worker, to, start, node.states.tm.routes_ack)
        && let Some(route) = node.states.tm.local_ack_route
        && let Ok(message) = Message::from_bytes(&bytes)
    {
        let mut run = worker.fresh_run();
        run.message = message;
        run.is_faked = true;
        run.route = RouteKind::Event;
        run.route_set = script::exports::Routes::EVENT;
        let (_, used) = worker.with_run(run, |worker| worker.run_route_id(route));
        worker.recycle(used);
    }
    true
}

/// `reparse_invite=0`: headers come from the INVITE as it was received.
fn from_received<'a>(node: &'a Node, transaction: &'a Transaction<TransactionData>, sent_invite: &'a Message) -> Option<FromReceived<'a>> {
    let is_wanted = !node.states.tm.follows_sent_invite && transaction.data.source.is_some();
    let user_agent = if node.core.server_signature { &node.core.user_agent_header[..] } else { b"" };
    is_wanted.then_some(FromReceived { sent_invite, received_invite: &transaction.request, user_agent })
}

fn sent_invite(transaction: &Transaction<TransactionData>, branch: usize) -> Option<Message> {
    Message::from_bytes(&transaction.branches.get(branch)?.sent).ok()
}

fn endpoint(transaction: &Transaction<TransactionData>, branch: usize) -> Option<Endpoint> {
    transaction.branches.get(branch)?.endpoint
}

/// Sends what stands in the outbox since `start`; with `is_routed` the route of local requests may change or drop it.
/// False: dropped.
fn finish(worker: &mut Worker, to: Endpoint, start: usize, is_routed: bool) -> bool {
    if !is_routed || worker.node.states.tm.local_request_route.is_none() {
        worker.outbox.send_written(&to, start);
        return true;
    }
    // What the route itself sends is written first, so these bytes leave the outbox meanwhile.
    let bytes = worker.outbox.bytes.split_off(start);
    let Some(routed) = local_route::run(worker, bytes, b"", to) else { return false };
    worker.outbox.send(&to, &routed.bytes);
    true
}

fn send_cancel(worker: &mut Worker, transaction: &mut Transaction<TransactionData>, branch: usize, reason: CancelReason) {
    let node = Arc::clone(&worker.node);
    let (Some(sent), Some(to)) = (sent_invite(transaction, branch), endpoint(transaction, branch)) else { return };
    let settings = &node.states.tm.settings;
    let headers = match reason {
        CancelReason::EndToEnd => transaction.cancel_reasons.to_vec(),
        CancelReason::Cause(200) if settings.local_cancel_reason => b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n".to_vec(),
        CancelReason::Cause(code) if settings.local_cancel_reason => format!("Reason: SIP;cause={code}\r\n").into_bytes(),
        CancelReason::Cause(_) | CancelReason::None => Vec::new(),
    };
    let start = worker.outbox.bytes.len();
    match from_received(&node, transaction, &sent).filter(|_| !transaction.data.uses_sent_headers) {
        Some(from) => sip::write_cancel_from_received(&mut worker.outbox.bytes, from, &headers),
        None => {
            let prefix = node.states.tm.additional_cancel_headers.as_deref().unwrap_or_default();
            sip::write_cancel_copying(&mut worker.outbox.bytes, &sent, prefix, &headers);
        }
    }
    let is_routed = node.states.tm.routes_cancel && reason != CancelReason::EndToEnd;
    if !is_routed || node.states.tm.local_request_route.is_none() {
        let bytes = worker.outbox.bytes.get(start..).unwrap_or_default();
        transaction.cancel_sent(worker.now.time, branch, bytes);
        worker.outbox.send_written(&to, start);
        return;
    }
    let bytes = worker.outbox.bytes.split_off(start);
    if let Some(routed) = local_route::run(worker, bytes, b"", to) {
        transaction.cancel_sent(worker.now.time, branch, &routed.bytes);
        worker.outbox.send(&to, &routed.bytes);
    }
}
