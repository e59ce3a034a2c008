//! Due timers of transactions (spec proxy-core 7.12).

use std::sync::Arc;

use transaction::{Checkout, TimerStep, TransactionId};

use super::actions::perform_all;
use super::relay_reply::carry_out;
use crate::worker::Worker;

/// Most timer steps of one transaction in a row; each takes at least one timer off.
const STEPS_MAX: usize = 256;

/// Does what is due on one transaction. One that another worker holds is armed again when it comes back.
pub fn on_due(worker: &mut Worker, id: TransactionId) {
    let Checkout::Taken(mut transaction) = worker.node.transactions.checkout(id) else { return };
    if transaction.ends_quietly(worker.now.time) {
        return super::settle::return_transaction(worker, transaction);
    }
    let run = worker.fresh_run();
    let ((), used) = worker.with_run(run, |worker| {
        super::settle::attach(worker, transaction);
        steps(worker);
        super::settle::check_in(worker);
    });
    worker.recycle(used);
}

fn steps(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    let mut actions = Vec::new();
    for _ in 0..STEPS_MAX {
        actions.clear();
        let Some(transaction) = &mut worker.run.tm.transaction else { return };
        let step = transaction.on_timer(now, settings, &mut actions);
        perform_all(worker, &actions, None);
        actions.clear();
        if let TimerStep::BranchTimedOut { branch, .. } = step {
            super::failover::after_timeout(worker, branch);
        }
        let Some(transaction) = &mut worker.run.tm.transaction else { return };
        let decision = match step {
            TimerStep::Idle | TimerStep::Ended => return,
            TimerStep::BranchTimedOut { branch, .. } => transaction.fail_branch(now, branch, 408, settings, &mut actions),
            TimerStep::ReplyResumed { branch } => {
                super::received::process_kept(worker, branch, None);
                continue;
            }
            TimerStep::Stalled => {
                worker.log(-1, "tm", "a transaction had no branch left that could end it; answered with 408");
                if worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.is_local()) {
                    super::local::complete(worker, 408, None);
                } else {
                    super::reply_with(worker, 408, settings.timeout_reason.as_bytes(), &[]);
                }
                continue;
            }
        };
        perform_all(worker, &actions, None);
        carry_out(worker, decision, None);
    }
}
