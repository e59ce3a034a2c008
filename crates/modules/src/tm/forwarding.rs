//! Script functions that forward: `t_relay()` and its relatives, copies (spec proxy-core 7.4).

use script::exports::{Argument, Flow};
use transaction::Protocol;

use super::relay::{Forced, relay};
use crate::next_hop::{self, NextHop};
use crate::worker::Worker;

fn text(arguments: &[Argument], index: usize) -> script::value::Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn integer(arguments: &[Argument], index: usize) -> i64 {
    arguments.get(index).map_or(0, Argument::integer)
}

fn forced_hop(arguments: &[Argument], protocol: Protocol) -> Option<NextHop> {
    let host = text(arguments, 0);
    if host.is_empty() {
        return None;
    }
    let port = u16::try_from(integer(arguments, 1)).ok();
    Some(next_hop::of_host(&host, port, Some(protocol)))
}

fn relay_with(worker: &mut Worker, arguments: &[Argument], protocol: Option<Protocol>) -> Flow {
    let hop = forced_hop(arguments, protocol.unwrap_or(Protocol::Udp));
    relay(worker, Forced { hop, protocol, ..Forced::default() })
}

/// `t_relay([host, port])`
pub fn t_relay(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    relay_with(worker, arguments, None)
}

/// `t_relay_to_udp([host, port])`
pub fn t_relay_to_udp(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    relay_with(worker, arguments, Some(Protocol::Udp))
}

/// `t_relay_to_tcp([host, port])`
pub fn t_relay_to_tcp(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    relay_with(worker, arguments, Some(Protocol::Tcp))
}

/// `t_relay_to_tls([host, port])`
pub fn t_relay_to_tls(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    relay_with(worker, arguments, Some(Protocol::Tls))
}

/// `t_relay_to_sctp([host, port])`
pub fn t_relay_to_sctp(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    relay_with(worker, arguments, Some(Protocol::Sctp))
}

/// `t_relay_to([proxy][, flags])`: proxy `proto:host:port` or `host:port`.
pub fn t_relay_to(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let proxy = text(arguments, 0);
    let is_flags = is_relay_flags(&proxy);
    let flags = if arguments.len() == 1 && is_flags { integer(arguments, 0) } else { integer(arguments, 1) };
    let hop = if is_flags { None } else { parse_proxy(&proxy) };
    relay(
        worker,
        Forced { hop, without_100: flags & 1 != 0, without_reply: flags & 2 != 0, without_failover: flags & 4 != 0, ..Forced::default() },
    )
}

/// A single argument of `t_relay_to()` that is a number stands for the flags.
pub(super) fn is_relay_flags(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) || text.starts_with(b"0x")
}

pub(super) fn parse_proxy(proxy: &[u8]) -> Option<NextHop> {
    let proxy = std::str::from_utf8(proxy).ok()?;
    let (protocol, rest) = match proxy.split_once(':') {
        Some((word, rest)) if Protocol::from_bytes(word.as_bytes()).is_some() => (Protocol::from_bytes(word.as_bytes())?, rest),
        _ => (Protocol::Udp, proxy),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (rest, None),
    };
    Some(next_hop::of_host(host.as_bytes(), port, Some(protocol)))
}

/// `t_replicate([uri])`, `t_replicate(host, port)`: a copy goes out, its replies are not relayed.
pub fn t_replicate(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let hop = match arguments.len() {
        0 => None,
        1 => next_hop::of_uri(&text(arguments, 0), None).ok(),
        _ => forced_hop(arguments, Protocol::Udp),
    };
    replicate(worker, hop)
}

/// `t_replicate_tcp(host, port)`
pub fn t_replicate_tcp(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let hop = forced_hop(arguments, Protocol::Tcp);
    replicate(worker, hop)
}

/// `t_replicate_tls(host, port)`
pub fn t_replicate_tls(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let hop = forced_hop(arguments, Protocol::Tls);
    replicate(worker, hop)
}

/// `t_replicate_to(protocol, "host:port")`
pub fn t_replicate_to(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match protocol_and_proxy(worker, arguments) {
        Some(hop) => replicate(worker, Some(hop)),
        None => Flow::Code(-1),
    }
}

/// `t_relay_to_avp(protocol, "host:port")`, `t_forward_nonack_to(protocol, "host:port")`
pub fn t_relay_to_protocol(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match protocol_and_proxy(worker, arguments) {
        Some(hop) => relay(worker, Forced { hop: Some(hop), ..Forced::default() }),
        None => Flow::Code(-1),
    }
}

fn protocol_and_proxy(worker: &mut Worker, arguments: &[Argument]) -> Option<NextHop> {
    let (word, proxy) = (text(arguments, 0), text(arguments, 1));
    let hop = Protocol::from_bytes(&word).and_then(|_| parse_proxy(&[&word[..], b":", &proxy[..]].concat()));
    if hop.is_none() {
        worker.log(-1, "tm", &format!("no proxy: `{word}` `{proxy}` (udp, tcp or tls, then host:port)"));
    }
    hop
}

fn replicate(worker: &mut Worker, hop: Option<NextHop>) -> Flow {
    relay(worker, Forced { hop, without_100: true, without_reply: true, is_copy: true, ..Forced::default() })
}
