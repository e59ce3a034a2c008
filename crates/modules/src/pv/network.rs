//! Where the message came from, where it was received, where it goes: `$si`, `$Ri`, `$fs`, `$rcv`, `$snd`.

use std::net::SocketAddr;

use script::exports::{Index, Inner};
use script::value::{Text, Value};
use transaction::{Endpoint, Protocol};

use super::answer::{length, number};
use crate::core::words::{family, protocol_number};
use crate::sockets::{Socket, bracketed, word};
use crate::worker::Worker;

type Address = (Protocol, SocketAddr);

/// Source of the message.
pub(super) fn source(worker: &Worker) -> Address {
    (worker.run.source.protocol, worker.run.source.address)
}

/// The socket the message was received on.
pub(super) fn receiving(worker: &Worker) -> Option<&Socket> {
    worker.node.sockets.at(worker.run.source.socket)
}

/// Its protocol and address.
pub(super) fn received_at(worker: &Worker) -> Option<Address> {
    receiving(worker).map(|socket| (socket.protocol, socket.address))
}

/// The address alone, IPv6 without brackets.
pub(super) fn ip(address: Option<Address>) -> Value {
    address.map_or(Value::Null, |(_, address)| Value::text(address.ip().to_string()))
}

/// The address, IPv6 in brackets.
pub(super) fn ip_bracketed(address: Option<Address>) -> Value {
    address.map_or(Value::Null, |(_, address)| Value::text(bracketed(address.ip())))
}

pub(super) fn port(address: Option<Address>) -> Value {
    address.map_or(Value::Null, |(_, address)| number(i64::from(address.port())))
}

fn uri_text(host: &str, port: Option<u16>, protocol: Protocol, with_udp: bool) -> String {
    let mut out = format!("sip:{host}");
    if let Some(port) = port {
        out.push_str(&format!(":{port}"));
    }
    if with_udp || protocol != Protocol::Udp {
        out.push_str(&format!(";transport={}", word(protocol)));
    }
    out
}

/// `sip:ip:port`, with the transport unless it is UDP.
pub(super) fn uri(address: Option<Address>) -> Value {
    address
        .map_or(Value::Null, |(protocol, address)| Value::text(uri_text(&bracketed(address.ip()), Some(address.port()), protocol, false)))
}

/// `sip:ip:port;transport=udp`.
pub(super) fn full_uri(address: Option<Address>) -> Value {
    address.map_or(Value::Null, |(protocol, address)| Value::text(uri_text(&bracketed(address.ip()), Some(address.port()), protocol, true)))
}

/// `udp:ip:port`.
pub(super) fn socket_text(address: Option<Address>) -> Value {
    address.map_or(Value::Null, |(protocol, address)| {
        Value::text(format!("{}:{}:{}", word(protocol), bracketed(address.ip()), address.port()))
    })
}

pub(super) fn socket_name(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    receiving(worker).and_then(|socket| socket.name.as_deref()).map_or(Value::Null, Value::text)
}

/// Host and port a socket advertises, else those it is bound to.
fn advertised(socket: &Socket) -> (String, u16) {
    match &socket.advertise {
        Some((host, port)) => (host.clone(), port.unwrap_or_else(|| socket.address.port())),
        None => (bracketed(socket.address.ip()), socket.address.port()),
    }
}

pub(super) fn advertised_ip(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    receiving(worker).map_or(Value::Null, |socket| match &socket.advertise {
        Some((host, _)) => Value::text(host.as_str()),
        None => Value::text(socket.address.ip().to_string()),
    })
}

pub(super) fn advertised_port(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    receiving(worker).map_or(Value::Null, |socket| number(i64::from(advertised(socket).1)))
}

fn advertised_uri_with(worker: &Worker, with_udp: bool) -> Value {
    receiving(worker).map_or(Value::Null, |socket| {
        let (host, port) = advertised(socket);
        Value::text(uri_text(&host, Some(port), socket.protocol, with_udp))
    })
}

pub(super) fn advertised_uri(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    advertised_uri_with(worker, false)
}

pub(super) fn advertised_full_uri(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    advertised_uri_with(worker, true)
}

pub(super) fn protocol(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    let protocol = worker.run.source.protocol;
    Value::Symbol(protocol_number(protocol), Text::from(word(protocol)))
}

pub(super) fn protocol_identifier(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(protocol_number(worker.run.source.protocol))
}

/// Keys of `$af(key)`.
pub(super) const FAMILY_KEYS: &[&str] = &["id", "name"];

pub(super) fn address_family(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let address = worker.run.source.address.ip();
    match inner {
        Inner::Choice(0) => Value::Integer(family(address)),
        _ => Value::text(if address.is_ipv4() { "IPv4" } else { "IPv6" }),
    }
}

/// The stream connection the message came on; null on UDP.
pub(super) fn connection(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    match worker.run.source.connection {
        0 => Value::Null,
        connection => Value::Integer(i64::try_from(connection).unwrap_or(i64::MAX)),
    }
}

fn forced(worker: &Worker) -> Option<&Socket> {
    worker.run.target.socket.and_then(|index| worker.node.sockets.at(index))
}

pub(super) fn forced_socket(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    forced(worker).map_or(Value::Null, |socket| Value::Text(socket.text.clone()))
}

pub(super) fn forced_name(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    forced(worker).and_then(|socket| socket.name.as_deref()).map_or(Value::Null, Value::text)
}

pub(super) fn forced_port(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    forced(worker).map_or(Value::Integer(0), |socket| number(i64::from(socket.address.port())))
}

/// Null resets; a socket that does not exist leaves none forced and is logged (spec proxy-core 2.6).
fn force(worker: &mut Worker, value: &Value, find: fn(&Worker, &[u8]) -> Option<u16>) -> Result<(), String> {
    let text = value.to_text();
    worker.run.target.socket = None;
    if text.is_empty() {
        return Ok(());
    }
    match find(worker, &text) {
        Some(socket) => worker.run.target.socket = Some(socket),
        None => {
            let line = format!("{text} is not a listening socket, none is forced");
            worker.log(0, "pv", &line);
        }
    }
    Ok(())
}

pub(super) fn write_forced_socket(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    force(worker, &value, |worker, text| worker.node.sockets.find_text(text))
}

pub(super) fn write_forced_name(worker: &mut Worker, _inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    force(worker, &value, |worker, text| worker.node.sockets.find_named(text))
}

/// Keys of `$rcv(key)`.
pub(super) const RECEIVED_KEYS: &[&str] = &[
    "srcip", "src_ip", "srcport", "src_port", "rcvip", "rcv_ip", "rcvport", "rcv_port", "proto", "sproto", "af", "buf", "len", "safe",
    "evtype", "bufat", "hexat",
];

/// The byte at an index, the first one without.
fn byte_at(bytes: &[u8], index: Option<Index>) -> Option<u8> {
    let at = match index {
        Some(Index::At(at)) => usize::try_from(at).ok()?,
        _ => 0,
    };
    bytes.get(at).copied()
}

/// `$rcv(buf) = ...` in `event_route[core:msg-received]`: the bytes that are read as the message.
pub(super) fn write_received(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let is_buffer = matches!(inner, Inner::Choice(choice) if RECEIVED_KEYS.get(usize::from(*choice)) == Some(&"buf"));
    match &mut worker.run.core.received {
        Some(received) if is_buffer => {
            received.bytes = value.to_text().to_vec();
            Ok(())
        }
        Some(_) => Err("only buf can be assigned".to_owned()),
        None => Err("what was received can be changed in event_route[core:msg-received] only".to_owned()),
    }
}

pub(super) fn received(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    let run = &worker.run;
    // Before there is a message, in `event_route[core:msg-received]`, there are its bytes.
    let (bytes, from) = match &run.core.received {
        Some(received) => (&received.bytes[..], received.from),
        None => (run.message.bytes(), run.source),
    };
    let here = worker.node.sockets.at(from.socket).map(|socket| (socket.protocol, socket.address));
    let there = Some((from.protocol, from.address));
    match RECEIVED_KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "srcip" | "src_ip" => ip(there),
        "srcport" | "src_port" => port(there),
        "rcvip" | "rcv_ip" => ip(here),
        "rcvport" | "rcv_port" => port(here),
        "proto" => Value::Integer(protocol_number(from.protocol)),
        "sproto" => Value::text(word(from.protocol)),
        "af" => Value::Integer(family(from.address.ip())),
        "bufat" => byte_at(bytes, index).map_or(Value::Null, |byte| Value::text(&[byte][..])),
        "hexat" => byte_at(bytes, index).map_or(Value::Null, |byte| Value::text(format!("{byte:02x}"))),
        "buf" => Value::text(bytes),
        "safe" => {
            Value::text(bytes.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { *byte } else { b'.' }).collect::<Vec<u8>>())
        }
        "len" => length(bytes.len()),
        _ => Value::Null,
    }
}

/// Keys of `$snd(key)`, `$sndto(key)` and `$sndfrom(key)`.
pub(super) const SENDING_KEYS: &[&str] = &["ip", "port", "proto", "sproto", "af", "buf", "len"];

fn sending_key(inner: &Inner, protocol: Protocol, address: SocketAddr, bytes: &[u8]) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    match SENDING_KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "ip" => Value::text(address.ip().to_string()),
        "port" => number(i64::from(address.port())),
        "proto" => Value::Integer(protocol_number(protocol)),
        "sproto" => Value::text(word(protocol)),
        "af" => Value::Integer(family(address.ip())),
        "buf" => Value::text(bytes),
        "len" => length(bytes.len()),
        _ => Value::Null,
    }
}

/// Where the message is being sent; null outside of onsend_route.
pub(super) fn sending_to(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Some(sending) = &worker.run.core.sending else { return Value::Null };
    sending_key(inner, sending.to.protocol, sending.to.address, &sending.bytes)
}

/// The local end it is being sent from.
pub(super) fn sending_from(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Some(sending) = &worker.run.core.sending else { return Value::Null };
    let Some(socket) = worker.node.sockets.at(sending.to.socket) else { return Value::Null };
    sending_key(inner, socket.protocol, socket.address, &sending.bytes)
}

/// Keys of `$rpl(key)`.
pub(super) const REPLY_KEYS: &[&str] = &["duri", "dhost", "dport", "dproto", "dprotoid", "cntvia", "cntrr"];

/// Where the current reply goes by its second Via.
pub(super) fn reply_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    if worker.run.message.is_request() {
        return Value::Null;
    }
    let key = REPLY_KEYS.get(usize::from(*choice)).copied().unwrap_or("");
    match key {
        "cntvia" => return length(worker.run.message.vias().count()),
        "cntrr" => return length(worker.run.message.record_routes().count()),
        _ => {}
    }
    let Some(Endpoint { protocol, address, .. }) = crate::core::forward::reply_endpoint(worker) else { return Value::Null };
    match key {
        "duri" => full_uri(Some((protocol, address))),
        "dhost" => ip(Some((protocol, address))),
        "dport" => port(Some((protocol, address))),
        "dproto" => Value::text(word(protocol)),
        "dprotoid" => Value::Integer(protocol_number(protocol)),
        _ => Value::Null,
    }
}

/// Text of a socket of a branch; null when none is forced.
pub(super) fn socket_of(worker: &Worker, index: Option<u16>) -> Option<Text> {
    index.and_then(|index| worker.node.sockets.at(index)).map(|socket| socket.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_kamailio_prints_them() {
        let udp = Some((Protocol::Udp, "127.0.0.1:5967".parse().unwrap()));
        let tls = Some((Protocol::Tls, "[2001:db8::1]:5061".parse().unwrap()));
        assert_eq!(uri(udp), Value::text("sip:127.0.0.1:5967"));
        assert_eq!(full_uri(udp), Value::text("sip:127.0.0.1:5967;transport=udp"));
        assert_eq!(uri(tls), Value::text("sip:[2001:db8::1]:5061;transport=tls"));
        assert_eq!(ip(tls), Value::text("2001:db8::1"));
        assert_eq!(ip_bracketed(tls), Value::text("[2001:db8::1]"));
        assert_eq!(socket_text(udp), Value::text("udp:127.0.0.1:5967"));
        assert_eq!(port(None), Value::Null);
    }
}
