//! Deadlines: what happens to dialogs whose time is over (spec dialog 2.5, 2.9), and keepalive probes (2.8).

use std::sync::atomic::Ordering::Relaxed;

use sip::time::Now;

use super::termination::{SequenceStep, local_request};
use super::work::{Work, view};
use super::{DialogId, Engine};
use crate::effect::{Change, EventRoute, Expiry, ExpiryStep, Finished, Termination, Verdict};
use crate::flags::{dialog_flag, internal_flag, mark};
use crate::keepalive::KeepaliveProbe;
use crate::leg::{Direction, Leg};
use crate::lifetime;
use crate::limits::{EXPIRIES_PER_CALL_MAX, KEEPALIVES_PER_CALL_MAX};
use crate::observer::{Occurrence, OccurrenceKind};
use crate::record::{Field, NO_SOCKET};
use crate::state::{Event, State};
use crate::statistics::Leaving;

impl Engine {
    /// Hands out what is due, each thing once, at most [`EXPIRIES_PER_CALL_MAX`]; call again while
    /// [`Engine::next_deadline`] lies in the past.
    pub fn expire(&self, now: Now) -> Vec<Expiry> {
        let mut out = Vec::new();
        for cell in &self.cells {
            if out.len() >= EXPIRIES_PER_CALL_MAX {
                break;
            }
            if cell.next.load(Relaxed) <= now.time.0 {
                self.locked(now, cell, |work| work.expire(&mut out));
            }
        }
        out
    }

    /// What follows the timeout route of [`Expiry::Lifetime`]: BYEs to both sides, or the end without BYE.
    pub fn expiry_decide(&self, now: Now, id: DialogId) -> ExpiryStep {
        self.step(now, id, |work, index| work.expiry_decide(index)).unwrap_or(ExpiryStep::Nothing)
    }

    /// Second half of [`ExpiryStep::Ended`].
    pub fn expiry_finish(&self, now: Now, change: Change) -> Finished {
        let gone = Finished { gone: true, ..Finished::default() };
        self.step(now, change.id, |work, index| work.expiry_finish(index, &change)).unwrap_or(gone)
    }

    /// Probes that are due; callers first. At most [`KEEPALIVES_PER_CALL_MAX`] dialogs.
    pub fn keepalives_due(&self, now: Now) -> Vec<KeepaliveProbe> {
        let mut out = Vec::new();
        for cell in &self.cells {
            if out.len() >= KEEPALIVES_PER_CALL_MAX {
                break;
            }
            if cell.next.load(Relaxed) <= now.time.0 {
                self.locked(now, cell, |work| work.keepalives_due(&mut out));
            }
        }
        out
    }

    /// The final reply (408 when there was none) to a probe. Says whether the lifetime was cut because of it.
    pub fn keepalive_answered(&self, now: Now, id: DialogId, leg: Leg, code: u16) -> bool {
        if code < 200 {
            return false;
        }
        self.step(now, id, |work, index| {
            let Some(record) = work.record(index).filter(|record| record.state == State::Confirmed) else {
                return false;
            };
            // A party that never sent a CSeq cannot be told dead by silence.
            if code == 408 && record.sequence(leg).is_none() {
                return false;
            }
            let running = record.is_marked(mark::LIFETIME);
            let failed = work.shard.keepalives.answered(id, leg, matches!(code, 408 | 481));
            let over = failed >= work.engine.settings.ka_failed_limit && running;
            if over {
                work.shard.keepalives.stop(id);
                work.shorten_lifetime(index);
            }
            over
        })
        .unwrap_or(false)
    }
}

impl Work<'_> {
    fn expire(&mut self, out: &mut Vec<Expiry>) {
        let tick = lifetime::tick_passed(self.now.time.0, self.engine.origin);
        while out.len() < EXPIRIES_PER_CALL_MAX {
            let Some(index) = self.shard.wheel.pop_due(&mut self.shard.records, tick) else {
                return;
            };
            if let Some(expiry) = self.expired(index) {
                out.push(expiry);
            }
        }
    }

    fn expired(&mut self, index: u32) -> Option<Expiry> {
        let record = self.record(index)?;
        let running = record.is_marked(mark::LIFETIME);
        match record.state {
            State::Unconfirmed | State::Early => Some(self.early_removed(index)),
            State::Deleted => {
                let dialog = Box::new(view(self.engine, record, self.now));
                self.destroy(index, Leaving::Abandoned);
                Some(Expiry::EndRemoved { dialog })
            }
            State::ConfirmedNoAck | State::Confirmed if !running => Some(self.bye_unanswered(index)),
            State::ConfirmedNoAck if record.deadline > self.now.time.0 => {
                self.no_ack(index);
                None
            }
            State::ConfirmedNoAck | State::Confirmed => self.lifetime_over(index),
        }
    }

    fn early_removed(&mut self, index: u32) -> Expiry {
        let route = self.take_finish_route(index, EventRoute::Failed).filter(|_| self.engine.settings.early_timeout_event);
        self.enter_deleted(index);
        let dialog = self.copy(index);
        self.destroy(index, Leaving::Failed);
        Expiry::EarlyRemoved { dialog, route }
    }

    /// Nobody told the end of the BYEs, or the second half of a step never came: the call is over all the same.
    fn bye_unanswered(&mut self, index: u32) -> Expiry {
        let route = self.terminated_here(index);
        self.enter_deleted(index);
        let dialog = self.copy(index);
        self.destroy(index, Leaving::Ended);
        Expiry::ByeUnanswered { dialog, route }
    }

    fn copy(&self, index: u32) -> Box<crate::view::DialogView> {
        let empty = crate::record::Record::empty();
        Box::new(view(self.engine, self.record(index).unwrap_or(&empty), self.now))
    }

    /// The ACK is late: the last seconds begin, unless fewer are left.
    fn no_ack(&mut self, index: u32) {
        let soon = lifetime::after(self.now, lifetime::SHORTENED_SECONDS);
        if self.record(index).is_some_and(|record| record.deadline > soon) {
            self.shorten_lifetime(index);
        } else {
            if let Some(record) = self.record_mut(index) {
                record.set_mark(mark::NO_ACK_SHORTENED, true);
            }
            self.arm(index);
        }
    }

    fn lifetime_over(&mut self, index: u32) -> Option<Expiry> {
        let filtered = self.engine.settings.filter_mode & 1 != 0;
        let record = self.record(index)?;
        if filtered && record.socket(Leg::Caller) == NO_SOCKET {
            // Another node owns the call (spec dialog 3.1, dlg_filter_mode): look again after another lifetime.
            self.restart_lifetime(index);
            return None;
        }
        let record = self.record_mut(index)?;
        record.set_mark(mark::LIFETIME, false);
        record.set_mark(mark::EXPIRING, true);
        record.dialog_flags |= dialog_flag::EXPIRED;
        let id = record.id;
        let name = record.field(Field::TimeoutRoute).to_vec();
        let timeout_route = (record.timeout_route > 0 || !name.is_empty()).then_some((record.timeout_route, name));
        self.arm(index);
        Some(Expiry::Lifetime { id, timeout_route })
    }

    fn expiry_decide(&mut self, index: u32) -> ExpiryStep {
        let Some(record) = self.record_mut(index) else {
            return ExpiryStep::Nothing;
        };
        if !record.is_marked(mark::EXPIRING) || !record.state.is_answered() {
            return ExpiryStep::Nothing;
        }
        record.set_mark(mark::EXPIRING, false);
        let byes = record.has_internal(internal_flag::TIMEOUT_BYE);
        let pending = record.is_marked(mark::CALLER_BYE_PENDING | mark::CALLEE_BYE_PENDING);
        self.engine.statistics.expired();
        if byes || pending {
            if let Ok(termination) = self.byes(index, byes) {
                return ExpiryStep::SendByes { termination };
            }
            // The timeout route (or an operator) has sent BYEs already; their answers end the call.
            if pending {
                return ExpiryStep::Nothing;
            }
        }
        self.expiry_ends(index)
    }

    /// BYEs to each side that has none out.
    fn byes(&mut self, index: u32, wanted: bool) -> Result<Termination, ()> {
        let build = |work: &mut Self, leg: Leg| {
            if wanted { work.bye_if_possible(index, leg) } else { None }
        };
        let (caller, callee) = (build(self, Leg::Caller), build(self, Leg::Callee));
        if caller.is_none() && callee.is_none() {
            return Err(());
        }
        let route = self.terminated_here(index);
        Ok(Termination::Byes { caller, callee, route })
    }

    fn expiry_ends(&mut self, index: u32) -> ExpiryStep {
        let Some(old) = self.record(index).map(|record| record.state) else {
            return ExpiryStep::Nothing;
        };
        let Some(id) = self.begin_step(index) else {
            return ExpiryStep::Nothing;
        };
        if let Some(record) = self.record_mut(index) {
            record.dialog_flags |= dialog_flag::HAS_BYE;
        }
        self.enter_deleted(index);
        let route = self.take_finish_route(index, EventRoute::End);
        let change = Change { id, event: Event::Bye, old, new: State::Deleted, verdict: Verdict::Moved, route, age: 0, held: false };
        ExpiryStep::Ended { change }
    }

    fn expiry_finish(&mut self, index: u32, change: &Change) -> Finished {
        let was_confirmed = change.old == State::Confirmed;
        let occurrence = change.route.map(|_| Occurrence { kind: OccurrenceKind::Expired, direction: Direction::None, was_confirmed });
        if let Some(occurrence) = occurrence {
            self.note(index, occurrence);
        }
        self.count_out(index, Leaving::Ended);
        self.unlink(index);
        let destroyed = self.end_step(index);
        Finished { destroyed, occurrence, store: true, ..Finished::default() }
    }

    /// Probes begin when the ACK comes, if the dialog wants them then. Says whether they did.
    pub(super) fn start_keepalive(&mut self, index: u32) -> bool {
        let settings = &self.engine.settings;
        let interval = settings.ka_interval;
        let Some(record) = self.shard.records.get(index) else {
            return false;
        };
        let legs = [record.has_internal(internal_flag::KEEPALIVE_CALLER), record.has_internal(internal_flag::KEEPALIVE_CALLEE)];
        let wanted = interval > 0 && settings.ka_timer > 0 && legs != [false; 2];
        if wanted {
            let id = record.id;
            self.shard.keepalives.start(id, legs, lifetime::after(self.now, interval));
        }
        wanted
    }

    fn keepalives_due(&mut self, out: &mut Vec<KeepaliveProbe>) {
        let interval = u64::from(self.engine.settings.ka_interval) * 1000;
        let filtered = self.engine.settings.filter_mode & 1 != 0;
        while out.len() < KEEPALIVES_PER_CALL_MAX {
            let Some((id, legs)) = self.shard.keepalives.pop_due(self.now.time.0, interval) else {
                return;
            };
            let Some(record) = self.shard.index_of(id).and_then(|index| self.shard.records.get(index)) else {
                self.shard.keepalives.stop(id);
                continue;
            };
            if record.state != State::Confirmed || filtered && record.socket(Leg::Caller) == NO_SOCKET {
                continue;
            }
            for (leg, wanted) in Leg::BOTH.into_iter().zip(legs) {
                if wanted && let Ok(request) = local_request(self.engine, record, leg, SequenceStep::Below) {
                    out.push(KeepaliveProbe { request });
                }
            }
        }
    }
}
