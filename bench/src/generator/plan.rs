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
    /// The same seed makes the same calls.
    pub seed: u64,
}

impl Plan {
    /// Calls without ringing time, re-INVITE or hold, all ended by the caller.
    pub fn plain(proxy: SocketAddr, callee: SocketAddr) -> Plan {
        Plan {
            proxy,
            callee,
            ring: Duration::ZERO..Duration::ZERO,
            hold: Duration::ZERO..Duration::ZERO,
            held_share: 0.0,
            updates_max: 0,
            callee_ends_share: 0.0,
            accounts: 20,
            trunks: 5,
            seed: 1,
        }
    }

    /// The account of a call.
    pub fn account(&self, number: u32) -> String {
        format!("account{}", number % self.accounts.max(1))
    }

    /// The trunk of a call.
    pub fn trunk(&self, number: u32) -> String {
        format!("trunk{}", number % self.trunks.max(1))
    }
}
