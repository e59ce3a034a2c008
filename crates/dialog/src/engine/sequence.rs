//! CSeq numbers that run ahead towards a party, because this proxy sent requests of its own (spec dialog 3.5).
//!
//! How far is kept in a variable, where scripts and other nodes look for it; the flag [`internal_flag::CSEQ_SHIFTED`] says
//! that there is one.

use sip::time::Now;

use super::{DialogId, Engine};
use crate::effect::VariableError;
use crate::flags::{dialog_flag, internal_flag};
use crate::leg::Leg;
use crate::record::Record;
use crate::variables;

/// CSeq numbers stay below 2^31 (RFC 3261 §8.1.1.5).
pub const NUMBER_BOUND: u32 = 1 << 31;

/// The variable that holds how far the numbers run ahead towards this party. Kamailio knows the callee's.
fn variable(receiver: Leg) -> &'static [u8] {
    match receiver {
        Leg::Callee => b"cseq_diff",
        Leg::Caller => b"cseq_diff_caller",
    }
}

/// How far the numbers this party sees lie above those the other one sends.
pub(super) fn shift_of(record: &Record, receiver: Leg) -> u32 {
    if record.has_internal(internal_flag::CSEQ_SHIFTED) { stored(record, receiver) } else { 0 }
}

fn stored(record: &Record, receiver: Leg) -> u32 {
    let value = variables::value(record.variables(), variable(receiver));
    value.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok()).unwrap_or(0)
}

/// The highest number this party has seen from the other one, from this proxy among others.
pub(super) fn seen_by(record: &Record, receiver: Leg) -> Option<u32> {
    Some(record.sequence(receiver.other())?.saturating_add(shift_of(record, receiver)))
}

/// A record from storage: its flags may be older than its variables (spec dialog 13.53).
pub(super) fn restored(record: &mut Record) {
    if Leg::BOTH.into_iter().any(|leg| stored(record, leg) > 0) {
        record.internal_flags |= internal_flag::CSEQ_SHIFTED;
    }
}

impl Engine {
    /// How far the CSeq numbers that the party sees lie above those the other one sends; 0: they are the same, or there is no
    /// such dialog.
    pub fn sequence_shift(&self, id: DialogId, receiver: Leg) -> u32 {
        self.read(id, |record| shift_of(record, receiver)).unwrap_or(0)
    }

    /// A number for a request made here or sent again, above `used` and all the party has seen; what the other one sends
    /// comes behind it. `None`: no such dialog, or there is no higher number.
    pub fn next_sequence_number(&self, now: Now, id: DialogId, receiver: Leg, used: u32) -> Option<u32> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index)?;
            let next = seen_by(record, receiver).unwrap_or(0).max(used).checked_add(1).filter(|next| *next < NUMBER_BOUND)?;
            run_ahead_to(record, receiver, next).ok()?;
            Some(next)
        })
        .flatten()
    }

    /// This proxy has sent the party a request with this number: what the other one sends comes behind it.
    pub fn sequence_number_used(&self, now: Now, id: DialogId, receiver: Leg, number: u32) -> Result<(), VariableError> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(VariableError::UnknownDialog)?;
            let is_news = seen_by(record, receiver).is_none_or(|seen| seen < number);
            if is_news { run_ahead_to(record, receiver, number) } else { Ok(()) }
        })
        .unwrap_or(Err(VariableError::UnknownDialog))
    }

    /// Sets how far the numbers run ahead from now on. Says whether anything changed.
    pub fn set_sequence_shift(&self, now: Now, id: DialogId, receiver: Leg, shift: u32) -> Result<bool, VariableError> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(VariableError::UnknownDialog)?;
            let is_change = shift_of(record, receiver) != shift;
            if is_change {
                set_shift(record, receiver, shift)?;
            }
            Ok(is_change)
        })
        .unwrap_or(Err(VariableError::UnknownDialog))
    }
}

/// The last number the other party sent leads to this one.
fn run_ahead_to(record: &mut Record, receiver: Leg, number: u32) -> Result<(), VariableError> {
    let last = record.sequence(receiver.other()).unwrap_or(0);
    set_shift(record, receiver, number.saturating_sub(last))
}

fn set_shift(record: &mut Record, receiver: Leg, shift: u32) -> Result<(), VariableError> {
    let text = shift.to_string();
    let value = Some(text.as_bytes()).filter(|_| shift > 0);
    if let Some(changed) = variables::with(record.variables(), variable(receiver), value)? {
        record.set_variables(&changed);
        record.dialog_flags |= dialog_flag::CHANGED_VARIABLES;
    }
    if shift > 0 || stored(record, receiver.other()) > 0 {
        record.internal_flags |= internal_flag::CSEQ_SHIFTED;
    } else {
        record.internal_flags &= !internal_flag::CSEQ_SHIFTED;
    }
    record.dialog_flags |= dialog_flag::CHANGED;
    Ok(())
}
