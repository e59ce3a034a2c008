//! Forwarding: branch routes, next hops, building and sending every branch (spec proxy-core 7.4 `t_relay`, 7.5).

use std::sync::Arc;

use script::exports::{Flow, Routes};
use script::syntax::ast::RouteKind;
use script::{RouteId, value::Text};
use sip::edit::Edits;
use sip::method::Method;
use transaction::{AddBranchError, BranchStart, Endpoint, Protocol};

use super::create::{Created, create};
use super::state::ReplyView;
use crate::next_hop::{self, Hop, NextHop, error};
use crate::outbox::Effect;
use crate::outgoing::Outgoing;
use crate::rr::Plan;
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
    /// `t_replicate`: replies are not relayed.
    pub is_copy: bool,
}

/// One branch between its branch route and its sending.
#[derive(Debug)]
struct Prepared {
    target: Target,
    edits: Edits,
    record_route: Plan,
    hop: Result<NextHop, i32>,
}

/// Branches of one relay call.
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
        match worker.node.states.tm.unmatched_cancel {
            1 => return relay_stateless(worker, &forced),
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
    }
    if !forced.without_100 {
        send_100(worker);
    }
    forward(worker, forced)
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
    let wants = node.states.tm.auto_inv_100
        && worker.run.tm.transaction.as_ref().is_some_and(|transaction| {
            transaction.is_invite() && transaction.flags.auto_100 && transaction.server.status == 0 && !transaction.is_local()
        });
    if wants {
        super::reply_with(worker, 100, &node.states.tm.auto_inv_100_reason, &[]);
    }
}

fn forward(worker: &mut Worker, forced: Forced) -> Flow {
    let targets = take_targets(worker);
    if targets.is_empty() {
        worker.log(-1, "tm", "no branches for forwarding");
        return Flow::Code(fail(worker, error::CONFIGURATION, forced.without_reply));
    }
    let mut pending = Pending { branches: Vec::with_capacity(targets.len()), error: 0, without_reply: forced.without_reply };
    save_edits(worker);
    let branch_route = worker.run.tm.armed.branch.take();
    let first_index = worker.run.tm.transaction.as_ref().map_or(0, |transaction| transaction.branches.len());
    for (offset, target) in targets.into_iter().enumerate() {
        if let Some(prepared) = prepare(worker, target, branch_route.map(RouteId), first_index + offset, &forced) {
            pending.branches.push(prepared);
        } else {
            pending.error = pending.error.min(error::CONFIGURATION);
        }
    }
    resolve_or_launch(worker, pending)
}

/// The request's own target, if it was not used yet, then every appended branch. The list is empty afterwards.
fn take_targets(worker: &mut Worker) -> Vec<Target> {
    let run = &mut worker.run;
    let mut targets = Vec::with_capacity(1 + run.branches.len());
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
    if let Some(transaction) = &mut run.tm.transaction {
        if transaction.branches.is_empty() {
            transaction.edits = run.edits.clone();
            transaction.data.record_route = run.rr.plan.clone();
        }
    }
}

/// Runs the branch route on a branch and finds its next hop. None: the route dropped it.
fn prepare(worker: &mut Worker, target: Target, route: Option<RouteId>, index: usize, forced: &Forced) -> Option<Prepared> {
    let Some(route) = route else {
        let hop = first_hop(worker, &target, forced);
        return Some(Prepared { target, edits: Edits::default(), record_route: worker.run.rr.plan.clone(), hop });
    };
    let outer_target = std::mem::replace(&mut worker.run.target, target);
    let outer_edits = std::mem::take(&mut worker.run.edits);
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
    let target = std::mem::replace(&mut worker.run.target, outer_target);
    if is_dropped {
        return None;
    }
    let hop = first_hop(worker, &target, forced);
    Some(Prepared { target, edits, record_route, hop })
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

/// Asks for the next missing address, or sends everything when none is missing.
fn resolve_or_launch(worker: &mut Worker, pending: Pending) -> Flow {
    let name = pending.branches.iter().find_map(|branch| match &branch.hop {
        Ok(NextHop::Name { host, port, .. }) => Some((host.clone(), *port)),
        _ => None,
    });
    match name {
        None => Flow::Code(launch(worker, pending)),
        Some((host, port)) => {
            worker.run.tm.pending = Some(pending);
            worker.run.continuation = Some(resolved);
            let ticket = worker.take_ticket();
            worker.outbox.effects.push(Effect::Resolve { ticket, host, port });
            Flow::Wait
        }
    }
}

fn resolved(worker: &mut Worker, answer: Answer) -> Flow {
    let Some(mut pending) = worker.run.tm.pending.take() else { return Flow::Code(-1) };
    let addresses = match answer {
        Answer::Addresses(addresses) => addresses,
        Answer::Awake => Vec::new(),
    };
    let asked = pending.branches.iter().find_map(|branch| match &branch.hop {
        Ok(NextHop::Name { host, .. }) => Some(host.clone()),
        _ => None,
    });
    for branch in &mut pending.branches {
        if let Ok(NextHop::Name { host, port, protocol }) = &branch.hop {
            if Some(host) == asked.as_ref() {
                branch.hop = next_hop::of_answer(&addresses, *port, *protocol, &worker.node.sockets).map(NextHop::Address);
            }
        }
    }
    resolve_or_launch(worker, pending)
}

/// Creates every branch, builds and sends it. 1 when at least one went out.
fn launch(worker: &mut Worker, pending: Pending) -> i32 {
    let mut lowest = pending.error;
    let mut sent = 0_usize;
    for prepared in pending.branches {
        match send_branch(worker, prepared) {
            Ok(()) => sent += 1,
            Err(code) => lowest = lowest.min(code),
        }
    }
    if sent > 0 {
        return 1;
    }
    fail(worker, lowest, pending.without_reply)
}

fn send_branch(worker: &mut Worker, prepared: Prepared) -> Result<(), i32> {
    let hop = match prepared.hop.clone()? {
        NextHop::Address(hop) => hop,
        NextHop::Name { .. } => return Err(error::BAD_ADDRESS),
    };
    let node = Arc::clone(&worker.node);
    let received_on = worker.run.tm.transaction.as_ref().and_then(|transaction| transaction.data.source).map(|source| source.socket);
    let to = endpoint(&node, hop, &prepared.target, received_on)?;
    let now = worker.now.time;
    let settings = &node.states.tm.settings;
    let armed = worker.run.tm.armed;
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return Err(error::BAD_REQUEST) };
    let uri = prepared.target.uri.clone().unwrap_or_else(|| Text::from(transaction.request.request_uri()));
    let bytes_of = |text: &Option<Text>| text.as_deref().map_or_else(Default::default, |text| text.to_vec().into_boxed_slice());
    let start = BranchStart {
        request_uri: uri.to_vec().into_boxed_slice(),
        destination_uri: bytes_of(&prepared.target.next_hop),
        path: bytes_of(&prepared.target.path),
        instance: bytes_of(&prepared.target.instance),
        ruid: bytes_of(&prepared.target.ruid),
        user_agent: bytes_of(&prepared.target.user_agent),
        script_flags: prepared.target.flags,
        armed,
    };
    let index = match transaction.add_branch(start, settings) {
        Ok(index) => index,
        Err(refused) => {
            worker.run.tm.transaction = Some(transaction);
            return Err(match refused {
                AddBranchError::Canceled => error::CANCELED,
                AddBranchError::Final => -1,
                AddBranchError::TooMany => -12,
            });
        }
    };
    let mut branch = Vec::with_capacity(64);
    transaction::branch_id::write_branch(&mut branch, node.transactions.secret(), transaction.id(), transaction.call(), index);
    let mut scratch = std::mem::take(&mut worker.run.tm.scratch);
    let from = worker.outbox.bytes.len();
    {
        let in_failure = worker.run.route_set.meets(Routes::FAILURE);
        let shared: [&Edits; 3] = [&transaction.edits, &worker.run.edits, &prepared.edits];
        let edits: &[&Edits] = if in_failure { &shared } else { &[shared[0], shared[2]] };
        let data = &transaction.data;
        let outgoing = Outgoing {
            message: &transaction.request,
            edits,
            uri: &uri,
            path: prepared.target.path.as_deref(),
            record_route: &prepared.record_route,
            source: data.source,
            to,
            branch: &branch,
            force_rport: data.force_rport || worker.run.force_rport,
            local_rport: data.local_rport || worker.run.local_rport,
            advertised: (worker.run.advertised_address.as_deref(), worker.run.advertised_port),
        };
        outgoing.write(&node, &mut worker.outbox.bytes, &mut scratch);
    }
    let mut to = to;
    let length = worker.outbox.bytes.len() - from;
    if node.core.udp_mtu > 0 && node.core.udp_mtu_try_tcp && to.protocol == Protocol::Udp && length > node.core.udp_mtu {
        to = switch_to_tcp(worker, &node, &transaction, &prepared, to, from, &branch, &uri, &mut scratch);
    }
    worker.run.tm.scratch = scratch;
    let added = prepared.record_route.header_count(&node, transaction.data.source.map_or(0, |source| source.socket), to.socket);
    if let Some(branch) = transaction.branches.get_mut(index) {
        branch.flags.record_routed = added > 0;
        branch.flags.record_routed_twice = added > 1;
    }
    let Some(from) = pass_onsend(worker, to, from) else {
        transaction.branch_not_sent(now, index, settings);
        worker.run.tm.transaction = Some(transaction);
        return Err(error::SEND);
    };
    let bytes = worker.outbox.bytes.get(from..).unwrap_or_default();
    transaction.branch_sent(now, index, to, bytes);
    worker.outbox.send_written(&to, from);
    node.states.core.counters.forwarded_request();
    worker.run.tm.transaction = Some(transaction);
    Ok(())
}

/// Shows the bytes written since `from` to `onsend_route`, if there is one. Where they stand afterwards; None: dropped.
fn pass_onsend(worker: &mut Worker, to: Endpoint, from: usize) -> Option<usize> {
    if worker.node.program.route(RouteKind::OnSend, b"").is_none() {
        return Some(from);
    }
    // What the route itself sends is written first, so these bytes move behind it.
    let bytes = worker.outbox.bytes.split_off(from);
    if !crate::core::forward::passes_onsend(worker, to, &bytes) {
        return None;
    }
    let start = worker.outbox.bytes.len();
    worker.outbox.bytes.extend_from_slice(&bytes);
    Some(start)
}

/// Rebuilds a request that is too long for UDP with a TCP Via (spec proxy-core 6.2). Without a TCP socket it stays.
#[allow(clippy::too_many_arguments)]
fn switch_to_tcp(
    worker: &mut Worker,
    node: &crate::node::Node,
    transaction: &transaction::Transaction<super::TransactionData>,
    prepared: &Prepared,
    to: Endpoint,
    from: usize,
    branch: &[u8],
    uri: &[u8],
    scratch: &mut crate::outgoing::Scratch,
) -> Endpoint {
    let Some(socket) = node.sockets.automatic(Protocol::Tcp, to.address.ip(), None) else { return to };
    let to = Endpoint { protocol: Protocol::Tcp, socket, ..to };
    worker.outbox.bytes.truncate(from);
    let outgoing = Outgoing {
        message: &transaction.request,
        edits: &[&transaction.edits, &prepared.edits],
        uri,
        path: prepared.target.path.as_deref(),
        record_route: &prepared.record_route,
        source: transaction.data.source,
        to,
        branch,
        force_rport: transaction.data.force_rport,
        local_rport: transaction.data.local_rport,
        advertised: (worker.run.advertised_address.as_deref(), worker.run.advertised_port),
    };
    outgoing.write(node, &mut worker.outbox.bytes, scratch);
    to
}

fn endpoint(node: &crate::node::Node, hop: Hop, target: &Target, received_on: Option<u16>) -> Result<Endpoint, i32> {
    next_hop::endpoint(&node.sockets, hop, target, received_on)
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
    worker.run.tm.delayed_error = code;
    code
}
