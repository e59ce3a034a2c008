//! Monotonic time and calendar date, handed in from outside because this crate reads no clock.

/// Monotonic milliseconds since an arbitrary start of the process. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// This moment plus `milliseconds`, stopping at the largest value.
    pub fn plus(self, milliseconds: u64) -> Time {
        Time(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this moment, 0 when `earlier` is later.
    pub fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Unix milliseconds (1970-01-01 UTC). May jump when an operator sets the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub u64);

impl Date {
    /// Whole unix seconds.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This date plus `milliseconds`, stopping at the largest value.
    pub fn plus(self, milliseconds: u64) -> Date {
        Date(self.0.saturating_add(milliseconds))
    }
}

/// Both clocks as read once for one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub time: Time,
    pub date: Date,
}
