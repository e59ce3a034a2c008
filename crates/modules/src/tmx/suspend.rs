//! A script that waits for something outside, and goes on later (spec proxy-core 7.14).

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::syntax::ast::RouteKind;
use transaction::{Checkout, Event, SuspendError};

use crate::textopsx;
use crate::tm::{self, Created};
use crate::worker::Worker;

/// `t_suspend()`: makes the transaction when there is none; `$T(id_index)` and `$T(id_label)` name it for `t_continue`.
pub(super) fn t_suspend(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    if !worker.run.message.is_request() {
        return suspend_reply(worker);
    }
    if worker.run.tm.transaction.is_none() && !matches!(tm::create(worker), Created::New | Created::Exists) {
        return Flow::Code(-1);
    }
    tm::send_100(worker);
    let node = Arc::clone(&worker.node);
    let run = &mut worker.run;
    let Some(transaction) = &mut run.tm.transaction else { return Flow::Code(-1) };
    if transaction.branches.is_empty() {
        transaction.edits = run.edits.clone();
    }
    // The failure route armed so far takes the timeout of the wait.
    transaction.armed = run.tm.armed;
    match transaction.suspend(worker.now.time, &node.states.tm.settings) {
        Ok(_) | Err(SuspendError::Canceled) => Flow::Code(1),
        Err(error) => {
            worker.log(-1, "tmx", &format!("the transaction cannot be suspended: {error:?}"));
            Flow::Code(-1)
        }
    }
}

/// In a reply route: the reply, with its edits, is kept on its branch until the script goes on.
fn suspend_reply(worker: &mut Worker) -> Flow {
    let Some(kept) = textopsx::changed_message(&worker.run) else { return Flow::Code(-1) };
    let now = worker.now.time;
    let tm = &mut worker.run.tm;
    let (Some(branch), Some(transaction)) = (tm.reply.branch, &mut tm.transaction) else {
        worker.log(-1, "tmx", "t_suspend: the reply belongs to no transaction");
        return Flow::Code(-1);
    };
    transaction.suspend_reply(now, branch, &kept).into()
}

/// `t_continue(index, label, route)`
pub(super) fn t_continue(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = arguments.get(2).map(Argument::text).unwrap_or_default();
    let node = Arc::clone(&worker.node);
    let Some(route) = node.program.route(RouteKind::Request, &name) else {
        worker.log(-1, "tmx", &format!("no such route: {name}"));
        return Flow::Code(-1);
    };
    let Some(id) = super::remote::by_number(arguments) else { return Flow::Code(-1) };
    match node.transactions.checkout(id) {
        Checkout::Gone => return Flow::Code(-1),
        Checkout::Busy => {}
        Checkout::Taken(transaction) => {
            let is_suspended = transaction.suspension().is_suspended() || transaction.suspended_reply().is_some();
            let run = worker.fresh_run();
            let ((), used) = worker.with_run(run, |worker| {
                tm::attach(worker, transaction);
                tm::check_in(worker);
            });
            worker.recycle(used);
            if !is_suspended {
                return Flow::Code(-1);
            }
        }
    }
    tm::deliver(worker, id, Event::Resume { serial: None, route: route.0 }).into()
}
