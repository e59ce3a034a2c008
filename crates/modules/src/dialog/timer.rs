//! Once a second: lifetimes that ran out, calls never answered, keepalive probes, remote memberships (spec dialog 2.5, 2.8, 2.9).

use std::sync::Arc;

use ::dialog::{Change, DialogId, Expiry, ExpiryStep};

use super::{bye_retry, ending, event_route};
use crate::worker::Worker;

/// Most rounds of expiry in one second; each hands out at most `EXPIRIES_PER_CALL_MAX` dialogs.
const ROUNDS_MAX: usize = 64;

/// Called once a second.
pub fn on_timer(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    for complaint in node.states.dialog.take_complaints() {
        worker.log(-1, "dialog", complaint);
    }
    bye_retry::on_timer(worker);
    let now = worker.now;
    for _ in 0..ROUNDS_MAX {
        if node.dialogs.next_deadline().is_none_or(|deadline| deadline > now.time) {
            break;
        }
        let (expiries, probes) = (node.dialogs.expire(now), node.dialogs.keepalives_due(now));
        if expiries.is_empty() && probes.is_empty() {
            break;
        }
        for expiry in expiries {
            expired(worker, expiry);
        }
        for probe in probes {
            ending::keepalive(worker, &probe.request);
        }
    }
    node.dialogs.forget_ended(now);
    node.dialogs.profiles().expire_remote(now.date.seconds());
}

fn expired(worker: &mut Worker, expiry: Expiry) {
    match expiry {
        Expiry::Lifetime { id, timeout_route } => {
            if let Some((_, name)) = timeout_route
                && !event_route::run_timeout(worker, &name, id)
            {
                worker.log(-1, "dialog", &format!("timeout route '{}' not found", String::from_utf8_lossy(&name)));
            }
            lifetime_over(worker, id);
        }
        Expiry::EarlyOver { change } => over(worker, "early", change),
        Expiry::EndRemoved { dialog } => too_old(worker, "delete", dialog.id, &dialog.call_id),
        Expiry::ByeUnanswered { change } => over(worker, "terminating", change),
    }
}

fn lifetime_over(worker: &mut Worker, id: DialogId) {
    let node = Arc::clone(&worker.node);
    match node.dialogs.expiry_decide(worker.now, id) {
        ExpiryStep::Nothing => {}
        ExpiryStep::SendByes { termination } => {
            ending::carry_out(worker, id, termination, b"");
        }
        ExpiryStep::Ended { change } => {
            if let Some(view) = node.dialogs.view(worker.now, id) {
                let line = format!(
                    "dlg timeout - callid: '{}' tags: '{}' '{}' ostate: {}",
                    String::from_utf8_lossy(&view.call_id),
                    String::from_utf8_lossy(&view.caller.tag),
                    String::from_utf8_lossy(&view.callee.tag),
                    change.old.number()
                );
                worker.log(0, "dialog", &line);
            }
            ending::run_route(worker, id, change.route);
            node.dialogs.expiry_finish(worker.now, change);
        }
    }
}

/// A call that nothing else ended: its last route sees it, then it is gone.
fn over(worker: &mut Worker, state: &str, change: Change) {
    let node = Arc::clone(&worker.node);
    let id = change.id;
    if let Some(dialog) = node.dialogs.view(worker.now, id) {
        too_old(worker, state, id, &dialog.call_id);
    }
    ending::run_route(worker, id, change.route);
    node.dialogs.expiry_finish(worker.now, change);
}

fn too_old(worker: &mut Worker, state: &str, dialog: DialogId, call_id: &[u8]) {
    let line = format!("dialog in {state} state is too old ([{dialog}] callid '{}')", String::from_utf8_lossy(call_id));
    worker.log(1, "dialog", &line);
}
