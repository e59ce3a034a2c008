//! Taking dialogs back from storage with the numbers they had (spec dialog 1.3, 8.5).

use sip::time::Now;

use super::storing::UNSAVED;
use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::{Refusal, RestoreError, Restored};
use crate::flags::{dialog_flag, mark};
use crate::hash;
use crate::history::{History, Moment};
use crate::lifetime;
use crate::observer::{Cause, Occurrence, OccurrenceKind};
use crate::record::{Field, Record};
use crate::settings::Storing;
use crate::state::State;
use crate::statistics::Mark;

impl Engine {
    /// Links a stored dialog. One whose time is over expires at once; numbers given out later lie above it.
    pub fn restore(&self, now: Now, stored: &Restored<'_>) -> Result<(), RestoreError> {
        if hash::slot(stored.new.call_id, self.settings.hash_size) != stored.id.entry {
            return Err(RestoreError::OtherHashSize);
        }
        self.link(now, stored, stored.id.entry).map(|_| ())
    }

    /// Links a dialog that may have been stored with another `hash_size`, in the slot its Call-ID has now. There it gets a
    /// number above all others, which no other row can have, and the caller moves its row.
    pub fn restore_rehashed(&self, now: Now, stored: &Restored<'_>) -> Result<DialogId, RestoreError> {
        self.link(now, stored, hash::slot(stored.new.call_id, self.settings.hash_size))
    }

    fn link(&self, now: Now, stored: &Restored<'_>, entry: u32) -> Result<DialogId, RestoreError> {
        let cell = self.cell(entry).ok_or(RestoreError::OtherHashSize)?;
        let mut record = self.restored_record(now, stored)?;
        self.locked(now, cell, Cause::HERE, |work| {
            let mut id = DialogId { entry, id: stored.id.id };
            if self.ended_while_loading(stored.id) {
                return Err(RestoreError::Ended);
            }
            if entry != stored.id.entry {
                id.id = work.shard.allocate_id(entry, self.numbering());
            } else if work.shard.index_of(id).is_some() {
                return Err(RestoreError::Exists);
            }
            record.id = id;
            let index = work.insert(record).ok_or(RestoreError::Refused(Refusal::Full))?;
            work.shard.raise_next_id(id, self.numbering());
            work.restored(index, stored);
            Ok(id)
        })
    }

    fn restored_record(&self, now: Now, stored: &Restored<'_>) -> Result<Record, RestoreError> {
        let mut record = self.new_record(now, &stored.new).map_err(RestoreError::Refused)?;
        let callee = &stored.callee;
        let fields = [(Field::CalleeTag, callee.tag), (Field::CalleeContact, callee.contact), (Field::CalleeRouteSet, callee.route_set)];
        record.set_fields(&fields).map_err(|_| RestoreError::Refused(Refusal::TooLarge))?;
        record.state = stored.state;
        record.history = History::beginning_with(Moment::Loaded { state: stored.state });
        record.dialog_flags &= !UNSAVED;
        if self.settings.storing == Storing::AtStop {
            record.dialog_flags |= dialog_flag::NEW;
        }
        record.internal_flags = stored.new.internal_flags;
        super::sequence::restored(&mut record);
        record.answered = stored.start_time;
        record.sequence[1] = stored.callee_cseq;
        record.sockets[1] = self.socket_number(callee.socket);
        let answered = stored.state.is_answered();
        record.set_mark(mark::CALLEE_CSEQ | mark::STARTED | mark::LIFETIME, answered);
        record.set_mark(mark::STORED, true);
        if stored.state == State::Deleted {
            record.ended = lifetime::wall_seconds(now);
            record.set_mark(mark::FINISHED, true);
        }
        let left = stored.timeout.saturating_sub(lifetime::wall_seconds(now));
        record.lifetime = if left > 0 { stored.timeout.saturating_sub(stored.start_time) } else { 0 };
        if answered {
            record.deadline = lifetime::after(now, left);
        }
        Ok(record)
    }
}

impl Work<'_> {
    /// Counts the dialog, lets it join its profiles and tells of it.
    fn restored(&mut self, index: u32, stored: &Restored<'_>) {
        let mark = match stored.state {
            State::Unconfirmed => Some(Mark::Unconfirmed),
            State::Early => Some(Mark::Early),
            State::ConfirmedNoAck | State::Confirmed => Some(Mark::Active),
            State::Deleted => None,
        };
        if let Some(mark) = mark {
            self.engine.statistics.loaded();
            self.count_as(index, mark);
            self.join_pending(index, stored.new.profiles);
            if let Some(record) = self.record_mut(index) {
                record.dialog_flags &= !dialog_flag::CHANGED_PROFILES;
            }
        }
        if stored.state == State::Confirmed {
            self.start_keepalive(index);
        }
        self.note(index, Occurrence::of(OccurrenceKind::Loaded));
    }
}
