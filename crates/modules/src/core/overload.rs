//! Overload of the UDP workers: what each knows of its receive queue, and since when the proxy refuses calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sip::time::Time;

/// Up to this much in the receive queue no call is refused, bytes as the kernel counts them: some 250 messages, which pile up while
/// the system runs something else for a few milliseconds. With a quarter of it calls were refused at half of the capacity.
const LOW_BYTES: usize = 600_000;
/// From this much on every new call is; the share rises evenly in between. That is some ten milliseconds: what waits longer is out
/// of the processor's caches when its turn comes, so that calls cost more. The rest of the queue is for bursts.
const HIGH_BYTES: usize = 2_400_000;

/// The time over which it is averaged whether the queue stands above the lower level, milliseconds.
const AVERAGED_MILLISECONDS: u64 = 200;
/// The part of that time, of [`ALL`], from which on it counts. What piled up while the system ran something else is gone sooner.
const STANDING_MIN: u32 = 250;
/// A batch that took longer was interrupted; it counts for no more, milliseconds.
const BATCH_MILLISECONDS_MAX: u64 = 20;
/// How long none is refused before overload counts as over, milliseconds.
pub const OVER_AFTER_MILLISECONDS: u64 = 2_000;

/// The share of new calls that are refused when all are, for [`Backlog::share`].
pub const ALL: u32 = 1_000;

/// How full a receive queue may be, percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// Up to here no call is refused.
    pub low: u8,
    /// From here on every new call is.
    pub high: u8,
}

impl Levels {
    /// For a queue that holds that many bytes. In a small one a quarter always is for bursts.
    pub fn of(queue_bytes: usize) -> Levels {
        let percent = |bytes: usize| u8::try_from(bytes * 100 / queue_bytes.max(1)).unwrap_or(u8::MAX);
        let low = percent(LOW_BYTES).clamp(2, 25);
        Levels { low, high: percent(HIGH_BYTES).clamp(low + 10, 75) }
    }
}

impl Default for Levels {
    /// For a small queue.
    fn default() -> Levels {
        Levels::of(0)
    }
}

/// What a worker knows of the receive queue it takes messages from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backlog {
    pub levels: Levels,
    percent: u8,
    /// When that was told.
    since: Time,
    /// How much of the averaged time the queue stood, of [`ALL`].
    standing: f32,
    /// Parts of a refusal that are due, of [`ALL`].
    owed: u32,
}

impl Backlog {
    /// A batch was taken: how full the queue behind it still is, 0 to 100 percent; 0 when the batch was not full.
    pub fn told(&mut self, now: Time, percent: u8) {
        let (stood, longest) =
            if self.percent > self.levels.low { (ALL as f32, BATCH_MILLISECONDS_MAX) } else { (0.0, AVERAGED_MILLISECONDS) };
        let passed = now.0.saturating_sub(self.since.0).min(longest);
        self.standing += (stood - self.standing) * passed as f32 / AVERAGED_MILLISECONDS as f32;
        (self.percent, self.since) = (percent, now);
    }

    /// The share of new calls to refuse now, of [`ALL`].
    pub fn share(&self) -> u32 {
        if self.standing < STANDING_MIN as f32 {
            return 0;
        }
        let Levels { low, high } = self.levels;
        let above = u32::from(self.percent.min(high).saturating_sub(low));
        above * ALL / u32::from(high.saturating_sub(low).max(1))
    }

    /// Is this new call one of the share? Spreads the refusals evenly over the calls.
    pub fn refuses_next(&mut self, share: u32) -> bool {
        self.owed += share.min(ALL);
        let refuses = self.owed >= ALL;
        if refuses {
            self.owed -= ALL;
        }
        refuses
    }
}

/// What the core knows of overload for the whole node.
#[derive(Debug, Default)]
pub struct Overload {
    refused: AtomicU64,
    is_refusing: AtomicBool,
    /// When the last call was refused, monotonic milliseconds.
    last: AtomicU64,
    /// When this overload began, and what `refused` was then.
    began: AtomicU64,
    refused_before: AtomicU64,
}

/// An overload that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// From its first refusal to its last.
    pub milliseconds: u64,
    pub refused: u64,
}

impl Overload {
    /// A call is refused. True: it is the first one of an overload.
    pub fn refused(&self, now: Time) -> bool {
        let before = self.refused.fetch_add(1, Ordering::Relaxed);
        if self.last.load(Ordering::Relaxed) != now.0 {
            self.last.fetch_max(now.0, Ordering::Relaxed);
        }
        if self.is_refusing.load(Ordering::Relaxed) || self.is_refusing.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.began.store(now.0, Ordering::Relaxed);
        self.refused_before.store(before, Ordering::Relaxed);
        true
    }

    /// Looks, once a second, whether an overload has ended.
    pub fn ended(&self, now: Time) -> Option<Ended> {
        let last = self.last.load(Ordering::Relaxed);
        let is_over = self.is_refusing.load(Ordering::Relaxed) && now.0.saturating_sub(last) >= OVER_AFTER_MILLISECONDS;
        if !is_over {
            return None;
        }
        self.is_refusing.store(false, Ordering::Relaxed);
        let milliseconds = last.saturating_sub(self.began.load(Ordering::Relaxed));
        Some(Ended { milliseconds, refused: self.count().saturating_sub(self.refused_before.load(Ordering::Relaxed)) })
    }

    /// Calls refused so far.
    pub fn count(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts anew.
    pub fn reset(&self) {
        self.refused.store(0, Ordering::Relaxed);
        self.refused_before.store(0, Ordering::Relaxed);
    }

    /// Are calls refused at this time?
    pub fn is_refusing(&self) -> bool {
        self.is_refusing.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue that is that full for so many milliseconds, told each millisecond.
    fn stands(backlog: &mut Backlog, from: u64, milliseconds: u64, percent: u8) {
        (from..=from + milliseconds).for_each(|now| backlog.told(Time(now), percent));
    }

    #[test]
    fn a_large_queue_is_mostly_for_bursts_and_a_small_one_is_used() {
        let levels = |bytes| Levels::of(bytes);
        assert_eq!(levels(425_984), Levels { low: 25, high: 75 });
        assert_eq!(levels(4 << 20), Levels { low: 14, high: 57 });
        assert_eq!(levels(8 << 20), Levels { low: 7, high: 28 });
        assert_eq!((levels(0), levels(usize::MAX / 100)), (Levels { low: 25, high: 75 }, Levels { low: 2, high: 12 }));
    }

    #[test]
    fn the_share_rises_evenly_between_the_two_levels() {
        for (percent, share) in [(0, 0), (1, 0), (25, 0), (26, 20), (50, 500), (74, 980), (75, ALL), (100, ALL)] {
            let mut backlog = Backlog::default();
            stands(&mut backlog, 1_000, 100, percent);
            assert_eq!(backlog.share(), share, "{percent} %");
        }
    }

    #[test]
    fn a_queue_has_to_stand_for_a_quarter_of_the_time() {
        let mut backlog = Backlog::default();
        stands(&mut backlog, 1_000, 55, 100);
        assert_eq!(backlog.share(), 0);
        stands(&mut backlog, 1_055, 5, 100);
        assert_eq!(backlog.share(), ALL);
    }

    #[test]
    fn a_queue_that_is_emptied_in_time_refuses_nobody() {
        let mut backlog = Backlog::default();
        for pause in 0..50 {
            // The system ran something else for 30 ms; what piled up is gone 10 ms later.
            stands(&mut backlog, 1_000 + pause * 60, 10, 100);
            assert_eq!(backlog.share(), 0, "pause {pause}");
            backlog.told(Time(1_010 + pause * 60), 0);
        }
    }

    #[test]
    fn a_moment_without_queue_ends_no_overload_and_half_a_second_does() {
        let mut backlog = Backlog::default();
        stands(&mut backlog, 1_000, 500, 60);
        stands(&mut backlog, 1_500, 10, 0);
        assert_eq!(backlog.share(), 0, "nobody has to be refused for an empty queue");
        backlog.told(Time(1_511), 100);
        assert_eq!(backlog.share(), ALL);
        stands(&mut backlog, 1_511, 500, 0);
        backlog.told(Time(2_011), 100);
        assert_eq!(backlog.share(), 0);
    }

    #[test]
    fn refusals_are_spread_evenly() {
        let mut backlog = Backlog::default();
        let refused: Vec<bool> = (0..8).map(|_| backlog.refuses_next(250)).collect();
        assert_eq!(refused, [false, false, false, true, false, false, false, true]);
        assert!((0..100).all(|_| backlog.refuses_next(ALL)));
        assert!((0..100).all(|_| !backlog.refuses_next(0)));
    }

    #[test]
    fn an_overload_begins_once_and_ends_after_a_while_without_refusal() {
        let overload = Overload::default();
        assert_eq!(overload.ended(Time(10_000)), None);
        assert!(overload.refused(Time(10_000)));
        assert!(!overload.refused(Time(11_000)));
        assert_eq!(overload.ended(Time(12_000)), None);
        assert_eq!(overload.ended(Time(13_000)), Some(Ended { milliseconds: 1_000, refused: 2 }));
        assert_eq!(overload.ended(Time(14_000)), None);
        assert!(overload.refused(Time(20_000)));
        assert_eq!((overload.count(), overload.is_refusing()), (3, true));
    }
}
