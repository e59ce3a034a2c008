//! Failure routes, branch-failure routes and resumed routes: scripts on a private copy of the request (spec proxy-core 7.11, 7.14).

use std::sync::Arc;

use script::RouteId;
use script::exports::{Flow, Routes};
use script::syntax::ast::RouteKind;
use transaction::{ResumeStep, Transaction};

use super::data::TransactionData;
use super::state::ReplyView;
use crate::run::Run;
use crate::worker::Worker;

/// What a failure route is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureView {
    pub winner: usize,
    pub code: u16,
}

/// Runs `failure_route[...]` for the winner.
pub fn run(worker: &mut Worker, winner: usize, code: u16, route: RouteId) {
    run_copy(worker, Some(winner), code, route, RouteKind::Failure, Routes::FAILURE);
}

/// Runs `event_route[tm:branch-failure:NAME]` for one branch.
pub fn run_branch_failure(worker: &mut Worker, branch: usize, code: u16, route: RouteId) {
    run_copy(worker, Some(branch), code, route, RouteKind::Event, Routes::BRANCH_FAILURE.or(Routes::FAILURE));
}

/// Goes on with a suspended request at a route, as a failure route does; with a suspended reply as a reply route does.
pub fn resume(worker: &mut Worker, serial: Option<u32>, route: RouteId) {
    let node = Arc::clone(&worker.node);
    let now = worker.now.time;
    if let Some(transaction) = &mut worker.run.tm.transaction
        && let Some(branch) = transaction.suspended_reply()
    {
        let kept = transaction.resume_reply(now, branch);
        if let Some(place) = transaction.branches.get_mut(branch) {
            place.reply = kept;
        }
        return super::received::process_kept(worker, branch, Some(route));
    }
    let step = worker.run.tm.transaction.as_mut().map(|transaction| transaction.resume(serial));
    if step != Some(ResumeStep::Run) {
        return;
    }
    run_copy(worker, None, 0, route, RouteKind::Request, Routes::FAILURE.or(Routes::REQUEST));
    let decision = worker.run.tm.transaction.as_mut().and_then(|transaction| transaction.after_resume(&node.states.tm.settings));
    if let Some(decision) = decision {
        super::relay_reply::carry_out(worker, decision, None);
    }
}

fn run_copy(worker: &mut Worker, branch: Option<usize>, code: u16, route: RouteId, kind: RouteKind, routes: Routes) {
    let Some(mut transaction) = super::settle::detach(worker) else { return };
    super::local::prepare_for_failure_route(&mut transaction);
    let mut copy = copy_of(worker, &transaction);
    copy.is_target_consumed = branch.is_some();
    copy.route = kind;
    copy.route_set = routes;
    let failed = branch.and_then(|index| transaction.branches.get(index));
    copy.tm.reply = ReplyView {
        branch,
        code,
        reason: failed
            .and_then(|branch| branch.reply.as_ref())
            .map_or_else(|| transaction::decision::reason_phrase(code).as_bytes().to_vec(), |reply| reply.reason().to_vec()),
        is_faked: failed.is_none_or(|branch| branch.flags.faked || branch.reply.is_none()),
    };
    copy.target.flags = failed.map_or(0, |branch| branch.start.script_flags);
    copy.tm.winner = failed.and_then(|branch| branch.reply.clone());
    let (transaction, used) = worker.with_run(copy, |worker| {
        super::settle::attach(worker, transaction);
        crate::dialog::enter_reply(worker);
        if kind == RouteKind::Failure {
            // Armed again by the route for its next step (spec proxy-core 7.11).
            worker.run.tm.armed.failure = None;
        }
        worker.run_route_id(route);
        crate::dialog::leave_reply(worker);
        super::settle::detach(worker)
    });
    worker.recycle(used);
    if let Some(transaction) = transaction {
        super::settle::attach(worker, transaction);
    }
}

/// A run on a private copy of the transaction's request, with its destination as it was when the transaction was made.
pub fn copy_of(worker: &mut Worker, transaction: &Transaction<TransactionData>) -> Box<Run> {
    let mut copy = worker.fresh_run();
    copy.message = transaction.request.clone();
    copy.is_faked = true;
    copy.message_number = worker.run.message_number;
    if let Some(source) = transaction.data.source {
        copy.source = source;
    }
    copy.target.uri = transaction.data.request_uri.clone();
    copy.target.next_hop = transaction.data.next_hop.clone();
    copy.target.path = transaction.data.path.clone();
    copy.target.socket = transaction.data.socket;
    copy.reply_headers.clone_from(&transaction.data.reply_headers);
    copy.rr.plan = transaction.data.record_route.clone();
    copy.force_rport = transaction.data.force_rport;
    copy.local_rport = transaction.data.local_rport;
    (copy.advertised_address, copy.advertised_port) = transaction.data.advertised.clone();
    copy
}

/// Sends the branches of the run's message on another transaction (`t_cell_append_branches`).
pub fn append_branches(worker: &mut Worker, transaction: Box<Transaction<TransactionData>>) -> Flow {
    let branches = std::mem::take(&mut worker.run.branches);
    let mut copy = copy_of(worker, &transaction);
    copy.is_target_consumed = true;
    copy.branches = branches;
    copy.route = RouteKind::Failure;
    copy.route_set = Routes::FAILURE;
    let (flow, used) = worker.with_run(copy, |worker| {
        super::settle::attach(worker, transaction);
        let flow = super::relay(worker, super::Forced::default());
        super::settle::check_in(worker);
        flow
    });
    worker.recycle(used);
    flow
}
