//! Script functions `sanity_check` and `sanity_reply`.

use std::sync::Arc;

use script::exports::{Argument, Flow};

use super::checks::{self, Refusal};
use crate::worker::Worker;

/// Masks of message checks and of URI checks that name at least one check and no other bit.
const MESSAGE_CHECKS: std::ops::Range<i64> = 1..1 << 17;
const URI_CHECKS: std::ops::Range<i64> = 1..1 << 4;

/// The mask of an argument, or the default when it is not given. None: a bit is unknown, or there is none.
fn given(arguments: &[Argument], index: usize, default: i64, known: std::ops::Range<i64>) -> Option<i64> {
    arguments.get(index).map_or(Some(default), |argument| Some(argument.integer()).filter(|mask| known.contains(mask)))
}

/// `sanity_check([message_checks[, uri_checks]])`: 1 passed; else 0 (script ends) or -1 by `autodrop`.
pub(super) fn sanity_check(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let node = Arc::clone(&worker.node);
    let state = &node.states.sanity;
    let message_checks = given(arguments, 0, state.default_checks, MESSAGE_CHECKS);
    let uri_checks = given(arguments, 1, state.uri_checks, URI_CHECKS);
    let (Some(message_checks), Some(uri_checks)) = (message_checks, uri_checks) else {
        worker.log(-1, "sanity", "sanity_check: an argument names no check or an unknown one; nothing was checked");
        return Flow::Code(-1);
    };
    let Err(refusal) = checks::check(state, &worker.run.message, message_checks, uri_checks) else {
        return Flow::Code(1);
    };
    worker.log(2, "sanity", refusal.reason);
    // Whoever answers, with `noreply` the script, tells what is not supported.
    worker.run.reply_headers.extend_from_slice(&refusal.headers);
    if state.holds_reply {
        worker.run.sanity.held = Some(refusal);
    } else {
        send(worker, &refusal);
    }
    Flow::Code(if state.ends_script { 0 } else { -1 })
}

/// `sanity_reply()`: sends what a failed check held back; true when there is nothing to send.
pub(super) fn sanity_reply(worker: &mut Worker, _: &[Argument]) -> Flow {
    match worker.run.sanity.held.take() {
        Some(refusal) => Flow::from(send(worker, &refusal)),
        None => Flow::Code(1),
    }
}

fn send(worker: &mut Worker, refusal: &Refusal) -> bool {
    if refusal.is_silent || !worker.run.message.is_request() {
        return false;
    }
    if worker.node.states.sl.uses_transactions && crate::tm::has_transaction(worker) {
        crate::tm::reply(worker, refusal.code, refusal.reason.as_bytes())
    } else {
        crate::sl::reply(worker, refusal.code, refusal.reason.as_bytes())
    }
}
