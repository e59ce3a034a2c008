//! Carries out decisions about replies: relays, local replies, merged challenges, failure routes (spec proxy-core 7.8).

use std::sync::Arc;

use sip::edit::Edits;
use sip::header::HeaderId;
use sip::message::Message;
use transaction::{Decision, Origin, Protocol, SentReply};

use super::actions::perform_with_message;
use super::failure;
use crate::core::Hints;
use crate::worker::Worker;

/// Most decisions in a row: each failure route can lead to another one only by adding branches, which are bounded.
const DECISIONS_MAX: usize = 64;

/// Carries out a decision and those that follow. `in_hand`: the branch whose reply is the run's message.
pub fn carry_out(worker: &mut Worker, decision: Decision, in_hand: Option<usize>) {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let mut decision = decision;
    for _ in 0..DECISIONS_MAX {
        let mut actions = Vec::new();
        let now = worker.now.time;
        decision = match decision {
            Decision::Relay { branch } => return relay(worker, branch, in_hand),
            Decision::RelayLocal { code, reason, .. } => return answer(worker, code, reason.as_bytes(), &[]),
            Decision::AggregateChallenges { code, .. } => {
                let challenges = challenges(worker);
                let reason: &[u8] = if code == 401 { b"Unauthorized" } else { b"Proxy Authentication Required" };
                return answer(worker, code, reason, &challenges);
            }
            Decision::Store | Decision::Discard | Decision::Silent => return,
            Decision::BranchFailureRoute { branch, code, route } => {
                failure::run_branch_failure(worker, branch, code, script::RouteId(route));
                let Some(transaction) = &mut worker.run.tm.transaction else { return };
                transaction.choose(now, settings, &mut actions)
            }
            Decision::FailureRoute { winner, code, route } => {
                if let Some(route) = route {
                    failure::run(worker, winner, code, script::RouteId(route));
                }
                let Some(transaction) = &mut worker.run.tm.transaction else { return };
                transaction.after_failure_route(settings)
            }
        };
        perform_with_message(worker, &actions);
    }
}

/// A reply made here, or the outcome of a local request.
fn answer(worker: &mut Worker, code: u16, reason: &[u8], headers: &[u8]) {
    if worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.is_local()) {
        super::local::complete(worker, code, None);
        return;
    }
    super::reply_with(worker, code, reason, headers);
}

/// WWW- and Proxy-Authenticate lines of every branch that challenged, each once.
fn challenges(worker: &Worker) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let Some(transaction) = &worker.run.tm.transaction else { return Vec::new() };
    for (_, branch) in transaction::pick_reply::challenges(&transaction.branches) {
        let Some(reply) = &branch.reply else { continue };
        for id in [HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate] {
            for header in reply.headers_of(id) {
                let line = reply.text(header.line).to_vec();
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    lines.concat()
}

/// Relays the reply of a branch: the one in hand, or the one kept on the branch.
fn relay(worker: &mut Worker, branch: usize, in_hand: Option<usize>) {
    let is_local = worker.run.tm.transaction.as_ref().is_none_or(|transaction| transaction.is_local());
    if in_hand == Some(branch) {
        let message = std::mem::take(&mut worker.run.message);
        let edits = std::mem::take(&mut worker.run.edits);
        send(worker, &message, &edits, branch, is_local);
        worker.run.message = message;
        worker.run.edits = edits;
        return;
    }
    let kept = worker.run.tm.transaction.as_mut().and_then(|transaction| transaction.branches.get_mut(branch)?.reply.take());
    if let Some(kept) = kept {
        let edits = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.branches.get(branch)?.reply_edits.clone());
        send(worker, &kept, edits.as_deref().unwrap_or(&Edits::default()), branch, is_local);
        if let Some(place) = worker.run.tm.transaction.as_mut().and_then(|transaction| transaction.branches.get_mut(branch)) {
            place.reply = Some(kept);
        }
    }
}

fn send(worker: &mut Worker, message: &Message, edits: &Edits, branch: usize, is_local: bool) {
    let node = Arc::clone(&worker.node);
    let code = message.status();
    if is_local {
        super::local::complete(worker, code, Some(message));
        return;
    }
    crate::dialog::reply_ready(worker, code, Some(message), Some(branch));
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return };
    let Some(route) = transaction.server.reply_route else {
        worker.run.tm.transaction = Some(transaction);
        return;
    };
    let mut start = worker.outbox.bytes.len();
    sip::write_reply_relay(&mut worker.outbox.bytes, message, &[edits], route.protocol != Protocol::Udp);
    let passes = crate::core::forward::reply_passes_onsend(worker, message, route, &mut start);
    let mut actions = Vec::new();
    // A reply that `onsend_route` drops counts as sent, and nothing is kept to be sent again.
    let bytes = worker.outbox.bytes.get(start..).filter(|_| passes).unwrap_or_default();
    let is_sent = {
        let sent = SentReply { code, origin: Origin::Relayed, bytes, to_tag: message.to_tag() };
        transaction.reply_sent(worker.now.time, sent, &node.states.tm.settings, &mut actions)
    };
    if is_sent && passes {
        let connecting = super::reply::connecting(&transaction.data, &Hints::default(), code);
        worker.outbox.send_written_with(&route, start, connecting);
        node.transactions.statistics().reply_sent(false);
        node.states.core.counters.forwarded_reply();
    } else if passes {
        worker.outbox.bytes.truncate(start);
    }
    worker.run.tm.transaction = Some(transaction);
    super::actions::perform_all(worker, &actions, Some(message));
}
