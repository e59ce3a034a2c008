//! CSeq numbers that run ahead towards the callee, because this proxy sent requests of its own (spec dialog 3.5).
//!
//! The distance is kept in the variable `cseq_diff`, where scripts and other nodes look for it; the flag
//! [`internal_flag::CSEQ_SHIFTED`] says that there is one.

use sip::time::Now;

use super::{DialogId, Engine};
use crate::effect::VariableError;
use crate::flags::{dialog_flag, internal_flag};
use crate::record::Record;
use crate::variables;

/// The variable that holds the distance.
const VARIABLE: &[u8] = b"cseq_diff";

/// How far the numbers the callee sees lie above those the caller sends.
pub(super) fn shift_of(record: &Record) -> u32 {
    if !record.has_internal(internal_flag::CSEQ_SHIFTED) {
        return 0;
    }
    stored(record)
}

fn stored(record: &Record) -> u32 {
    let value = variables::value(record.variables(), VARIABLE);
    value.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok()).unwrap_or(0)
}

/// A record from storage: its flags may be older than its variables (spec dialog 13.53).
pub(super) fn restored(record: &mut Record) {
    if stored(record) > 0 {
        record.internal_flags |= internal_flag::CSEQ_SHIFTED;
    }
}

impl Engine {
    /// How far the CSeq numbers that the callee sees lie above those the caller sends; 0: they are the same, or there is no
    /// such dialog.
    pub fn sequence_shift(&self, id: DialogId) -> u32 {
        self.read(id, shift_of).unwrap_or(0)
    }

    /// The highest CSeq number the callee has seen from the caller; `None`: no such dialog.
    pub fn sequence_at_callee(&self, id: DialogId) -> Option<u32> {
        self.read(id, |record| record.sequence[0].saturating_add(shift_of(record)))
    }

    /// Sets how far the numbers run ahead from now on. Says whether anything changed.
    pub fn set_sequence_shift(&self, now: Now, id: DialogId, shift: u32) -> Result<bool, VariableError> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(VariableError::UnknownDialog)?;
            if shift_of(record) == shift {
                return Ok(false);
            }
            let text = shift.to_string();
            let value = Some(text.as_bytes()).filter(|_| shift > 0);
            if let Some(stored) = variables::with(record.variables(), VARIABLE, value)? {
                record.set_variables(&stored);
                record.dialog_flags |= dialog_flag::CHANGED_VARIABLES;
            }
            if shift > 0 {
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
