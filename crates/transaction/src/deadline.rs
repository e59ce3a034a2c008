//! A moment a timer is set to, or never.

use sip::Time;

/// Deadline in monotonic milliseconds; `NEVER` is a timer that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// `milliseconds` after `now`; 0 counts as 1, so that no timer fires in the step that set it.
    pub fn after(now: Time, milliseconds: u32) -> Deadline {
        Deadline(now.0.saturating_add(u64::from(milliseconds.max(1))).min(u64::MAX - 1))
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
