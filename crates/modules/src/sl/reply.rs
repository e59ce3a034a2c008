//! Building and sending a stateless reply.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sip::header::HeaderId;
use sip::method::Method;
use sip::reply::{ReplyParts, write_reply};

use super::statistics::Counter;
use super::{ACK_WAIT_MILLISECONDS, redirect_contacts, reply_destination, reply_endpoint, tag, to_tag};
use crate::dns::{self, Destination};
use crate::node::Node;
use crate::run::Run;
use crate::worker::Worker;

/// Replies statelessly to the current request. False, with nothing sent, for replies and ACKs.
pub fn reply(worker: &mut Worker, code: u16, reason: &[u8]) -> bool {
    if !worker.run.message.is_request() || worker.run.message.method() == Method::Ack {
        return false;
    }
    let node = Arc::clone(&worker.node);
    let state = &node.states.sl;
    let run = &mut worker.run;
    let tag = to_tag(&node, &run.message, tag::STATELESS);
    let endpoint = reply_endpoint(&node, run);
    let mut headers = std::mem::take(&mut run.reply_headers);
    let own_headers = headers.len();
    if (300..400).contains(&code) {
        headers.extend_from_slice(&redirect_contacts(run, state.rich_redirect));
    }
    if node.core.sip_warning {
        write_warning(&node, run, &mut headers);
    }
    let (body, content_type) = match &run.reply_body {
        Some((body, content_type)) => (&body[..], &content_type[..]),
        None => (&b""[..], &b""[..]),
    };
    let via_parameters = crate::corex::via::reply_parameters(run, node.core.via_reply_parameters_xavp.as_ref());
    let parts = ReplyParts {
        code,
        reason,
        to_tag: if code >= 180 { &tag } else { b"" },
        source: run.source.address,
        force_rport: run.force_rport || node.core.forces_rport(),
        extra_headers: &headers,
        server: node.core.server_signature.then(|| node.core.server_value()),
        body,
        content_type,
        via_parameters: &via_parameters,
    };
    let start = worker.outbox.bytes.len();
    write_reply(&mut worker.outbox.bytes, &run.message, &parts);
    headers.truncate(own_headers);
    run.reply_headers = headers;
    match reply_destination(&node, run) {
        None => worker.outbox.send_written_with(&endpoint, start, run.core.hints.of_reply(code)),
        Some(destination) => post(worker, destination, start, endpoint.socket),
    }
    let run = &mut worker.run;
    state.statistics.add_reply(code);
    state.statistics.add(Counter::Sent);
    if code >= 200 {
        run.is_replied = true;
        if run.message.method() == Method::Invite {
            let until = worker.now.time.0.saturating_add(ACK_WAIT_MILLISECONDS);
            state.ack_expected_until.fetch_max(until, Ordering::Relaxed);
        }
    }
    if let Some(route) = state.local_response_route {
        worker.run_route_id(route);
    }
    true
}

/// Sends what was written since `start` to a name, from the socket the request came in on.
fn post(worker: &mut Worker, destination: Destination, start: usize, socket: u16) {
    let bytes = worker.outbox.bytes.split_off(start);
    let host = destination.host.clone();
    if let Err(code) = dns::post(worker, destination, &bytes, Some(socket), 0) {
        worker.log(-1, "sl", &format!("no reply can be sent to {host} ({code})"));
    }
}

/// The `Warning` line that tells what was received (`sip_warning`).
fn write_warning(node: &Node, run: &Run, headers: &mut Vec<u8>) {
    let own = node.sockets.at(run.source.socket).map_or_else(String::new, |socket| socket.address.to_string());
    let source: SocketAddr = run.source.address;
    let text = format!(
        "Warning: 392 {own} \"Noisy feedback tells: pid={} req_src_ip={} req_src_port={} in_uri=",
        node.process.pid,
        source.ip(),
        source.port(),
    );
    headers.extend_from_slice(text.as_bytes());
    headers.extend_from_slice(run.message.request_uri());
    headers.extend_from_slice(b" out_uri=");
    headers.extend_from_slice(run.request_uri());
    let vias = run.message.headers_of(HeaderId::Via).count();
    headers.extend_from_slice(format!(" via_cnt={vias}\"\r\n").as_bytes());
}
