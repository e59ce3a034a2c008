//! `sht_lock` and `sht_unlock`: a slot held by one worker at a time, recursive.
//!
//! These locks guard script against script only. Reading and writing items never waits for them, and a worker waits for
//! another one a bounded time (design invariant A4: no lock is held over anything a worker could block on for long).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a worker lets others run while it waits for a slot.
pub const ATTEMPTS_MAX: u32 = 20_000;
/// Most slots one run holds.
pub const HELD_MAX: usize = 64;

/// Who holds which slot of a table, and how often.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<BTreeMap<usize, (u32, u32)>>);

impl Locks {
    fn try_take(&self, slot: usize, worker: u32) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = held.entry(slot).or_insert((worker, 0));
        if entry.0 != worker {
            return false;
        }
        entry.1 = entry.1.saturating_add(1);
        true
    }

    fn give_back(&self, slot: usize) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = held.get_mut(&slot).is_none_or(|entry| {
            entry.1 = entry.1.saturating_sub(1);
            entry.1 == 0
        });
        if is_free {
            held.remove(&slot);
        }
    }
}

/// A slot held by a run; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    locks: Arc<Locks>,
    slot: usize,
}

impl Held {
    /// Takes a slot, waiting a bounded time for another worker. None: it did not give it back.
    pub(super) fn take(locks: &Arc<Locks>, slot: usize, worker: u32) -> Option<Held> {
        for _ in 0..ATTEMPTS_MAX {
            if locks.try_take(slot, worker) {
                return Some(Held { locks: Arc::clone(locks), slot });
            }
            std::thread::yield_now();
        }
        None
    }

    /// Is it this slot of this table?
    pub(super) fn is(&self, locks: &Arc<Locks>, slot: usize) -> bool {
        self.slot == slot && Arc::ptr_eq(&self.locks, locks)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locks.give_back(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_recursive_for_its_worker_and_closed_to_others() {
        let locks: Arc<Locks> = Arc::default();
        let first = Held::take(&locks, 1, 0).expect("the slot");
        let second = Held::take(&locks, 1, 0).expect("the slot again");
        assert!(!locks.try_take(1, 7));
        drop(first);
        assert!(!locks.try_take(1, 7));
        drop(second);
        assert!(locks.try_take(1, 7));
    }
}
