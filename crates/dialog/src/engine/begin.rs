//! Making a dialog for an INVITE, or dropping it again when the INVITE went nowhere (spec dialog 1.5).

use std::sync::atomic::Ordering::Relaxed;

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::{Begin, NewDialog, Refusal};
use crate::flags::{dialog_flag, internal_flag};
use crate::hash;
use crate::leg::Direction;
use crate::limits::{DIALOGS_OF_CALL_ID_MAX, TIMEOUT_ROUTE_BYTES_MAX};
use crate::matching::Tags;
use crate::observer::{Occurrence, OccurrenceKind};
use crate::record::{Field, Record};
use crate::state::State;
use crate::statistics::{Leaving, Mark};
use crate::variables;

impl Engine {
    /// Makes the dialog of an INVITE without To-tag, unless it is a spiral. Searching and making are one locked step, so
    /// two copies of one INVITE never make two dialogs (invariant D11).
    pub fn begin(&self, now: Now, new: &NewDialog<'_>) -> Begin {
        let begun = self.try_begin(now, new);
        if matches!(begun, Begin::Refused(_)) {
            self.statistics.refused();
        }
        begun
    }

    fn try_begin(&self, now: Now, new: &NewDialog<'_>) -> Begin {
        for (text, refusal) in [(new.call_id, Refusal::NoCallId), (new.from_tag, Refusal::NoFromTag), (new.contact, Refusal::NoContact)] {
            if text.is_empty() {
                return Begin::Refused(refusal);
            }
        }
        let entry = hash::slot(new.call_id, self.settings.hash_size);
        let Some(cell) = self.cell(entry) else {
            return Begin::Refused(Refusal::Full);
        };
        // Built outside the lock; a spiral throws it away.
        let mut record = match self.new_record(now, new) {
            Ok(record) => record,
            Err(refusal) => return Begin::Refused(refusal),
        };
        self.locked(now, cell, new.cause, |work| {
            let search = work.shard.search(new.call_id, Tags { from: new.from_tag, to: b"" }, Direction::None);
            if self.settings.detect_spirals
                && let Some((index, _)) = search.found
                && let Some(found) = work.record(index).filter(|found| found.state != State::Deleted)
            {
                let id = found.id;
                work.note_initial(index, new, OccurrenceKind::Spiralled);
                return Begin::Spiral(id);
            }
            if search.of_call_id >= DIALOGS_OF_CALL_ID_MAX {
                return Begin::Refused(Refusal::TooManyOfCallId);
            }
            let id = DialogId { entry, id: work.shard.allocate_id(entry, self.numbering()) };
            record.id = id;
            match work.insert(record) {
                Some(index) => {
                    work.count_as(index, Mark::Unconfirmed);
                    self.statistics.processed();
                    work.join_pending(index, new.profiles);
                    work.note_initial(index, new, OccurrenceKind::Created);
                    Begin::Created(id)
                }
                None => Begin::Refused(Refusal::Full),
            }
        })
    }

    /// The request of a new dialog was not forwarded: the record disappears without a route (spec dialog 1.5). Says
    /// whether it did; a dialog that got an answer meanwhile stays.
    pub fn abandon(&self, now: Now, id: DialogId) -> bool {
        self.step(now, id, |work, index| {
            let unconfirmed = work.record(index).is_some_and(|record| record.state == State::Unconfirmed);
            if unconfirmed {
                work.destroy(index, Leaving::Abandoned);
            }
            unconfirmed
        })
        .unwrap_or(false)
    }

    /// Removes the record at once, whatever refers to it; no route runs.
    pub fn destroy(&self, now: Now, id: DialogId) -> bool {
        self.step(now, id, |work, index| work.destroy(index, Leaving::Abandoned)).is_some()
    }

    /// The record of an INVITE, without its number.
    pub(super) fn new_record(&self, now: Now, new: &NewDialog<'_>) -> Result<Record, Refusal> {
        let (route, route_name) = new.timeout_route.unwrap_or((0, b""));
        let route_name = if route_name.len() > TIMEOUT_ROUTE_BYTES_MAX { &b""[..] } else { route_name };
        let mut record = Record::empty();
        record
            .set_fields(&[
                (Field::CallId, new.call_id),
                (Field::FromUri, new.from_uri),
                (Field::ToUri, new.to_uri),
                (Field::RequestUri, new.request_uri),
                (Field::CallerTag, new.from_tag),
                (Field::CallerContact, new.contact),
                (Field::CallerRouteSet, new.route_set),
                (Field::TimeoutRoute, route_name),
            ])
            .map_err(|_| Refusal::TooLarge)?;
        let mut stored = Vec::new();
        for (key, value) in new.variables.iter().rev() {
            if let Some(more) = variables::with(&stored, key, Some(value)).map_err(Refusal::Variable)? {
                stored = more;
            }
        }
        if !stored.is_empty() {
            record.set_variables(&stored);
            record.dialog_flags |= dialog_flag::CHANGED_VARIABLES;
        }
        record.begin_at(now.date);
        record.deadline = crate::lifetime::early_deadline(&record, &self.settings, now);
        record.modified = record.created;
        record.lifetime = new.lifetime.filter(|seconds| *seconds > 0).unwrap_or(self.settings.default_timeout);
        record.sequence = [new.cseq, 0];
        record.script_flags = new.script_flags;
        record.internal_flags = new.internal_flags;
        if new.timeout_bye || self.settings.send_bye {
            record.internal_flags |= internal_flag::TIMEOUT_BYE;
        }
        if new.transaction {
            record.dialog_flags |= dialog_flag::TRANSACTION;
        }
        record.timeout_route = route;
        record.sockets = [self.socket_number(new.socket), crate::record::NO_SOCKET];
        record.route_entries = u8::try_from(new.route_entries).unwrap_or(u8::MAX);
        Ok(record)
    }
}

impl Work<'_> {
    /// Tells that the INVITE came, unless the caller does later (`initial_cbs_inscript` 0).
    fn note_initial(&mut self, index: u32, new: &NewDialog<'_>, kind: OccurrenceKind) {
        if !new.is_told_later {
            self.note(index, Occurrence::towards(kind, Direction::Downstream));
        }
    }

    /// Stores a record within the bound of all dialogs and arms its deadline.
    pub(super) fn insert(&mut self, record: Record) -> Option<u32> {
        let (live, most) = (&self.engine.live, self.engine.settings.dialogs_max);
        live.fetch_update(Relaxed, Relaxed, |live| (live < most).then_some(live + 1)).ok()?;
        match self.shard.insert(record) {
            Some(index) => {
                self.arm(index);
                Some(index)
            }
            None => {
                live.fetch_sub(1, Relaxed);
                None
            }
        }
    }
}
