//! Where a request goes next: from `$du` or the request URI to an address, a protocol and a local socket (spec proxy-core 6.1, 6.3, 2.6).

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use sip::uri::Uri;
use transaction::{Endpoint, Protocol};

use crate::dns::Destination;
use crate::node::Node;
use crate::run::Target;
use crate::sockets::{DEFAULT_PORT, Sockets, parse_address};

/// Default port of SIP over TLS.
pub const DEFAULT_TLS_PORT: u16 = 5061;

/// Internal error codes a script sees in `$rc` (spec proxy-core 1.5).
pub mod error {
    /// Send failed.
    pub const SEND: i32 = -477;
    /// Unresolvable destination.
    pub const BAD_ADDRESS: i32 = -478;
    /// Unusable URI.
    pub const BAD_URI: i32 = -479;
    /// No local socket of that protocol and family.
    pub const NO_SOCKET: i32 = -7;
    /// No branch to forward.
    pub const CONFIGURATION: i32 = -6;
    /// The transaction is cancelled already.
    pub const CANCELED: i32 = -487;
    /// Too many branches.
    pub const FORKING: i32 = -12;
    /// Malformed request.
    pub const BAD_REQUEST: i32 = -400;
    /// `t_newtran` called twice.
    pub const EXISTS: i32 = -10;
    /// Table full or no memory.
    pub const NO_ROOM: i32 = -2;
}

/// The next hop of one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    Address(Hop),
    /// A name: addresses must be looked up first.
    Name(Destination),
}

/// Protocol and remote address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    pub protocol: Protocol,
    pub address: SocketAddr,
}

/// The next hop that a URI names; `forced` overrides its transport.
pub fn of_uri(uri: &[u8], forced: Option<Protocol>) -> Result<NextHop, i32> {
    let uri = Uri::parse(uri).map_err(|_| error::BAD_ADDRESS)?;
    if uri.host.is_empty() {
        return Err(error::BAD_ADDRESS);
    }
    let named = match uri.transport() {
        Some(word) => Some(Protocol::from_bytes(word).ok_or(error::BAD_URI)?),
        None if uri.is_sips() => Some(Protocol::Tls),
        None => None,
    };
    Ok(of_host(uri.maddr().unwrap_or(uri.host), uri.port, forced.or(named)))
}

/// The next hop that a host names. Without a port (or with 0) its SRV records count, without a protocol its NAPTR records too.
pub fn of_host(host: &[u8], port: Option<u16>, protocol: Option<Protocol>) -> NextHop {
    let port = port.filter(|port| *port != 0);
    match parse_address(host) {
        Some(address) => {
            let protocol = protocol.unwrap_or(Protocol::Udp);
            let default = if protocol == Protocol::Tls { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
            NextHop::Address(Hop { protocol, address: SocketAddr::new(address, port.unwrap_or(default)) })
        }
        None => NextHop::Name(Destination { host: String::from_utf8_lossy(host).into_owned().into_boxed_str(), port, protocol }),
    }
}

/// The local end for a hop: the forced socket when protocol and family fit (else one with its address and the hop's
/// protocol), otherwise the automatic choice.
pub fn endpoint(sockets: &Sockets, hop: Hop, target: &Target, received_on: Option<u16>) -> Result<Endpoint, i32> {
    let forced = target.socket.and_then(|index| {
        let socket = sockets.at(index)?;
        if socket.address.is_ipv4() != hop.address.is_ipv4() {
            return None;
        }
        if socket.protocol == hop.protocol {
            return Some(index);
        }
        sockets.find(Some(hop.protocol), socket.address.ip(), socket.address.port())
    });
    let socket = forced.or_else(|| sockets.automatic(hop.protocol, hop.address.ip(), received_on)).ok_or(error::NO_SOCKET)?;
    Ok(Endpoint { protocol: hop.protocol, address: hop.address, socket, connection: 0 })
}

/// The stream endpoint for a request that is too long for UDP; None: it stays (spec proxy-core 6.2). `wish`: the protocol the
/// script asked for.
pub fn longer_than_udp_takes(node: &Node, wish: Option<Protocol>, to: Endpoint, length: usize) -> Option<Endpoint> {
    let most = node.core.udp_mtu.load(Ordering::Relaxed);
    if most == 0 || to.protocol != Protocol::Udp || length <= most {
        return None;
    }
    let usual = node.core.udp_mtu_try_tcp.load(Ordering::Relaxed).then_some(Protocol::Tcp);
    let protocol = wish.or(usual).filter(|protocol| *protocol != Protocol::Udp)?;
    let socket = node.sockets.automatic(protocol, to.address.ip(), None)?;
    Some(Endpoint { protocol, socket, ..to })
}
