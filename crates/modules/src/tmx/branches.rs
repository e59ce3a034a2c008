//! Branches of the run's transaction: using a failed one again, and the flags of their Via (spec proxy-core 8).

use script::exports::{Argument, Flow};
use script::value::Text;

use crate::worker::Worker;

/// `t_reuse_branch()`: the branch that failed becomes the destination again, with its path, instance, ruid and flags.
pub(super) fn t_reuse_branch(worker: &mut Worker, _: &[Argument]) -> Flow {
    let run = &mut worker.run;
    let failed = run.tm.reply.branch.and_then(|index| run.tm.transaction.as_ref()?.branches.get(index));
    let Some(failed) = failed else {
        worker.log(-1, "tmx", "t_reuse_branch: there is no failed branch here");
        return Flow::Code(-1);
    };
    let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| Text::from(bytes));
    let start = &failed.start;
    run.target.uri = text(&start.request_uri);
    run.target.next_hop = None;
    run.target.path = text(&start.path);
    run.target.instance = text(&start.instance);
    run.target.ruid = text(&start.ruid);
    run.target.flags = start.script_flags;
    run.is_target_consumed = false;
    Flow::Code(1)
}

/// The flag word of the branch the route is about (the first one elsewhere), and the bit of the argument.
fn with_flags(worker: &mut Worker, arguments: &[Argument], work: impl FnOnce(&mut u32, u32) -> Flow) -> Flow {
    let bit = arguments.first().and_then(|flag| u32::try_from(flag.integer()).ok()).filter(|flag| *flag < u32::BITS);
    let tm = &mut worker.run.tm;
    let index = tm.reply.branch.unwrap_or(0);
    let (Some(bit), Some(transaction)) = (bit, &mut tm.transaction) else { return Flow::Code(-1) };
    let flags = &mut transaction.data.via_flags;
    if index >= transaction::limits::BRANCHES_MAX {
        return Flow::Code(-1);
    }
    if flags.len() <= index {
        flags.resize(index + 1, 0);
    }
    flags.get_mut(index).map_or(Flow::Code(-1), |word| work(word, 1 << bit))
}

/// `t_vbflag_set(flag)`
pub(super) fn t_vbflag_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_flags(worker, arguments, |word, bit| {
        *word |= bit;
        Flow::Code(1)
    })
}

/// `t_vbflag_reset(flag)`
pub(super) fn t_vbflag_reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_flags(worker, arguments, |word, bit| {
        *word &= !bit;
        Flow::Code(1)
    })
}

/// `t_vbflag_is_set(flag)`
pub(super) fn t_vbflag_is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_flags(worker, arguments, |word, bit| (*word & bit != 0).into())
}
