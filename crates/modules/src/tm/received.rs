//! Received replies: matching, state machine, onreply route, decision (spec proxy-core 7.7).

use std::sync::Arc;

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::{RouteId, vm};
use transaction::{BranchId, Checkout, Delivery, Event, ReplyStep, RoutedReply};

use super::actions::perform_with_message;
use super::relay_reply;
use super::state::ReplyView;
use crate::worker::Worker;

/// What became of a received reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A transaction has it.
    Consumed,
    /// No transaction: forward it statelessly.
    Stateless,
}

/// Gives the reply in the run to its transaction.
pub fn receive_reply(worker: &mut Worker) -> Received {
    let node = Arc::clone(&worker.node);
    node.transactions.statistics().replies_received.add(1);
    let Some(via) = worker.run.message.top_via() else { return Received::Stateless };
    let BranchId::Transaction { id, branch } = transaction::branch_id::read_branch(node.transactions.secret(), via.branch) else {
        return Received::Stateless;
    };
    let id = super::cancel_end_to_end::owner(worker, id);
    let transaction = match node.transactions.checkout(id) {
        Checkout::Taken(transaction) => transaction,
        Checkout::Gone => return Received::Stateless,
        Checkout::Busy => {
            let event = Event::Reply { branch, message: Box::new(worker.run.message.clone()), source: worker.run.source };
            match node.transactions.deliver(id, event) {
                Delivery::Taken(transaction, _) => transaction,
                Delivery::Queued | Delivery::Dropped => return Received::Consumed,
                Delivery::Gone(_) => return Received::Stateless,
            }
        }
    };
    super::settle::attach(worker, transaction);
    let received = process(worker, branch);
    super::settle::check_in(worker);
    received
}

/// A reply that belongs to no transaction: may it be forwarded? `on_sl_reply` says no with `drop` or 0.
pub fn stray_reply_goes_on(worker: &mut Worker) -> bool {
    let Some(route) = worker.node.states.tm.stateless_reply_route else { return true };
    worker.run.route = RouteKind::OnReply;
    worker.run.route_set = Routes::CORE_ONREPLY;
    worker.run_route_id(route).is_none_or(|finish| finish.how != vm::Ended::Drop && finish.code != 0)
}

/// Processes the reply in the run on the transaction in the run.
pub fn process(worker: &mut Worker, index: usize) -> Received {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let now = worker.now.time;
    let mut actions = Vec::new();
    let step = match &mut worker.run.tm.transaction {
        Some(transaction) => transaction.on_reply(now, index, &worker.run.message, settings, &mut actions),
        None => return Received::Stateless,
    };
    perform_with_message(worker, &actions);
    match step {
        ReplyStep::Unmatched => return Received::Stateless,
        ReplyStep::Absorbed => {
            super::local::late_reply(worker);
            return Received::Consumed;
        }
        ReplyStep::Process => {}
    }
    crate::uac::restore_in_reply(worker);
    let route = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.branches.get(index)?.armed.reply);
    route_and_decide(worker, index, route.map(RouteId));
    Received::Consumed
}

/// Goes on with the reply that a branch kept while its script waited; `route` runs first, as a reply route.
pub fn process_kept(worker: &mut Worker, index: usize, route: Option<RouteId>) {
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let Some(branch) = transaction.branches.get_mut(index) else { return };
    let Some(kept) = branch.reply.take() else { return };
    if let Some(endpoint) = branch.endpoint {
        worker.run.source = endpoint;
    }
    worker.run.message = *kept;
    worker.run.edits.clear();
    route_and_decide(worker, index, route);
}

/// Runs the reply route on the run's reply and decides what becomes of it, unless its script waits.
fn route_and_decide(worker: &mut Worker, index: usize, route: Option<RouteId>) {
    let node = Arc::clone(&worker.node);
    forget_kept_provisional(worker, index);
    let is_dropped = run_reply_route(worker, index, route);
    crate::textopsx::commit_status(worker);
    let code = worker.run.message.status();
    if code >= 300 {
        super::failover::after_reply(worker, index, code);
    }
    let mut actions = Vec::new();
    let decision = match &mut worker.run.tm.transaction {
        Some(transaction) if transaction.branches.get(index).is_some_and(|branch| branch.flags.reply_suspended) => return,
        Some(transaction) => {
            let routed = RoutedReply { message: &worker.run.message, code, dropped: is_dropped };
            transaction.decide(worker.now.time, index, routed, &node.states.tm.settings, &mut actions)
        }
        None => return,
    };
    keep_edits(worker, index);
    perform_with_message(worker, &actions);
    relay_reply::carry_out(worker, decision, Some(index));
}

/// The edits of a reply that is kept for the choice are kept with it (spec proxy-core 4.4).
fn keep_edits(worker: &mut Worker, index: usize) {
    let run = &mut worker.run;
    if run.edits.is_empty() {
        return;
    }
    if let Some(branch) = run.tm.transaction.as_mut().and_then(|transaction| transaction.branches.get_mut(index)) {
        branch.reply_edits = branch.reply.is_some().then(|| Box::new(run.edits.clone()));
    }
}

/// A final reply does not wait behind a provisional one.
fn forget_kept_provisional(worker: &mut Worker, index: usize) {
    let now = worker.now.time;
    let is_final = worker.run.message.status() >= 200;
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let kept = transaction.branches.get(index).filter(|branch| branch.flags.reply_suspended);
    if is_final && kept.and_then(|branch| branch.reply.as_ref()).is_some_and(|kept| kept.status() < 200) {
        transaction.resume_reply(now, index);
    }
}

fn script_flags(worker: &mut Worker, branch: usize) -> Option<&mut u32> {
    Some(&mut worker.run.tm.transaction.as_mut()?.branches.get_mut(branch)?.start.script_flags)
}

/// True: the route dropped the reply.
fn run_reply_route(worker: &mut Worker, index: usize, route: Option<RouteId>) -> bool {
    crate::dialog::enter_reply(worker);
    let Some(route) = route else { return false };
    worker.run.route = RouteKind::OnReply;
    worker.run.route_set = Routes::TM_ONREPLY;
    worker.run.tm.reply = ReplyView { branch: Some(index), ..ReplyView::default() };
    // Its branch flags are there too, and what the route makes of them stays (spec proxy-core 7.7.2 e).
    worker.run.target.flags = script_flags(worker, index).map_or(0, |flags| *flags);
    let finish = worker.run_route_id(route);
    let flags = worker.run.target.flags;
    if let Some(kept) = script_flags(worker, index) {
        *kept = flags;
    }
    crate::dialog::leave_reply(worker);
    finish.is_some_and(|finish| finish.how == vm::Ended::Drop)
}
