//! One branch on its way out: reserved in the transaction, built, shown to `onsend_route`, sent (spec proxy-core 7.5, 6.2).

use std::sync::Arc;

use script::RouteId;
use script::syntax::ast::RouteKind;
use script::value::Text;
use sip::edit::Edits;
use sip::message::Message;
use sip::method::Method;
use transaction::{AddBranchError, ArmedRoutes, Endpoint, Transaction};

use super::data::TransactionData;
use crate::core::Hints;
use crate::corex::via::ViaExtension;
use crate::dialog::cseq::{self, Renumbering};
use crate::dns::record::Question;
use crate::dns::{self, Search, Step};
use crate::next_hop::{self, Hop, NextHop, error};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::rr::Plan;
use crate::run::{Answer, Target};
use crate::worker::Worker;

/// One branch between its branch route and its sending. Needs no run: it may wait for an address.
#[derive(Debug)]
pub struct Prepared {
    /// The branch's own message, with the edits of request and step in it (`t_msg_apply_changes`).
    pub message: Option<Box<Message>>,
    pub target: Target,
    /// Edits of the branch route.
    pub edits: Edits,
    /// Edits of the failure route that adds the branch; empty from a request route, whose edits the transaction keeps.
    pub step_edits: Edits,
    pub record_route: Plan,
    pub hop: Result<NextHop, i32>,
    /// How the hop was found, when it is one address of a name.
    pub search: Option<Box<Search>>,
    /// Another address of the name failed before.
    pub is_further_address: bool,
    /// The next hop was given by the script: it stays the only one.
    pub is_forced: bool,
    /// The branch route that ran for it.
    pub branch_route: Option<RouteId>,
    pub marks: Marks,
    /// The CSeq numbers it leaves with, when they are not those of the request.
    pub renumbering: Option<Renumbering>,
    /// Routes for the replies of the branch.
    pub armed: ArmedRoutes,
}

impl Prepared {
    /// Goes on with the look-up of a next hop that is a name. The question to ask first; None: the hop is an address now, or
    /// the reason why there is none.
    pub fn look_up(&mut self, worker: &mut Worker, answer: Option<Answer>) -> Option<Question> {
        let Ok(NextHop::Name(destination)) = &self.hop else { return None };
        let mut search = self.search.take().unwrap_or_else(|| Box::new(dns::search(worker, destination.clone())));
        let step = match answer {
            Some(answer) => dns::proceed(worker, &mut search, answer),
            None => dns::step(worker, &mut search),
        };
        self.search = Some(search);
        match step {
            Step::Ask(question) => return Some(question),
            Step::Go(hop) => self.hop = Ok(NextHop::Address(hop)),
            Step::Unreachable => self.hop = Err(error::NO_SOCKET),
            Step::Exhausted => self.hop = Err(error::BAD_ADDRESS),
        }
        None
    }
}

/// What the script asked for the message apart from its text.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    pub force_rport: bool,
    pub local_rport: bool,
    pub advertised: (Option<Text>, Option<u16>),
    pub hints: Hints,
    /// What the script adds to the Via.
    pub via: Option<Box<ViaExtension>>,
}

/// Adds the branch to the run's transaction, not sent yet. The index goes into its Via.
pub fn reserve(worker: &mut Worker, prepared: &Prepared) -> Result<usize, i32> {
    let node = Arc::clone(&worker.node);
    let Some(transaction) = &mut worker.run.tm.transaction else { return Err(error::BAD_REQUEST) };
    if transaction.branches.len() >= node.core.max_branches {
        return Err(error::FORKING);
    }
    let uri = prepared.target.uri.as_deref().unwrap_or_else(|| transaction.request.request_uri());
    let target = &prepared.target;
    let mut start = worker.spares.start();
    start.request_uri.extend_from_slice(uri);
    for (place, text) in [
        (&mut start.destination_uri, &target.next_hop),
        (&mut start.path, &target.path),
        (&mut start.instance, &target.instance),
        (&mut start.ruid, &target.ruid),
        (&mut start.user_agent, &target.user_agent),
    ] {
        place.extend_from_slice(text.as_deref().unwrap_or_default());
    }
    start.script_flags = target.flags;
    start.armed = prepared.armed;
    transaction.add_branch(start, &node.states.tm.settings).map_err(|refused| match refused {
        AddBranchError::Canceled => error::CANCELED,
        AddBranchError::Final => -1,
        AddBranchError::TooMany => error::FORKING,
    })
}

/// Builds and sends a reserved branch of the run's transaction. After an error the branch never wins.
pub fn send_reserved(worker: &mut Worker, index: usize, prepared: &Prepared, hop: Hop) -> Result<(), i32> {
    let node = Arc::clone(&worker.node);
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return Err(error::BAD_REQUEST) };
    let result = build_and_send(worker, &node, &mut transaction, index, prepared, hop);
    if result.is_err() {
        transaction.branch_not_sent(worker.now.time, index, &node.states.tm.settings);
    }
    worker.run.tm.transaction = Some(transaction);
    result
}

fn build_and_send(
    worker: &mut Worker,
    node: &Arc<Node>,
    transaction: &mut Transaction<TransactionData>,
    index: usize,
    prepared: &Prepared,
    hop: Hop,
) -> Result<(), i32> {
    // `dns_reuse_rcv_socket`: a further address need not leave where the request came in.
    let prefers_receiving = !prepared.is_further_address || node.states.tm.reuses_receiving_socket;
    let received_on = transaction.data.source.map(|source| source.socket).filter(|_| prefers_receiving);
    let mut to = next_hop::endpoint(&node.sockets, hop, &prepared.target, received_on)?;
    let mut branch = std::mem::take(&mut worker.scratch.branch);
    branch.clear();
    transaction::branch_id::write_branch(&mut branch, node.transactions.secret(), transaction.id(), transaction.call(), index);
    let from = worker.outbox.bytes.len();
    write(worker, node, transaction, prepared, to, &branch);
    let length = worker.outbox.bytes.len() - from;
    if let Some(stream) = next_hop::longer_than_udp_takes(node, prepared.marks.hints.mtu_protocol, to, length) {
        to = stream;
        worker.outbox.bytes.truncate(from);
        write(worker, node, transaction, prepared, to, &branch);
    }
    worker.scratch.branch = branch;
    let received_socket = transaction.data.source.map_or(0, |source| source.socket);
    let added = prepared.record_route.header_count(node, received_socket, to.socket);
    if let Some(branch) = transaction.branches.get_mut(index) {
        branch.flags.record_routed = added > 0;
        branch.flags.record_routed_twice = added > 1;
    }
    let from = pass_onsend(worker, to, from).ok_or(error::SEND)?;
    if is_left_alone(worker, transaction.method(), &to) {
        worker.outbox.bytes.truncate(from);
        return Err(error::SEND);
    }
    let bytes = worker.spares.buffer_with(worker.outbox.bytes.get(from..).unwrap_or_default());
    transaction.branch_sent(worker.now.time, index, to, bytes);
    cseq::branch_leaves(worker, transaction, index, prepared.renumbering);
    let hints = prepared.marks.hints;
    worker.outbox.send_written_with(&to, from, hints.of_request());
    node.states.core.counters.forwarded_request();
    Ok(())
}

fn write(worker: &mut Worker, node: &Node, transaction: &Transaction<TransactionData>, prepared: &Prepared, to: Endpoint, branch: &[u8]) {
    let mut scratch = std::mem::take(&mut worker.run.tm.scratch);
    let data = &transaction.data;
    let of_request = [&transaction.edits, &prepared.step_edits, &prepared.edits];
    let (message, edits) = match &prepared.message {
        Some(own) => (&**own, &of_request[2..]),
        None => (&transaction.request, &of_request[..]),
    };
    let outgoing = Outgoing {
        message,
        edits,
        uri: prepared.target.uri.as_deref().unwrap_or_else(|| transaction.request.request_uri()),
        path: prepared.target.path.as_deref(),
        record_route: &prepared.record_route,
        source: data.source,
        to,
        branch,
        force_rport: data.force_rport || prepared.marks.force_rport,
        local_rport: data.local_rport || prepared.marks.local_rport,
        advertised: (prepared.marks.advertised.0.as_deref(), prepared.marks.advertised.1),
        via: prepared.marks.via.as_deref(),
        renumbering: prepared.renumbering,
    };
    outgoing.write(node, &mut worker.outbox.bytes, &mut scratch);
    worker.run.tm.scratch = scratch;
}

/// Is the destination on the blocklist, and does that hold for this method (`blst_methods_lookup`)?
pub fn is_left_alone(worker: &Worker, method: Method, to: &Endpoint) -> bool {
    let looks = worker.node.states.tm.blocklist.methods_lookup & crate::core::symbol_of_method(method) != 0;
    looks && crate::blocklist::is_listed(worker, to)
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
