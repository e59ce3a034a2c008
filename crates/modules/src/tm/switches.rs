//! Script functions that set timers and switches of a transaction, before or after it exists (spec proxy-core 7.4).

use script::exports::{Argument, Flow};

use super::state::RunState;
use crate::worker::Worker;

/// `t_set_fr(fr_inv[, fr])`, milliseconds; 0 leaves a value unchanged.
pub fn t_set_fr(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let given = milliseconds(arguments);
    final_response(worker, given, given)
}

/// `t_reset_fr()`
pub fn t_reset_fr(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    final_response(worker, UNCHANGED, (defaults.final_response_invite, defaults.final_response))
}

/// `t_set_retr(t1, t2)`
pub fn t_set_retr(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let given = milliseconds(arguments);
    retransmission(worker, given, given)
}

/// `t_reset_retr()`
pub fn t_reset_retr(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    retransmission(worker, UNCHANGED, (defaults.retransmit_first, defaults.retransmit_longest))
}

/// `t_set_max_lifetime(invite, other)`
pub fn t_set_max_lifetime(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let given = milliseconds(arguments);
    lifetime(worker, given, given)
}

/// `t_reset_max_lifetime()`
pub fn t_reset_max_lifetime(worker: &mut Worker, _: &[Argument]) -> Flow {
    let defaults = worker.node.states.tm.settings.timers;
    lifetime(worker, UNCHANGED, (defaults.lifetime_invite, defaults.lifetime_other))
}

/// `t_set_auto_inv_100(0|1)`
pub fn t_set_auto_inv_100(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.auto_100, |flags| &mut flags.auto_100)
}

/// `t_set_disable_6xx(0|1)`
pub fn t_set_disable_6xx(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.disable_6xx, |flags| &mut flags.disable_6xx)
}

/// `t_set_disable_internal_reply(0|1)`
pub fn t_set_disable_internal_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.disable_internal_reply, |flags| &mut flags.disable_internal_reply)
}

/// `t_set_disable_failover(0|1)`
pub fn t_set_disable_failover(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.disable_failover, |flags| &mut flags.disable_failover)
}

/// `t_set_no_e2e_cancel_reason(0|1)`
pub fn t_set_no_cancel_reason(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.no_cancel_reason, |flags| &mut flags.no_cancel_reason)
}

/// `t_set_no_auto_ack(0|1)`
pub fn t_set_no_auto_ack(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    switch(worker, arguments, |wishes| &mut wishes.no_auto_ack, |flags| &mut flags.no_auto_ack)
}

/// What a transaction that does not exist yet gets: the values of the parameters.
const UNCHANGED: (u32, u32) = (0, 0);

fn integer(arguments: &[Argument], index: usize) -> i64 {
    arguments.get(index).map_or(0, Argument::integer)
}

/// The first two arguments; what is no number of milliseconds is 0.
fn milliseconds(arguments: &[Argument]) -> (u32, u32) {
    let at = |index| u32::try_from(integer(arguments, index)).unwrap_or(0);
    (at(0), at(1))
}

/// INVITE and other requests: of the transaction this run will make, and of the one there is.
fn final_response(worker: &mut Worker, ahead: (u32, u32), now: (u32, u32)) -> Flow {
    let tm = &mut worker.run.tm;
    (tm.timers.final_response_invite, tm.timers.final_response) = ahead;
    if let Some(transaction) = &mut tm.transaction {
        transaction.change_final_response(worker.now.time, now.0, now.1);
    }
    Flow::Code(1)
}

/// First and longest interval.
fn retransmission(worker: &mut Worker, ahead: (u32, u32), now: (u32, u32)) -> Flow {
    let tm = &mut worker.run.tm;
    (tm.timers.retransmit_first, tm.timers.retransmit_longest) = ahead;
    if let Some(transaction) = &mut tm.transaction {
        transaction.change_retransmission(now.0, now.1);
    }
    Flow::Code(1)
}

/// INVITE and other requests.
fn lifetime(worker: &mut Worker, ahead: (u32, u32), now: (u32, u32)) -> Flow {
    let tm = &mut worker.run.tm;
    (tm.timers.lifetime_invite, tm.timers.lifetime_other) = ahead;
    if let Some(transaction) = &mut tm.transaction {
        transaction.change_lifetime(now.0, now.1);
    }
    Flow::Code(1)
}

/// A flag of the transaction there is, and of the one that this run will make.
fn switch(
    worker: &mut Worker,
    arguments: &[Argument],
    wish: fn(&mut RunState) -> &mut Option<bool>,
    flag: fn(&mut transaction::Flags) -> &mut bool,
) -> Flow {
    let is_on = integer(arguments, 0) != 0;
    *wish(&mut worker.run.tm) = Some(is_on);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        *flag(&mut transaction.flags) = is_on;
    }
    Flow::Code(1)
}
