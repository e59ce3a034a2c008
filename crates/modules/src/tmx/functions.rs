//! Functions of tmx on the transaction of the run (spec proxy-core 8).

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::syntax::ast::RouteKind;
use transaction::{CancelReason, Which};

use crate::tm;
use crate::worker::Worker;

/// The code `t_drop` sets when none is given.
const DROP_CODE: u16 = 500;

fn is_in(worker: &Worker, kind: RouteKind) -> Flow {
    (worker.run.route == kind).into()
}

/// `t_is_request_route()`
pub(super) fn t_is_request_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    is_in(worker, RouteKind::Request)
}

/// `t_is_failure_route()`
pub(super) fn t_is_failure_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    is_in(worker, RouteKind::Failure)
}

/// `t_is_branch_route()`
pub(super) fn t_is_branch_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    is_in(worker, RouteKind::Branch)
}

/// `t_is_reply_route()`
pub(super) fn t_is_reply_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    is_in(worker, RouteKind::OnReply)
}

/// `t_flush_flags()`: the message's flags become the transaction's.
pub(super) fn t_flush_flags(worker: &mut Worker, _: &[Argument]) -> Flow {
    let run = &mut worker.run;
    let Some(transaction) = &mut run.tm.transaction else { return Flow::Code(-1) };
    transaction.message_flags = run.flags;
    Flow::Code(1)
}

/// `t_flush_xflags()`: the same for extended flags.
pub(super) fn t_flush_xflags(worker: &mut Worker, _: &[Argument]) -> Flow {
    let run = &mut worker.run;
    let Some(transaction) = &mut run.tm.transaction else { return Flow::Code(-1) };
    transaction.data.extended_flags = run.extended_flags;
    Flow::Code(1)
}

/// `t_drop([code])`: ends the transaction without sending anything, and the script.
pub(super) fn t_drop(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let code = arguments.first().and_then(|code| u16::try_from(code.integer()).ok()).filter(|code| *code != 0).unwrap_or(DROP_CODE);
    let node = Arc::clone(&worker.node);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return Flow::Code(-1) };
    transaction.drop_with(worker.now.time, code, &node.states.tm.settings, &mut actions);
    worker.run.tm.delayed_error = 0;
    tm::perform_all(worker, &actions, None);
    Flow::Code(0)
}

/// `t_cancel_branches("all"|"others"|"this")` in an onreply route.
pub(super) fn t_cancel_branches(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(branch) = worker.run.tm.reply.branch else { return Flow::Code(-1) };
    let which = match arguments.first().map(Argument::text).unwrap_or_default().first() {
        Some(b'o' | b'O') => Which::Others(branch),
        Some(b't' | b'T') => Which::This(branch),
        _ => Which::All,
    };
    let node = Arc::clone(&worker.node);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return Flow::Code(-1) };
    transaction.cancel_branches(worker.now.time, which, CancelReason::None, &node.states.tm.settings, &mut actions);
    tm::perform_all(worker, &actions, None);
    Flow::Code(1)
}
