//! The control connections that are open now: what `ctl.who` lists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use modules::connections::ControlConnection;

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, ControlConnection>,
}

/// All open control connections; clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct OpenConnections {
    table: Arc<Mutex<Table>>,
}

/// One open connection; it leaves the list when this is dropped.
#[derive(Debug)]
pub struct Presence {
    number: u64,
    connections: OpenConnections,
}

impl OpenConnections {
    /// Enters a connection; None when `most` are open.
    pub fn enter(&self, connection: ControlConnection, most: usize) -> Option<Presence> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.open.len() >= most {
            return None;
        }
        table.last += 1;
        let number = table.last;
        table.open.insert(number, connection);
        Some(Presence { number, connections: self.clone() })
    }

    /// The open connections, the oldest first.
    pub fn list(&self) -> Vec<ControlConnection> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).open.values().cloned().collect()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.connections.table.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_listed_while_it_is_open_and_their_number_is_bounded() {
        let nowhere = || (String::new(), String::new());
        let connection = |transport| ControlConnection { transport, peer: nowhere(), local: nowhere() };
        let connections = OpenConnections::default();
        let first = connections.enter(connection("tcp"), 2);
        let second = connections.enter(connection("unix_stream"), 2);
        assert!(connections.enter(connection("tcp"), 2).is_none());
        drop(first);
        assert_eq!(connections.list(), [connection("unix_stream")]);
        drop(second);
        assert!(connections.list().is_empty());
    }
}
