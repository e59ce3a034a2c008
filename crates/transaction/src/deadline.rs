//! A moment a timer is set to, or never.

use sip::Time;

/// Milliseconds.
const COARSE_STEP: u64 = 64;

/// Deadline in monotonic milliseconds; `NEVER` is a timer that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// `milliseconds` after `now`; 0 counts as 1, so that no timer fires in the step that set it.
    pub fn after(now: Time, milliseconds: u32) -> Deadline {
        Deadline(now.0.saturating_add(u64::from(milliseconds.max(1))).min(u64::MAX - 1))
    }

    /// Late by less than [`COARSE_STEP`], so that many come together: for what nobody waits for.
    pub(crate) const fn coarse(self) -> Deadline {
        Deadline(self.0 | (COARSE_STEP - 1))
    }

    pub const fn is_set(self) -> bool {
        self.0 != u64::MAX
    }

    /// Whether it is set and has come.
    pub const fn is_due(self, now: Time) -> bool {
        self.0 <= now.0
    }

    /// The moment, or `None` when off.
    pub fn time(self) -> Option<Time> {
        self.is_set().then_some(Time(self.0))
    }

    pub(crate) const fn raw(self) -> u64 {
        self.0
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Deadline::NEVER
    }
}

/// A retransmission timer: when, and the interval that led there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retransmission {
    pub at: Deadline,
    /// Milliseconds.
    pub interval: u32,
}

impl Retransmission {
    /// First retransmission after T1.
    pub fn start(&mut self, now: Time, first: u32) {
        self.interval = first.max(1);
        self.at = Deadline::after(now, self.interval);
    }

    /// Doubles the interval up to T2. Counted from now, so a late worker does not send a burst.
    pub fn back_off(&mut self, now: Time, longest: u32) {
        self.interval = self.interval.saturating_mul(2).min(longest.max(1));
        self.at = Deadline::after(now, self.interval);
    }

    /// Goes to T2 if it runs (RFC 3261 §17.1.2.2, Proceeding).
    pub fn slow_down(&mut self, now: Time, longest: u32) {
        if self.at.is_set() {
            self.interval = longest.max(1);
            self.at = Deadline::after(now, self.interval);
        }
    }

    pub fn stop(&mut self) {
        self.at = Deadline::NEVER;
    }
}
