//! What is to happen when: a heap of moments. A timer that is no longer wanted is recognised by its serial number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The callee answers.
    Answer,
    /// The callee sends its 200 again while no ACK came.
    RepeatAnswer,
    /// A request without final reply is sent again, or given up.
    RepeatRequest,
    /// The caller sends a re-INVITE.
    Update,
    /// One side hangs up.
    End,
}

/// A timer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Microseconds since the generator began.
    pub at: u64,
    pub number: u32,
    pub purpose: Purpose,
    pub serial: u16,
}

/// Timers in the order of their moments.
#[derive(Debug, Default)]
pub struct Timers(BinaryHeap<Reverse<Timer>>);

impl Timers {
    /// Arms a timer.
    pub fn arm(&mut self, timer: Timer) {
        self.0.push(Reverse(timer));
    }

    /// The moment of the first.
    pub fn first(&self) -> Option<u64> {
        self.0.peek().map(|Reverse(timer)| timer.at)
    }

    /// The next that is due.
    pub fn due(&mut self, now: u64) -> Option<Timer> {
        if self.first()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(timer)| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_in_the_order_of_their_moments_and_not_before() {
        let mut timers = Timers::default();
        for at in [30, 10, 20] {
            timers.arm(Timer { at, number: at as u32, purpose: Purpose::End, serial: 0 });
        }
        assert_eq!((timers.first(), timers.due(9)), (Some(10), None));
        assert_eq!(timers.due(25).map(|timer| timer.number), Some(10));
        assert_eq!(timers.due(25).map(|timer| timer.number), Some(20));
        assert_eq!(timers.due(25), None);
    }
}
