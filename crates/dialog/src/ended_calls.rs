//! Calls that ended a while ago, kept for `dlg.explain` within a bound of time, number and bytes.

use std::collections::VecDeque;

use crate::engine::DialogId;
use crate::limits::{EXPLAIN_BYTES_MAX, FORGOTTEN_AT_ONCE_MAX, RECENT_CALLS_MAX};
use crate::record::{Field, Record};

/// What one lock group may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedBounds {
    /// Milliseconds; 0 = nothing is kept.
    time: u64,
    calls: usize,
    bytes: usize,
}

impl EndedBounds {
    /// The share of one of `groups` lock groups.
    pub(crate) fn share(seconds: u32, calls: u32, groups: u32) -> EndedBounds {
        let groups = groups.max(1);
        EndedBounds { time: u64::from(seconds) * 1000, calls: calls.div_ceil(groups) as usize, bytes: EXPLAIN_BYTES_MAX / groups as usize }
    }
}

struct Ended {
    /// Monotonic milliseconds.
    forget_at: u64,
    record: Record,
}

/// The ended calls of one lock group, oldest first. A record moves in as it is; nothing is copied or allocated for it.
#[derive(Default)]
pub(crate) struct EndedCalls {
    calls: VecDeque<Ended>,
    bytes: usize,
}

impl EndedCalls {
    /// Keeps the record; the oldest make room.
    pub(crate) fn keep(&mut self, now: u64, record: Record, bounds: EndedBounds) {
        let bytes = record.bytes();
        if bounds.time == 0 || bounds.calls == 0 || bytes > bounds.bytes {
            return;
        }
        while self.calls.len() >= bounds.calls || self.bytes + bytes > bounds.bytes {
            if !self.drop_oldest() {
                break;
            }
        }
        self.bytes += bytes;
        self.calls.push_back(Ended { forget_at: now.saturating_add(bounds.time), record });
    }

    /// Lets go of what is older than the bound of time, and of the memory when nothing is left. Says whether more is due.
    pub(crate) fn forget(&mut self, now: u64) -> bool {
        let mut forgotten = 0;
        while self.calls.front().is_some_and(|call| call.forget_at <= now) {
            if forgotten == FORGOTTEN_AT_ONCE_MAX {
                return true;
            }
            forgotten += 1;
            self.drop_oldest();
        }
        if self.calls.is_empty() {
            self.calls = VecDeque::new();
        }
        false
    }

    pub(crate) fn of_call_id<'a>(&'a self, call_id: &'a [u8]) -> impl Iterator<Item = &'a Record> {
        self.calls.iter().map(|call| &call.record).filter(move |record| record.field(Field::CallId) == call_id)
    }

    /// The call with this number, if it is among those that ended last.
    pub(crate) fn recent_mut(&mut self, id: DialogId) -> Option<&mut Record> {
        let mut recent = self.calls.iter_mut().rev().take(RECENT_CALLS_MAX);
        recent.find(|call| call.record.id == id).map(|call| &mut call.record)
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.calls.pop_front() else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(oldest.record.bytes());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(call_id: &[u8]) -> Record {
        let mut record = Record::empty();
        record.set_fields(&[(Field::CallId, call_id)]).unwrap();
        record
    }

    fn kept(calls: &EndedCalls) -> Vec<&[u8]> {
        calls.calls.iter().map(|call| call.record.field(Field::CallId)).collect()
    }

    #[test]
    fn the_oldest_make_room_when_too_many_are_kept() {
        let mut calls = EndedCalls::default();
        for call_id in [&b"a"[..], b"b", b"c"] {
            calls.keep(0, record(call_id), EndedBounds::share(600, 2, 1));
        }
        assert_eq!(kept(&calls), [b"b", b"c"]);
    }

    #[test]
    fn the_oldest_make_room_when_too_many_bytes_are_kept() {
        let mut calls = EndedCalls::default();
        let bounds = EndedBounds { time: 1000, calls: 1000, bytes: 3 * record(b"a").bytes() };
        for call_id in [b"a", b"b", b"c", b"d"] {
            calls.keep(0, record(call_id), bounds);
        }
        assert_eq!(kept(&calls), [b"b", b"c", b"d"]);
        calls.keep(0, record(&vec![b'x'; bounds.bytes]), bounds);
        assert_eq!(kept(&calls), [b"b", b"c", b"d"], "one call never drives out all others");
        calls.forget(1000);
        assert_eq!((calls.bytes, calls.len(), calls.calls.capacity()), (0, 0, 0));
    }

    #[test]
    fn what_is_too_old_goes_in_bounded_steps_and_nothing_earlier() {
        let mut calls = EndedCalls::default();
        let bounds = EndedBounds::share(1, u32::MAX, 1);
        for _ in 0..=FORGOTTEN_AT_ONCE_MAX {
            calls.keep(0, record(b"old"), bounds);
        }
        calls.keep(5, record(b"new"), bounds);
        assert!(!calls.forget(999));
        assert!(calls.forget(1000));
        assert!(!calls.forget(1000));
        assert_eq!(kept(&calls), [b"new"]);
    }

    #[test]
    fn nothing_is_kept_when_it_is_off() {
        let mut calls = EndedCalls::default();
        calls.keep(0, record(b"a"), EndedBounds::share(0, 100, 1));
        calls.keep(0, record(b"a"), EndedBounds::share(600, 0, 1));
        assert_eq!(calls.len(), 0);
    }
}
