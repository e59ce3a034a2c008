//! Script flags and branch flags (spec cfg-language 15).

use script::exports::{Argument, Flow};

use crate::core::flags::argument_bit;
use crate::worker::Worker;

/// What to do with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Set,
    Reset,
    Test,
}

fn act(flags: &mut u32, mask: u32, action: Action) -> bool {
    match action {
        Action::Set => *flags |= mask,
        Action::Reset => *flags &= !mask,
        Action::Test => return *flags & mask != 0,
    }
    true
}

pub(super) fn script(worker: &mut Worker, arguments: &[Argument], action: Action) -> Flow {
    let Some(mask) = argument_bit(worker, arguments) else { return Flow::Code(-1) };
    Flow::from(act(&mut worker.run.script_flags, mask, action))
}

/// `setbflag(flag[, branch])`: branch 0 is the request itself, 1 the first added branch.
pub(super) fn branch(worker: &mut Worker, arguments: &[Argument], action: Action) -> Flow {
    let Some(mask) = argument_bit(worker, arguments) else { return Flow::Code(-1) };
    let Ok(index) = usize::try_from(arguments.get(1).map_or(0, Argument::integer)) else { return Flow::Code(-1) };
    let flags = match index.checked_sub(1) {
        None => Some(&mut worker.run.target.flags),
        Some(added) => worker.run.branches.get_mut(added).map(|target| &mut target.flags),
    };
    flags.map_or(Flow::Code(-1), |flags| Flow::from(act(flags, mask, action)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_set_tested_and_reset() {
        let mut flags = 0;
        assert!(!act(&mut flags, 4, Action::Test));
        assert!(act(&mut flags, 4, Action::Set));
        assert!(act(&mut flags, 4, Action::Test));
        assert!(!act(&mut flags, 2, Action::Test));
        assert!(act(&mut flags, 4, Action::Reset));
        assert_eq!(flags, 0);
    }
}
