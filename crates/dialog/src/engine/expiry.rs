//! Deadlines: what happens to dialogs whose time is over (spec dialog 2.5, 2.9), and keepalive probes (2.8).

use std::sync::atomic::Ordering::Relaxed;

use sip::time::Now;

use super::copying::view;
use super::termination::{SequenceStep, local_request};
use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::{Change, EventRoute, Expiry, ExpiryStep, Finished, Termination, Verdict};
use crate::end_reason::EndReason;
use crate::flags::{dialog_flag, internal_flag, mark};
use crate::history::Moment;
use crate::keepalive::{KeepaliveProbe, Lifetime, is_failure};
use crate::leg::Leg;
use crate::lifetime;
use crate::limits::{EXPIRIES_PER_CALL_MAX, KEEPALIVES_PER_CALL_MAX};
use crate::observer::{Cause, Occurrence, OccurrenceKind};
use crate::record::{Field, NO_SOCKET, Record};
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
                self.locked(now, cell, Cause::HERE, |work| work.expire(&mut out));
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
                self.locked(now, cell, Cause::HERE, |work| work.keepalives_due(&mut out));
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
            let is_running = record.is_marked(mark::LIFETIME);
            let before = Lifetime { seconds: record.lifetime, deadline: record.deadline };
            if !is_failure(code) {
                work.is_alive(index, leg);
                return false;
            }
            let failed = work.shard.keepalives.answered(id, leg, true);
            let over = failed >= work.engine.settings.ka_failed_limit && is_running && work.shard.keepalives.cut(id, before);
            if over {
                work.shorten_lifetime(index);
                work.remember(index, Moment::KeepaliveFailed { leg, code });
                work.expect_end(index, EndReason::Keepalive);
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
            let expiry = self.expired(index);
            self.note_change(index);
            out.extend(expiry);
        }
    }

    fn expired(&mut self, index: u32) -> Option<Expiry> {
        let record = self.record(index)?;
        let running = record.is_marked(mark::LIFETIME);
        match record.state {
            State::Unconfirmed | State::Early => self.early_over(index),
            State::Deleted => {
                let dialog = Box::new(view(self.engine, record, self.now));
                self.destroy(index, Leaving::Abandoned);
                Some(Expiry::EndRemoved { dialog })
            }
            State::ConfirmedNoAck | State::Confirmed if !running => self.bye_unanswered(index),
            State::ConfirmedNoAck if record.deadline > self.now.time.0 => {
                self.no_ack(index);
                None
            }
            State::ConfirmedNoAck | State::Confirmed => self.lifetime_over(index),
        }
    }

    fn early_over(&mut self, index: u32) -> Option<Expiry> {
        let route = self.take_finish_route(index, EventRoute::Failed).filter(|_| self.engine.settings.early_timeout_event);
        let change = self.over(index, Event::TransactionGone, route)?;
        Some(Expiry::EarlyOver { change })
    }

    /// Nobody told the end of the BYEs, or the second half of a step never came: the call is over all the same.
    fn bye_unanswered(&mut self, index: u32) -> Option<Expiry> {
        let route = self.take_finish_route(index, EventRoute::End);
        let change = self.over(index, Event::Bye, route)?;
        Some(Expiry::ByeUnanswered { change })
    }

    /// First half of an end that no message brings: state 5 now, kept for the route.
    fn over(&mut self, index: u32, event: Event, route: Option<EventRoute>) -> Option<Change> {
        let old = self.record(index)?.state;
        let Some(id) = self.begin_step(index) else {
            // More holds than can be counted: nothing may keep it now.
            self.destroy(index, Leaving::Abandoned);
            return None;
        };
        if old.is_answered()
            && let Some(record) = self.record_mut(index)
        {
            record.dialog_flags |= dialog_flag::HAS_BYE;
        }
        self.remember(index, Moment::Ended);
        self.end_here_because(index, if old.is_setting_up() { EndReason::EarlyTimeout } else { EndReason::Abandoned });
        self.enter_deleted(index);
        Some(Change { id, event, old, new: State::Deleted, verdict: Verdict::Moved, route, age: 0, held: false })
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
        self.remember(index, Moment::AckMissing);
        self.expect_end(index, EndReason::NoAck);
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
        self.remember(index, Moment::LifetimeOver);
        self.arm(index);
        Some(Expiry::Lifetime { id, timeout_route })
    }

    fn expiry_decide(&mut self, index: u32) -> ExpiryStep {
        let noack_send_bye = self.engine.settings.noack_send_bye;
        let Some(record) = self.record_mut(index) else {
            return ExpiryStep::Nothing;
        };
        if !record.is_marked(mark::EXPIRING) || !record.state.is_answered() {
            return ExpiryStep::Nothing;
        }
        record.set_mark(mark::EXPIRING, false);
        let is_without_ack = record.state == State::ConfirmedNoAck && record.is_marked(mark::NO_ACK_SHORTENED);
        let byes = record.has_internal(internal_flag::TIMEOUT_BYE) || record.is_race() || is_without_ack && noack_send_bye;
        let pending = record.is_marked(mark::CALLER_BYE_PENDING | mark::CALLEE_BYE_PENDING);
        self.engine.statistics.expired();
        self.end_here_because(index, EndReason::Timeout);
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
            if wanted { work.free_bye(index, leg).ok() } else { None }
        };
        let (caller, callee) = (build(self, Leg::Caller), build(self, Leg::Callee));
        if caller.is_none() && callee.is_none() {
            return Err(());
        }
        let route = self.terminated_here(index);
        Ok(Termination::Byes { caller, callee, route })
    }

    fn expiry_ends(&mut self, index: u32) -> ExpiryStep {
        let route = self.take_finish_route(index, EventRoute::End);
        self.over(index, Event::Bye, route).map_or(ExpiryStep::Nothing, |change| ExpiryStep::Ended { change })
    }

    fn expiry_finish(&mut self, index: u32, change: &Change) -> Finished {
        // A 2xx may have revived a call that was never answered while its route ran.
        if self.record(index).is_none_or(|record| record.state != State::Deleted) {
            return Finished { destroyed: self.end_step(index), ..Finished::default() };
        }
        if change.old.is_setting_up() {
            self.note(index, Occurrence::of(OccurrenceKind::Failed).leaving(change.old));
            self.destroy(index, Leaving::Failed);
            return Finished { destroyed: true, ..Finished::default() };
        }
        let was_confirmed = change.old == State::Confirmed;
        let occurrence = change.route.map(|_| Occurrence { was_confirmed, ..Occurrence::of(OccurrenceKind::Expired).leaving(change.old) });
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
        let Some(record) = self.shard.records.get(index) else {
            return false;
        };
        let legs = probed_legs(record);
        let wanted = settings.ka_interval > 0 && settings.ka_timer > 0 && legs != [false; 2];
        if wanted {
            let (id, next) = (record.id, self.next_probe());
            self.shard.keepalives.start(id, legs, next);
        }
        wanted
    }

    /// The properties of a confirmed dialog changed; with `ka_live` its probes follow.
    pub(super) fn choose_keepalive(&mut self, index: u32) {
        if !self.engine.settings.ka_live {
            return;
        }
        let Some(record) = self.shard.records.get(index).filter(|record| record.state == State::Confirmed) else {
            return;
        };
        let (id, legs) = (record.id, probed_legs(record));
        if legs == [false; 2] {
            self.shard.keepalives.stop(id);
        } else if !self.shard.keepalives.choose(id, legs) {
            self.start_keepalive(index);
        }
    }

    /// When a dialog probed now is probed again: after `ka_interval`, at the next step of `ka_timer` (spec dialog 2.8).
    fn next_probe(&self) -> u64 {
        let settings = &self.engine.settings;
        let step = u64::from(settings.ka_timer.max(1)) * 1000;
        let after = lifetime::after(self.now, settings.ka_interval).saturating_sub(self.engine.origin);
        self.engine.origin.saturating_add(after.div_ceil(step).saturating_mul(step))
    }

    /// The party gave a sign of life: its failed probes are forgotten, and a lifetime cut because of them comes back.
    pub(super) fn is_alive(&mut self, index: u32, leg: Leg) {
        let Some(id) = self.record(index).map(|record| record.id) else {
            return;
        };
        self.shard.keepalives.answered(id, leg, false);
        let limit = self.engine.settings.ka_failed_limit;
        let Some(before) = self.shard.keepalives.take_cut(id, limit) else {
            return;
        };
        let Some(record) = self.record_mut(index).filter(|record| record.is_marked(mark::LIFETIME)) else {
            return;
        };
        record.lifetime = before.seconds;
        record.deadline = before.deadline;
        record.set_mark(mark::NO_ACK_SHORTENED, false);
        record.dialog_flags |= dialog_flag::CHANGED;
        if record.ending.expected == Some(EndReason::Keepalive) {
            record.ending.expected = None;
        }
        self.arm(index);
    }

    fn keepalives_due(&mut self, out: &mut Vec<KeepaliveProbe>) {
        let following = self.next_probe();
        let filtered = self.engine.settings.filter_mode & 1 != 0;
        while out.len() < KEEPALIVES_PER_CALL_MAX {
            let Some((id, legs)) = self.shard.keepalives.pop_due(self.now.time.0, following) else {
                return;
            };
            let Some(record) = self.shard.index_of(id).and_then(|index| self.shard.records.get(index)) else {
                self.shard.keepalives.stop(id);
                continue;
            };
            let is_going_on = record.state == State::Confirmed && record.is_marked(mark::LIFETIME);
            if !is_going_on || filtered && record.socket(Leg::Caller) == NO_SOCKET {
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

/// Caller and callee, as the properties of the dialog are now.
fn probed_legs(record: &Record) -> [bool; 2] {
    [record.has_internal(internal_flag::KEEPALIVE_CALLER), record.has_internal(internal_flag::KEEPALIVE_CALLEE)]
}
