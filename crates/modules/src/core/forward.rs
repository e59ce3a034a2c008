//! Stateless forwarding of requests and replies (RFC 3261 §16.11; spec proxy-core 3.6, 6.1, 6.9).

use std::net::SocketAddr;
use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::syntax::ast::RouteKind;
use script::vm;
use sip::serialise::{ReplyHead, write_reply_relay_with};
use sip::uri::Uri;
use transaction::branch_id::{BRANCH_BYTES_MAX, write_stateless_branch};
use transaction::{Endpoint, Protocol};

use super::Sending;
use crate::next_hop::{self, Hop, NextHop};
use crate::outbox::Effect;
use crate::outgoing::Outgoing;
use crate::run::Answer;
use crate::sockets::{DEFAULT_PORT, parse_address};
use crate::worker::Worker;

/// A forward that waits for the addresses of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    pub port: u16,
    pub protocol: Protocol,
}

/// Forwards the current request to a next hop without a transaction. 1: sent; -1: not; `Wait`: a name is looked up.
pub fn request(worker: &mut Worker, hop: NextHop) -> Flow {
    if !worker.run.message.is_request() {
        worker.log(-1, "core", "forward: not a request");
        return Flow::Code(-1);
    }
    match hop {
        NextHop::Address(hop) => finish(worker, Ok(hop)),
        NextHop::Name { host, port, protocol } => {
            worker.run.core.pending_forward = Some(Pending { port, protocol });
            worker.run.continuation = Some(resolved);
            let ticket = worker.take_ticket();
            worker.outbox.effects.push(Effect::Resolve { ticket, host, port });
            Flow::Wait
        }
    }
}

fn resolved(worker: &mut Worker, answer: Answer) -> Flow {
    let Some(pending) = worker.run.core.pending_forward.take() else { return Flow::Code(-1) };
    let addresses = match answer {
        Answer::Addresses(addresses) => addresses,
        Answer::Awake => Vec::new(),
    };
    let hop = next_hop::of_answer(&addresses, pending.port, pending.protocol, &worker.node.sockets);
    finish(worker, hop)
}

fn finish(worker: &mut Worker, hop: Result<Hop, i32>) -> Flow {
    match hop.and_then(|hop| send(worker, hop)) {
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

fn send(worker: &mut Worker, hop: Hop) -> Result<(), i32> {
    if worker.run.message.check_relayable().is_err() {
        return Err(next_hop::error::BAD_REQUEST);
    }
    let node = Arc::clone(&worker.node);
    let to = next_hop::endpoint(&node.sockets, hop, &worker.run.target, Some(worker.run.source.socket))?;
    let mut branch = Vec::with_capacity(BRANCH_BYTES_MAX);
    if !write_stateless_branch(&mut branch, &worker.run.message) {
        return Err(next_hop::error::BAD_REQUEST);
    }
    let mut scratch = std::mem::take(&mut worker.run.tm.scratch);
    let start = worker.outbox.bytes.len();
    let edits = [&worker.run.edits];
    Outgoing::of_run(&worker.run, &worker.run.target, &edits, to, &branch).write(&node, &mut worker.outbox.bytes, &mut scratch);
    worker.run.tm.scratch = scratch;
    if node.program.route(RouteKind::OnSend, b"").is_none() {
        worker.outbox.send_written(&to, start);
        return Ok(());
    }
    // What the route itself sends is written first, so these bytes move behind it.
    let bytes = worker.outbox.bytes.split_off(start);
    if !passes_onsend(worker, to, &bytes) {
        return Err(next_hop::error::SEND);
    }
    worker.outbox.send(&to, &bytes);
    Ok(())
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

/// Forwards the current reply by its second Via. False: there is none, or it names no address.
pub fn reply(worker: &mut Worker) -> bool {
    let node = Arc::clone(&worker.node);
    let Some(to) = reply_endpoint(worker) else {
        node.states.core.counters.error_reply();
        return false;
    };
    let start = worker.outbox.bytes.len();
    let run = &worker.run;
    let status_line = crate::textopsx::status_line(run).unwrap_or_default();
    let head = ReplyHead { status_line: &status_line, keep_top_via: false };
    write_reply_relay_with(&mut worker.outbox.bytes, &run.message, &[&run.edits], &head, to.protocol != Protocol::Udp);
    worker.outbox.send_written(&to, start);
    node.states.core.counters.forwarded_reply();
    true
}

/// Where the second Via of the current reply leads.
pub fn reply_endpoint(worker: &Worker) -> Option<Endpoint> {
    let message = &worker.run.message;
    let mut vias = message.vias();
    let own = vias.next()?;
    let via = vias.next()?;
    let protocol = Protocol::from_bytes(via.transport)?;
    let host = if via.received.is_empty() { via.host } else { via.received };
    let address = parse_address(host)?;
    let rport = via.rport.and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse::<u16>().ok());
    let port = rport.or(via.port).filter(|port| *port != 0).unwrap_or(DEFAULT_PORT);
    let socket = worker.node.sockets.automatic(protocol, address, Some(worker.run.source.socket))?;
    let connection = own.param(b"i").and_then(reversed_hexadecimal).unwrap_or(0);
    Some(Endpoint { protocol, address: SocketAddr::new(address, port), socket, connection })
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
    let default = if protocol == Protocol::Tls { next_hop::DEFAULT_TLS_PORT } else { DEFAULT_PORT };
    let port = match arguments.get(1).map(Argument::text) {
        None if is_uri_host(&host) => uri?.port.unwrap_or(default),
        None => default,
        Some(text) if text.eq_ignore_ascii_case(b"uri:port") => uri?.port.unwrap_or(default),
        Some(text) => std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or(next_hop::error::BAD_ADDRESS)?,
    };
    let host_text = if is_uri_host(&host) { uri?.host.to_vec() } else { host.to_vec() };
    if host_text.is_empty() {
        return Err(next_hop::error::BAD_ADDRESS);
    }
    Ok(next_hop::of_host(&host_text, port, protocol))
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
