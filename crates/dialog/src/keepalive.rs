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

/// Does this final reply to a probe say that the party or its call is gone?
pub fn is_failure(code: u16) -> bool {
    matches!(code, 408 | 481)
}

/// One probed dialog.
#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u64,
    /// Caller, callee; sampled when the ACK came (spec dialog 13.67).
    legs: [bool; 2],
    failed: [u32; 2],
    /// Probes failed and the lifetime was cut; it comes back with the first sign of life.
    before: Option<Lifetime>,
}

/// A lifetime as it was before it was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) seconds: u32,
    /// Monotonic milliseconds.
    pub(crate) deadline: u64,
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
        self.entries.insert(id, Entry { next, legs, failed: [0; 2], before: None });
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

    /// One dialog whose probes are due at `now`, and once more at `following`.
    pub(crate) fn pop_due(&mut self, now: u64, following: u64) -> Option<(DialogId, [bool; 2])> {
        let (next, id) = *self.order.first().filter(|(next, _)| *next <= now)?;
        self.order.remove(&(next, id));
        let entry = self.entries.get_mut(&id)?;
        entry.next = following.max(now.saturating_add(1));
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

    /// Probes other parties from now on. False: the dialog is not probed at all.
    pub(crate) fn choose(&mut self, id: DialogId, legs: [bool; 2]) -> bool {
        self.entries.get_mut(&id).is_some_and(|entry| {
            entry.legs = legs;
            true
        })
    }

    /// The lifetime is cut because probes failed. False: it is cut already.
    pub(crate) fn cut(&mut self, id: DialogId, before: Lifetime) -> bool {
        self.entries.get_mut(&id).is_some_and(|entry| {
            let is_first = entry.before.is_none();
            entry.before.get_or_insert(before);
            is_first
        })
    }

    /// The lifetime to go back to, once no party that is probed has failed `limit` times.
    pub(crate) fn take_cut(&mut self, id: DialogId, limit: u32) -> Option<Lifetime> {
        let entry = self.entries.get_mut(&id)?;
        let mut probed = entry.legs.into_iter().zip(entry.failed);
        if probed.any(|(is_probed, failed)| is_probed && failed >= limit) { None } else { entry.before.take() }
    }

    /// Somebody set another lifetime: it stays whatever the probes say.
    pub(crate) fn forget_cut(&mut self, id: DialogId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.before = None;
        }
    }
}
