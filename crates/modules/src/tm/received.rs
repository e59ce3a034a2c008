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
        ReplyStep::Absorbed => return Received::Consumed,
        ReplyStep::Process => {}
    }
    let is_dropped = run_reply_route(worker, index);
    crate::textopsx::commit_status(worker);
    let code = worker.run.message.status();
    actions.clear();
    let decision = match &mut worker.run.tm.transaction {
        Some(transaction) => {
            let routed = RoutedReply { message: &worker.run.message, code, dropped: is_dropped };
            transaction.decide(now, index, routed, settings, &mut actions)
        }
        None => return Received::Consumed,
    };
    perform_with_message(worker, &actions);
    relay_reply::carry_out(worker, decision, Some(index));
    Received::Consumed
}

/// `onreply_route[NAME]` of the branch. True: it dropped the reply.
fn run_reply_route(worker: &mut Worker, index: usize) -> bool {
    crate::dialog::enter_reply(worker);
    let route = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.branches.get(index)?.armed.reply);
    let Some(route) = route else { return false };
    worker.run.route = RouteKind::OnReply;
    worker.run.route_set = Routes::TM_ONREPLY;
    worker.run.tm.reply = ReplyView { branch: Some(index), ..ReplyView::default() };
    let finish = worker.run_route_id(RouteId(route));
    crate::dialog::leave_reply(worker);
    finish.is_some_and(|finish| finish.how == vm::Ended::Drop)
}
