//! Forwarding a received reply statelessly, at the script's word (RFC 3261 §16.11, §18.1.2; spec proxy-core 3.6).

use std::net::SocketAddr;
use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::serialise::{ReplyHead, write_reply_relay_with};
use transaction::{Endpoint, Protocol};

use crate::node::Node;
use crate::run::Run;
use crate::sockets::{DEFAULT_PORT, parse_address};
use crate::worker::Worker;

/// Where a reply goes without transaction: told by its second Via. None: there is none, or it carries a name.
fn next_hop(node: &Node, run: &Run) -> Option<Endpoint> {
    let mut vias = run.message.vias();
    let own = vias.next()?;
    let via = vias.next()?;
    let protocol = Protocol::from_bytes(via.transport)?;
    let port = match via.rport {
        Some(port) if !port.is_empty() => std::str::from_utf8(port).ok()?.parse().ok()?,
        _ => via.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT),
    };
    let host = if via.received.is_empty() { via.host } else { via.received };
    let address = parse_address(host)?;
    let connection = own.param(b"i").and_then(reversed_hexadecimal).unwrap_or(0);
    let socket = node.sockets.automatic(protocol, address, Some(run.source.socket))?;
    Some(Endpoint { protocol, address: SocketAddr::new(address, port), socket, connection })
}

/// A number in hexadecimal, least significant digit first.
fn reversed_hexadecimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    text.iter().rev().try_fold(0_u64, |number, digit| Some((number << 4) | u64::from((*digit as char).to_digit(16)?)))
}

/// `sl_forward_reply([code[, reason]])`: 1 sent, -1 not. The class of the status cannot change.
pub(super) fn sl_forward_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if !worker.run.message.is_reply() {
        return Flow::Code(-1);
    }
    let received = worker.run.message.status();
    let code = match arguments.first().map(Argument::integer) {
        None => received,
        Some(code) => match u16::try_from(code) {
            Ok(code) if code / 100 == received / 100 => code,
            _ => {
                worker.log(-1, "sl", "sl_forward_reply cannot change the class of a reply");
                return Flow::Code(-1);
            }
        },
    };
    let reason = arguments.get(1).map(Argument::text).unwrap_or_else(|| Text::from(worker.run.message.reason()));
    let node = Arc::clone(&worker.node);
    let Some(endpoint) = next_hop(&node, &worker.run) else {
        worker.log(-1, "sl", "sl_forward_reply: the reply has no next Via with an address");
        return Flow::Code(-1);
    };
    let mut status_line = Vec::new();
    if !arguments.is_empty() {
        status_line.extend_from_slice(format!("SIP/2.0 {code} ").as_bytes());
        status_line.extend_from_slice(&reason);
        status_line.extend_from_slice(b"\r\n");
    }
    let head = ReplyHead { status_line: &status_line, ..ReplyHead::default() };
    let start = worker.outbox.bytes.len();
    let run = &worker.run;
    write_reply_relay_with(&mut worker.outbox.bytes, &run.message, &[&run.edits], &head, endpoint.protocol.is_reliable());
    worker.outbox.send_written(&endpoint, start);
    Flow::Code(1)
}

#[cfg(test)]
mod tests {
    use super::reversed_hexadecimal;

    #[test]
    fn connection_numbers_are_read_least_significant_digit_first() {
        assert_eq!(reversed_hexadecimal(b"1"), Some(1));
        assert_eq!(reversed_hexadecimal(b"01"), Some(0x10));
        assert_eq!(reversed_hexadecimal(b"x"), None);
        assert_eq!(reversed_hexadecimal(b""), None);
    }
}
