//! Forwarding: branch routes and next hops of every branch of a relay call (spec proxy-core 7.4 `t_relay`, 7.5).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::RouteId;
use script::exports::{Flow, Routes};
use script::syntax::ast::RouteKind;
use sip::edit::Edits;
use sip::method::Method;
use transaction::Protocol;

use super::create::{Created, create};
use super::failover;
use super::sending::{Marks, Prepared, reserve, send_reserved};
use super::state::ReplyView;
use crate::dns;
use crate::next_hop::{self, NextHop, error};
use crate::run::{Answer, Target};
use crate::worker::Worker;

/// What the caller of a relay function fixed.
#[derive(Debug, Clone, Default)]
pub struct Forced {
    /// Explicit next hop (`t_relay(host, port)`).
    pub hop: Option<NextHop>,
    /// Explicit protocol (`t_relay_to_tcp`).
    pub protocol: Option<Protocol>,
    /// `t_relay_to` flag 1: no automatic 100.
    pub without_100: bool,
    /// `t_relay_to` flag 2: no negative reply by tm itself.
    pub without_reply: bool,
    /// `t_relay_to` flag 4: no other address is tried after a failure.
    pub without_failover: bool,
    /// `t_replicate`: replies are not relayed.
    pub is_copy: bool,
}

/// Branches of one relay call whose addresses are looked up while the script waits.
#[derive(Debug)]
pub struct Pending {
    branches: Vec<Prepared>,
    /// Lowest error so far.
    error: i32,
    without_reply: bool,
}

/// `t_relay()` and its relatives, from request and failure routes.
pub fn relay(worker: &mut Worker, forced: Forced) -> Flow {
    if worker.run.route_set.meets(Routes::FAILURE) {
        return forward(worker, forced);
    }
    if !worker.run.route_set.meets(Routes::REQUEST.or(Routes::EVENT)) {
        worker.log(-1, "tm", "t_relay can be used in request and failure routes only");
        return Flow::Code(-1);
    }
    if worker.run.message.method() == Method::Cancel {
        if let Some(code) = super::relay_cancel(worker) {
            return Flow::Code(code);
        }
        match worker.node.states.tm.unmatched_cancel.load(Ordering::Relaxed) {
            1 => return relay_stray_cancel(worker, &forced),
            2 => return Flow::Code(1),
            _ => {}
        }
    }
    if worker.run.message.method() == Method::Ack {
        return relay_stateless(worker, &forced);
    }
    if worker.run.tm.transaction.is_none() {
        match create(worker) {
            Created::New | Created::Exists => {}
            Created::Retransmission => return Flow::Code(1),
            Created::Refused(code) => return Flow::Code(code),
        }
    }
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.local |= forced.is_copy;
        transaction.flags.disable_failover |= forced.without_failover;
    }
    if !forced.without_100 {
        send_100(worker);
    }
    forward(worker, forced)
}

/// `unmatched_cancel` 1: forwarded without transaction, and the script ends.
fn relay_stray_cancel(worker: &mut Worker, forced: &Forced) -> Flow {
    match relay_stateless(worker, forced) {
        Flow::Code(code) if code > 0 => Flow::Code(0),
        other => other,
    }
}

/// Forwards without a transaction, as an ACK to a 2xx is.
fn relay_stateless(worker: &mut Worker, forced: &Forced) -> Flow {
    match first_hop(worker, &worker.run.target, forced) {
        Ok(hop) => crate::core::forward::request(worker, hop),
        Err(code) => Flow::Code(code),
    }
}

/// The automatic 100 (spec proxy-core 7.6).
pub(crate) fn send_100(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    let wants = node.states.tm.auto_inv_100.load(Ordering::Relaxed)
        && worker.run.tm.transaction.as_ref().is_some_and(|transaction| {
            transaction.is_invite() && transaction.flags.auto_100 && transaction.server.status == 0 && !transaction.is_local()
        });
    if wants {
        super::reply_with(worker, 100, &node.states.tm.auto_inv_100_reason, &[]);
    }
}

fn forward(worker: &mut Worker, forced: Forced) -> Flow {
    if worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.flags.canceled) {
        fail(worker, error::CANCELED, forced.without_reply);
        return Flow::Code(-1);
    }
    let mut targets = take_targets(worker);
    if targets.is_empty() {
        worker.log(-1, "tm", "no branches for forwarding");
        return Flow::Code(fail(worker, -1, forced.without_reply));
    }
    let branches = std::mem::take(&mut worker.scratch.prepared);
    let mut pending = Pending { branches, error: 0, without_reply: forced.without_reply };
    save_edits(worker);
    let branch_route = worker.run.tm.armed.branch.take();
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.armed.branch = None;
    }
    let first_index = worker.run.tm.transaction.as_ref().map_or(0, |transaction| transaction.branches.len());
    for target in targets.drain(..) {
        // A branch that its route drops takes no index.
        let index = first_index + pending.branches.len();
        if let Some(mut prepared) = prepare(worker, target, branch_route.map(RouteId), index, &forced) {
            prepared.is_forced = forced.hop.is_some();
            prepared.branch_route = branch_route.map(RouteId);
            pending.branches.push(prepared);
        } else {
            pending.error = pending.error.min(error::CONFIGURATION);
        }
    }
    worker.scratch.targets = targets;
    crate::uac::keep_for_replies(worker);
    if worker.run.route_set.meets(Routes::FAILURE) {
        // Only the main script of a request can park: here the look-ups go on by themselves.
        return Flow::Code(launch_or_look_up(worker, pending));
    }
    resolve_or_launch(worker, pending, None)
}

/// The request's own target, if it was not used yet, then every appended branch. The list is empty afterwards.
fn take_targets(worker: &mut Worker) -> Vec<Target> {
    let run = &mut worker.run;
    let mut targets = std::mem::take(&mut worker.scratch.targets);
    if !run.is_target_consumed {
        targets.push(run.target.clone());
        run.is_target_consumed = true;
    }
    targets.append(&mut run.branches);
    targets
}

/// The edits of the request route hold for every branch to come (spec proxy-core 4.4).
fn save_edits(worker: &mut Worker) {
    let run = &mut worker.run;
    if run.route_set.meets(Routes::FAILURE) {
        return;
    }
    let Some(transaction) = &mut run.tm.transaction else { return };
    transaction.message_flags = run.flags;
    transaction.data.extended_flags = run.extended_flags;
    if transaction.branches.is_empty() {
        // `msg_apply_changes` and in-place changes after `t_newtran`: the edits fit the message as it is now.
        if transaction.request.bytes() != run.message.bytes() {
            transaction.request.clone_from(&run.message);
        }
        transaction.edits.clone_from(&run.edits);
        transaction.data.record_route.clone_from(&run.rr.plan);
        transaction.data.reply_headers.clone_from(&run.reply_headers);
    }
}

/// Runs the branch route on a branch and finds its next hop. None: the route dropped it.
fn prepare(worker: &mut Worker, target: Target, route: Option<RouteId>, index: usize, forced: &Forced) -> Option<Prepared> {
    let Some(route) = route else {
        let hop = first_hop(worker, &target, forced);
        let plan = worker.run.rr.plan.clone();
        return Some(prepared(worker, target, Edits::default(), plan, hop));
    };
    let outer_target = std::mem::replace(&mut worker.run.target, target);
    let outer_edits = std::mem::take(&mut worker.run.edits);
    let is_step = worker.run.route_set.meets(Routes::FAILURE);
    worker.run.tm.step_edits = is_step.then(|| outer_edits.clone());
    let outer_plan = worker.run.rr.plan.clone();
    let outer_route = (worker.run.route, worker.run.route_set);
    let outer_view = std::mem::replace(&mut worker.run.tm.reply, ReplyView { branch: Some(index), ..ReplyView::default() });
    worker.run.route = RouteKind::Branch;
    worker.run.route_set = Routes::BRANCH;
    worker.run.tm.is_branch_dropped = false;
    let finish = worker.run_route_id(route);
    let is_dropped = finish.is_some_and(|finish| finish.how == script::vm::Ended::Drop) || worker.run.tm.is_branch_dropped;
    worker.run.tm.reply = outer_view;
    (worker.run.route, worker.run.route_set) = outer_route;
    let record_route = std::mem::replace(&mut worker.run.rr.plan, outer_plan);
    let edits = std::mem::replace(&mut worker.run.edits, outer_edits);
    worker.run.tm.step_edits = None;
    let received = worker.run.tm.request_message.take();
    let message = received.map(|received| Box::new(std::mem::replace(&mut worker.run.message, *received)));
    let target = std::mem::replace(&mut worker.run.target, outer_target);
    if is_dropped {
        return None;
    }
    let hop = first_hop(worker, &target, forced);
    Some(Prepared { message, ..prepared(worker, target, edits, record_route, hop) })
}

/// Runs the branch route of a branch again, for the one that takes its place. None: the route dropped it.
pub fn prepare_again(worker: &mut Worker, former: &Prepared, index: usize) -> Option<Prepared> {
    prepare(worker, former.target.clone(), former.branch_route, index, &Forced::default())
}

/// A branch with everything its sending needs, so that it can go out when this run is long over.
fn prepared(worker: &mut Worker, target: Target, edits: Edits, record_route: crate::rr::Plan, hop: Result<NextHop, i32>) -> Prepared {
    let renumbering = crate::dialog::cseq::of_branch(worker);
    let run = &worker.run;
    let step_edits = if run.route_set.meets(Routes::FAILURE) { run.edits.clone() } else { Edits::default() };
    let marks = Marks {
        force_rport: run.force_rport,
        local_rport: run.local_rport,
        advertised: (run.advertised_address.clone(), run.advertised_port),
        hints: run.core.hints,
        via: crate::corex::via::extension(worker),
    };
    Prepared {
        message: None,
        target,
        edits,
        step_edits,
        record_route,
        hop,
        search: None,
        is_further_address: false,
        is_forced: false,
        branch_route: None,
        marks,
        renumbering,
        armed: run.tm.armed,
    }
}

fn first_hop(worker: &Worker, target: &Target, forced: &Forced) -> Result<NextHop, i32> {
    if let Some(hop) = &forced.hop {
        return Ok(hop.clone());
    }
    let path_hop = target.path.as_deref().and_then(first_path_uri);
    let uri = target.next_hop.as_deref().or(path_hop).or(target.uri.as_deref()).unwrap_or_else(|| worker.run.message.request_uri());
    next_hop::of_uri(uri, forced.protocol)
}

fn first_path_uri(path: &[u8]) -> Option<&[u8]> {
    let start = path.iter().position(|byte| *byte == b'<')?;
    let end = path.iter().position(|byte| *byte == b'>')?;
    path.get(start + 1..end)
}

/// Asks what the next missing address needs, or sends everything when none is missing. `answer`: to the last question.
fn resolve_or_launch(worker: &mut Worker, mut pending: Pending, mut answer: Option<Answer>) -> Flow {
    let question = pending.branches.iter_mut().find_map(|branch| match branch.hop {
        Ok(NextHop::Name(_)) => branch.look_up(worker, answer.take()),
        _ => None,
    });
    match question {
        None => Flow::Code(launch_or_look_up(worker, pending)),
        Some(question) => {
            worker.run.tm.pending = Some(pending);
            worker.run.continuation = Some(resolved);
            dns::ask(worker, question);
            Flow::Wait
        }
    }
}

fn resolved(worker: &mut Worker, answer: Answer) -> Flow {
    match worker.run.tm.pending.take() {
        Some(pending) => resolve_or_launch(worker, pending, Some(answer)),
        None => Flow::Code(-1),
    }
}

/// Creates every branch and sends it; one whose address is missing is sent by the answer to its look-up.
/// 1 when at least one went out or will.
fn launch_or_look_up(worker: &mut Worker, mut pending: Pending) -> i32 {
    let mut lowest = pending.error;
    let mut underway = 0_usize;
    for prepared in pending.branches.drain(..) {
        match launch(worker, prepared) {
            Ok(()) => underway += 1,
            Err(code) => lowest = lowest.min(code),
        }
    }
    worker.scratch.prepared = pending.branches;
    if underway > 0 {
        return 1;
    }
    fail(worker, lowest, pending.without_reply)
}

fn launch(worker: &mut Worker, mut prepared: Prepared) -> Result<(), i32> {
    if let Some(question) = prepared.look_up(worker, None) {
        if !super::lookup::has_room(&worker.node) {
            return Err(error::BAD_ADDRESS);
        }
        let index = reserve(worker, &prepared)?;
        super::lookup::of_branch(worker, index, prepared, question);
        return Ok(());
    }
    let NextHop::Address(hop) = prepared.hop.clone()? else { return Err(error::BAD_ADDRESS) };
    let index = reserve(worker, &prepared)?;
    match send_reserved(worker, index, &prepared, hop) {
        Ok(()) => {
            failover::remember(worker, index, prepared);
            Ok(())
        }
        Err(_) if failover::instead(worker, prepared) => Ok(()),
        Err(code) => Err(code),
    }
}

/// Remembers the error for the reply at the end of the script; what the function returns.
fn fail(worker: &mut Worker, code: i32, without_reply: bool) -> i32 {
    let code = if code == 0 { -1 } else { code };
    worker.run.last_error = code;
    if worker.run.route_set.meets(Routes::FAILURE) {
        if let Some(transaction) = &mut worker.run.tm.transaction {
            let (status, reason) = crate::sl::error_reply(code, "TM");
            transaction.last_error = Some((status, reason.into_boxed_str()));
        }
        return -1;
    }
    let is_silent = without_reply || worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.flags.disable_internal_reply);
    if is_silent {
        return -4;
    }
    if worker.node.states.tm.delayed_reply {
        worker.run.tm.delayed_error = code;
    } else {
        let (status, reason) = crate::sl::error_reply(code, "TM");
        worker.run.is_replied = super::reply_with(worker, status, reason.as_bytes(), &[]);
    }
    // The script sees no reason when a request was built and could not leave.
    if code == error::SEND { -1 } else { code }
}

/// The run wants to wait and cannot, because too many wait already: its request is answered with 503 (invariant A6).
pub fn refuse_waiting(worker: &mut Worker) {
    if worker.run.tm.pending.take().is_none() || worker.run.is_replied {
        return;
    }
    let headers = super::create::retry_after();
    if super::has_transaction(worker) {
        worker.run.is_replied = super::reply_with(worker, 503, b"Service Unavailable", headers.as_bytes());
    }
}
