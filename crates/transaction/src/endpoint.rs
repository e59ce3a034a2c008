//! Where a message came from or goes to: protocol, address, local socket and connection.

use std::net::SocketAddr;

/// Transport protocol of one hop (RFC 3261 §18, RFC 7118 for WebSocket).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Udp,
    Tcp,
    Tls,
    Sctp,
    Ws,
    Wss,
}

impl Protocol {
    /// Whether the transport delivers by itself, so that nothing is retransmitted (RFC 3261 §17.1.1.2).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Protocol::Udp)
    }

    /// Token of the Via header.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Udp => "UDP",
            Protocol::Tcp => "TCP",
            Protocol::Tls => "TLS",
            Protocol::Sctp => "SCTP",
            Protocol::Ws => "WS",
            Protocol::Wss => "WSS",
        }
    }

    /// Protocol named by a Via token or a `transport` parameter, any case.
    pub fn from_bytes(token: &[u8]) -> Option<Protocol> {
        const ALL: [Protocol; 6] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Sctp, Protocol::Ws, Protocol::Wss];
        ALL.into_iter().find(|protocol| protocol.name().as_bytes().eq_ignore_ascii_case(token))
    }
}

/// One end of a hop. Opaque to this room: it is stored and handed back to whoever sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub protocol: Protocol,
    /// Remote address.
    pub address: SocketAddr,
    /// Index of the local socket.
    pub socket: u16,
    /// Connection the message came in on, 0 when none.
    pub connection: u64,
}

impl Endpoint {
    /// UDP endpoint on a local socket.
    pub const fn udp(address: SocketAddr, socket: u16) -> Endpoint {
        Endpoint { protocol: Protocol::Udp, address, socket, connection: 0 }
    }
}
