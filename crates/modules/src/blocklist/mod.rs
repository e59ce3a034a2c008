//! Destinations that failed a short while ago and are left alone meanwhile (`use_dst_blocklist`, spec proxy-core 6.6).

pub mod rpc;
mod settings;

pub use settings::Settings;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sip::time::Time;
use transaction::{Endpoint, Protocol};

use crate::worker::Worker;

/// Why a destination is listed: bits, as RPC shows them.
pub mod reason {
    /// The system refused to send there.
    pub const SEND: u8 = 2;
    /// No connection could be opened.
    pub const CONNECT: u8 = 4;
    /// Nobody answered in time.
    pub const TIMEOUT: u8 = 16;
    /// The answer was 503.
    pub const UNAVAILABLE: u8 = 32;
    /// Listed until the proxy ends.
    pub const PERMANENT: u8 = 128;
}

/// Bytes one entry is counted with.
const ENTRY_BYTES: usize = 24;

/// The longest time a destination can be listed, seconds.
const SECONDS_MAX: u64 = 86_400 * 30;

/// Protocol and remote address, in the order of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Destination {
    protocol: u8,
    address: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
struct Listed {
    /// None: never.
    expires: Option<Time>,
    reasons: u8,
}

/// The list, shared by all workers.
#[derive(Debug, Default)]
pub struct State {
    listed: RwLock<BTreeMap<Destination, Listed>>,
    swept: AtomicU64,
}

const PROTOCOLS: [Protocol; 4] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Sctp];

/// Kamailio's number of a protocol; the WebSockets count as what carries them.
const fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Udp => 1,
        Protocol::Tcp | Protocol::Ws => 2,
        Protocol::Tls | Protocol::Wss => 3,
        Protocol::Sctp => 4,
    }
}

impl State {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Destination, Listed>> {
        self.listed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<Destination, Listed>> {
        self.listed.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn contains(&self, protocol: Protocol, address: SocketAddr, now: Time) -> bool {
        let destination = Destination { protocol: number(protocol), address };
        self.read().get(&destination).is_some_and(|listed| listed.expires.is_none_or(|end| end > now))
    }

    /// Lists a destination for so many seconds, or longer if it is listed already. Full: it is not listed.
    fn add(&self, destination: Destination, reasons: u8, seconds: u64, settings: &Settings, now: Time) {
        let end = now.plus(seconds.min(SECONDS_MAX) * 1_000);
        let expires = (reasons & reason::PERMANENT == 0).then_some(end);
        let mut listed = self.write();
        if let Some(former) = listed.get_mut(&destination) {
            former.reasons |= reasons;
            former.expires = match (former.expires, expires) {
                (Some(former), Some(end)) => Some(former.max(end)),
                _ => None,
            };
            return;
        }
        if (listed.len() + 1) * ENTRY_BYTES > settings.bytes_max {
            listed.retain(|_, listed| listed.expires.is_none_or(|end| end > now));
        }
        if (listed.len() + 1) * ENTRY_BYTES <= settings.bytes_max {
            listed.insert(destination, Listed { expires, reasons });
        }
    }
}

/// May nothing be sent to this endpoint now?
pub fn is_listed(worker: &Worker, to: &Endpoint) -> bool {
    let node = &worker.node;
    node.core.blocklist.is_used() && node.states.core.blocklist.contains(to.protocol, to.address, worker.now.time)
}

/// Lists an endpoint after a failure, unless its protocol's mask ignores the reason. `seconds`: None for the usual time.
pub fn add(worker: &Worker, to: &Endpoint, reasons: u8, seconds: Option<u64>) {
    let settings = &worker.node.core.blocklist;
    let reasons = reasons & !settings.ignored(to.protocol);
    if !settings.is_used() || reasons == 0 {
        return;
    }
    let destination = Destination { protocol: number(to.protocol), address: to.address };
    let seconds = seconds.unwrap_or(settings.seconds);
    worker.node.states.core.blocklist.add(destination, reasons, seconds, settings, worker.now.time);
}

/// Once a second: drops what has expired every `dst_blocklist_gc_interval` seconds.
pub fn on_timer(worker: &Worker) {
    let settings = &worker.node.core.blocklist;
    let state = &worker.node.states.core.blocklist;
    let now = worker.now.time;
    let last = Time(state.swept.load(Ordering::Relaxed));
    if settings.is_used() && settings.sweep_seconds > 0 && now.since(last) >= settings.sweep_seconds * 1_000 {
        state.swept.store(now.0, Ordering::Relaxed);
        state.write().retain(|_, listed| listed.expires.is_none_or(|end| end > now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(port: u16) -> Destination {
        Destination { protocol: 1, address: SocketAddr::from(([192, 0, 2, 1], port)) }
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.apply("use_dst_blocklist", 1);
        settings
    }

    #[test]
    fn a_listed_destination_is_free_again_after_its_time() {
        let state = State::default();
        state.add(destination(5060), reason::TIMEOUT, 60, &settings(), Time(0));
        let address = destination(5060).address;
        assert!(state.contains(Protocol::Udp, address, Time(59_999)));
        assert!(!state.contains(Protocol::Udp, address, Time(60_000)));
        assert!(!state.contains(Protocol::Tcp, address, Time(0)), "another protocol");
        assert!(!state.contains(Protocol::Udp, destination(5061).address, Time(0)), "another port");
    }

    #[test]
    fn a_further_failure_prolongs_and_never_shortens() {
        let state = State::default();
        state.add(destination(5060), reason::UNAVAILABLE, 100, &settings(), Time(0));
        state.add(destination(5060), reason::TIMEOUT, 10, &settings(), Time(0));
        assert!(state.contains(Protocol::Udp, destination(5060).address, Time(99_000)));
        state.add(destination(5060), reason::PERMANENT, 10, &settings(), Time(0));
        assert!(state.contains(Protocol::Udp, destination(5060).address, Time(u64::MAX)));
    }

    #[test]
    fn the_list_is_bounded_and_makes_room_by_dropping_what_has_expired() {
        let mut settings = settings();
        settings.apply("dst_blocklist_mem", 1);
        let state = State::default();
        for port in 0..100 {
            state.add(destination(port), reason::TIMEOUT, 60, &settings, Time(0));
        }
        assert_eq!(state.read().len(), 1_024 / ENTRY_BYTES);
        state.add(destination(200), reason::TIMEOUT, 60, &settings, Time(60_000));
        assert_eq!(state.read().len(), 1);
    }
}
