//! The gate of `db_mode` 1: what is to be sent waits until everything noted before it is committed (invariant A9).
//!
//! One queue for everything, so that nothing overtakes. When the database is away or slow the gate stands open: what waits
//! leaves at once, marked as not saved, and the owner decides what to make of it.

use std::collections::VecDeque;

use sip::time::Time;

use crate::limits::{HELD_BYTES_MAX, HELD_MESSAGES_MAX};

/// Things to send, each with the number of the last change noted before it.
#[derive(Debug)]
pub struct Held<T> {
    queue: VecDeque<Waiting<T>>,
    committed: u64,
    is_open: bool,
    /// Longest wait, milliseconds.
    hold_time: u64,
    messages: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    number: u64,
    since: Time,
    size: Size,
    item: T,
}

/// How much is put at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub messages: usize,
    pub bytes: usize,
}

/// Why something may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// All it announces is committed.
    Committed,
    /// It waited as long as anything may, or the gate stands open.
    Unsaved,
}

impl<T> Held<T> {
    /// An empty queue behind a closed gate. Nothing waits longer than `hold_time` milliseconds.
    pub fn new(hold_time: u64) -> Held<T> {
        Held { queue: VecDeque::new(), committed: 0, is_open: false, hold_time, messages: 0, bytes: 0 }
    }

    /// Does something with this number have to be put, or may it leave at once?
    pub fn must_wait(&self, number: u64) -> bool {
        !self.queue.is_empty() || (number > self.committed && !self.is_open)
    }

    /// Takes something in. False: as much as may wait does so, this one included; open the gate.
    pub fn put(&mut self, now: Time, number: u64, size: Size, item: T) -> bool {
        self.messages += size.messages;
        self.bytes += size.bytes;
        self.queue.push_back(Waiting { number, since: now, size, item });
        self.messages <= HELD_MESSAGES_MAX && self.bytes <= HELD_BYTES_MAX
    }

    /// The next one that may leave.
    pub fn take(&mut self, now: Time) -> Option<(T, Leave)> {
        let first = self.queue.front()?;
        let leave = if first.number <= self.committed {
            Leave::Committed
        } else if self.is_open || self.is_overdue(now) {
            Leave::Unsaved
        } else {
            return None;
        };
        let first = self.queue.pop_front()?;
        self.messages -= first.size.messages;
        self.bytes -= first.size.bytes;
        Some((first.item, leave))
    }

    /// Does the oldest one wait longer than anything may, in vain so far?
    pub fn is_overdue(&self, now: Time) -> bool {
        let first = self.queue.front();
        first.is_some_and(|first| first.number > self.committed && first.since.plus(self.hold_time) <= now) && !self.is_open
    }

    /// Everything noted up to this number is committed.
    pub fn commit(&mut self, upto: u64) {
        self.committed = self.committed.max(upto);
    }

    /// Nothing waits from now on.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    /// What is not committed waits again.
    pub fn close(&mut self) {
        self.is_open = false;
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// When the oldest one leaves at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.queue.front().map(|first| first.since.plus(self.hold_time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { messages: 1, bytes: 500 };

    fn at(milliseconds: u64) -> Time {
        Time(milliseconds)
    }

    #[test]
    fn what_is_committed_leaves_in_the_order_it_came() {
        let mut held = Held::new(200);
        assert!(!held.must_wait(0));
        for (number, name) in [(1, "a"), (1, "b"), (2, "c")] {
            assert!(held.must_wait(number));
            assert!(held.put(at(0), number, SMALL, name));
        }
        assert_eq!(held.take(at(1)), None);
        held.commit(1);
        assert_eq!(held.take(at(1)), Some(("a", Leave::Committed)));
        assert_eq!(held.take(at(1)), Some(("b", Leave::Committed)));
        assert_eq!(held.take(at(1)), None);
        // Nothing new itself, but it must not overtake.
        assert!(held.must_wait(1));
        held.put(at(1), 1, SMALL, "d");
        assert_eq!(held.take(at(1)), None);
        held.commit(2);
        assert_eq!(held.take(at(1)).map(|(name, _)| name), Some("c"));
        assert_eq!(held.take(at(1)).map(|(name, _)| name), Some("d"));
        assert!(!held.must_wait(2));
        assert!(held.is_empty());
    }

    #[test]
    fn nothing_waits_longer_than_the_hold_time_and_nothing_behind_an_open_gate() {
        let mut held = Held::new(200);
        held.put(at(10), 1, SMALL, "a");
        held.put(at(150), 2, SMALL, "b");
        assert_eq!(held.deadline(), Some(at(210)));
        assert_eq!((held.is_overdue(at(209)), held.take(at(209))), (false, None));
        assert!(held.is_overdue(at(210)));
        assert_eq!(held.take(at(210)), Some(("a", Leave::Unsaved)));
        assert_eq!((held.take(at(210)), held.deadline()), (None, Some(at(350))));
        held.open();
        assert_eq!(held.take(at(210)), Some(("b", Leave::Unsaved)));
        assert!(!held.must_wait(3));
        held.close();
        assert!(held.must_wait(3));
        // What is committed is not overdue, however late its sender is.
        held.put(at(300), 3, SMALL, "c");
        held.commit(3);
        assert!(!held.is_overdue(at(900)));
        assert_eq!(held.take(at(900)), Some(("c", Leave::Committed)));
        assert_eq!(held.deadline(), None);
    }

    #[test]
    fn a_late_word_of_an_older_commit_takes_nothing_back() {
        let mut held = Held::new(200);
        held.commit(7);
        held.commit(3);
        held.put(at(0), 7, SMALL, "a");
        assert_eq!(held.take(at(0)), Some(("a", Leave::Committed)));
    }

    #[test]
    fn messages_and_bytes_are_bounded() {
        let mut held = Held::new(200);
        assert!(held.put(at(0), 1, Size { messages: HELD_MESSAGES_MAX, bytes: 1 }, ()));
        assert!(!held.put(at(0), 1, SMALL, ()));
        let mut held = Held::new(200);
        assert!(held.put(at(0), 1, Size { messages: 1, bytes: HELD_BYTES_MAX }, ()));
        assert!(!held.put(at(0), 1, SMALL, ()));
        held.open();
        while held.take(at(0)).is_some() {}
        assert!(held.put(at(0), 1, SMALL, ()));
    }
}
