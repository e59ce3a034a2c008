//! What is known of each open connection, for whoever asks from another thread.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ConnectionId;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Accepted, nothing received yet.
    Accepted,
    /// We are connecting.
    Connecting,
    Established,
}

/// One open connection at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    pub id: ConnectionId,
    pub state: StreamState,
    pub peer: SocketAddr,
    pub local: Option<SocketAddr>,
    /// Since the last traffic.
    pub idle: Duration,
}

/// What the stream thread keeps up to date of one connection.
#[derive(Debug)]
pub(super) struct Record {
    peer: SocketAddr,
    local: Option<SocketAddr>,
    state: AtomicU8,
    opened: Instant,
    /// Milliseconds after `opened`.
    last_traffic: AtomicU64,
}

impl Record {
    pub(super) fn new(peer: SocketAddr, local: Option<SocketAddr>, state: StreamState, now: Instant) -> Record {
        Record { peer, local, state: AtomicU8::new(state as u8), opened: now, last_traffic: AtomicU64::new(0) }
    }

    pub(super) fn traffic(&self, now: Instant) {
        let since = now.saturating_duration_since(self.opened).as_millis();
        self.last_traffic.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Marks the connection as established; true when it was not before.
    pub(super) fn establish(&self) -> bool {
        self.state.swap(StreamState::Established as u8, Ordering::Relaxed) != StreamState::Established as u8
    }

    fn info(&self, id: ConnectionId, now: Instant) -> StreamInfo {
        let state = match self.state.load(Ordering::Relaxed) {
            state if state == StreamState::Accepted as u8 => StreamState::Accepted,
            state if state == StreamState::Connecting as u8 => StreamState::Connecting,
            _ => StreamState::Established,
        };
        let last = self.opened + Duration::from_millis(self.last_traffic.load(Ordering::Relaxed));
        StreamInfo { id, state, peer: self.peer, local: self.local, idle: now.saturating_duration_since(last) }
    }
}

/// All open connections; as many as the connection table holds.
#[derive(Debug, Default)]
pub(super) struct Records {
    open: Mutex<BTreeMap<ConnectionId, Arc<Record>>>,
}

impl Records {
    pub(super) fn insert(&self, id: ConnectionId, record: Arc<Record>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, record);
    }

    pub(super) fn remove(&self, id: ConnectionId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    pub(super) fn list(&self) -> Vec<StreamInfo> {
        let now = Instant::now();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(id, record)| record.info(*id, now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_state_and_idle_time() {
        let opened = Instant::now();
        let peer: SocketAddr = ([127, 0, 0, 1], 5070).into();
        let record = Record::new(peer, None, StreamState::Accepted, opened);
        assert_eq!(record.info(7, opened).state, StreamState::Accepted);
        record.traffic(opened + Duration::from_secs(3));
        assert!(record.establish() && !record.establish());
        let info = record.info(7, opened + Duration::from_secs(5));
        assert_eq!((info.state, info.idle), (StreamState::Established, Duration::from_secs(2)));
    }
}
