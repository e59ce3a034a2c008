//! A moment a timer is set to, or never.

use sip::Time;

/// Milliseconds.
const COARSE_STEP: u64 = 64;
/// Into so many parts what ends in one step is divided: with 15 000 calls a second 1 900 would end at once and hold up what comes
/// meanwhile. More parts are more wake-ups where little happens.
const COARSE_PLACES: u32 = 8;

/// Deadline in monotonic milliseconds; `NEVER` is a timer that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// `milliseconds` after `now`; 0 counts as 1, so that no timer fires in the step that set it.
    pub fn after(now: Time, milliseconds: u32) -> Deadline {
        Deadline(now.0.saturating_add(u64::from(milliseconds.max(1))).min(u64::MAX - 1))
    }

    /// Late by less than [`COARSE_STEP`], so that many come together: for what nobody waits for. The steps of
    /// [`COARSE_PLACES`] consecutive places begin at different times, so that those of all do not come at once.
    pub(crate) const fn coarse(self, place: u32) -> Deadline {
        let shift = (place % COARSE_PLACES) as u64 * (COARSE_STEP / COARSE_PLACES as u64);
        Deadline(((self.0.saturating_add(shift)) | (COARSE_STEP - 1)) - shift)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_deadlines_are_late_by_less_than_a_step_and_those_of_a_place_come_together() {
        for place in 0..2 * COARSE_PLACES {
            let coarse = |at| Deadline::after(Time(at), 1).coarse(place).raw();
            let ends: Vec<u64> = (10_000..10_640).map(coarse).collect();
            assert!(ends.iter().zip(10_001..).all(|(end, at)| (at..at + COARSE_STEP).contains(end)), "place {place}");
            let different = ends.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(different, 10, "place {place}");
        }
        let of = |place| Deadline::after(Time(10_000), 1).coarse(place);
        assert!((1..COARSE_PLACES).all(|place| of(place) != of(0)) && of(COARSE_PLACES) == of(0));
    }
}
