//! The words with their own comparison grammar: `method`, `uri`, `src_ip`, `proto`, `myself` (spec cfg-language 8.6).

use std::net::IpAddr;

use script::syntax::ast::CoreWord;
use script::value::{Text, Value};
use sip::uri::Uri;
use transaction::Protocol;

use crate::sockets::word;
use crate::worker::Worker;

/// The value of a word for the current message; null when it has none.
pub fn value(worker: &mut Worker, core_word: CoreWord) -> Value {
    let run = &worker.run;
    match core_word {
        CoreWord::Method => Value::text(run.message.method_text()),
        CoreWord::Uri if run.message.is_request() => Value::text(run.request_uri()),
        CoreWord::Uri => {
            let status = run.message.status();
            Value::Number(i64::from(status), Text::from(status.to_string()))
        }
        CoreWord::FromUri => run.message.from().map_or(Value::Null, |from| Value::text(from.uri)),
        CoreWord::ToUri => run.message.to().map_or(Value::Null, |to| Value::text(to.uri)),
        CoreWord::SourceIp => address(Some(run.source.address.ip())),
        CoreWord::DestinationIp => address(received_on(worker).map(|address| address.ip())),
        CoreWord::SendIp => address(sending_socket(worker).map(|address| address.ip())),
        CoreWord::ToIp => address(run.core.sending.as_ref().map(|sending| sending.to.address.ip())),
        CoreWord::SourcePort => Value::Integer(i64::from(run.source.address.port())),
        CoreWord::DestinationPort => port(received_on(worker)),
        CoreWord::SendPort => port(sending_socket(worker)),
        CoreWord::ToPort => port(run.core.sending.as_ref().map(|sending| sending.to.address)),
        CoreWord::AddressFamily => Value::Integer(family(run.source.address.ip())),
        CoreWord::SendFamily => run.core.sending.as_ref().map_or(Value::Null, |sending| Value::Integer(family(sending.to.address.ip()))),
        CoreWord::MessageLength => Value::Integer(i64::try_from(run.message.bytes().len()).unwrap_or(i64::MAX)),
        CoreWord::Protocol => protocol(run.source.protocol),
        CoreWord::SendProtocol => run.core.sending.as_ref().map_or(Value::Null, |sending| protocol(sending.to.protocol)),
    }
}

/// Is the word's value this proxy?
pub fn is_myself(worker: &mut Worker, core_word: CoreWord) -> bool {
    match core_word {
        CoreWord::SourceIp | CoreWord::DestinationIp | CoreWord::SendIp | CoreWord::ToIp => {
            let text = value(worker, core_word).to_text();
            crate::sockets::parse_address(&text)
                .is_some_and(|address| worker.node.sockets.list.iter().any(|socket| socket.address.ip() == address))
        }
        CoreWord::Uri | CoreWord::FromUri | CoreWord::ToUri => {
            let text = value(worker, core_word).to_text();
            is_own_uri(worker, &text)
        }
        _ => false,
    }
}

/// Does this URI name the proxy (spec proxy-core 2.5)? One with a `gr` parameter never does.
pub fn is_own_uri(worker: &Worker, text: &[u8]) -> bool {
    let Ok(uri) = Uri::parse(text) else { return false };
    uri.param(b"gr").is_none() && is_own_host(worker, uri.host, uri.port)
}

/// Do a host and port name the proxy: a socket, an alias, or a subdomain that corex was told to take?
pub fn is_own_host(worker: &Worker, host: &[u8], port: Option<u16>) -> bool {
    worker.node.sockets.is_myself(host, port) || worker.node.states.corex.is_subdomain(host, port)
}

/// The family as in the C interface: 2 for IPv4, 10 for IPv6.
pub fn family(address: IpAddr) -> i64 {
    if address.is_ipv4() { 2 } else { 10 }
}

/// The number of a protocol in Kamailio.
pub fn protocol_number(protocol: Protocol) -> i64 {
    match protocol {
        Protocol::Udp => 1,
        Protocol::Tcp => 2,
        Protocol::Tls => 3,
        Protocol::Sctp => 4,
        Protocol::Ws => 5,
        Protocol::Wss => 6,
    }
}

fn protocol(protocol: Protocol) -> Value {
    Value::Number(protocol_number(protocol), Text::from(word(protocol)))
}

fn address(address: Option<IpAddr>) -> Value {
    address.map_or(Value::Null, |address| Value::text(address.to_string()))
}

fn port(address: Option<std::net::SocketAddr>) -> Value {
    address.map_or(Value::Null, |address| Value::Integer(i64::from(address.port())))
}

fn received_on(worker: &Worker) -> Option<std::net::SocketAddr> {
    worker.node.sockets.at(worker.run.source.socket).map(|socket| socket.address)
}

fn sending_socket(worker: &Worker) -> Option<std::net::SocketAddr> {
    let sending = worker.run.core.sending.as_ref()?;
    worker.node.sockets.at(sending.to.socket).map(|socket| socket.address)
}
