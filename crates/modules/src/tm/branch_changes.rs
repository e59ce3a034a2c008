//! `t_msg_apply_changes()`: a branch route sees its own edits (spec proxy-core 4.2, 7.4).

use script::exports::{Argument, Flow, Routes};
use sip::edit::Edits;

use crate::textopsx;
use crate::worker::Worker;

/// Makes the edits so far, of the request and of this branch, part of the message of this branch. 1 done, -1 not a branch
/// route, 0 the new text cannot be read and the script must end.
pub fn t_msg_apply_changes(worker: &mut Worker, _: &[Argument]) -> Flow {
    if !worker.run.route_set.meets(Routes::BRANCH) {
        worker.log(-1, "tm", "t_msg_apply_changes is for branch routes");
        return Flow::Code(-1);
    }
    let Some(transaction) = worker.run.tm.transaction.take() else { return Flow::Code(-1) };
    let none = Edits::default();
    let is_first = worker.run.tm.request_message.is_none();
    let step = worker.run.tm.step_edits.as_ref().unwrap_or(&none);
    let base: [&Edits; 2] = if is_first { [&transaction.edits, step] } else { [&none, &none] };
    let changed = textopsx::changed_message_with(&worker.run, &base);
    worker.run.tm.transaction = Some(transaction);
    let Some(changed) = changed else {
        worker.log(-1, "tm", "the changed message of the branch cannot be read");
        return Flow::Code(0);
    };
    let former = textopsx::replace_message(&mut worker.run, changed);
    if is_first {
        worker.run.tm.request_message = Some(Box::new(former));
    }
    Flow::Code(1)
}
