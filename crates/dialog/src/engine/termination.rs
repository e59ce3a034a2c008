//! Ending a call from here, and the requests this proxy builds within a dialog (spec dialog 9.1 to 9.3).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine, sequence};
use crate::bye_task::ByeOutcome;
use crate::effect::{EarlyTermination, Finished, LocalRequest, TerminateError, Termination};
use crate::end_reason::EndReason;
use crate::flags::{dialog_flag, internal_flag, mark};
use crate::history::Moment;
use crate::leg::{CalleeLeg, Leg, split_alias};
use crate::observer::{Occurrence, OccurrenceKind};
use crate::record::{Field, NO_SOCKET, Record};
use crate::settings::ByeSequence;
use crate::state::State;
use crate::statistics::Leaving;

/// The CSeq of a local request against the last one of the party it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceStep {
    /// So far above.
    Above(u32),
    /// One below, never under 1: a probe that must not disturb (spec dialog 9.5).
    Below,
}

impl Engine {
    /// Ends the call ("BYE all") for `reason`, which says who wants it: a BYE to each side that has
    /// none out. Refused while both have one (F46).
    pub fn terminate(&self, now: Now, id: DialogId, reason: EndReason) -> Result<Termination, TerminateError> {
        self.step(now, id, |work, index| work.terminate(index, reason)).unwrap_or(Err(TerminateError::UnknownDialog))
    }

    /// `dlg_bye("caller")` or `dlg_bye("callee")`: a BYE to one side, once in the life of a dialog.
    pub fn terminate_leg(&self, now: Now, id: DialogId, leg: Leg, reason: EndReason) -> Result<Termination, TerminateError> {
        self.step(now, id, |work, index| work.terminate_leg(index, leg, reason)).unwrap_or(Err(TerminateError::UnknownDialog))
    }

    /// A final reply of any code to a local BYE (408 when there was none): the first one ends the dialog. `gone` when it
    /// ended before; provisional replies change nothing.
    pub fn local_bye_finished(&self, now: Now, id: DialogId, leg: Leg, code: u16) -> Finished {
        if code < 200 {
            return Finished::default();
        }
        let gone = Finished { gone: true, ..Finished::default() };
        self.step(now, id, |work, index| work.local_bye_finished(index, leg, code)).unwrap_or_else(|| {
            self.remember_gone(now, id, Moment::ByeAnswered { leg, code });
            gone
        })
    }

    /// A local BYE goes out once more after this outcome. An answer of any kind ends the dialog all the same; the party's
    /// task goes on.
    pub fn local_bye_repeated(&self, now: Now, id: DialogId, leg: Leg, outcome: ByeOutcome) -> Finished {
        let gone = Finished { gone: true, ..Finished::default() };
        let code = if outcome == ByeOutcome::Unreachable { 0 } else { outcome.code() };
        let moment = Moment::ByeRepeated { leg, code };
        self.step(now, id, |work, index| work.local_bye_repeated(index, moment, outcome)).unwrap_or_else(|| {
            self.remember_gone(now, id, moment);
            gone
        })
    }

    /// A local BYE could not be sent at all: it may be tried again. A call whose lifetime is over ends now, unless a BYE to
    /// the other side is out.
    pub fn local_bye_unsent(&self, now: Now, id: DialogId, leg: Leg) -> Finished {
        let gone = Finished { gone: true, ..Finished::default() };
        self.step(now, id, |work, index| work.local_bye_unsent(index, leg)).unwrap_or_else(|| {
            self.remember_gone(now, id, Moment::ByeUnsent { leg });
            gone
        })
    }

    /// A request within the dialog to one party, for REFER and others (spec dialog 9.4, 9.6). The stored CSeq stays.
    pub fn local_request(&self, id: DialogId, leg: Leg, step: SequenceStep) -> Result<LocalRequest, TerminateError> {
        let shard = self.lock(id.entry).ok_or(TerminateError::UnknownDialog)?;
        let record = shard.index_of(id).and_then(|index| shard.records.get(index)).ok_or(TerminateError::UnknownDialog)?;
        local_request(self, record, leg, step)
    }

    /// A request to a callee that has not answered yet and is known from a provisional reply alone (F63).
    pub fn early_request(&self, id: DialogId, callee: &CalleeLeg<'_>, step: SequenceStep) -> Result<LocalRequest, TerminateError> {
        let shard = self.lock(id.entry).ok_or(TerminateError::UnknownDialog)?;
        let record = shard.index_of(id).and_then(|index| shard.records.get(index)).ok_or(TerminateError::UnknownDialog)?;
        let party = Party { tag: callee.tag, contact: callee.contact, route_set: callee.route_set, socket: callee.socket.to_vec() };
        request_to(record, Leg::Callee, party, step)
    }
}

/// Where a request goes: what is known of its receiver.
struct Party<'a> {
    tag: &'a [u8],
    contact: &'a [u8],
    route_set: &'a [u8],
    socket: Vec<u8>,
}

impl Work<'_> {
    fn terminate(&mut self, index: u32, reason: EndReason) -> Result<Termination, TerminateError> {
        if let Some(early) = self.early(index, reason)? {
            return Ok(early);
        }
        let (caller, callee) = (self.free_bye(index, Leg::Caller), self.free_bye(index, Leg::Callee));
        if let (Err(TerminateError::Pending), Err(error)) | (Err(error), Err(_)) = (&caller, &callee) {
            return Err(*error);
        }
        self.asked_to_end(index, reason);
        let route = self.terminated_here(index);
        Ok(Termination::Byes { caller: caller.ok(), callee: callee.ok(), route })
    }

    fn terminate_leg(&mut self, index: u32, leg: Leg, reason: EndReason) -> Result<Termination, TerminateError> {
        let record = self.record(index).ok_or(TerminateError::UnknownDialog)?;
        let flag = match leg {
            Leg::Caller => dialog_flag::CALLER_BYE,
            Leg::Callee => dialog_flag::CALLEE_BYE,
        };
        if record.has_flag(flag) || record.is_marked(pending(leg)) {
            return Err(TerminateError::Pending);
        }
        if let Some(early) = self.early(index, reason)? {
            return Ok(early);
        }
        let bye = self.bye(index, leg)?;
        if let Some(record) = self.record_mut(index) {
            record.dialog_flags |= flag;
        }
        self.asked_to_end(index, reason);
        let route = self.terminated_here(index);
        let (caller, callee) = if leg == Leg::Caller { (Some(bye), None) } else { (None, Some(bye)) };
        Ok(Termination::Byes { caller, callee, route })
    }

    /// How to end a call that is not answered; `None` when it is.
    fn early(&mut self, index: u32, reason: EndReason) -> Result<Option<Termination>, TerminateError> {
        match self.record(index).ok_or(TerminateError::UnknownDialog)?.state {
            State::Unconfirmed | State::Early => {
                self.remember(index, Moment::Asked { reason });
                self.expect_end(index, reason);
                if let Some(record) = self.record_mut(index) {
                    record.set_mark(mark::ENDED_EARLY, true);
                }
                let settings = &self.engine.settings;
                Ok(Some(Termination::Early(EarlyTermination { code: settings.bye_early_code, reason: settings.bye_early_reason.clone() })))
            }
            State::ConfirmedNoAck | State::Confirmed => Ok(None),
            State::Deleted => Err(TerminateError::AlreadyOver),
        }
    }

    /// A BYE to the party, marked as being out.
    fn bye(&mut self, index: u32, leg: Leg) -> Result<Box<LocalRequest>, TerminateError> {
        let record = self.record(index).ok_or(TerminateError::UnknownDialog)?;
        let step = match self.engine.settings.bye_sequence {
            ByeSequence::Plus101 => 101,
            ByeSequence::Plus1 if record.has_internal(internal_flag::PRACK) => 81,
            ByeSequence::Plus1 => 1,
        };
        let request = local_request(self.engine, record, leg, SequenceStep::Above(step))?;
        if let Some(record) = self.record_mut(index) {
            record.set_mark(pending(leg), true);
        }
        Ok(Box::new(request))
    }

    /// The same, unless one is out.
    pub(super) fn free_bye(&mut self, index: u32, leg: Leg) -> Result<Box<LocalRequest>, TerminateError> {
        if self.record(index).is_some_and(|record| record.is_marked(pending(leg))) {
            return Err(TerminateError::Pending);
        }
        self.bye(index, leg)
    }

    fn local_bye_repeated(&mut self, index: u32, moment: Moment, outcome: ByeOutcome) -> Finished {
        self.remember(index, moment);
        if outcome == ByeOutcome::Unreachable { Finished::default() } else { self.local_byes_over(index) }
    }

    fn local_bye_unsent(&mut self, index: u32, leg: Leg) -> Finished {
        self.remember(index, Moment::ByeUnsent { leg });
        let Some(record) = self.record_mut(index) else {
            return Finished::default();
        };
        record.set_mark(pending(leg), false);
        let is_waited_for = record.is_marked(mark::CALLER_BYE_PENDING | mark::CALLEE_BYE_PENDING | mark::LIFETIME);
        if is_waited_for { Finished::default() } else { self.local_byes_over(index) }
    }

    fn local_bye_finished(&mut self, index: u32, leg: Leg, code: u16) -> Finished {
        let Some(record) = self.record_mut(index) else {
            return Finished::default();
        };
        record.set_mark(pending(leg), false);
        self.remember(index, Moment::ByeAnswered { leg, code });
        self.local_byes_over(index)
    }

    /// The first result of a BYE made here ends the call.
    fn local_byes_over(&mut self, index: u32) -> Finished {
        if self.record(index).is_none_or(|record| !record.state.is_answered()) {
            return Finished::default();
        }
        if let Some(record) = self.record_mut(index) {
            record.dialog_flags |= dialog_flag::HAS_BYE;
        }
        self.remember(index, Moment::Ended);
        self.end_here_because(index, EndReason::Application);
        self.enter_deleted(index);
        self.count_out(index, Leaving::Ended);
        self.unlink(index);
        let occurrence = Occurrence::of(OccurrenceKind::TerminatedConfirmed);
        self.note(index, occurrence);
        let destroyed = self.destroy_if_free(index);
        Finished { destroyed, occurrence: Some(occurrence), store: true, ..Finished::default() }
    }
}

fn pending(leg: Leg) -> u16 {
    match leg {
        Leg::Caller => mark::CALLER_BYE_PENDING,
        Leg::Callee => mark::CALLEE_BYE_PENDING,
    }
}

/// A request to `leg`, speaking for the other party (spec dialog 9.1).
pub(super) fn local_request(engine: &Engine, record: &Record, leg: Leg, step: SequenceStep) -> Result<LocalRequest, TerminateError> {
    let socket = record.socket(leg);
    let socket = if socket == NO_SOCKET { Vec::new() } else { engine.socket_name(socket) };
    let party = Party { tag: record.tag(leg), contact: record.contact(leg), route_set: record.route_set(leg), socket };
    request_to(record, leg, party, step)
}

fn request_to(record: &Record, leg: Leg, party: Party<'_>, step: SequenceStep) -> Result<LocalRequest, TerminateError> {
    let other = leg.other();
    let Party { tag, contact, route_set, socket } = party;
    if contact.is_empty() {
        return Err(TerminateError::Incomplete(leg));
    }
    // A callee may have no tag (RFC 2543), but nobody speaks for or to one whose answer was not taken yet, even if a request of
    // its own has told its contact.
    let callee_tag = if leg == Leg::Callee { tag } else { record.tag(other) };
    if record.answered == 0 && callee_tag.is_empty() {
        return Err(TerminateError::Incomplete(Leg::Callee));
    }
    let base = sequence::seen_by(record, leg).ok_or(TerminateError::Incomplete(other))?;
    let cseq = match step {
        SequenceStep::Above(step) => base.saturating_add(step),
        SequenceStep::Below => base.saturating_sub(1).max(1),
    };
    let destination = if route_set.is_empty() { split_alias(contact) } else { None };
    let request_uri = destination.as_ref().map_or_else(|| contact.to_vec(), |alias| alias.uri.clone());
    let (to_uri, from_uri) = match leg {
        Leg::Caller => (Field::FromUri, Field::ToUri),
        Leg::Callee => (Field::ToUri, Field::FromUri),
    };
    Ok(LocalRequest {
        dialog: record.id,
        leg,
        request_uri,
        destination,
        call_id: record.field(Field::CallId).to_vec(),
        to_uri: record.field(to_uri).to_vec(),
        to_tag: tag.to_vec(),
        from_uri: record.field(from_uri).to_vec(),
        from_tag: record.tag(other).to_vec(),
        cseq,
        route_set: route_set.to_vec(),
        socket,
    })
}
