//! Stateless forwarding of requests and replies (RFC 3261 §16.11; spec proxy-core 3.6, 6.1, 6.9).

use std::net::SocketAddr;
use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::syntax::ast::RouteKind;
use script::vm;
use sip::edit::Edits;
use sip::header::HeaderId;
use sip::message::Message;
use sip::serialise::{ReplyHead, write_reply_relay_with};
use sip::uri::Uri;
use transaction::branch_id::write_stateless_branch;
use transaction::{Endpoint, Protocol};

use super::Sending;
use crate::dns::{self, Destination, Search, Step};
use crate::next_hop::{self, Hop, NextHop};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::run::Answer;
use crate::sockets::{DEFAULT_PORT, parse_address};
use crate::worker::Worker;

/// A forward that waits for the addresses of its host.
#[derive(Debug)]
pub struct Pending {
    search: Search,
    manner: Manner,
}

/// As what the request leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    /// A proxy's: our Via stands before those received.
    #[default]
    Proxy,
    /// A client's: our Via stands alone, so that replies end here. The number is the branch index in it.
    Client(u32),
}

/// Forwards the current request to a next hop without a transaction. 1: sent; -1: not; `Wait`: a name is looked up.
pub fn request(worker: &mut Worker, hop: NextHop) -> Flow {
    request_as(worker, hop, Manner::Proxy)
}

fn request_as(worker: &mut Worker, hop: NextHop, manner: Manner) -> Flow {
    if !worker.run.message.is_request() {
        worker.log(-1, "core", "forward: not a request");
        return Flow::Code(-1);
    }
    match hop {
        NextHop::Address(hop) => {
            let sent = send(worker, hop, manner);
            finish(worker, sent)
        }
        NextHop::Name(destination) => {
            let mut search = dns::search(worker, destination);
            let step = dns::step(worker, &mut search);
            go_on(worker, Pending { search, manner }, step)
        }
    }
}

fn resolved(worker: &mut Worker, answer: Answer) -> Flow {
    let Some(mut pending) = worker.run.core.pending_forward.take() else { return Flow::Code(-1) };
    let step = dns::proceed(worker, &mut pending.search, answer);
    go_on(worker, pending, step)
}

/// One address after the other until the request can leave (spec proxy-core 6.5).
fn go_on(worker: &mut Worker, mut pending: Pending, step: Step) -> Flow {
    let mut step = step;
    let mut failed = next_hop::error::BAD_ADDRESS;
    loop {
        match step {
            Step::Ask(question) => {
                worker.run.core.pending_forward = Some(pending);
                worker.run.continuation = Some(resolved);
                dns::ask(worker, question);
                return Flow::Wait;
            }
            Step::Go(hop) => match send(worker, hop, pending.manner) {
                Ok(()) => return finish(worker, Ok(())),
                Err(code) => failed = code,
            },
            Step::Unreachable => return finish(worker, Err(next_hop::error::NO_SOCKET)),
            Step::Exhausted => return finish(worker, Err(failed)),
        }
        step = dns::step(worker, &mut pending.search);
    }
}

fn finish(worker: &mut Worker, sent: Result<(), i32>) -> Flow {
    match sent {
        Ok(()) => {
            worker.run.is_target_consumed = true;
            worker.node.states.core.counters.forwarded_request();
            Flow::Code(1)
        }
        Err(code) => {
            worker.run.last_error = code;
            let text = format!("forward: the request was not sent ({code})");
            worker.log(-1, "core", &text);
            Flow::Code(-1)
        }
    }
}

fn send(worker: &mut Worker, hop: Hop, manner: Manner) -> Result<(), i32> {
    if worker.run.message.check_relayable().is_err() {
        return Err(next_hop::error::BAD_REQUEST);
    }
    let node = Arc::clone(&worker.node);
    let to = next_hop::endpoint(&node.sockets, hop, &worker.run.target, Some(worker.run.source.socket))?;
    let mut branch = std::mem::take(&mut worker.scratch.branch);
    branch.clear();
    let sent = send_with_branch(worker, &node, to, manner, &mut branch);
    worker.scratch.branch = branch;
    sent
}

fn send_with_branch(worker: &mut Worker, node: &Node, mut to: Endpoint, manner: Manner, branch: &mut Vec<u8>) -> Result<(), i32> {
    if !write_stateless_branch(branch, &worker.run.message) {
        return Err(next_hop::error::BAD_REQUEST);
    }
    let mut hidden = Edits::default();
    if let Manner::Client(index) = manner {
        for header in worker.run.message.headers_of(HeaderId::Via) {
            hidden.remove(header.line);
        }
        // A stateless branch ends with its index, 0.
        branch.pop();
        branch.extend_from_slice(index.to_string().as_bytes());
    }
    let start = worker.outbox.bytes.len();
    write(worker, &hidden, to, branch);
    let length = worker.outbox.bytes.len() - start;
    if let Some(stream) = next_hop::longer_than_udp_takes(node, worker.run.core.hints.mtu_protocol, to, length) {
        to = stream;
        worker.outbox.bytes.truncate(start);
        write(worker, &hidden, to, branch);
    }
    if crate::blocklist::is_listed(worker, &to) {
        worker.outbox.bytes.truncate(start);
        return Err(next_hop::error::SEND);
    }
    let connecting = worker.run.core.hints.of_request();
    if node.program.route(RouteKind::OnSend, b"").is_none() {
        worker.outbox.send_written_with(&to, start, connecting);
        return Ok(());
    }
    // What the route itself sends is written first, so these bytes move behind it.
    let bytes = worker.outbox.bytes.split_off(start);
    if !passes_onsend(worker, to, &bytes) {
        return Err(next_hop::error::SEND);
    }
    let start = worker.outbox.bytes.len();
    worker.outbox.bytes.extend_from_slice(&bytes);
    worker.outbox.send_written_with(&to, start, connecting);
    Ok(())
}

fn write(worker: &mut Worker, hidden: &Edits, to: Endpoint, branch: &[u8]) {
    let node = Arc::clone(&worker.node);
    let via = crate::corex::via::extension(worker);
    let renumbering = crate::dialog::cseq::of_stateless(worker);
    let mut scratch = std::mem::take(&mut worker.run.tm.scratch);
    let edits = [&worker.run.edits, hidden];
    let mut outgoing = Outgoing::of_run(&worker.run, &worker.run.target, &edits, to, branch);
    outgoing.via = via.as_deref();
    outgoing.renumbering = renumbering;
    outgoing.write(&node, &mut worker.outbox.bytes, &mut scratch);
    worker.run.tm.scratch = scratch;
}

/// Runs `onsend_route` for bytes about to leave; false: the script dropped them. True without such a route.
pub fn passes_onsend(worker: &mut Worker, to: Endpoint, bytes: &[u8]) -> bool {
    let Some(route) = worker.node.program.route(RouteKind::OnSend, b"") else { return true };
    let outer = worker.run.core.sending.replace(Sending { to, bytes: bytes.to_vec() });
    let kind = std::mem::replace(&mut worker.run.route, RouteKind::OnSend);
    let routes = std::mem::replace(&mut worker.run.route_set, script::exports::Routes::ONSEND);
    let finish = worker.run_route_id(route);
    worker.run.route = kind;
    worker.run.route_set = routes;
    worker.run.core.sending = outer;
    !finish.is_some_and(|finish| finish.how == vm::Ended::Drop)
}

/// `forward_uac([index])` and `forward_uac_uri(uri [, index])` of corex: to the URI, else where the request would go.
pub fn as_client(worker: &mut Worker, uri: Option<&[u8]>, index: u32) -> Flow {
    let run = &worker.run;
    let next = uri.or(run.target.next_hop.as_deref()).unwrap_or_else(|| run.request_uri());
    match next_hop::of_uri(next, None) {
        Ok(hop) => request_as(worker, hop, Manner::Client(index)),
        Err(code) => {
            worker.run.last_error = code;
            worker.log(-1, "core", "forward_uac: no usable destination");
            Flow::Code(-1)
        }
    }
}

/// As [`passes_onsend`] for another message than the run's: a request made here, a reply about to be relayed.
pub fn passes_onsend_as(worker: &mut Worker, message: &Message, to: Endpoint, bytes: &[u8]) -> bool {
    if worker.node.program.route(RouteKind::OnSend, b"").is_none() {
        return true;
    }
    let mut run = worker.fresh_run();
    run.message = message.clone();
    run.source = worker.run.source;
    run.is_faked = true;
    let (passes, used) = worker.with_run(run, |worker| passes_onsend(worker, to, bytes));
    worker.recycle(used);
    passes
}

/// Takes back what was written since `start` when `onsend_route` (with `onsend_route_reply`) drops it. False: dropped.
pub fn reply_passes_onsend(worker: &mut Worker, message: &Message, to: Endpoint, start: &mut usize) -> bool {
    if !worker.node.core.onsend_route_reply || worker.node.program.route(RouteKind::OnSend, b"").is_none() {
        return true;
    }
    // What the route itself sends is written first, so these bytes move behind it.
    let bytes = worker.outbox.bytes.split_off(*start);
    if !passes_onsend_as(worker, message, to, &bytes) {
        return false;
    }
    *start = worker.outbox.bytes.len();
    worker.outbox.bytes.extend_from_slice(&bytes);
    true
}

fn run_reply_through_onsend(worker: &mut Worker, to: Endpoint, start: &mut usize) -> bool {
    let message = std::mem::take(&mut worker.run.message);
    let passes = reply_passes_onsend(worker, &message, to, start);
    worker.run.message = message;
    passes
}

/// Forwards the current reply by its second Via. False: there is none, or it names no address.
pub fn reply(worker: &mut Worker) -> bool {
    let node = Arc::clone(&worker.node);
    let Some(to) = reply_endpoint(worker) else {
        if reply_to_name(worker) {
            node.states.core.counters.forwarded_reply();
            return true;
        }
        node.states.core.counters.error_reply();
        return false;
    };
    let mut start = worker.outbox.bytes.len();
    write_reply_to(worker, to.protocol);
    if !run_reply_through_onsend(worker, to, &mut start) {
        return false;
    }
    let connecting = worker.run.core.hints.of_relayed_reply();
    worker.outbox.send_written_with(&to, start, connecting);
    node.states.core.counters.forwarded_reply();
    true
}

/// Appends the current reply without our Via.
fn write_reply_to(worker: &mut Worker, protocol: Protocol) {
    let run = &worker.run;
    let status_line = crate::textopsx::status_line(run).unwrap_or_default();
    let head = ReplyHead { status_line: &status_line, keep_top_via: false };
    write_reply_relay_with(&mut worker.outbox.bytes, &run.message, &[&run.edits], &head, protocol != Protocol::Udp);
}

/// Forwards the current reply to the host name of its second Via, once that is looked up. False: there is no such name.
fn reply_to_name(worker: &mut Worker) -> bool {
    let Some((destination, connection)) = reply_destination(worker) else { return false };
    if parse_address(destination.host.as_bytes()).is_some() {
        return false;
    }
    let start = worker.outbox.bytes.len();
    write_reply_to(worker, destination.protocol.unwrap_or(Protocol::Udp));
    let bytes = worker.outbox.bytes.split_off(start);
    dns::post(worker, destination, &bytes, None, connection).is_ok()
}

/// What the second Via of the current reply names, and the connection our own remembers (spec proxy-core 3.6).
fn reply_destination(worker: &Worker) -> Option<(Destination, u64)> {
    let message = &worker.run.message;
    let mut vias = message.vias();
    let own = vias.next()?;
    let via = vias.next()?;
    let protocol = Protocol::from_bytes(via.transport)?;
    let host = if via.received.is_empty() { via.host } else { via.received };
    let rport = via.rport.and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse::<u16>().ok());
    let port = rport.or(via.port).filter(|port| *port != 0);
    let connection = own.param(b"i").and_then(reversed_hexadecimal).unwrap_or(0);
    let host = std::str::from_utf8(host).ok()?;
    Some((Destination { host: Box::from(host), port, protocol: Some(protocol) }, connection))
}

/// Where the second Via of the current reply leads; None: nowhere, or to a name.
pub fn reply_endpoint(worker: &Worker) -> Option<Endpoint> {
    let (destination, connection) = reply_destination(worker)?;
    let (protocol, address) = (destination.protocol?, parse_address(destination.host.as_bytes())?);
    let address = SocketAddr::new(address, destination.port.unwrap_or(DEFAULT_PORT));
    let socket = worker.node.sockets.automatic(protocol, address.ip(), Some(worker.run.source.socket))?;
    Some(Endpoint { protocol, address, socket, connection })
}

fn reversed_hexadecimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    text.iter().rev().try_fold(0_u64, |number, digit| Some((number << 4) | u64::from(char::from(*digit).to_digit(16)?)))
}

/// `forward()`, `forward(host)`, `forward(host, port)`; `uri:host` and `uri:port` stand for the current URI's parts.
pub(super) fn call(worker: &mut Worker, arguments: &[Argument], forced: Option<Protocol>) -> Flow {
    match target(worker, arguments, forced) {
        Ok(hop) => request(worker, hop),
        Err(code) => {
            worker.node.states.core.counters.bad_uri();
            worker.run.last_error = code;
            worker.log(-1, "core", "forward: no usable destination");
            Flow::Code(-1)
        }
    }
}

fn target(worker: &Worker, arguments: &[Argument], forced: Option<Protocol>) -> Result<NextHop, i32> {
    let run = &worker.run;
    let Some(host) = arguments.first().map(Argument::text) else {
        let uri = run.target.next_hop.as_deref().unwrap_or_else(|| run.request_uri());
        return next_hop::of_uri(uri, forced);
    };
    let uri = Uri::parse(run.request_uri()).map_err(|_| next_hop::error::BAD_URI);
    let protocol = forced.unwrap_or(Protocol::Udp);
    let port = match arguments.get(1).map(Argument::text) {
        None if is_uri_host(&host) => uri?.port,
        None => None,
        Some(text) if text.eq_ignore_ascii_case(b"uri:port") => uri?.port,
        Some(text) => Some(std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or(next_hop::error::BAD_ADDRESS)?),
    };
    let host_text = if is_uri_host(&host) { uri?.host.to_vec() } else { host.to_vec() };
    if host_text.is_empty() {
        return Err(next_hop::error::BAD_ADDRESS);
    }
    Ok(next_hop::of_host(&host_text, port, Some(protocol)))
}

fn is_uri_host(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"uri:host")
}

#[cfg(test)]
mod tests {
    use super::reversed_hexadecimal;

    #[test]
    fn connection_numbers_have_their_least_digit_first() {
        assert_eq!(reversed_hexadecimal(b"01"), Some(0x10));
        assert_eq!(reversed_hexadecimal(b""), None);
        assert_eq!(reversed_hexadecimal(b"0123456789abcdef0"), None);
        assert_eq!(reversed_hexadecimal(b"g"), None);
    }
}
