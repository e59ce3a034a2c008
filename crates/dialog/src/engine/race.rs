//! Calls that are over while their answer is on its way: answered all the same, they must not live on (RFC 5407 §3.1.3).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::flags::{internal_flag, mark};
use crate::history::Moment;
use crate::leg::Leg;
use crate::limits::EARLY_BYES_BYTES_MAX;
use crate::record::{Field, Record};
use crate::state::State;

/// No token of a tag.
const SEPARATOR: u8 = b',';

impl Engine {
    /// The caller sent a BYE for the early dialog with this To-tag. If that party answers all the same, the call gets
    /// `race_condition_timeout` seconds, then BYEs to both sides; another party of a forked call may still answer.
    pub fn early_bye(&self, now: Now, id: DialogId, to_tag: &[u8]) {
        if to_tag.is_empty() || self.settings.race_condition_timeout == 0 {
            return;
        }
        self.step(now, id, |work, index| {
            let Some(record) = work.record_mut(index).filter(|record| record.state == State::Early) else {
                return;
            };
            let tags = record.field(Field::EarlyByes);
            if tags.len() + to_tag.len() < EARLY_BYES_BYTES_MAX && !is_among(tags, to_tag) {
                let tags = [tags, to_tag, &[SEPARATOR]].concat();
                // A record without room for it forgets the BYE: the call then ends as any other.
                let _ = record.set_fields(&[(Field::EarlyByes, &tags)]);
                work.remember(index, Moment::EarlyBye { leg: Leg::Caller });
            }
        });
    }
}

impl Work<'_> {
    /// The callee is known now: says whether its early dialog was over before, hung up by the caller or ended from here, and
    /// forgets those of others.
    pub(super) fn take_race(&mut self, index: u32) -> bool {
        let is_wanted = self.engine.settings.race_condition_timeout > 0;
        let Some(record) = self.record_mut(index) else {
            return false;
        };
        let byes = record.field(Field::EarlyByes);
        let is_hung_up = !byes.is_empty() && is_among(byes, record.field(Field::CalleeTag));
        let is_race = is_wanted && (is_hung_up || record.is_marked(mark::ENDED_EARLY));
        if !byes.is_empty() {
            let _ = record.set_fields(&[(Field::EarlyByes, b"")]);
        }
        record.set_mark(mark::RACE, is_race);
        if is_race {
            // For whoever loads the call after a restart: the mark is not stored.
            record.internal_flags |= internal_flag::TIMEOUT_BYE;
        }
        is_race
    }
}

impl Record {
    /// The call was over before its answer came.
    pub(super) fn is_race(&self) -> bool {
        self.is_marked(mark::RACE)
    }
}

fn is_among(tags: &[u8], tag: &[u8]) -> bool {
    tags.split(|byte| *byte == SEPARATOR).any(|known| !known.is_empty() && known == tag)
}
