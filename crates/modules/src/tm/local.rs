//! Requests made here: building, sending, outcome, and the ACK to a 2xx of a local INVITE (spec proxy-core 7.13).

use std::sync::Arc;

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::vm;
use sip::header::HeaderId;
use sip::message::Message;
use sip::method::Method;
use transaction::{BranchStart, Endpoint, Origin, SentReply, Transaction, TransactionId};

use super::data::{Purpose, TransactionData};
use super::lookup::Name;
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
}

/// Sends a request made here. The error is an internal code.
pub fn send_local(worker: &mut Worker, request: &LocalRequest) -> Result<TransactionId, i32> {
    let node = Arc::clone(&worker.node);
    let settings = &node.states.tm.settings;
    let (request_uri, _) = routing(request);
    let hop_uri = request.next_hop.clone().or_else(|| first_route(&request.route_set)).unwrap_or_else(|| request_uri.clone());
    let hop = next_hop::of_uri(&hop_uri, None)?;
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
    let start = BranchStart { request_uri: request_uri.into_boxed_slice(), ..BranchStart::default() };
    if transaction.add_branch(start, settings).is_err() {
        give_up(worker, transaction);
        return Err(error::SEND);
    }
    let id = transaction.id();
    let name = match hop {
        NextHop::Address(hop) => {
            if let Err(code) = send_branch(worker, &mut transaction, request, hop) {
                give_up(worker, transaction);
                return Err(code);
            }
            None
        }
        NextHop::Name { host, port, protocol } => Some(Name { host, port, protocol }),
    };
    super::settle::return_transaction(worker, transaction);
    if let Some(name) = name {
        super::lookup::of_local(worker, id, request.clone(), name);
    }
    Ok(id)
}

/// Sends the request of the run's local transaction, now that the next hop is known.
pub fn send_reserved(worker: &mut Worker, request: &LocalRequest, hop: Hop) -> Result<(), i32> {
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return Err(error::BAD_REQUEST) };
    let result = send_branch(worker, &mut transaction, request, hop);
    worker.run.tm.transaction = Some(transaction);
    result
}

fn endpoint(node: &Node, request: &LocalRequest, hop: Hop) -> Result<Endpoint, i32> {
    let target = Target { socket: request.socket, ..Target::default() };
    next_hop::endpoint(&node.sockets, hop, &target, None)
}

fn send_branch(worker: &mut Worker, transaction: &mut Transaction<TransactionData>, request: &LocalRequest, hop: Hop) -> Result<(), i32> {
    let node = Arc::clone(&worker.node);
    let to = endpoint(&node, request, hop)?;
    let (request_uri, route_line) = routing(request);
    let mut branch = Vec::with_capacity(transaction::branch_id::BRANCH_BYTES_MAX);
    transaction::branch_id::write_branch(&mut branch, node.transactions.secret(), transaction.id(), transaction.call(), 0);
    let bytes = write(&node, request, &request_uri, &route_line, &branch, to);
    transaction.request = Message::from_bytes(&bytes).map_err(|_| error::BAD_REQUEST)?;
    if is_dropped_by_route(worker, &transaction.request) {
        return Err(-1);
    }
    if !transaction.branch_sent(worker.now.time, 0, to, &bytes) {
        return Err(error::SEND);
    }
    worker.outbox.send(&to, &bytes);
    Ok(())
}

fn give_up(worker: &mut Worker, mut transaction: Box<transaction::Transaction<super::TransactionData>>) {
    let node = Arc::clone(&worker.node);
    transaction.data.purpose = Purpose::None;
    transaction.release(worker.now.time, &node.states.tm.settings, &mut Vec::new());
    super::settle::return_transaction(worker, transaction);
}

/// Request URI and Route line: with a strict first route the two change places (RFC 3261 §12.2.1.1).
fn routing(request: &LocalRequest) -> (Vec<u8>, Vec<u8>) {
    if request.route_set.is_empty() {
        return (request.request_uri.clone(), Vec::new());
    }
    let first = first_route(&request.route_set).unwrap_or_default();
    let is_loose = sip::Uri::parse(&first).is_ok_and(|uri| uri.is_lr());
    if is_loose {
        return (request.request_uri.clone(), [b"Route: ".as_slice(), &request.route_set, b"\r\n"].concat());
    }
    let rest = request.route_set.iter().position(|byte| *byte == b',').and_then(|at| request.route_set.get(at + 1..)).unwrap_or_default();
    let separator: &[u8] = if rest.is_empty() { b"" } else { b"," };
    (first, [b"Route: ".as_slice(), rest, separator, b"<", &request.request_uri, b">\r\n"].concat())
}

fn first_route(route_set: &[u8]) -> Option<Vec<u8>> {
    let start = route_set.iter().position(|byte| *byte == b'<')?;
    let end = route_set.iter().position(|byte| *byte == b'>')?;
    route_set.get(start + 1..end).map(<[u8]>::to_vec)
}

/// Header order of spec proxy-core 7.13: Via, To, From, CSeq, Call-ID, Route, Max-Forwards, Content-Length, User-Agent, rest.
fn write(node: &Node, request: &LocalRequest, request_uri: &[u8], route_line: &[u8], branch: &[u8], to: transaction::Endpoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + request.headers.len() + request.body.len());
    for part in [&request.method[..], b" ", request_uri, b" SIP/2.0\r\nVia: SIP/2.0/", to.protocol.name().as_bytes(), b" "] {
        out.extend_from_slice(part);
    }
    write_sent_by(node, to.socket, (None, None), &mut out);
    let cseq = request.cseq.to_string();
    for part in
        [b";branch=", branch, b"\r\nTo: ", &request.to, b"\r\nFrom: ", &request.from, b"\r\nCSeq: ", cseq.as_bytes(), b" ", &request.method]
    {
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

fn is_dropped_by_route(worker: &mut Worker, message: &Message) -> bool {
    let Some(route) = worker.node.states.tm.local_request_route else { return false };
    let mut run = worker.fresh_run();
    run.message = message.clone();
    run.is_faked = true;
    run.route = RouteKind::Event;
    run.route_set = Routes::LOCAL.or(Routes::EVENT);
    let (finish, used) = worker.with_run(run, |worker| worker.run_route_id(route));
    worker.recycle(used);
    finish.is_some_and(|finish| finish.how == vm::Ended::Drop)
}

/// A local transaction has a reply (None: made here, a timeout). A final one ends it and tells who asked.
pub fn complete(worker: &mut Worker, code: u16, reply: Option<&Message>) {
    let node = Arc::clone(&worker.node);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let origin = if reply.is_some() { Origin::Relayed } else { Origin::Local };
    let sent = SentReply { code, origin, bytes: &[], to_tag: &[] };
    transaction.reply_sent(worker.now.time, sent, &node.states.tm.settings, &mut actions);
    let purpose = transaction.data.purpose.clone();
    super::actions::perform_all(worker, &actions, reply);
    if code < 200 {
        return;
    }
    match purpose {
        Purpose::None => {}
        other => crate::dialog::local_completed(worker, &other, code, reply),
    }
}

/// Where the ACK to a 2xx of a local INVITE goes (`local_ack_mode`): the first route or the Contact when that carries an
/// address the INVITE's protocol reaches, else where the INVITE went. Mode 2 has no source here and does the same.
pub fn success_ack_endpoint(node: &Node, sent: &Message, reply: &Message, invite: Endpoint) -> Endpoint {
    if node.states.tm.local_ack_mode == 1 {
        return invite;
    }
    let route = reply.record_routes().last().map(|entry| entry.address.uri);
    let uri = route.or_else(|| reply.contacts().next().map(|contact| contact.uri)).unwrap_or_else(|| sent.request_uri());
    match next_hop::of_uri(uri, None) {
        Ok(NextHop::Address(hop)) => {
            let target = Target { socket: Some(invite.socket), ..Target::default() };
            next_hop::endpoint(&node.sockets, hop, &target, None).unwrap_or(invite)
        }
        _ => invite,
    }
}

/// The ACK to a 2xx of a local INVITE: to the Contact, along the reversed Record-Route (RFC 3261 §13.2.2.4).
pub fn write_success_ack(node: &Node, sent: &Message, reply: &Message, out: &mut Vec<u8>) {
    let target = reply.contacts().next().map_or_else(|| sent.request_uri().to_vec(), |contact| contact.uri.to_vec());
    let mut routes: Vec<&[u8]> = reply.record_routes().map(|entry| entry.whole).collect();
    routes.reverse();
    out.extend_from_slice(b"ACK ");
    out.extend_from_slice(&target);
    out.extend_from_slice(b" SIP/2.0\r\n");
    for id in [HeaderId::Via, HeaderId::From] {
        if let Some(header) = sent.header(id) {
            out.extend_from_slice(sent.text(header.line));
        }
    }
    if let Some(header) = reply.header(HeaderId::To) {
        out.extend_from_slice(reply.text(header.line));
    }
    out.extend_from_slice(b"Call-ID: ");
    out.extend_from_slice(sent.call_id());
    out.extend_from_slice(format!("\r\nCSeq: {} ACK\r\n", sent.cseq().map_or(0, |cseq| cseq.number)).as_bytes());
    if !routes.is_empty() {
        out.extend_from_slice(b"Route: ");
        out.extend_from_slice(&routes.join(&b","[..]));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Max-Forwards: 70\r\n");
    if node.core.server_signature {
        out.extend_from_slice(&node.core.user_agent_header);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}
