//! Named locks between scripts: `lock`, `trylock`, `unlock`. A run that finds one taken parks and tries again.

use std::sync::atomic::{AtomicBool, Ordering};

use script::exports::{Argument, Flow};

use super::sleep::park;
use crate::run::Answer;
use crate::worker::Worker;

/// Largest `lock_set_size`: 2 to this power locks.
pub const SIZE_MAX: u32 = 14;
/// Milliseconds between two tries.
const RETRY_MILLISECONDS: u64 = 2;
/// Most tries for a lock: 10 seconds.
const TRIES_MAX: u32 = 5000;

/// The locks of a node; empty when `lock_set_size` is 0.
#[derive(Debug, Default)]
pub struct Locks {
    taken: Vec<AtomicBool>,
}

impl Locks {
    /// 2 to the power of `size` locks, none for 0.
    pub(super) fn new(size: u32) -> Locks {
        let count = if size == 0 { 0 } else { 1usize << size.min(SIZE_MAX) };
        Locks { taken: (0..count).map(|_| AtomicBool::new(false)).collect() }
    }

    /// The place of a key.
    fn place(&self, keys: &[&[u8]]) -> Option<u32> {
        let count = u32::try_from(self.taken.len()).ok().filter(|count| *count > 0)?;
        Some(keys.iter().fold(0u32, |hash, key| hash ^ ::dialog::hash::core_hash(key)) % count)
    }

    /// Takes a lock; false when it is taken.
    fn take(&self, place: u32) -> bool {
        self.taken.get(place as usize).is_some_and(|lock| lock.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok())
    }

    fn release(&self, place: u32) {
        if let Some(lock) = self.taken.get(place as usize) {
            lock.store(false, Ordering::Release);
        }
    }
}

fn place(worker: &mut Worker, arguments: &[Argument]) -> Option<u32> {
    let texts: Vec<_> = arguments.iter().map(Argument::text).collect();
    let keys: Vec<&[u8]> = texts.iter().map(|text| &text[..]).collect();
    let place = worker.node.states.cfgutils.locks.place(&keys);
    if place.is_none() {
        worker.log(-1, "cfgutils", "locks need lock_set_size above 0");
    }
    place
}

pub(super) fn lock(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(place) = place(worker, arguments) else { return Flow::Code(-1) };
    if worker.node.states.cfgutils.locks.take(place) {
        return Flow::Code(1);
    }
    worker.run.cfgutils.awaited = Some((place, 1));
    park(worker, RETRY_MILLISECONDS, retry)
}

fn retry(worker: &mut Worker, _answer: Answer) -> Flow {
    let Some((place, tries)) = worker.run.cfgutils.awaited.take() else { return Flow::Code(-1) };
    if worker.node.states.cfgutils.locks.take(place) {
        return Flow::Code(1);
    }
    if tries >= TRIES_MAX {
        worker.log(-1, "cfgutils", "lock() gave up: the lock is held for too long");
        return Flow::Code(-1);
    }
    worker.run.cfgutils.awaited = Some((place, tries + 1));
    park(worker, RETRY_MILLISECONDS, retry)
}

/// 1 taken, -1 busy.
pub(super) fn try_lock(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(place) = place(worker, arguments) else { return Flow::Code(-1) };
    Flow::Code(if worker.node.states.cfgutils.locks.take(place) { 1 } else { -1 })
}

pub(super) fn unlock(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(place) = place(worker, arguments) else { return Flow::Code(-1) };
    worker.node.states.cfgutils.locks.release(place);
    Flow::Code(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_lock_is_refused_until_it_is_released() {
        let locks = Locks::new(4);
        let place = locks.place(&[b"a"]).unwrap();
        assert!(locks.take(place));
        assert!(!locks.take(place));
        locks.release(place);
        assert!(locks.take(place));
        assert_eq!(Locks::new(0).place(&[b"a"]), None);
    }
}
