//! Requests within a dialog, after matching: state first, then the event route, then everything else (spec dialog 2.4).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine, sequence};
use crate::effect::{Change, EventRoute, Finished, InDialogRequest, RequestMethod, Verdict};
use crate::end_reason::EndReason;
use crate::flags::{dialog_flag, internal_flag, mark};
use crate::history::Moment;
use crate::leg::Leg;
use crate::lifetime;
use crate::observer::{Occurrence, OccurrenceKind};
use crate::record::Field;
use crate::state::{self, Event, State};
use crate::statistics::{Leaving, Mark};

impl Engine {
    /// First half: moves the state. `change.new` is `$DLG_status`, `change.age` is `$DLG_lifetime`. Run the route, then
    /// call [`Engine::request_finish`]. When `change.held` is set (the BYE that ended the dialog), call
    /// [`Engine::release`] once that transaction ends or was never made. `None`: no such dialog.
    pub fn request_begin(&self, now: Now, id: DialogId, request: &InDialogRequest<'_>) -> Option<Change> {
        self.step(now, id, |work, index| work.request_begin(index, request)).flatten()
    }

    /// Second half, with the same request.
    pub fn request_finish(&self, now: Now, change: Change, request: &InDialogRequest<'_>) -> Finished {
        let gone = Finished { gone: true, ..Finished::default() };
        self.step_of(now, change.id, request.cause, |work, index| work.request_finish(index, &change, request)).unwrap_or(gone)
    }
}

impl Work<'_> {
    fn request_begin(&mut self, index: u32, request: &InDialogRequest<'_>) -> Option<Change> {
        let event = request.method.event();
        let (old, next) = self.record(index).map(|record| (record.state, state::next(record.state, event, record.facts())))?;
        let id = self.begin_step(index)?;
        let new = next.unwrap_or(old);
        let verdict = match next {
            None => Verdict::Bogus,
            Some(next) if next == old => Verdict::Stayed,
            Some(_) => Verdict::Moved,
        };
        if verdict == Verdict::Bogus {
            self.engine.statistics.bogus();
        }
        let mut change = Change { id, event, old, new, verdict, route: None, age: self.age(index), held: false };
        if event == Event::Prack
            && verdict == Verdict::Stayed
            && new != State::Deleted
            && let Some(record) = self.record_mut(index)
        {
            record.internal_flags |= internal_flag::PRACK;
            record.dialog_flags |= dialog_flag::CHANGED;
        }
        // A BYE after the failure still ends the call for good: a late 2xx must not revive it (invariant D2).
        if verdict == Verdict::Stayed
            && new == State::Deleted
            && request.method == RequestMethod::Bye
            && let Some(record) = self.record_mut(index)
        {
            record.dialog_flags |= dialog_flag::HAS_BYE;
        }
        if verdict == Verdict::Moved {
            if new == State::Deleted {
                if let Some(record) = self.record_mut(index) {
                    record.dialog_flags |= dialog_flag::HAS_BYE;
                    record.holds = record.holds.saturating_add(1);
                }
                change.held = true;
                let leg = request.direction.sender().unwrap_or(Leg::Caller);
                self.remember(index, Moment::Bye { leg });
                self.end_because(index, EndReason::bye_of(leg), request.stated);
                self.enter_deleted(index);
                let route = if old.is_setting_up() { EventRoute::Failed } else { EventRoute::End };
                change.route = self.take_finish_route(index, route);
            } else {
                if let Some(record) = self.record_mut(index) {
                    record.state = new;
                    // In the last seconds of a race no new lifetime says so.
                    record.dialog_flags |= dialog_flag::CHANGED;
                }
                self.remember(index, Moment::Confirmed);
                self.arm(index);
            }
        }
        Some(change)
    }

    /// Seconds since the answer; 0 before it (F24).
    fn age(&self, index: u32) -> u32 {
        let now = lifetime::wall_seconds(self.now);
        self.record(index).map_or(0, |record| if record.answered == 0 { 0 } else { now.saturating_sub(record.answered) })
    }

    fn request_finish(&mut self, index: u32, change: &Change, request: &InDialogRequest<'_>) -> Finished {
        let mut finished = Finished::default();
        let moved = change.verdict == Verdict::Moved;
        // A number that was sent is used up in whatever state the request met the dialog (invariants D8, D10).
        if request.method != RequestMethod::Ack {
            self.raise_sequence(index, request);
        }
        // Taken in the same step, so that no request made here meanwhile gets the same number.
        if let (Some(record), Some(leg)) = (self.record(index), request.direction.sender()) {
            finished.sequence_shift = sequence::shift_of(record, leg.other());
        }
        if self.engine.settings.ka_interval > 0
            && let Some(leg) = request.direction.sender()
        {
            self.is_alive(index, leg);
        }
        // While the route of this request ran, another worker's BYE may have ended the call, which stays ended and counted out,
        // and an operator may have set another state, which is counted already.
        let state = self.record(index).map(|record| record.state);
        let is_over = state.is_none_or(|state| state == State::Deleted);
        match change.new {
            State::Deleted if moved && is_over => {
                let leaving = if change.old.is_setting_up() { Leaving::Failed } else { Leaving::Ended };
                self.count_out(index, leaving);
                self.unlink(index);
                finished.store = true;
                finished.occurrence = change.route.map(|_| Occurrence::towards(OccurrenceKind::Terminated, request.direction));
            }
            State::Confirmed | State::Early if request.method != RequestMethod::Bye && !is_over => {
                if moved && state == Some(change.new) {
                    self.count_as(index, Mark::Active);
                    finished.keepalive = self.start_keepalive(index);
                }
                self.refresh(index, change, request);
                finished.store = change.new == State::Confirmed;
                let kind = if change.old == State::ConfirmedNoAck {
                    OccurrenceKind::Confirmed
                } else {
                    finished.add_cookie = true;
                    OccurrenceKind::RequestWithin
                };
                finished.occurrence = Some(Occurrence::towards(kind, request.direction));
            }
            _ => {}
        }
        finished.occurrence = finished.occurrence.map(|occurrence| occurrence.leaving(change.old));
        if let Some(occurrence) = finished.occurrence {
            self.note(index, occurrence);
        }
        finished.destroyed = self.end_step(index);
        finished
    }

    /// Lifetime and contact after a request (spec dialog 2.4, step 10).
    fn refresh(&mut self, index: u32, change: &Change, request: &InDialogRequest<'_>) {
        let noreset = self.engine.settings.timeout_noreset;
        let Some(record) = self.record_mut(index) else {
            return;
        };
        if let Some(timeout) = request.timeout.filter(|seconds| *seconds > 0 && !record.is_race()) {
            record.lifetime = timeout;
        }
        let is_kept = change.old == State::Confirmed && (noreset || record.has_internal(internal_flag::TIMER_NO_RESET));
        let kept = is_kept || record.is_race();
        let running = record.is_marked(mark::LIFETIME) && record.state == State::Confirmed;
        if request.method == RequestMethod::Invite
            && let (Some(leg), Some(contact)) = (request.direction.sender(), request.contact)
            && contact != record.contact(leg)
        {
            let field = if leg == Leg::Caller { Field::CallerContact } else { Field::CalleeContact };
            // A contact too large to keep leaves the old one, which still reaches the party.
            let _ = record.set_fields(&[(field, contact)]);
        }
        if change.new != State::Early && !kept && running {
            self.restart_lifetime(index);
        }
    }

    /// The sender's CSeq never falls (invariant D10).
    fn raise_sequence(&mut self, index: u32, request: &InDialogRequest<'_>) {
        let Some(record) = self.record_mut(index) else {
            return;
        };
        let (Some(leg), Some(cseq)) = (request.direction.sender(), request.cseq) else {
            return;
        };
        let [caller, callee] = &mut record.sequence;
        match leg {
            Leg::Caller => *caller = (*caller).max(cseq),
            Leg::Callee => {
                *callee = (*callee).max(cseq);
                record.set_mark(mark::CALLEE_CSEQ, true);
            }
        }
        record.dialog_flags |= dialog_flag::CHANGED;
    }
}
