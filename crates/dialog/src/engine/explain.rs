//! What happened to the calls with a Call-ID, living or ended a while ago (`dlg.explain`).

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use sip::time::Now;

use super::copying::view;
use super::{DialogId, Engine};
use crate::hash;
use crate::history::{Moment, PastMoment};
use crate::limits::{EXPLANATIONS_MAX, FORGET_MILLISECONDS};
use crate::record::{Field, Record};
use crate::view::DialogView;

/// One call with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub dialog: DialogView,
    /// First the beginning, then the last moments.
    pub history: Vec<PastMoment>,
    /// Moments left out behind the first one, because others came later.
    pub left_out: u8,
    /// The record has left the table: only the memory of ended calls knows it.
    pub is_gone: bool,
}

impl Engine {
    /// The calls with this Call-ID (and From-tag of the INVITE): those gone first, each kind oldest first. Of more than
    /// [`EXPLANATIONS_MAX`] the latest.
    pub fn explain(&self, now: Now, call_id: &[u8], from_tag: Option<&[u8]>) -> Vec<Explanation> {
        let Some(shard) = self.lock(hash::slot(call_id, self.settings.hash_size)) else {
            return Vec::new();
        };
        let living = shard.of_call_id(call_id);
        let living = living.iter().filter_map(|id| shard.index_of(*id).and_then(|index| shard.records.get(index)));
        let gone = shard.ended_calls.of_call_id(call_id).map(|record| (record, true));
        let mut found: Vec<(&Record, bool)> = gone.chain(living.map(|record| (record, false))).collect();
        found.retain(|(record, _)| from_tag.is_none_or(|tag| record.field(Field::CallerTag) == tag));
        let first = found.len().saturating_sub(EXPLANATIONS_MAX);
        let explain = |(record, is_gone): &(&Record, bool)| Explanation {
            dialog: view(self, record, now),
            history: record.moments(),
            left_out: record.history.lost(),
            is_gone: *is_gone,
        };
        found.get(first..).unwrap_or_default().iter().map(explain).collect()
    }

    /// Adds what still happens to a call whose record has left the table: the answer to its second BYE.
    pub(super) fn remember_gone(&self, now: Now, id: DialogId, moment: Moment) {
        if let Some(mut shard) = self.lock(id.entry)
            && let Some(record) = shard.ended_calls.recent_mut(id)
        {
            record.remember(now.date, moment);
        }
    }

    /// Lets go of ended calls whose time is over. To be called about once a second.
    pub fn forget_ended(&self, now: Now) {
        if self.forget_next.load(Relaxed) > now.time.0 {
            return;
        }
        let mut is_more_due = false;
        for cell in &self.cells {
            is_more_due |= cell.shard.lock().unwrap_or_else(PoisonError::into_inner).ended_calls.forget(now.time.0);
        }
        let next = if is_more_due { now.time.0 } else { now.time.0.saturating_add(FORGET_MILLISECONDS) };
        self.forget_next.store(next, Relaxed);
    }

    /// Ended calls kept for [`Engine::explain`].
    pub fn ended_calls(&self) -> usize {
        self.cells.iter().map(|cell| cell.shard.lock().unwrap_or_else(PoisonError::into_inner).ended_calls.len()).sum()
    }
}
