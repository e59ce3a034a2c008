//! What a locked step can do to the records of one group.

use std::sync::atomic::Ordering::Relaxed;

use sip::time::Now;

use super::copying::view;
use super::{DialogId, Engine};
use crate::effect::EventRoute;
use crate::end_reason::EndReason;
use crate::flags::{dialog_flag, mark};
use crate::lifetime;
use crate::observer::{Occurrence, OccurrenceKind};
use crate::record::Record;
use crate::shard::Shard;
use crate::state::State;
use crate::statistics::{Leaving, Mark};
use crate::view::DialogView;

/// A locked group, the time of the step and what observers will be told after it.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) shard: &'a mut Shard,
    pub(super) now: Now,
    pub(super) notices: Vec<(DialogView, Occurrence)>,
}

impl Work<'_> {
    pub(super) fn record(&self, index: u32) -> Option<&Record> {
        self.shard.records.get(index)
    }

    pub(super) fn record_mut(&mut self, index: u32) -> Option<&mut Record> {
        self.shard.records.get_mut(index)
    }

    /// Sets the one deadline the record has in its state (invariant D7).
    pub(super) fn arm(&mut self, index: u32) {
        let Some(record) = self.shard.records.get(index) else {
            return;
        };
        let deadline = lifetime::deadline(record, &self.engine.settings, self.now);
        let tick = lifetime::tick_of(deadline, self.engine.origin);
        let passed = lifetime::tick_passed(self.now.time.0, self.engine.origin);
        self.shard.wheel.arm(&mut self.shard.records, index, tick, passed);
    }

    /// Starts the lifetime anew with the seconds stored.
    pub(super) fn restart_lifetime(&mut self, index: u32) {
        let now = self.now;
        if let Some(record) = self.record_mut(index) {
            record.deadline = lifetime::after(now, record.lifetime);
            record.set_mark(mark::LIFETIME, true);
            record.ending.expected = None;
            record.dialog_flags |= dialog_flag::CHANGED;
        }
        self.arm(index);
    }

    /// Cuts the lifetime to the last seconds after a missing ACK or failed probes.
    pub(super) fn shorten_lifetime(&mut self, index: u32) {
        if let Some(record) = self.record_mut(index) {
            record.lifetime = lifetime::SHORTENED_SECONDS;
            record.set_mark(mark::NO_ACK_SHORTENED, true);
        }
        self.restart_lifetime(index);
    }

    pub(super) fn note(&mut self, index: u32, occurrence: Occurrence) {
        if self.engine.observers.want(occurrence.kind)
            && let Some(record) = self.shard.records.get(index)
        {
            self.notices.push((view(self.engine, record, self.now), occurrence));
        }
    }

    /// Everything that belongs to the moment of entering state 5: the profiles are left at once (invariant P2).
    pub(super) fn enter_deleted(&mut self, index: u32) {
        self.note_end(index);
        let now = lifetime::wall_seconds(self.now);
        let Some(record) = self.shard.records.get_mut(index) else {
            return;
        };
        record.state = State::Deleted;
        record.ended = now;
        record.modified = now;
        record.set_mark(mark::LIFETIME | mark::EXPIRING, false);
        for membership in record.memberships() {
            self.engine.profiles.leave(&membership, self.shard.audited);
        }
        record.leave_memberships();
        let id = record.id;
        self.shard.keepalives.stop(id);
        self.arm(index);
    }

    /// The last route of the dialog, if it was not handed out before in this life (F15). Observers are told of the end in
    /// the step that got the route, so a call ends once for them too, whatever a crossing BYE does afterwards.
    pub(super) fn take_finish_route(&mut self, index: u32, route: EventRoute) -> Option<EventRoute> {
        let record = self.record_mut(index)?;
        let first = !record.is_marked(mark::FINISHED);
        record.set_mark(mark::FINISHED, true);
        first.then_some(route)
    }

    /// The last route for a BYE of this proxy; observers are told with it.
    pub(super) fn terminated_here(&mut self, index: u32) -> Option<EventRoute> {
        let route = self.take_finish_route(index, EventRoute::End)?;
        let record = self.record_mut(index)?;
        let is_in_answer = record.answered == 0;
        record.set_mark(mark::ENDED_IN_ANSWER, is_in_answer);
        if !is_in_answer {
            self.note(index, Occurrence::of(OccurrenceKind::Terminated));
        }
        Some(route)
    }

    /// Counts the record in another gauge.
    pub(super) fn count_as(&mut self, index: u32, mark: Mark) {
        let statistics = &self.engine.statistics;
        if let Some(record) = self.shard.records.get_mut(index) {
            statistics.enter(&mut record.counted, mark);
        }
    }

    /// Counts the end of the record; a second time does nothing.
    pub(super) fn count_out(&mut self, index: u32, why: Leaving) {
        let statistics = &self.engine.statistics;
        if let Some(record) = self.shard.records.get_mut(index)
            && statistics.leave(&mut record.counted, why)
        {
            record.set_mark(mark::COUNTED_FAILED, why == Leaving::Failed);
            record.set_mark(mark::COUNTED_ENDED, why == Leaving::Ended);
            statistics.count_reason(*record.ending.reason.get_or_insert(EndReason::Abandoned));
        }
    }

    /// Takes back the counted end of a record that lives again; it is back in the first gauge.
    pub(super) fn count_again(&mut self, index: u32) {
        let statistics = &self.engine.statistics;
        let Some(record) = self.shard.records.get_mut(index) else {
            return;
        };
        if record.counted != Mark::None {
            return;
        }
        if let Some(reason) = record.ending.reason.filter(|_| record.is_marked(mark::COUNTED_FAILED | mark::COUNTED_ENDED)) {
            statistics.uncount_reason(reason);
        }
        if record.is_marked(mark::COUNTED_FAILED) {
            statistics.reopened(Leaving::Failed);
        } else if record.is_marked(mark::COUNTED_ENDED) {
            statistics.reopened(Leaving::Ended);
        } else {
            // Loaded in state 5: counted nowhere so far.
            statistics.loaded();
        }
        record.set_mark(mark::COUNTED_FAILED | mark::COUNTED_ENDED, false);
        statistics.enter(&mut record.counted, Mark::Unconfirmed);
    }

    /// The table lets go of the record.
    pub(super) fn unlink(&mut self, index: u32) {
        if let Some(record) = self.record_mut(index) {
            record.set_mark(mark::LINKED, false);
        }
    }

    /// Ends a step that began with a hold of its own; says whether the record went away.
    pub(super) fn end_step(&mut self, index: u32) -> bool {
        if let Some(record) = self.record_mut(index) {
            record.holds = record.holds.saturating_sub(1);
        }
        self.destroy_if_free(index)
    }

    pub(super) fn destroy_if_free(&mut self, index: u32) -> bool {
        let free = self.record(index).is_some_and(Record::is_free);
        if free {
            self.destroy(index, Leaving::Abandoned);
        }
        free
    }

    /// Removes the record whatever refers to it; `why` counts only if its end was not counted yet.
    pub(super) fn destroy(&mut self, index: u32, why: Leaving) {
        self.note_end(index);
        self.count_out(index, why);
        self.note(index, Occurrence::of(OccurrenceKind::Destroyed));
        if let Some(mut record) = self.shard.remove(index) {
            for membership in record.memberships() {
                self.engine.profiles.leave(&membership, self.shard.audited);
            }
            if record.membership_count() > 0 {
                record.leave_memberships();
            }
            self.shard.ended_calls.keep(self.now.time.0, record, self.engine.ended_bounds);
            let _ = self.engine.live.fetch_update(Relaxed, Relaxed, |live| Some(live.saturating_sub(1)));
        }
    }

    /// The id of a record whose step begins: it is held until the step ends.
    pub(super) fn begin_step(&mut self, index: u32) -> Option<DialogId> {
        let now = lifetime::wall_seconds(self.now);
        let record = self.record_mut(index)?;
        record.holds = record.holds.checked_add(1)?;
        record.modified = now;
        Some(record.id)
    }
}
