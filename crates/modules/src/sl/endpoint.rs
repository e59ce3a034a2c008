//! Where a locally generated reply goes (RFC 3261 §18.2.2, RFC 3581 §4; spec proxy-core 3.5).

use std::net::SocketAddr;

use sip::via::Via;
use transaction::{Endpoint, Protocol};

use crate::dns::Destination;
use crate::node::Node;
use crate::run::Run;
use crate::sockets::parse_address;

/// Default ports of SIP (RFC 3261 §19.1.2).
const PORT: u16 = 5060;
const PORT_TLS: u16 = 5061;

/// The endpoint that replies to the run's request are sent to: from the receiving socket; on the connection of a stream.
pub fn reply_endpoint(node: &Node, run: &Run) -> Endpoint {
    match run.message.top_via() {
        Some(via) => endpoint_of(node, &via, run.source, run.force_rport),
        None => run.source,
    }
}

/// The same from the parts it depends on.
pub(super) fn endpoint_of(node: &Node, via: &Via<'_>, source: Endpoint, force_rport: bool) -> Endpoint {
    let mut endpoint = source;
    let via_port = via.port.filter(|port| *port != 0).unwrap_or(match endpoint.protocol {
        Protocol::Tls | Protocol::Wss => PORT_TLS,
        _ => PORT,
    });
    if endpoint.protocol.is_reliable() && endpoint.connection != 0 {
        return endpoint;
    }
    let to_source_port = via.rport.is_some() || force_rport || node.core.forces_rport();
    let port = if to_source_port { endpoint.address.port() } else { via_port };
    let own = endpoint.address.ip();
    let told = node.core.reply_to_via.then(|| parse_address(via.host)).flatten();
    let address = told.filter(|address| address.is_ipv4() == own.is_ipv4()).unwrap_or(own);
    endpoint.address = SocketAddr::new(address, port);
    endpoint
}

/// The name that replies to the run's request go to instead, with `reply_to_via`: the host of the top Via.
pub fn reply_destination(node: &Node, run: &Run) -> Option<Destination> {
    let via = run.message.top_via().filter(|_| node.core.reply_to_via)?;
    let has_connection = run.source.protocol.is_reliable() && run.source.connection != 0;
    if has_connection || parse_address(via.host).is_some() {
        return None;
    }
    let to_source_port = via.rport.is_some() || run.force_rport || node.core.forces_rport();
    let port = if to_source_port { Some(run.source.address.port()) } else { via.port.filter(|port| *port != 0) };
    let host = std::str::from_utf8(via.host).ok()?;
    Some(Destination { host: Box::from(host), port, protocol: Some(run.source.protocol) })
}
