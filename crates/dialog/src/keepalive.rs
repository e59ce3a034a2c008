//! Keepalive probes of confirmed dialogs: who is probed when, and how many answers failed (spec dialog 2.8, 9.5).

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::LocalRequest;
use crate::engine::DialogId;
use crate::leg::Leg;

/// A probe to send: an OPTIONS within the dialog. Report its final reply with `Engine::keepalive_answered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepaliveProbe {
    pub request: LocalRequest,
}

/// One probed dialog.
#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u64,
    /// Caller, callee; sampled when the ACK came (spec dialog 13.67).
    legs: [bool; 2],
    failed: [u32; 2],
}

/// The probed dialogs of one lock group.
#[derive(Default)]
pub(crate) struct Keepalives {
    entries: BTreeMap<DialogId, Entry>,
    order: BTreeSet<(u64, DialogId)>,
}

impl Keepalives {
    pub(crate) fn start(&mut self, id: DialogId, legs: [bool; 2], next: u64) {
        self.stop(id);
        self.entries.insert(id, Entry { next, legs, failed: [0; 2] });
        self.order.insert((next, id));
    }

    pub(crate) fn stop(&mut self, id: DialogId) {
        if let Some(entry) = self.entries.remove(&id) {
            self.order.remove(&(entry.next, id));
        }
    }

    /// When the first probe is due, in monotonic milliseconds.
    pub(crate) fn next(&self) -> Option<u64> {
        self.order.first().map(|(next, _)| *next)
    }

    /// One dialog whose probes are due, moved on by `interval` milliseconds.
    pub(crate) fn pop_due(&mut self, now: u64, interval: u64) -> Option<(DialogId, [bool; 2])> {
        let (next, id) = *self.order.first().filter(|(next, _)| *next <= now)?;
        self.order.remove(&(next, id));
        let entry = self.entries.get_mut(&id)?;
        entry.next = now.saturating_add(interval.max(1));
        self.order.insert((entry.next, id));
        Some((id, entry.legs))
    }

    /// Counts the answer; gives how many failed in a row.
    pub(crate) fn answered(&mut self, id: DialogId, leg: Leg, failed: bool) -> u32 {
        let Some(entry) = self.entries.get_mut(&id) else {
            return 0;
        };
        let [caller, callee] = &mut entry.failed;
        let count = match leg {
            Leg::Caller => caller,
            Leg::Callee => callee,
        };
        *count = if failed { count.saturating_add(1) } else { 0 };
        *count
    }
}
