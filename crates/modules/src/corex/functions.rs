//! Sockets and addresses of the message.

use std::net::SocketAddr;

use script::exports::{Argument, Flow};
use script::value::Text;
use transaction::Protocol;

use super::interception::Direction;
use crate::sockets::parse_address;
use crate::worker::Worker;

fn first(arguments: &[Argument]) -> Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

/// Leaves everything as it is and answers 1, as Kamailio does.
fn not_a_socket(worker: &mut Worker, text: &Text) -> Flow {
    let line = format!("{text} is not a listening socket, the one before stays");
    worker.log(0, "corex", &line);
    Flow::Code(1)
}

fn set_sending(worker: &mut Worker, text: &Text, found: Option<u16>) -> Flow {
    match found {
        Some(socket) => {
            worker.run.target.socket = Some(socket);
            Flow::Code(1)
        }
        None => not_a_socket(worker, text),
    }
}

pub(super) fn set_send_socket(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let found = worker.node.sockets.find_text(&text);
    set_sending(worker, &text, found)
}

pub(super) fn set_send_socket_name(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let found = worker.node.sockets.find_named(&text);
    set_sending(worker, &text, found)
}

fn set_receiving(worker: &mut Worker, text: &Text, found: Option<u16>) -> Flow {
    match found {
        Some(socket) => {
            worker.run.source.socket = socket;
            Flow::Code(1)
        }
        None => not_a_socket(worker, text),
    }
}

pub(super) fn set_receive_socket(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let found = worker.node.sockets.find_text(&text);
    set_receiving(worker, &text, found)
}

pub(super) fn set_receive_socket_name(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let found = worker.node.sockets.find_named(&text);
    set_receiving(worker, &text, found)
}

/// The address in `[proto:]ip[:port]`, IPv6 in brackets.
fn address(text: &[u8]) -> Option<SocketAddr> {
    let colon = text.iter().position(|byte| *byte == b':');
    let protocol = colon.and_then(|at| Protocol::from_bytes(text.get(..at)?));
    let rest = if protocol.is_some() { text.get(colon? + 1..)? } else { text };
    let (host, port) = match rest.iter().rposition(|byte| *byte == b':') {
        Some(at) if !rest.get(at..)?.contains(&b']') && (rest.first() == Some(&b'[') || !rest.get(..at)?.contains(&b':')) => {
            (rest.get(..at)?, std::str::from_utf8(rest.get(at + 1..)?).ok()?.parse().ok()?)
        }
        _ => (rest, crate::sockets::DEFAULT_PORT),
    };
    Some(SocketAddr::new(parse_address(host)?, port))
}

/// `set_source_address("[proto:]ip[:port]")`: the protocol stays, so that replies find their way.
pub(super) fn set_source_address(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let Some(source) = address(&text) else {
        let line = format!("set_source_address: {text} is not an address");
        worker.log(-1, "corex", &line);
        return Flow::Code(-1);
    };
    worker.run.source.address = source;
    Flow::Code(1)
}

pub(super) fn is_socket_name(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(worker.node.sockets.find_named(&first(arguments)).is_some())
}

/// In `event_route[network:msg]`: was the message received? Elsewhere false.
pub(super) fn is_incoming(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    Flow::from(worker.run.corex.direction == Some(Direction::In))
}

pub(super) fn is_faked(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    Flow::from(worker.run.is_faked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_optional_protocol_and_port() {
        let plain = |text: &str| address(text.as_bytes());
        assert_eq!(plain("udp:1.2.3.4:5070"), Some("1.2.3.4:5070".parse().unwrap()));
        assert_eq!(plain("1.2.3.4"), Some("1.2.3.4:5060".parse().unwrap()));
        assert_eq!(plain("tcp:[2001:db8::1]:9"), Some("[2001:db8::1]:9".parse().unwrap()));
        assert_eq!(plain("2001:db8::1"), Some("[2001:db8::1]:5060".parse().unwrap()));
        assert_eq!(plain("name:5060"), None);
    }
}
