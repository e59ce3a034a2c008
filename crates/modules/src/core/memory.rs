//! What the process told about its memory: read by statistics and RPC that show shared memory in Kamailio.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes; written by the server once a second, 0 until then.
#[derive(Debug, Default)]
pub struct Memory {
    total: AtomicU64,
    used: AtomicU64,
    most_used: AtomicU64,
}

/// One reading, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub total: u64,
    pub used: u64,
    pub most_used: u64,
}

impl Reading {
    /// What is left.
    pub fn free(self) -> u64 {
        self.total.saturating_sub(self.used)
    }
}

impl Memory {
    /// Stores how much the process may use and uses.
    pub fn set(&self, total: u64, used: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.used.store(used, Ordering::Relaxed);
        self.most_used.fetch_max(used, Ordering::Relaxed);
    }

    /// The last values stored.
    pub fn read(&self) -> Reading {
        Reading {
            total: self.total.load(Ordering::Relaxed),
            used: self.used.load(Ordering::Relaxed),
            most_used: self.most_used.load(Ordering::Relaxed),
        }
    }
}
