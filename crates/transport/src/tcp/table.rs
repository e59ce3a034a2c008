//! The connections by number, by peer address and by source, with their bounds.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::connection::Connection;
use super::{ConnectionId, StreamError};
use crate::limits::{ALIASES_PER_CONNECTION_MAX, StreamLimits};

#[derive(Default)]
pub(super) struct Table {
    connections: HashMap<ConnectionId, Connection>,
    by_peer: HashMap<SocketAddr, ConnectionId>,
    accepted_from: HashMap<IpAddr, usize>,
    last: ConnectionId,
    /// Bytes waiting in all write queues.
    pub(super) queued: usize,
}

impl Table {
    /// May one more connection be opened, and if it is accepted, from `source`?
    pub(super) fn check_room(&self, source: Option<IpAddr>, limits: &StreamLimits) -> Result<(), StreamError> {
        let of_source = source.and_then(|ip| self.accepted_from.get(&ip)).copied().unwrap_or(0);
        if self.connections.len() >= limits.connections_max || of_source >= limits.connections_per_source_max {
            return Err(StreamError::TooManyConnections);
        }
        Ok(())
    }

    pub(super) fn free_id(&mut self) -> ConnectionId {
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.connections.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    pub(super) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        if connection.is_accepted {
            *self.accepted_from.entry(connection.peer.ip()).or_insert(0) += 1;
        }
        self.by_peer.insert(connection.peer, id);
        self.connections.insert(id, connection);
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        self.queued = self.queued.saturating_sub(connection.queued());
        for address in connection.aliases.iter().chain([&connection.peer]) {
            if self.by_peer.get(address) == Some(&id) {
                self.by_peer.remove(address);
            }
        }
        if connection.is_accepted {
            let source = connection.peer.ip();
            if let Some(count) = self.accepted_from.get_mut(&source) {
                *count -= 1;
                if *count == 0 {
                    self.accepted_from.remove(&source);
                }
            }
        }
        Some(connection)
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    pub(super) fn to_peer(&self, peer: SocketAddr) -> Option<ConnectionId> {
        self.by_peer.get(&peer).copied()
    }

    /// Makes the connection reachable under another port of its peer. An address that another open connection has
    /// keeps pointing there, so that nobody can draw away a peer's traffic.
    pub(super) fn alias(&mut self, id: ConnectionId, port: u16) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let address = SocketAddr::new(connection.peer.ip(), port);
        if connection.aliases.len() < ALIASES_PER_CONNECTION_MAX && !self.by_peer.contains_key(&address) {
            connection.aliases.push(address);
            self.by_peer.insert(address, id);
        }
    }

    pub(super) fn ids(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    pub(super) fn overdue(&self, limits: &StreamLimits, now: std::time::Instant) -> Vec<(ConnectionId, StreamError)> {
        self.connections.iter().filter_map(|(id, connection)| connection.overdue(limits, now).map(|reason| (*id, reason))).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }
}
