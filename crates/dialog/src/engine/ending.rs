//! The first cause of a call's end, and the moments on the way there (docs/end-reasons.md).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::end_reason::{EndReason, StatedCause};
use crate::flags::mark;
use crate::history::Moment;
use crate::record::{Field, Record};

impl Engine {
    /// The caller's CANCEL came: it is to blame if the call fails now, and forgotten if it is answered all the same.
    pub fn cancelled(&self, now: Now, id: DialogId, stated: StatedCause<'_>) {
        self.step(now, id, |work, index| work.cancelled(index, stated));
    }

    /// Calls ended by this reason, as the counters of calls count them: failed, ended and abandoned together.
    pub fn ended_by(&self, reason: EndReason) -> u64 {
        self.statistics.ended_by(reason)
    }
}

impl Work<'_> {
    fn cancelled(&mut self, index: u32, stated: StatedCause<'_>) {
        let is_news = |record: &Record| record.state.is_setting_up() && record.ending.expected != Some(EndReason::Cancel);
        if !self.record(index).is_some_and(is_news) {
            return;
        }
        self.remember(index, Moment::Cancelled);
        if self.expect_end(index, EndReason::Cancel) {
            self.set_end_text(index, stated);
        }
    }

    /// Adds a moment to the call's history.
    pub(super) fn remember(&mut self, index: u32, moment: Moment) {
        let date = self.now.date;
        if let Some(record) = self.record_mut(index) {
            record.remember(date, moment);
        }
    }

    /// Settles why the call ends; the first reason stays.
    pub(super) fn end_because(&mut self, index: u32, reason: EndReason, stated: StatedCause<'_>) {
        let Some(record) = self.record_mut(index).filter(|record| record.ending.reason.is_none()) else {
            return;
        };
        record.ending.reason = Some(reason);
        record.ending.code = stated.code;
        // The text of a CANCEL belongs to that CANCEL.
        let keeps_text = record.ending.expected == Some(reason);
        if !keeps_text {
            self.set_end_text(index, stated);
        }
    }

    /// Settles that this proxy ends the call: by what was to be expected, else for `reason`.
    pub(super) fn end_here_because(&mut self, index: u32, reason: EndReason) {
        let expected = self.expected_end(index);
        self.end_because(index, expected.unwrap_or(reason), StatedCause::default());
    }

    /// This proxy was told to end the call. Within a timeout route it is the timeout that ends it.
    pub(super) fn asked_to_end(&mut self, index: u32, reason: EndReason) {
        let is_expiring = self.record(index).is_some_and(|record| record.is_marked(mark::EXPIRING));
        self.remember(index, Moment::Asked { reason });
        if is_expiring {
            self.end_here_because(index, EndReason::Timeout);
        } else {
            self.end_because(index, reason, StatedCause::default());
        }
    }

    /// Remembers what is to blame if the call ends by what is under way; the first stays. Says whether it was this one.
    pub(super) fn expect_end(&mut self, index: u32, reason: EndReason) -> bool {
        let Some(record) = self.record_mut(index) else {
            return false;
        };
        let is_first = record.ending.expected.is_none();
        record.ending.expected.get_or_insert(reason);
        is_first
    }

    pub(super) fn expected_end(&self, index: u32) -> Option<EndReason> {
        self.record(index).and_then(|record| record.ending.expected)
    }

    /// The call lives (again): nothing has ended it.
    pub(super) fn forget_end(&mut self, index: u32) {
        if let Some(record) = self.record_mut(index) {
            record.ending = Default::default();
        }
        self.set_end_text(index, StatedCause::default());
    }

    fn set_end_text(&mut self, index: u32, stated: StatedCause<'_>) {
        let text = stated.bounded_text();
        if let Some(record) = self.record_mut(index)
            && record.field(Field::EndText) != text
        {
            // A text that finds no room beside the others of the call is left out; the reason stands without it.
            let _ = record.set_fields(&[(Field::EndText, text)]);
        }
    }
}
