//! What is to happen when. A timer that is no longer wanted is recognised by its serial number, and left out.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::requests::T1;

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

/// The delays that nearly all timers have: what is due at once, and what waits for an answer that nearly always comes. Timers
/// of one delay come in the order in which they were armed, so that a queue keeps them without sorting.
const USUAL: [u64; 2] = [0, T1];

/// Timers in the order of their moments.
#[derive(Debug, Default)]
pub struct Timers {
    usual: [VecDeque<Timer>; USUAL.len()],
    others: BinaryHeap<Reverse<Timer>>,
}

/// Where a timer waits.
#[derive(Clone, Copy)]
enum Place {
    Usual(usize),
    Others,
}

impl Timers {
    /// Arms a timer for `after` microseconds from `now`, which does not go back.
    pub fn arm(&mut self, now: u64, after: u64, number: u32, purpose: Purpose, serial: u16) {
        let timer = Timer { at: now + after, number, purpose, serial };
        match USUAL.iter().position(|usual| *usual == after).and_then(|place| self.usual.get_mut(place)) {
            Some(queue) => queue.push_back(timer),
            None => self.others.push(Reverse(timer)),
        }
    }

    /// The next one, wanted or not.
    fn next(&self) -> Option<(Timer, Place)> {
        let usual = self.usual.iter().enumerate().filter_map(|(place, queue)| Some((*queue.front()?, Place::Usual(place))));
        let other = self.others.peek().map(|Reverse(timer)| (*timer, Place::Others));
        usual.chain(other).min_by_key(|(timer, _)| timer.at)
    }

    fn remove(&mut self, place: Place) {
        match place {
            Place::Usual(place) => {
                self.usual.get_mut(place).and_then(VecDeque::pop_front);
            }
            Place::Others => {
                self.others.pop();
            }
        }
    }

    /// The moment of the first that is wanted; those before it are forgotten.
    pub fn first(&mut self, is_wanted: impl Fn(&Timer) -> bool) -> Option<u64> {
        loop {
            let (timer, place) = self.next()?;
            if is_wanted(&timer) {
                return Some(timer.at);
            }
            self.remove(place);
        }
    }

    /// The next that is due, wanted or not.
    pub fn due(&mut self, now: u64) -> Option<Timer> {
        let (timer, place) = self.next().filter(|(timer, _)| timer.at <= now)?;
        self.remove(place);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(timers: &mut Timers, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| timers.due(now)).map(|timer| timer.number).collect()
    }

    #[test]
    fn timers_come_in_the_order_of_their_moments_and_not_before() {
        let mut timers = Timers::default();
        for (number, after) in [(1, T1), (2, 30), (3, 0), (4, 2 * T1), (5, 10), (6, T1), (7, 0)] {
            timers.arm(100, after, number, Purpose::End, 0);
        }
        assert_eq!((timers.due(99), timers.first(|_| true)), (None, Some(100)));
        assert_eq!(numbers(&mut timers, 100), [3, 7]);
        assert_eq!(numbers(&mut timers, 100 + T1), [5, 2, 1, 6]);
        assert_eq!(numbers(&mut timers, 100 + 2 * T1), [4]);
        assert_eq!(timers.first(|_| true), None);
    }

    #[test]
    fn nobody_waits_for_timers_that_are_no_longer_wanted() {
        let mut timers = Timers::default();
        for (number, after) in [(1, 0), (2, 5), (3, T1), (4, T1), (5, 2 * T1)] {
            timers.arm(0, after, number, Purpose::RepeatRequest, 0);
        }
        assert_eq!(timers.first(|timer| timer.number >= 4), Some(T1));
        assert_eq!(numbers(&mut timers, 2 * T1), [4, 5]);
    }
}
