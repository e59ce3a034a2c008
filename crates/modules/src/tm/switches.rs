//! Script functions that set timers and switches of a transaction, before or after it exists (spec proxy-core 7.4).

use script::exports::{Argument, Flow};

use crate::worker::Worker;

fn integer(arguments: &[Argument], index: usize) -> i64 {
    arguments.get(index).map_or(0, Argument::integer)
}

/// `t_set_fr(fr_inv[, fr])`, milliseconds; 0 leaves a value unchanged.
pub fn t_set_fr(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (invite, other) = (milliseconds(arguments, 0), milliseconds(arguments, 1));
    let timers = &mut worker.run.tm.timers;
    timers.final_response_invite = invite;
    timers.final_response = other;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_final_response(worker.now.time, invite, other);
    }
    Flow::Code(1)
}

fn milliseconds(arguments: &[Argument], index: usize) -> u32 {
    u32::try_from(integer(arguments, index)).unwrap_or(0)
}

/// `t_reset_fr()`
pub fn t_reset_fr(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    worker.run.tm.timers.final_response_invite = 0;
    worker.run.tm.timers.final_response = 0;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_final_response(worker.now.time, defaults.final_response_invite, defaults.final_response);
    }
    Flow::Code(1)
}

/// `t_set_retr(t1, t2)`
pub fn t_set_retr(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (first, longest) = (milliseconds(arguments, 0), milliseconds(arguments, 1));
    worker.run.tm.timers.retransmit_first = first;
    worker.run.tm.timers.retransmit_longest = longest;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_retransmission(first, longest);
    }
    Flow::Code(1)
}

/// `t_reset_retr()`
pub fn t_reset_retr(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    worker.run.tm.timers.retransmit_first = 0;
    worker.run.tm.timers.retransmit_longest = 0;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_retransmission(defaults.retransmit_first, defaults.retransmit_longest);
    }
    Flow::Code(1)
}

/// `t_set_max_lifetime(invite, other)`
pub fn t_set_max_lifetime(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (invite, other) = (milliseconds(arguments, 0), milliseconds(arguments, 1));
    worker.run.tm.timers.lifetime_invite = invite;
    worker.run.tm.timers.lifetime_other = other;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_lifetime(invite, other);
    }
    Flow::Code(1)
}

/// `t_reset_max_lifetime()`
pub fn t_reset_max_lifetime(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    worker.run.tm.timers.lifetime_invite = 0;
    worker.run.tm.timers.lifetime_other = 0;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.change_lifetime(defaults.lifetime_invite, defaults.lifetime_other);
    }
    Flow::Code(1)
}

/// `t_set_auto_inv_100(0|1)`
pub fn t_set_auto_inv_100(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.auto_100 = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.auto_100 = is_on;
    }
    Flow::Code(1)
}

/// `t_set_disable_6xx(0|1)`
pub fn t_set_disable_6xx(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.disable_6xx = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.disable_6xx = is_on;
    }
    Flow::Code(1)
}

/// `t_set_disable_internal_reply(0|1)`
pub fn t_set_disable_internal_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.disable_internal_reply = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.disable_internal_reply = is_on;
    }
    Flow::Code(1)
}

/// `t_set_disable_failover(0|1)`
pub fn t_set_disable_failover(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.disable_failover = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.disable_failover = is_on;
    }
    Flow::Code(1)
}

/// `t_set_no_e2e_cancel_reason(0|1)`
pub fn t_set_no_cancel_reason(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.no_cancel_reason = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.no_cancel_reason = is_on;
    }
    Flow::Code(1)
}

/// `t_set_no_auto_ack(0|1)`
pub fn t_set_no_auto_ack(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    worker.run.tm.no_auto_ack = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.flags.no_auto_ack = is_on;
    }
    Flow::Code(1)
}
