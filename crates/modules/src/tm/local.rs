//! Requests made here: building, sending, outcome (spec proxy-core 7.13).

use std::sync::Arc;

use sip::NameAddress;
use sip::edit::Edits;
use sip::header::HeaderId;
use sip::message::Message;
use sip::method::Method;
use sip::scan::Elements;
use transaction::{BranchStart, Endpoint, Origin, SentReply, Transaction, TransactionId};

use super::data::{Purpose, TransactionData};
use super::local_route::{self, Routed};
use crate::dns::Destination;
use crate::next_hop::{self, Hop, NextHop, error};
use crate::node::Node;
use crate::outgoing::write_sent_by;
use crate::run::Target;
use crate::worker::Worker;

/// A request to make. Texts are as they go on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalRequest {
    pub method: Vec<u8>,
    pub request_uri: Vec<u8>,
    /// Values of To and From, tags included.
    pub to: Vec<u8>,
    pub from: Vec<u8>,
    pub call_id: Vec<u8>,
    pub cseq: u32,
    /// Route set, comma list; empty: none.
    pub route_set: Vec<u8>,
    /// Whole lines with CRLF.
    pub headers: Vec<u8>,
    pub body: Vec<u8>,
    /// Local socket; None: chosen by destination.
    pub socket: Option<u16>,
    /// Next hop URI when it is neither the first route nor the request URI.
    pub next_hop: Option<Vec<u8>>,
    pub purpose: Purpose,
    /// A 2xx to an INVITE is not acknowledged here: its receiver does.
    pub without_ack: bool,
    /// `fr_timer` and `fr_inv_timer` of its transaction, milliseconds; 0: as configured.
    pub final_response: u32,
    pub final_response_invite: u32,
    /// The request as `event_route[tm:local-request]` left it, when that sent it elsewhere; only its Via is still to be made.
    pub routed: Option<Vec<u8>>,
}

/// Sends a request made here. The error is an internal code.
pub fn send_local(worker: &mut Worker, request: &LocalRequest) -> Result<TransactionId, i32> {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let (request_uri, _) = routing(request);
    let hop = next_hop::of_uri(&hop_uri(request), None)?;
    if let NextHop::Address(hop) = hop {
        endpoint(&node, request, hop)?;
    } else if !super::lookup::has_room(&node) {
        return Err(error::BAD_ADDRESS);
    }
    let method = Method::from_bytes(&request.method);
    let call = transaction::key::call_hash_of(node.transactions.secret(), &request.call_id, request.cseq);
    let mut transaction = node.transactions.create_local(call, method, worker.now.time, settings).ok_or(error::NO_ROOM)?;
    transaction.data.purpose = request.purpose.clone();
    transaction.flags.no_auto_ack = request.without_ack;
    transaction.change_final_response(worker.now.time, request.final_response_invite, request.final_response);
    let start = BranchStart { request_uri, ..BranchStart::default() };
    if transaction.add_branch(start, settings).is_err() {
        give_up(worker, transaction);
        return Err(error::SEND);
    }
    let id = transaction.id();
    let looked_up = match hop {
        NextHop::Address(hop) => match send_branch(worker, &mut transaction, request, hop) {
            Ok(elsewhere) => elsewhere,
            Err(code) => {
                give_up(worker, transaction);
                return Err(code);
            }
        },
        NextHop::Name(destination) => Some((request.clone(), destination)),
    };
    super::settle::return_transaction(worker, transaction);
    if let Some((request, destination)) = looked_up {
        super::lookup::of_local(worker, id, request, destination);
    }
    Ok(id)
}

/// Sends the request of the run's local transaction, now that the next hop is known.
pub fn send_reserved(worker: &mut Worker, request: &LocalRequest, hop: Hop) -> Result<(), i32> {
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return Err(error::BAD_REQUEST) };
    let id = transaction.id();
    let result = send_branch(worker, &mut transaction, request, hop);
    worker.run.tm.transaction = Some(transaction);
    if let Some((request, destination)) = result? {
        super::lookup::of_local(worker, id, request, destination);
    }
    Ok(())
}

fn hop_uri(request: &LocalRequest) -> Vec<u8> {
    request.next_hop.clone().or_else(|| first_route(&request.route_set).map(<[u8]>::to_vec)).unwrap_or_else(|| routing(request).0)
}

fn endpoint(node: &Node, request: &LocalRequest, hop: Hop) -> Result<Endpoint, i32> {
    let target = Target { socket: request.socket, ..Target::default() };
    next_hop::endpoint(&node.sockets, hop, &target, None)
}

/// A request that the event route sent to a name, which has to be looked up first.
type Elsewhere = Option<(LocalRequest, Destination)>;

fn send_branch(
    worker: &mut Worker,
    transaction: &mut Transaction<TransactionData>,
    request: &LocalRequest,
    hop: Hop,
) -> Result<Elsewhere, i32> {
    let node = Arc::clone(&worker.node);
    let to = endpoint(&node, request, hop)?;
    if let Some(text) = &request.routed {
        return send_bytes(worker, transaction, with_via(&node, transaction, text, to)?, to).map(|()| None);
    }
    let (request_uri, route_line) = routing(request);
    let branch = branch_of(&node, transaction);
    let bytes = write(&node, request, &request_uri, &route_line, &branch, to);
    if node.states.tm.local_request_route.is_none() {
        return send_bytes(worker, transaction, bytes, to).map(|()| None);
    }
    let mut routed = local_route::run(worker, bytes, &hop_uri(request), to).ok_or(error::CONFIGURATION)?;
    take_over(&node, worker.now.time, transaction, &mut routed);
    let next_hop = routed.next_hop.or_else(|| routed.socket.map(|_| hop_uri(request)));
    let Some(next_hop) = next_hop else { return send_bytes(worker, transaction, routed.bytes, to).map(|()| None) };
    let request =
        LocalRequest { routed: Some(routed.bytes), next_hop: Some(next_hop), socket: routed.socket.or(request.socket), ..request.clone() };
    match next_hop::of_uri(&hop_uri(&request), None)? {
        NextHop::Address(hop) => send_branch(worker, transaction, &request, hop),
        NextHop::Name(_) if !super::lookup::has_room(&node) => Err(error::BAD_ADDRESS),
        NextHop::Name(destination) => Ok(Some((request, destination))),
    }
}

fn send_bytes(worker: &mut Worker, transaction: &mut Transaction<TransactionData>, bytes: Vec<u8>, to: Endpoint) -> Result<(), i32> {
    transaction.request = Message::from_bytes(&bytes).map_err(|_| error::BAD_REQUEST)?;
    if !crate::core::forward::passes_onsend_as(worker, &transaction.request, to, &bytes) {
        return Err(error::SEND);
    }
    if super::sending::is_left_alone(worker, transaction.method(), &to) {
        return Err(error::SEND);
    }
    if !transaction.branch_sent(worker.now.time, last_branch(transaction), to, &bytes[..]) {
        return Err(error::SEND);
    }
    worker.outbox.send(&to, &bytes);
    Ok(())
}

/// What the event route armed and set holds for the transaction; its failure route only with `enable_uac_fr`.
fn take_over(node: &Node, now: sip::time::Time, transaction: &mut Transaction<TransactionData>, routed: &mut Routed) {
    let timers = routed.timers;
    transaction.change_retransmission(timers.retransmit_first, timers.retransmit_longest);
    transaction.change_lifetime(timers.lifetime_invite, timers.lifetime_other);
    transaction.change_final_response(now, timers.final_response_invite, timers.final_response);
    if let Some(no_auto_ack) = routed.no_auto_ack {
        transaction.flags.no_auto_ack = no_auto_ack;
    }
    let mut armed = routed.armed;
    if !node.states.tm.local_failure_routes {
        armed.failure = None;
        armed.branch_failure = None;
    }
    transaction.armed = armed;
    if let Some(branch) = transaction.branches.first_mut() {
        branch.armed = armed;
    }
    transaction.data.attributes = std::mem::take(&mut routed.attributes);
    transaction.message_flags = routed.flags;
}

/// Makes the request one that a failure route can forward again: each branch then gets its own Via.
pub fn prepare_for_failure_route(transaction: &mut Transaction<TransactionData>) {
    if transaction.data.source.is_some() || !transaction.edits.is_empty() {
        return;
    }
    if let Some(via) = transaction.request.header(HeaderId::Via).map(|via| via.line) {
        let mut edits = Edits::default();
        edits.remove(via);
        transaction.edits = edits;
    }
}

fn give_up(worker: &mut Worker, mut transaction: Box<transaction::Transaction<super::TransactionData>>) {
    let node = Arc::clone(&worker.node);
    transaction.data.purpose = Purpose::None;
    transaction.release(worker.now.time, &node.states.tm.settings, &mut Vec::new());
    super::settle::return_transaction(worker, transaction);
}

/// Request URI and Route line: with a strict first route the two change places (RFC 3261 §12.2.1.1).
fn routing(request: &LocalRequest) -> (Vec<u8>, Vec<u8>) {
    let Some(first) = first_route(&request.route_set) else {
        return (request.request_uri.clone(), Vec::new());
    };
    let is_loose = sip::Uri::parse(first).is_ok_and(|uri| uri.is_lr());
    let mut routes: Vec<&[u8]> = Elements::new(&request.route_set).skip(usize::from(!is_loose)).collect();
    let last = [b"<".as_slice(), &request.request_uri, b">"].concat();
    if !is_loose {
        routes.push(&last);
    }
    let target = if is_loose { request.request_uri.clone() } else { first.to_vec() };
    (target, [b"Route: ".as_slice(), &routes.join(&b", "[..]), b"\r\n"].concat())
}

fn first_route(route_set: &[u8]) -> Option<&[u8]> {
    Elements::new(route_set).next().and_then(NameAddress::parse).map(|address| address.uri)
}

/// The branch being sent: a further one is added only when the others have failed.
fn last_branch(transaction: &Transaction<TransactionData>) -> usize {
    transaction.branches.len().saturating_sub(1)
}

fn branch_of(node: &Node, transaction: &Transaction<TransactionData>) -> Vec<u8> {
    let mut branch = Vec::with_capacity(transaction::branch_id::BRANCH_BYTES_MAX);
    transaction::branch_id::write_branch(
        &mut branch,
        node.transactions.secret(),
        transaction.id(),
        transaction.call(),
        last_branch(transaction),
    );
    branch
}

/// Our Via line for a branch value and a destination.
pub fn via_line(node: &Node, branch: &[u8], to: Endpoint) -> Vec<u8> {
    let mut out = [b"Via: SIP/2.0/", to.protocol.name().as_bytes(), b" "].concat();
    write_sent_by(node, to.socket, (None, None), &mut out);
    out.extend_from_slice(b";branch=");
    out.extend_from_slice(branch);
    out.extend_from_slice(b"\r\n");
    out
}

/// The text with the top Via made anew for this destination.
fn with_via(node: &Node, transaction: &Transaction<TransactionData>, text: &[u8], to: Endpoint) -> Result<Vec<u8>, i32> {
    let message = Message::from_bytes(text).map_err(|_| error::BAD_REQUEST)?;
    let via = message.header(HeaderId::Via).ok_or(error::BAD_REQUEST)?.line;
    let line = via_line(node, &branch_of(node, transaction), to);
    let mut edits = Edits::default();
    edits.replace(via, &line);
    let mut out = Vec::with_capacity(text.len() + line.len());
    let head = sip::RequestHead::default();
    sip::write_request(&mut out, &message, &[&edits], &head, to.protocol.is_reliable());
    Ok(out)
}

/// Header order of spec proxy-core 7.13: Via, To, From, CSeq, Call-ID, Route, Max-Forwards, Content-Length, User-Agent, rest.
fn write(node: &Node, request: &LocalRequest, request_uri: &[u8], route_line: &[u8], branch: &[u8], to: Endpoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + request.headers.len() + request.body.len());
    for part in [&request.method[..], b" ", request_uri, b" SIP/2.0\r\n"] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&via_line(node, branch, to));
    let cseq = request.cseq.to_string();
    for part in [b"To: ", &request.to[..], b"\r\nFrom: ", &request.from, b"\r\nCSeq: ", cseq.as_bytes(), b" ", &request.method] {
        out.extend_from_slice(part);
    }
    for part in [b"\r\nCall-ID: ", &request.call_id[..], b"\r\n", route_line] {
        out.extend_from_slice(part);
    }
    let brings_max_forwards = request.headers.to_ascii_lowercase().windows(13).any(|window| window == b"max-forwards:");
    if !brings_max_forwards {
        out.extend_from_slice(b"Max-Forwards: 70\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n", request.body.len()).as_bytes());
    if node.core.server_signature {
        out.extend_from_slice(&node.core.user_agent_header);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(&request.headers);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&request.body);
    out
}

/// A local transaction has a reply (None: made here, a timeout). A final one ends it and tells who asked.
pub fn complete(worker: &mut Worker, code: u16, reply: Option<&Message>) {
    let node = Arc::clone(&worker.node);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let origin = if reply.is_some() { Origin::Relayed } else { Origin::Local };
    let sent = SentReply { code, origin, bytes: &[], to_tag: &[] };
    transaction.reply_sent(worker.now.time, sent, &node.states.tm.settings, &mut actions);
    if let Some(reply) = reply.filter(|_| transaction.is_invite() && transaction.flags.no_auto_ack && (200..300).contains(&code)) {
        transaction.data.unacknowledged = Some((Box::new(reply.clone()), worker.run.source));
    }
    // A probe that timed out is still told of the answer that comes late.
    let is_kept = code < 200 || matches!(transaction.data.purpose, Purpose::DialogKeepalive { .. });
    let purpose = if is_kept { transaction.data.purpose.clone() } else { std::mem::take(&mut transaction.data.purpose) };
    super::actions::perform_all(worker, &actions, reply);
    match purpose {
        _ if code < 200 => {}
        Purpose::None => {}
        Purpose::RemoteCall { ticket, form } => super::uac_rpc::answer(worker, ticket, form, code, reply),
        Purpose::ScriptRequest(sent) => crate::uac::completed(worker, &sent, code, reply),
        other => crate::dialog::local_completed(worker, &other, code, reply),
    }
}

/// A reply that changes nothing for its transaction: whoever sent a keepalive learns from it that the party lives.
pub fn late_reply(worker: &mut Worker) {
    let Some(transaction) = &worker.run.tm.transaction else { return };
    let code = worker.run.message.status();
    if code < 200 || !transaction.is_local() {
        return;
    }
    if let Purpose::DialogKeepalive { dialog, leg } = transaction.data.purpose {
        crate::dialog::keepalive_answered_late(worker, dialog, leg, code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(route_set: &str) -> (String, String) {
        let request = LocalRequest {
            request_uri: b"sip:bob@192.0.2.1".to_vec(),
            route_set: route_set.as_bytes().to_vec(),
            ..LocalRequest::default()
        };
        let (target, route) = routing(&request);
        (String::from_utf8(target).unwrap(), String::from_utf8(route).unwrap())
    }

    #[test]
    fn a_loose_route_set_leaves_the_request_uri_and_gets_a_blank_behind_each_comma() {
        assert_eq!(routed(""), ("sip:bob@192.0.2.1".into(), String::new()));
        let set = "\"a, b\" <sip:192.0.2.2;lr>,<sip:192.0.2.3;x=1,2>;y=3";
        let line = "Route: \"a, b\" <sip:192.0.2.2;lr>, <sip:192.0.2.3;x=1,2>;y=3\r\n";
        assert_eq!(routed(set), ("sip:bob@192.0.2.1".into(), line.into()));
    }

    #[test]
    fn a_strict_first_route_changes_places_with_the_request_uri() {
        let alone = routed("\"a, <b>\" <sip:192.0.2.2;x=1>");
        assert_eq!(alone, ("sip:192.0.2.2;x=1".into(), "Route: <sip:bob@192.0.2.1>\r\n".into()));
        let more = routed("<sip:192.0.2.2>,\"c, d\" <sip:192.0.2.3;lr>");
        assert_eq!(more, ("sip:192.0.2.2".into(), "Route: \"c, d\" <sip:192.0.2.3;lr>, <sip:bob@192.0.2.1>\r\n".into()));
    }
}
