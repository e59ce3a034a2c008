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

    /// The last number the other party sent and the one that this party has seen; `None`: no such dialog, or nothing was sent.
    pub fn sequence_numbers(&self, id: DialogId, receiver: Leg) -> Option<(u32, u32)> {
        self.read(id, |record| Some((record.sequence(receiver.other())?, seen_by(record, receiver)?))).flatten()
    }

    /// Sets how far the numbers run ahead from now on. Says whether anything changed.
    pub fn set_sequence_shift(&self, now: Now, id: DialogId, receiver: Leg, shift: u32) -> Result<bool, VariableError> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(VariableError::UnknownDialog)?;
            if shift_of(record, receiver) == shift {
                return Ok(false);
            }
            let text = shift.to_string();
            let value = Some(text.as_bytes()).filter(|_| shift > 0);
            if let Some(stored) = variables::with(record.variables(), variable(receiver), value)? {
                record.set_variables(&stored);
                record.dialog_flags |= dialog_flag::CHANGED_VARIABLES;
            }
            if shift > 0 || stored(record, receiver.other()) > 0 {
                record.internal_flags |= internal_flag::CSEQ_SHIFTED;
            } else {
                record.internal_flags &= !internal_flag::CSEQ_SHIFTED;
            }
            record.dialog_flags |= dialog_flag::CHANGED;
            Ok(true)
        })
        .unwrap_or(Err(VariableError::UnknownDialog))
    }
}
