//! What scripts and operators change on a dialog: variables, flags, lifetime, contact, socket, state (spec dialog 4, 5.4, 7.9).

use sip::time::Now;

use super::{DialogId, Engine};
use crate::effect::{TimeoutError, TimeoutSet, VariableError};
use crate::end_reason::{EndReason, StatedCause};
use crate::flags::{dialog_flag, mark};
use crate::history::Moment;
use crate::leg::Leg;
use crate::record::Field;
use crate::state::State;
use crate::statistics::{Leaving, Mark};
use crate::variables;

impl Engine {
    /// The value of a variable; `None` when the dialog or the variable is missing.
    pub fn variable(&self, id: DialogId, key: &[u8]) -> Option<Vec<u8>> {
        self.read(id, |record| variables::value(record.variables(), key).map(<[u8]>::to_vec)).flatten()
    }

    /// Sets a variable, or removes it with `None`. Says whether anything changed.
    pub fn set_variable(&self, now: Now, id: DialogId, key: &[u8], value: Option<&[u8]>) -> Result<bool, VariableError> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(VariableError::UnknownDialog)?;
            let Some(stored) = variables::with(record.variables(), key, value)? else {
                return Ok(false);
            };
            record.set_variables(&stored);
            record.dialog_flags |= dialog_flag::CHANGED_VARIABLES;
            Ok(true)
        })
        .unwrap_or(Err(VariableError::UnknownDialog))
    }

    /// All variables, newest first.
    pub fn variables(&self, id: DialogId) -> Vec<(Vec<u8>, Vec<u8>)> {
        let copy = |(key, value): (&[u8], &[u8])| (key.to_vec(), value.to_vec());
        self.read(id, |record| variables::iter(record.variables()).map(copy).collect()).unwrap_or_default()
    }

    /// `dlg_set_timeout()`: the lifetime in seconds, restarted when it runs.
    pub fn set_timeout(&self, now: Now, id: DialogId, seconds: i64) -> Result<TimeoutSet, TimeoutError> {
        let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or(TimeoutError::NotPositive)?;
        self.step(now, id, |work, index| {
            let record = work.record_mut(index).ok_or(TimeoutError::UnknownDialog)?;
            record.lifetime = seconds;
            record.dialog_flags |= dialog_flag::CHANGED;
            if record.state.is_setting_up() {
                return Ok(TimeoutSet::Stored);
            }
            if !record.is_marked(mark::LIFETIME) {
                return Ok(TimeoutSet::NotRunning);
            }
            work.shard.keepalives.forget_cut(id);
            work.restart_lifetime(index);
            Ok(TimeoutSet::Restarted)
        })
        .unwrap_or(Err(TimeoutError::UnknownDialog))
    }

    /// Sets and clears script flags (`dlg_setflag`, `dlg_resetflag`); `None`: no such dialog, else the new word.
    pub fn set_script_flags(&self, now: Now, id: DialogId, set: u32, clear: u32) -> Option<u32> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index)?;
            record.script_flags = (record.script_flags & !clear) | set;
            record.dialog_flags |= dialog_flag::CHANGED_SCRIPT_FLAGS;
            Some(record.script_flags)
        })
        .flatten()
    }

    /// Sets and clears `iflags`, see [`crate::flags::internal_flag`]; `None`: no such dialog, else the new word.
    pub fn set_internal_flags(&self, now: Now, id: DialogId, set: u8, clear: u8) -> Option<u8> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index)?;
            record.internal_flags = (record.internal_flags & !clear) | set;
            record.dialog_flags |= dialog_flag::CHANGED;
            let flags = record.internal_flags;
            work.choose_keepalive(index);
            Some(flags)
        })
        .flatten()
    }

    /// Sets and clears `dflags`, see [`crate::flags::dialog_flag`]: storage clears NEW and CHANGED this way; the INVITE's
    /// transaction sets TRANSACTION. Gives the word before.
    pub fn set_dialog_flags(&self, now: Now, id: DialogId, set: u16, clear: u16) -> Option<u16> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index)?;
            let before = record.dialog_flags;
            record.dialog_flags = (before & !clear) | set;
            Some(before)
        })
        .flatten()
    }

    /// `dlg_update_contact()`: says whether the dialog exists and the contact was taken.
    pub fn set_contact(&self, now: Now, id: DialogId, leg: Leg, contact: &[u8]) -> bool {
        let field = if leg == Leg::Caller { Field::CallerContact } else { Field::CalleeContact };
        self.step(now, id, |work, index| {
            let Some(record) = work.record_mut(index) else {
                return false;
            };
            record.dialog_flags |= dialog_flag::CHANGED;
            record.set_fields(&[(field, contact)]).is_ok()
        })
        .unwrap_or(false)
    }

    /// `dlg_update_socket()`: the local socket a party is reached from.
    pub fn set_socket(&self, now: Now, id: DialogId, leg: Leg, socket: &[u8]) -> bool {
        let number = self.socket_number(socket);
        self.step(now, id, |work, index| {
            let Some(record) = work.record_mut(index) else {
                return;
            };
            let [caller, callee] = &mut record.sockets;
            *(if leg == Leg::Caller { caller } else { callee }) = number;
            record.dialog_flags |= dialog_flag::CHANGED;
        })
        .is_some()
    }

    /// Forces a state (`dlg.set_state`, `dlg_set_state()`): no BYE and no event route, but gauges, deadline and profiles
    /// follow, and the creation time stays (F48). A dialog forced to state 5 goes away after `end_timeout`. Gives the old
    /// state. `reason` says who wants it.
    pub fn force_state(&self, now: Now, id: DialogId, state: State, reason: EndReason) -> Option<State> {
        self.step(now, id, |work, index| {
            let record = work.record_mut(index)?;
            let old = record.state;
            record.dialog_flags |= dialog_flag::CHANGED;
            if state == old {
                return Some(old);
            }
            record.state = state;
            work.remember(index, Moment::Forced { state });
            if state == State::Deleted {
                work.end_because(index, reason, StatedCause::default());
                work.enter_deleted(index);
                work.count_out(index, if old.is_setting_up() { Leaving::Failed } else { Leaving::Ended });
                return Some(old);
            }
            let record = work.record_mut(index)?;
            record.ended = 0;
            record.set_mark(mark::LINKED, true);
            // An expiry that is being decided means the call as it was; a call set back to its setup may start again.
            record.set_mark(mark::EXPIRING, false);
            record.set_mark(mark::STARTED, state.is_answered());
            if old == State::Deleted {
                record.set_mark(mark::FINISHED, false);
                work.count_again(index);
            }
            work.forget_end(index);
            let record = work.record_mut(index)?;
            if state.is_answered() && !record.is_marked(mark::STORED) && self.settings.storing.notes_changes() {
                record.dialog_flags |= dialog_flag::NEW;
            }
            if state.is_answered() && !record.is_marked(mark::LIFETIME) {
                record.answered = crate::lifetime::wall_seconds(now);
                work.restart_lifetime(index);
            } else if state.is_setting_up() {
                record.set_mark(mark::LIFETIME, false);
                record.deadline = crate::lifetime::early_deadline(record, &self.settings, now);
                work.arm(index);
            } else {
                work.arm(index);
            }
            work.count_as(
                index,
                match state {
                    State::Unconfirmed => Mark::Unconfirmed,
                    State::Early => Mark::Early,
                    _ => Mark::Active,
                },
            );
            Some(old)
        })
        .flatten()
    }
}
