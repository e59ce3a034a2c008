//! Extended flags 0..63, internal message flags and Via flags.

use script::exports::{Argument, Flow};

use super::via::FLAGS_PARAMETER;
use crate::worker::Worker;

/// What to do with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Set,
    Reset,
    Test,
}

/// Names of `msg_iflag_set`.
const INTERNAL: &[&str] = &["USE_UAC_FROM", "USE_UAC_TO", "UAC_AUTH"];

/// Set by `uac_auth()`.
pub const UAC_AUTH: u32 = 1 << 2;

fn act(flags: u64, mask: u64, action: Action) -> (u64, bool) {
    match action {
        Action::Set => (flags | mask, true),
        Action::Reset => (flags & !mask, true),
        Action::Test => (flags, flags & mask != 0),
    }
}

fn bit(arguments: &[Argument], bound: u32) -> Option<u64> {
    let number = u32::try_from(arguments.first()?.integer()).ok()?;
    (number < bound).then(|| 1u64 << number)
}

pub(super) fn extended(worker: &mut Worker, arguments: &[Argument], action: Action) -> Flow {
    let Some(mask) = bit(arguments, 64) else {
        worker.log(-1, "corex", "extended flags are 0..63");
        return Flow::Code(-1);
    };
    let (flags, answer) = act(worker.run.extended_flags, mask, action);
    worker.run.extended_flags = flags;
    Flow::from(answer)
}

pub(super) fn via(worker: &mut Worker, arguments: &[Argument], action: Action) -> Flow {
    let Some(mask) = bit(arguments, 32) else {
        worker.log(-1, "corex", "Via flags are 0..31");
        return Flow::Code(-1);
    };
    let (flags, answer) = act(u64::from(worker.run.corex.via_flags), mask, action);
    worker.run.corex.via_flags = u32::try_from(flags).unwrap_or(0);
    Flow::from(answer)
}

/// `msg_vbflag_parse()`: takes the flags from the top Via, in a reply the one written here.
pub(super) fn read_via(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let run = &mut worker.run;
    let flags = run.message.top_via().and_then(|via| {
        let text = std::str::from_utf8(via.param(FLAGS_PARAMETER.as_bytes())?).ok()?;
        u32::from_str_radix(text, 16).ok()
    });
    if let Some(flags) = flags {
        run.corex.via_flags = flags;
    }
    Flow::from(flags.is_some())
}

pub(super) fn internal(worker: &mut Worker, arguments: &[Argument], action: Action) -> Flow {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let Some(position) = INTERNAL.iter().position(|own| own.as_bytes() == &name[..]) else {
        let line = format!("unknown internal flag {name}");
        worker.log(-1, "corex", &line);
        return Flow::Code(-1);
    };
    let (flags, answer) = act(u64::from(worker.run.corex.internal_flags), 1 << position, action);
    worker.run.corex.internal_flags = u32::try_from(flags).unwrap_or(0);
    Flow::from(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_up_to_63_have_a_bit() {
        assert_eq!(bit(&[Argument::Integer(63)], 64), Some(1 << 63));
        assert_eq!(bit(&[Argument::Integer(64)], 64), None);
        assert_eq!(bit(&[Argument::Integer(-1)], 64), None);
        assert_eq!(act(0b10, 0b10, Action::Test), (0b10, true));
        assert_eq!(act(0b10, 0b01, Action::Set), (0b11, true));
        assert_eq!(act(0b10, 0b10, Action::Reset), (0, true));
    }
}
