//! What kind of calls a generator makes.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

/// The calls of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// Where it sends calls: the callee's own address.
    pub callee: SocketAddr,
    /// Sockets that calls begin on in turn, each a peer of its own.
    pub callers: u16,
    /// Sockets that calls go to. With more than one they are taken in turn and named by the Request-URI, for a proxy that relays
    /// where that says; all but the first are on free ports of the callee's host.
    pub callees: u16,
    /// The callee sends a 180 before its 200.
    pub rings: bool,
    /// From the callee's 180 to its 200.
    pub ring: Range<Duration>,
    /// From the caller's ACK to the BYE.
    pub hold: Range<Duration>,
    /// The share of calls that last until they are ended by the run.
    pub held_share: f64,
    /// Re-INVITEs of a call, at most.
    pub updates_max: u8,
    /// The share of calls that the callee ends.
    pub callee_ends_share: f64,
    /// Callers are `account0` and so on, callees `trunk0` and so on.
    pub accounts: u32,
    pub trunks: u32,
    /// The generator never sleeps, so that a proxy that sends to it has nobody to wake up. It takes a whole core.
    pub spins: bool,
    /// The same seed makes the same calls.
    pub seed: u64,
}

impl Plan {
    /// Calls without ringing time, re-INVITE or hold, all ended by the caller, between one caller and one callee.
    pub fn plain(proxy: SocketAddr, callee: SocketAddr) -> Plan {
        Plan {
            proxy,
            callee,
            callers: 1,
            callees: 1,
            rings: true,
            ring: Duration::ZERO..Duration::ZERO,
            hold: Duration::ZERO..Duration::ZERO,
            held_share: 0.0,
            updates_max: 0,
            callee_ends_share: 0.0,
            accounts: 20,
            trunks: 5,
            spins: false,
            seed: 1,
        }
    }

    /// The account of a call.
    pub fn account(&self, number: u32) -> String {
        format!("account{}", self.account_number(number))
    }

    /// The trunk of a call.
    pub fn trunk(&self, number: u32) -> String {
        format!("trunk{}", self.trunk_number(number))
    }

    pub(super) fn account_number(&self, number: u32) -> u32 {
        number % self.accounts.max(1)
    }

    pub(super) fn trunk_number(&self, number: u32) -> u32 {
        number % self.trunks.max(1)
    }
}
