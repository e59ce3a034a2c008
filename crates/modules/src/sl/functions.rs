//! Script functions that reply.

use script::exports::{Argument, Flow, Routes};
use script::value::Text;

use super::statistics::Counter;
use super::{error_reply, reply};
use crate::worker::Worker;

/// The internal error nobody has named.
const UNSPECIFIED: i32 = -1;
/// Answer: the request was finally replied already.
const ALREADY_REPLIED: i32 = -2;
/// Answer: the transaction will reply by itself when the script ends.
const WILL_BE_REPLIED: i32 = -3;

/// Code and reason of a call; the module's defaults when they are missing or malformed.
fn status(worker: &Worker, arguments: &[Argument]) -> (u16, Text) {
    let state = &worker.node.states.sl;
    let code = arguments.first().map_or(0, Argument::integer);
    let reason = arguments.get(1).map(Argument::text).unwrap_or_default();
    let code = u16::try_from(code).ok().filter(|code| (100..=699).contains(code));
    (code.unwrap_or(state.default_code), if is_reason(&reason) { reason } else { state.default_reason.clone() })
}

/// Is this a reason phrase, not the text of a variable without value?
pub fn is_reason(text: &[u8]) -> bool {
    !text.is_empty() && text != b"<null>"
}

fn send_stateless(worker: &mut Worker, code: u16, reason: &[u8]) -> Flow {
    let is_sent = reply(worker, code, reason);
    if !is_sent {
        worker.node.states.sl.statistics.add(Counter::Failures);
    }
    Flow::from(is_sent)
}

/// `sl_send_reply(code, reason)`.
pub(super) fn sl_send_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (code, reason) = status(worker, arguments);
    send_stateless(worker, code, &reason)
}

/// `send_reply(code, reason)`: through the transaction when there is one.
pub(super) fn send_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (code, reason) = status(worker, arguments);
    send_either(worker, code, &reason)
}

fn send_either(worker: &mut Worker, code: u16, reason: &[u8]) -> Flow {
    if worker.node.states.sl.uses_transactions && crate::tm::has_transaction(worker) {
        return Flow::from(crate::tm::reply(worker, code, reason));
    }
    if worker.run.route_set.meets(Routes::ONREPLY) {
        return Flow::Code(-1);
    }
    send_stateless(worker, code, reason)
}

/// Bits of the mode of `send_reply_mode`.
const NO_CONNECT: i64 = 1;
const CLOSE: i64 = 2;

/// `send_reply_mode(code, reason, mode)`: 1 opens no connection for the reply, 2 closes it after the reply.
pub(super) fn send_reply_mode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let mode = arguments.get(2).map_or(0, Argument::integer);
    let hints = &mut worker.run.core.hints;
    hints.reply_no_connect |= mode & NO_CONNECT != 0;
    hints.reply_close |= mode & CLOSE != 0;
    send_reply(worker, arguments)
}

/// The last internal error; unspecified when there was none.
fn last_error(worker: &Worker) -> i32 {
    match worker.run.last_error {
        0 => UNSPECIFIED,
        error => error,
    }
}

/// `send_reply_error()` and `sl_reply_error()`: the reply that belongs to the last internal error.
pub(super) fn send_reply_error(worker: &mut Worker, _: &[Argument]) -> Flow {
    if worker.run.is_replied {
        return Flow::Code(ALREADY_REPLIED);
    }
    if worker.run.last_error != 0 && crate::tm::has_transaction(worker) {
        return Flow::Code(WILL_BE_REPLIED);
    }
    let (code, reason) = error_reply(last_error(worker), "SL");
    send_either(worker, code, reason.as_bytes())
}

/// `sl_reply_error()`: as above, never through the transaction.
pub(super) fn sl_reply_error(worker: &mut Worker, _: &[Argument]) -> Flow {
    if worker.run.is_replied {
        return Flow::Code(ALREADY_REPLIED);
    }
    if worker.run.last_error != 0 && crate::tm::has_transaction(worker) {
        return Flow::Code(WILL_BE_REPLIED);
    }
    let (code, reason) = error_reply(last_error(worker), "SL");
    send_stateless(worker, code, reason.as_bytes())
}
