//! Overload of the UDP workers: what each knows of its receive queue, and since when the proxy refuses calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sip::time::Time;

/// Up to this much in the receive queue no call is refused, bytes as the kernel counts them: some 250 messages, which pile up while
/// the system runs something else for a few milliseconds. With a quarter of it calls were refused at half of the capacity.
const LOW_BYTES: usize = 600_000;
/// From this much on every new call is; the share rises evenly in between. That is some ten milliseconds: what waits longer is out
/// of the processor's caches when its turn comes, so that calls cost more. The rest of the queue is for bursts.
const HIGH_BYTES: usize = 2_400_000;

/// The queue stands when it has not come down for so long while it was above the lower level, milliseconds. What piled up while the
/// system ran something else comes down from the first batch on.
const STANDING_MILLISECONDS: u64 = 50;
/// The same while it is above the higher level: the rest of the queue may be full soon.
const STANDING_HIGH_MILLISECONDS: u64 = 20;
/// It stands as well when it was above the lower level for so long, even if it comes down now and then, milliseconds.
const ABOVE_MILLISECONDS: u64 = 500;
/// It stands no longer when it was below the lower level for so long, milliseconds.
const CALM_MILLISECONDS: u64 = 200;
/// A worker that tells nothing for longer was interrupted, so that what it finds then says nothing yet, milliseconds.
const INTERRUPTION_MILLISECONDS: u64 = 20;
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
    told: Time,
    /// The queue stands: calls are refused by the share of its level.
    stands: bool,
    /// The lowest it was since it is above the lower level or since the last interruption.
    lowest: u8,
    /// Since when it is on the side of the lower level that does not agree with `stands`, and has not come down.
    since: Time,
    /// Since when it is above the lower level, if it is.
    above_since: Time,
    /// Parts of a refusal that are due, of [`ALL`].
    owed: u32,
}

impl Backlog {
    /// A batch was taken: how full the queue behind it still is, 0 to 100 percent; 0 when the batch was not full.
    pub fn told(&mut self, now: Time, percent: u8) {
        let is_above = percent > self.levels.low;
        let was_above = self.percent > self.levels.low;
        let is_interrupted = now.0.saturating_sub(self.told.0) > INTERRUPTION_MILLISECONDS;
        let begins_anew = if self.stands { is_above } else { !was_above || is_interrupted || percent < self.lowest };
        if self.stands && was_above || begins_anew {
            (self.lowest, self.since) = (percent, now);
        }
        if !was_above {
            self.above_since = now;
        }
        (self.percent, self.told) = (percent, now);
        let lasted = |since: Time| now.0.saturating_sub(since.0);
        let standing = if percent >= self.levels.high { STANDING_HIGH_MILLISECONDS } else { STANDING_MILLISECONDS };
        self.stands = if self.stands {
            is_above || lasted(self.since) < CALM_MILLISECONDS
        } else {
            is_above && (lasted(self.since) >= standing || lasted(self.above_since) >= ABOVE_MILLISECONDS)
        };
    }

    /// The share of new calls to refuse now, of [`ALL`].
    pub fn share(&self) -> u32 {
        if !self.stands {
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
    fn a_queue_has_to_stand_for_a_while() {
        for (percent, milliseconds, share) in [(50, STANDING_MILLISECONDS, 500), (100, STANDING_HIGH_MILLISECONDS, ALL)] {
            let mut backlog = Backlog::default();
            stands(&mut backlog, 1_000, milliseconds - 1, percent);
            assert_eq!(backlog.share(), 0);
            backlog.told(Time(1_000 + milliseconds), percent);
            assert_eq!(backlog.share(), share);
        }
    }

    #[test]
    fn a_queue_that_comes_down_refuses_nobody() {
        let mut backlog = Backlog::default();
        for pause in 0..50 {
            // The system ran something else for 60 ms; what piled up is gone 0.4 s later.
            for step in 0..400_u64 {
                backlog.told(Time(1_000 + pause * 460 + step), 100 - (step / 4) as u8);
                assert_eq!(backlog.share(), 0, "pause {pause}, step {step}");
            }
        }
    }

    #[test]
    fn what_an_interrupted_worker_finds_says_nothing_yet() {
        let mut backlog = Backlog::default();
        // The system runs something else for 30 of every 40 ms; the queue grows meanwhile, and shrinks by less.
        for turn in 0..12 {
            stands(&mut backlog, 1_000 + turn * 40, 10, 60);
            assert_eq!(backlog.share(), 0, "turn {turn}");
        }
        stands(&mut backlog, 1_490, 10, 60);
        assert!(backlog.share() > 0, "half a second without an end is no interruption");
    }

    #[test]
    fn a_queue_that_grows_again_and_again_stands() {
        let mut backlog = Backlog::default();
        (0..50_u64).for_each(|step| backlog.told(Time(1_000 + step), 40 + (step % 7) as u8));
        assert_eq!(backlog.share(), 0);
        backlog.told(Time(1_050), 50);
        assert_eq!(backlog.share(), 500);
    }

    #[test]
    fn a_moment_without_queue_ends_no_overload_and_a_fifth_of_a_second_does() {
        let mut backlog = Backlog::default();
        stands(&mut backlog, 1_000, 500, 60);
        stands(&mut backlog, 1_501, 150, 0);
        assert_eq!(backlog.share(), 0, "nobody has to be refused for an empty queue");
        backlog.told(Time(1_652), 100);
        assert_eq!(backlog.share(), ALL);
        stands(&mut backlog, 1_653, 200, 0);
        backlog.told(Time(1_854), 100);
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
