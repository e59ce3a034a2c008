//! Taking dialogs back from storage with the numbers they had (spec dialog 1.3, 8.5).

use sip::time::Now;

use super::Engine;
use crate::effect::{Refusal, RestoreError, Restored};
use crate::flags::{dialog_flag, mark};
use crate::hash;
use crate::history::{History, Moment};
use crate::lifetime;
use crate::observer::{Cause, Occurrence, OccurrenceKind};
use crate::record::Field;
use crate::state::State;
use crate::statistics::Mark;

impl Engine {
    /// Links a stored dialog. One whose time is over expires at once; numbers given out later lie above it.
    pub fn restore(&self, now: Now, stored: &Restored<'_>) -> Result<(), RestoreError> {
        let id = stored.id;
        if hash::slot(stored.new.call_id, self.settings.hash_size) != id.entry {
            return Err(RestoreError::OtherHashSize);
        }
        let cell = self.cell(id.entry).ok_or(RestoreError::OtherHashSize)?;
        let mut record = self.new_record(now, &stored.new).map_err(RestoreError::Refused)?;
        let callee = &stored.callee;
        let fields = [(Field::CalleeTag, callee.tag), (Field::CalleeContact, callee.contact), (Field::CalleeRouteSet, callee.route_set)];
        record.set_fields(&fields).map_err(|_| RestoreError::Refused(Refusal::TooLarge))?;
        record.id = id;
        record.state = stored.state;
        record.history = History::beginning_with(Moment::Loaded { state: stored.state });
        record.dialog_flags &= !(dialog_flag::NEW | dialog_flag::CHANGED_VARIABLES | dialog_flag::CHANGED_PROFILES);
        record.internal_flags = stored.new.internal_flags;
        super::sequence::restored(&mut record);
        record.answered = stored.start_time;
        record.sequence[1] = stored.callee_cseq;
        record.sockets[1] = self.socket_number(callee.socket);
        let answered = stored.state.is_answered();
        record.set_mark(mark::CALLEE_CSEQ | mark::STARTED | mark::LIFETIME, answered);
        if stored.state == State::Deleted {
            record.ended = lifetime::wall_seconds(now);
            record.set_mark(mark::FINISHED, true);
        }
        let left = stored.timeout.saturating_sub(lifetime::wall_seconds(now));
        record.lifetime = if left > 0 { stored.timeout.saturating_sub(stored.start_time) } else { 0 };
        if answered {
            record.deadline = lifetime::after(now, left);
        }
        self.locked(now, cell, Cause::HERE, |work| {
            if work.shard.index_of(id).is_some() {
                return Err(RestoreError::Exists);
            }
            let index = work.insert(record).ok_or(RestoreError::Refused(Refusal::Full))?;
            work.shard.raise_next_id(id, self.numbering());
            let mark = match stored.state {
                State::Unconfirmed => Some(Mark::Unconfirmed),
                State::Early => Some(Mark::Early),
                State::ConfirmedNoAck | State::Confirmed => Some(Mark::Active),
                State::Deleted => None,
            };
            if let Some(mark) = mark {
                self.statistics.loaded();
                work.count_as(index, mark);
                work.join_pending(index, stored.new.profiles);
                if let Some(record) = work.record_mut(index) {
                    record.dialog_flags &= !dialog_flag::CHANGED_PROFILES;
                }
            }
            if stored.state == State::Confirmed {
                work.start_keepalive(index);
            }
            work.note(index, Occurrence::of(OccurrenceKind::Loaded));
            Ok(())
        })
    }
}
