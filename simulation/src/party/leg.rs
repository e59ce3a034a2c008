//! A dialog as a user agent keeps it (RFC 3261 §12).

use std::net::SocketAddr;

use sip::message::Message;

use super::wire;

/// One dialog of a party.
#[derive(Clone, Debug)]
pub struct Leg {
    pub local: String,
    pub local_tag: String,
    pub remote: String,
    pub remote_tag: String,
    pub target: String,
    /// Route entries in the order of a request of this party.
    pub routes: Vec<String>,
    pub cseq: u32,
    /// The INVITE that made it was answered with 2xx.
    pub is_answered: bool,
    pub is_over: bool,
    /// The ACK of the last 2xx and where it goes, to answer copies of that 2xx.
    pub ack: Option<(SocketAddr, Vec<u8>, u32)>,
}

impl Leg {
    /// The next hop of a request: the topmost route or the remote target.
    pub fn next_hop(&self) -> Option<SocketAddr> {
        wire::address_of(self.routes.first().map_or(&self.target, |route| route))
    }

    /// Header lines Route.
    pub fn route_lines(&self) -> String {
        self.routes.iter().map(|route| format!("Route: {route}\r\n")).collect()
    }

    /// The routes of a message: as they stand for the callee, reversed for the caller.
    pub fn routes_of(message: &Message, is_caller: bool) -> Vec<String> {
        let mut routes: Vec<String> = message.record_routes().map(|entry| String::from_utf8_lossy(entry.whole).trim().to_owned()).collect();
        if is_caller {
            routes.reverse();
        }
        routes
    }
}
