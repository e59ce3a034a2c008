//! Which deadline a dialog has in each state: there is always exactly one (spec dialog 2.5, 2.9; invariant D7).

use sip::time::Now;

use crate::flags::mark;
use crate::record::Record;
use crate::settings::Settings;
use crate::state::State;
use crate::wheel::TICK_MILLISECONDS;

/// Lifetime that is left, in seconds, after a missing ACK or failed keepalives.
pub(crate) const SHORTENED_SECONDS: u32 = 10;

/// Tick at or after `time`, counted from the engine's start.
pub(crate) fn tick_of(time: u64, origin: u64) -> u32 {
    u32::try_from(time.saturating_sub(origin).div_ceil(TICK_MILLISECONDS)).unwrap_or(u32::MAX - 1)
}

/// Last tick that is over at `time`.
pub(crate) fn tick_passed(time: u64, origin: u64) -> u32 {
    u32::try_from(time.saturating_sub(origin) / TICK_MILLISECONDS).unwrap_or(u32::MAX - 1)
}

/// Monotonic milliseconds `seconds` from now.
pub(crate) fn after(now: Now, seconds: u32) -> u64 {
    now.time.0.saturating_add(u64::from(seconds) * 1000)
}

/// When the record's state ends by itself, in monotonic milliseconds.
pub(crate) fn deadline(record: &Record, settings: &Settings, now: Now) -> u64 {
    match record.state {
        State::Unconfirmed | State::Early => record.deadline,
        State::Deleted => since(record.ended, settings.end_timeout, now),
        State::ConfirmedNoAck | State::Confirmed if !record.is_marked(mark::LIFETIME) => {
            // Before the leg is complete, or after expiry while BYEs are out: the record must not live for ever.
            after(now, settings.end_timeout)
        }
        State::ConfirmedNoAck if !record.is_marked(mark::NO_ACK_SHORTENED) => {
            record.deadline.min(since(record.answered, settings.noack_timeout, now))
        }
        State::ConfirmedNoAck | State::Confirmed => record.deadline,
    }
}

/// When a call that is being set up is given up. Taken once, so that a jump of the wall clock while it rings changes nothing.
pub(crate) fn early_deadline(record: &Record, settings: &Settings, now: Now) -> u64 {
    since(record.created, settings.early_timeout, now)
}

/// `seconds` after a moment of the wall clock, never later than `seconds` from now.
fn since(moment: u32, seconds: u32, now: Now) -> u64 {
    let passed = wall_seconds(now).saturating_sub(moment);
    after(now, seconds.saturating_sub(passed))
}

/// Unix seconds.
pub(crate) fn wall_seconds(now: Now) -> u32 {
    u32::try_from(now.date.0 / 1000).unwrap_or(u32::MAX)
}
