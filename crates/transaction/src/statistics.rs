//! Counters of the transaction layer, as `tm.stats` and the `tmx` statistics show them (spec proxy-core 7.16).

use std::sync::atomic::{AtomicU64, Ordering};

/// One monotonically counted number.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one table. `current` is `created - freed`.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Transactions made.
    pub created: Counter,
    /// Transactions freed.
    pub freed: Counter,
    /// Transactions whose end had to wait for a branch that was still being cancelled.
    pub delayed_free: Counter,
    /// Of `created`, those of local requests.
    pub total_local: Counter,
    /// Transactions that entered the wait state.
    pub entered_wait: Counter,
    /// Of `freed`, those that had entered the wait state.
    pub left_wait: Counter,
    /// Replies matched to a transaction.
    pub replies_received: Counter,
    /// Replies made here.
    pub replies_generated: Counter,
    /// Replies sent upstream, relayed or made here.
    pub replies_sent: Counter,
    /// Transactions completed with 2xx, 3xx, 4xx, 5xx, 6xx.
    pub completed: [Counter; 5],
    /// Events dropped because a checked-out transaction had `EVENTS_QUEUED_MAX` waiting.
    pub events_dropped: Counter,
    /// Requests refused because a table bound was reached.
    pub refused: Counter,
}

/// One reading of the counters in the shape of `tm.stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub current: u64,
    pub waiting: u64,
    pub total: u64,
    pub total_local: u64,
    pub rpl_received: u64,
    pub rpl_generated: u64,
    pub rpl_sent: u64,
    /// 2xx, 3xx, 4xx, 5xx, 6xx.
    pub completed: [u64; 5],
    pub created: u64,
    pub freed: u64,
    pub delayed_free: u64,
}

impl Statistics {
    /// Counts the final reply a transaction ended with.
    pub fn completed_with(&self, code: u16) {
        if let Some(counter) = usize::from(code / 100).checked_sub(2).and_then(|class| self.completed.get(class)) {
            counter.add(1);
        }
    }

    /// Counts a reply sent upstream.
    pub fn reply_sent(&self, generated: bool) {
        self.replies_sent.add(1);
        if generated {
            self.replies_generated.add(1);
        }
    }

    /// Reads all counters; they move while being read, so `current` may be off by those in flight.
    pub fn reading(&self) -> Reading {
        let (created, freed) = (self.created.value(), self.freed.value());
        Reading {
            current: created.saturating_sub(freed),
            waiting: self.entered_wait.value().saturating_sub(self.left_wait.value()),
            total: created,
            total_local: self.total_local.value(),
            rpl_received: self.replies_received.value(),
            rpl_generated: self.replies_generated.value(),
            rpl_sent: self.replies_sent.value(),
            completed: std::array::from_fn(|class| self.completed.get(class).map_or(0, Counter::value)),
            created,
            freed,
            delayed_free: self.delayed_free.value(),
        }
    }
}
