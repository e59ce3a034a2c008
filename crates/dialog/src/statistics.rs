//! The dialog statistics: every counter follows a mark on the record, so they cannot drift (spec dialog 10.1, F17, F18).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::end_reason::EndReason;

/// In which gauge a record is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Not yet, or no longer.
    None,
    Unconfirmed,
    Early,
    Active,
}

/// Why a record left the gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Never answered: a final failure or the early timeout.
    Failed,
    /// After an answer.
    Ended,
    /// Its request was never forwarded, or the record was removed by force.
    Abandoned,
}

/// The live counters.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    processed: AtomicU64,
    loaded: AtomicU64,
    unconfirmed: AtomicU64,
    early: AtomicU64,
    active: AtomicU64,
    expired: AtomicU64,
    failed: AtomicU64,
    ended: AtomicU64,
    abandoned: AtomicU64,
    bogus_events: AtomicU64,
    refused: AtomicU64,
    reasons: [AtomicU64; EndReason::ALL.len()],
}

/// A copy of the counters. Always: processed + loaded = unconfirmed + early + active + failed + ended + abandoned,
/// as long as nobody reset one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Dialogs created.
    pub processed: u64,
    /// Dialogs taken from the database.
    pub loaded: u64,
    /// Now in state 1.
    pub unconfirmed: u64,
    /// Now in state 2.
    pub early: u64,
    /// Now in state 3 or 4.
    pub active: u64,
    /// Lifetimes run out in state 3 or 4.
    pub expired: u64,
    /// Calls over before an answer.
    pub failed: u64,
    /// Calls over after an answer.
    pub ended: u64,
    /// Records dropped because their request went nowhere.
    pub abandoned: u64,
    /// Events that the transition table forbids.
    pub bogus_events: u64,
    /// Dialogs refused at a bound.
    pub refused: u64,
}

/// A counter RPC may set back to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resettable {
    Processed,
    Expired,
    Failed,
    EndedBy(EndReason),
}

impl Statistics {
    pub(crate) fn enter(&self, mark: &mut Mark, new: Mark) {
        if *mark == new {
            return;
        }
        self.leave_gauge(*mark);
        if let Some(gauge) = self.gauge(new) {
            gauge.fetch_add(1, Relaxed);
        }
        *mark = new;
    }

    /// Takes the record out of its gauge for good; does nothing when it is already out.
    pub(crate) fn leave(&self, mark: &mut Mark, why: Leaving) -> bool {
        if *mark == Mark::None {
            return false;
        }
        self.leave_gauge(*mark);
        *mark = Mark::None;
        match why {
            Leaving::Failed => &self.failed,
            Leaving::Ended => &self.ended,
            Leaving::Abandoned => &self.abandoned,
        }
        .fetch_add(1, Relaxed);
        true
    }

    /// A call whose end was counted lives again (spec dialog F21).
    pub(crate) fn reopened(&self, was: Leaving) {
        let counter = match was {
            Leaving::Failed => &self.failed,
            Leaving::Ended => &self.ended,
            Leaving::Abandoned => &self.abandoned,
        };
        let _ = counter.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(1)));
    }

    /// Counts why a call ended, beside [`Statistics::leave`].
    pub(crate) fn count_reason(&self, reason: EndReason) {
        if let Some(counter) = self.reason(reason) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn uncount_reason(&self, reason: EndReason) {
        if let Some(counter) = self.reason(reason) {
            let _ = counter.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(1)));
        }
    }

    pub(crate) fn ended_by(&self, reason: EndReason) -> u64 {
        self.reason(reason).map_or(0, |counter| counter.load(Relaxed))
    }

    fn reason(&self, reason: EndReason) -> Option<&AtomicU64> {
        self.reasons.get(usize::from(reason as u8).wrapping_sub(1))
    }

    pub(crate) fn processed(&self) {
        self.processed.fetch_add(1, Relaxed);
    }

    pub(crate) fn loaded(&self) {
        self.loaded.fetch_add(1, Relaxed);
    }

    pub(crate) fn expired(&self) {
        self.expired.fetch_add(1, Relaxed);
    }

    pub(crate) fn bogus(&self) {
        self.bogus_events.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn reset(&self, counter: Resettable) {
        match counter {
            Resettable::Processed => self.processed.store(0, Relaxed),
            Resettable::Expired => self.expired.store(0, Relaxed),
            Resettable::Failed => self.failed.store(0, Relaxed),
            Resettable::EndedBy(reason) => {
                if let Some(counter) = self.reason(reason) {
                    counter.store(0, Relaxed);
                }
            }
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            processed: self.processed.load(Relaxed),
            loaded: self.loaded.load(Relaxed),
            unconfirmed: self.unconfirmed.load(Relaxed),
            early: self.early.load(Relaxed),
            active: self.active.load(Relaxed),
            expired: self.expired.load(Relaxed),
            failed: self.failed.load(Relaxed),
            ended: self.ended.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            bogus_events: self.bogus_events.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }

    fn leave_gauge(&self, mark: Mark) {
        if let Some(gauge) = self.gauge(mark) {
            let _ = gauge.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(1)));
        }
    }

    fn gauge(&self, mark: Mark) -> Option<&AtomicU64> {
        match mark {
            Mark::None => None,
            Mark::Unconfirmed => Some(&self.unconfirmed),
            Mark::Early => Some(&self.early),
            Mark::Active => Some(&self.active),
        }
    }
}
