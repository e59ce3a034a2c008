//! Replies to the INVITE: the state moves first, the event route runs, then the callee's leg is taken (spec dialog 2.3).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::{Change, EventRoute, Finished, Verdict};
use crate::end_reason::{EndReason, StatedCause};
use crate::flags::{dialog_flag, mark};
use crate::history::Moment;
use crate::leg::{CalleeLeg, Direction};
use crate::lifetime;
use crate::observer::{Cause, Occurrence, OccurrenceKind};
use crate::record::Field;
use crate::state::{self, Event, State};
use crate::statistics::{Leaving, Mark};

/// What kind of reply to the INVITE is about to be sent towards the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// 101 to 199, relayed.
    Provisional,
    /// 2xx.
    Success,
    /// 300 and above.
    Failure,
}

impl ReplyKind {
    /// The kind of a status code; `None` for 100, which says nothing about the dialog.
    pub fn of(code: u16) -> Option<ReplyKind> {
        match code {
            101..=199 => Some(ReplyKind::Provisional),
            200..=299 => Some(ReplyKind::Success),
            300.. => Some(ReplyKind::Failure),
            _ => None,
        }
    }
}

/// A reply to the INVITE on its way to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteReply<'a> {
    pub kind: ReplyKind,
    /// Status; 0 = not known.
    pub code: u16,
    /// Made by this proxy.
    pub is_local: bool,
    /// Value of the Reason header of a failure; empty = none.
    pub text: &'a [u8],
}

impl From<ReplyKind> for InviteReply<'_> {
    /// A relayed reply of which the kind alone is known.
    fn from(kind: ReplyKind) -> Self {
        InviteReply { kind, code: 0, is_local: false, text: b"" }
    }
}

impl InviteReply<'_> {
    /// Whom a failure is to be blamed on.
    fn reason(&self) -> EndReason {
        match (self.is_local, self.code) {
            (true, 408) => EndReason::NoAnswer,
            (true, _) => EndReason::ProxyReject,
            (false, _) => EndReason::CalleeReject,
        }
    }
}

impl Engine {
    /// First half: moves the state. Run the route of the result, then call [`Engine::reply_finish`]. `None`: no such dialog.
    pub fn reply_begin<'a>(&self, now: Now, id: DialogId, reply: impl Into<InviteReply<'a>>) -> Option<Change> {
        let reply = reply.into();
        let event = match reply.kind {
            ReplyKind::Provisional => Event::Provisional,
            ReplyKind::Success => Event::Success,
            ReplyKind::Failure => Event::Failure,
        };
        self.step(now, id, |work, index| work.reply_begin(index, event, &reply)).flatten()
    }

    /// Between the halves of a 2xx: the callee's leg is known before `dialog:start` runs. Kamailio's route does not know it.
    pub fn callee_answers(&self, now: Now, id: DialogId, callee: &CalleeLeg<'_>) {
        self.step(now, id, |work, index| work.take_callee(index, callee));
    }

    /// Second half. `callee` is what the 2xx tells; `None` for other replies and for a 2xx made locally. `cause`: the INVITE
    /// and the reply, unless it is made here.
    pub fn reply_finish(&self, now: Now, change: Change, callee: Option<&CalleeLeg<'_>>, cause: Cause<'_>) -> Finished {
        let gone = Finished { gone: true, ..Finished::default() };
        self.step_of(now, change.id, cause, |work, index| work.reply_finish(index, &change, callee)).unwrap_or(gone)
    }
}

impl Work<'_> {
    fn reply_begin(&mut self, index: u32, event: Event, reply: &InviteReply<'_>) -> Option<Change> {
        let (old, next) = self.record(index).map(|record| (record.state, state::next(record.state, event, record.facts())))?;
        let id = self.begin_step(index)?;
        let mut change = Change { id, event, old, new: next.unwrap_or(old), verdict: Verdict::Stayed, route: None, age: 0, held: false };
        match next {
            None => {
                self.engine.statistics.bogus();
                change.verdict = Verdict::Bogus;
            }
            Some(new) if new == old => {}
            Some(new) => {
                change.verdict = Verdict::Moved;
                change.route = self.reply_moves(index, old, new, reply);
                change.held = new == State::Deleted && self.engine.settings.wait_ack;
                if change.held
                    && let Some(record) = self.record_mut(index)
                {
                    record.holds = record.holds.saturating_add(1);
                }
            }
        }
        Some(change)
    }

    fn reply_moves(&mut self, index: u32, old: State, new: State, reply: &InviteReply<'_>) -> Option<EventRoute> {
        match new {
            State::Deleted => {
                self.failed(index, reply);
                self.enter_deleted(index);
                return self.take_finish_route(index, EventRoute::Failed);
            }
            State::ConfirmedNoAck if old == State::Deleted => {
                self.revive(index);
                self.remember(index, Moment::Revived { code: reply.code });
            }
            State::ConfirmedNoAck => self.remember(index, Moment::Answered { code: reply.code }),
            _ => self.remember(index, Moment::Early { code: reply.code }),
        }
        if new == State::ConfirmedNoAck {
            self.forget_end(index);
        }
        let record = self.record_mut(index)?;
        record.state = new;
        let starts = new == State::ConfirmedNoAck && !record.is_marked(mark::STARTED);
        if starts {
            record.set_mark(mark::STARTED, true);
            record.set_mark(mark::FINISHED, false);
        }
        self.arm(index);
        starts.then_some(EventRoute::Start)
    }

    /// A failure after a CANCEL or an early termination is their doing.
    fn failed(&mut self, index: u32, reply: &InviteReply<'_>) {
        let reason = self.expected_end(index).unwrap_or_else(|| reply.reason());
        self.remember(index, Moment::Failed { code: reply.code });
        self.end_because(index, reason, StatedCause { code: reply.code, text: reply.text });
    }

    /// A 2xx crossed the CANCEL: the record lives again and its failure was none (F21).
    fn revive(&mut self, index: u32) {
        if let Some(record) = self.record_mut(index) {
            record.set_mark(mark::LINKED, true);
            record.set_mark(mark::STARTED, false);
            record.ended = 0;
        }
        self.count_again(index);
    }

    fn reply_finish(&mut self, index: u32, change: &Change, callee: Option<&CalleeLeg<'_>>) -> Finished {
        let mut finished = Finished::default();
        let state = self.record(index).map(|record| record.state);
        // Ended by another worker while the route ran: observers were told of the end, and nothing begins behind it.
        let is_over = self.record(index).is_some_and(|record| record.state == State::Deleted && !record.is_marked(mark::ENDED_IN_ANSWER));
        match (change.verdict, change.new) {
            (Verdict::Bogus, _) => {}
            (_, State::Early) if change.event == Event::Provisional => {
                if state == Some(State::Early) {
                    self.count_as(index, Mark::Early);
                }
                finished.occurrence = Some(Occurrence::towards(OccurrenceKind::Early, Direction::Upstream)).filter(|_| !is_over);
            }
            (Verdict::Moved, State::ConfirmedNoAck) => {
                self.answered(index, callee);
                finished.store = true;
                finished.occurrence = Some(Occurrence::towards(OccurrenceKind::Answered, Direction::Upstream)).filter(|_| !is_over);
            }
            // A 2xx may have revived the call while the route ran.
            (Verdict::Moved, State::Deleted) if state == Some(State::Deleted) => {
                self.count_out(index, Leaving::Failed);
                self.unlink(index);
                finished.occurrence = change.route.map(|_| Occurrence::towards(OccurrenceKind::Failed, Direction::Upstream));
            }
            _ => {}
        }
        finished.occurrence = finished.occurrence.map(|occurrence| occurrence.leaving(change.old));
        if let Some(occurrence) = finished.occurrence {
            self.note(index, occurrence);
        }
        if let Some(record) = self.record_mut(index).filter(|record| record.is_marked(mark::ENDED_IN_ANSWER) && record.answered > 0) {
            record.set_mark(mark::ENDED_IN_ANSWER, false);
            self.note(index, Occurrence::of(OccurrenceKind::Terminated));
        }
        finished.destroyed = self.end_step(index);
        finished
    }

    /// Takes what the 2xx tells of the callee.
    fn take_callee(&mut self, index: u32, callee: &CalleeLeg<'_>) {
        let socket = self.engine.socket_number(callee.socket);
        let Some(record) = self.record_mut(index) else {
            return;
        };
        let mut changes = [
            (Field::CalleeTag, callee.tag),
            (Field::CalleeContact, callee.contact),
            (Field::CalleeRouteSet, callee.route_set),
            (Field::CallerRouteSet, callee.caller_route_set.unwrap_or_default()),
        ]
        .to_vec();
        if callee.caller_route_set.is_none() {
            changes.truncate(3);
        }
        // A leg too large to keep stays empty, as one that was never told; matching then goes by the caller's tag.
        if record.set_fields(&changes).is_ok() {
            // What the callee sent before its 2xx arrived keeps counting (invariant D10).
            if !record.is_marked(mark::CALLEE_CSEQ) {
                record.sequence[1] = 0;
            }
            record.set_mark(mark::CALLEE_CSEQ, true);
            record.sockets[1] = socket;
        }
    }

    /// Takes the callee's leg and starts the lifetime.
    fn answered(&mut self, index: u32, callee: Option<&CalleeLeg<'_>>) {
        let seconds = lifetime::wall_seconds(self.now);
        if let Some(callee) = callee {
            self.take_callee(index, callee);
        }
        let Some(record) = self.record_mut(index) else {
            return;
        };
        record.answered = seconds;
        record.dialog_flags |= dialog_flag::NEW;
        let is_answered = record.state.is_answered();
        let is_race = self.take_race(index);
        if is_answered {
            if is_race {
                let seconds = self.engine.settings.race_condition_timeout;
                if let Some(record) = self.record_mut(index) {
                    record.lifetime = seconds;
                }
            }
            self.restart_lifetime(index);
            if is_race {
                self.expect_end(index, EndReason::Race);
            }
            self.count_as(index, Mark::Active);
        }
    }
}
