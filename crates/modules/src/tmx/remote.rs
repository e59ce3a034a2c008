//! Acting on a transaction other than the run's own, found by Call-ID and CSeq or by its number (spec proxy-core 8).

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::method::Method;
use transaction::{Checkout, Event, TransactionId};

use crate::tm::{self, Additions};
use crate::worker::Worker;

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn integer(arguments: &[Argument], index: usize) -> i64 {
    arguments.get(index).map_or(0, Argument::integer)
}

/// The transaction `$T(id_index)` and `$T(id_label)` name.
pub(super) fn by_number(arguments: &[Argument]) -> Option<TransactionId> {
    let slot = u32::try_from(integer(arguments, 0)).ok()?;
    let generation = u32::try_from(integer(arguments, 1)).ok()?;
    Some(TransactionId { slot, generation })
}

/// The transaction of a Call-ID and CSeq number; of several methods the first.
fn by_call(worker: &Worker, arguments: &[Argument], methods: &[Method]) -> Option<TransactionId> {
    let cseq = std::str::from_utf8(&text(arguments, 1)).ok()?.trim().parse().ok()?;
    tm::find_by_call(worker, &text(arguments, 0), cseq, methods)
}

/// `t_cancel_callid(callid, cseq, flag[, rcode])`
pub(super) fn t_cancel_callid(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(id) = by_call(worker, arguments, &[Method::Invite]) else { return Flow::Code(-1) };
    let flag = u32::try_from(integer(arguments, 2)).ok().filter(|flag| (1..32).contains(flag));
    if let Some(flag) = flag {
        set_flag(worker, id, flag);
    }
    let cause = u16::try_from(integer(arguments, 3)).ok().filter(|code| *code != 0);
    tm::deliver(worker, id, Event::CancelBranches { branch: None, cause }).into()
}

fn set_flag(worker: &mut Worker, id: TransactionId, flag: u32) {
    let node = Arc::clone(&worker.node);
    match node.transactions.checkout(id) {
        Checkout::Taken(transaction) => {
            let run = worker.fresh_run();
            let ((), used) = worker.with_run(run, |worker| {
                tm::attach(worker, transaction);
                worker.run.flags |= 1 << flag;
                tm::check_in(worker);
            });
            worker.recycle(used);
        }
        Checkout::Busy if worker.run.tm.transaction.as_ref().is_some_and(|own| own.id() == id) => worker.run.flags |= 1 << flag,
        Checkout::Busy | Checkout::Gone => worker.log(0, "tmx", "another worker holds the transaction; its flag is not set"),
    }
}

/// `t_cancel_branch_idx(tindex, tlabel, branch)`
pub(super) fn t_cancel_branch_idx(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (Some(id), Ok(branch)) = (by_number(arguments), usize::try_from(integer(arguments, 2))) else { return Flow::Code(-1) };
    tm::deliver(worker, id, Event::CancelBranches { branch: Some(branch), cause: None }).into()
}

/// `t_reply_callid(callid, cseq, code, reason)`
pub(super) fn t_reply_callid(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(id) = by_call(worker, arguments, tm::ANSWERED_METHODS) else { return Flow::Code(-1) };
    let Some(code) = u16::try_from(integer(arguments, 2)).ok().filter(|code| (100..700).contains(code)) else { return Flow::Code(-1) };
    let reason = String::from_utf8_lossy(&text(arguments, 3)).into_owned().into_boxed_str();
    let event = Event::Answer { code, reason, to_tag: Box::default(), headers: Box::default(), body: Box::default() };
    tm::deliver(worker, id, event).into()
}

/// `t_uac_ack_local(callid, cseq[, headers[, body]])`: acknowledges the 2xx to an INVITE that was made here and is not
/// acknowledged by itself (`t_set_no_auto_ack`, `tm.t_uac_*_noack`).
pub(super) fn t_uac_ack_local(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(id) = by_call(worker, arguments, &[Method::Invite]) else { return Flow::Code(-1) };
    let node = Arc::clone(&worker.node);
    let Checkout::Taken(mut transaction) = node.transactions.checkout(id) else {
        worker.log(-1, "tmx", "t_uac_ack_local: the transaction is gone or in use");
        return Flow::Code(-1);
    };
    let answer = transaction.data.unacknowledged.take();
    let (headers, body) = (text(arguments, 2), text(arguments, 3));
    let run = worker.fresh_run();
    let (is_sent, used) = worker.with_run(run, |worker| {
        let is_sent = answer.is_some_and(|(reply, source)| {
            worker.run.source = source;
            let branch = transaction.branches.iter().position(|branch| (200..300).contains(&branch.last_status)).unwrap_or(0);
            let sent = tm::acknowledge_success(worker, &transaction, branch, &reply, Additions { headers: &headers, body: &body });
            transaction.data.unacknowledged = Some((reply, source));
            sent
        });
        tm::attach(worker, transaction);
        tm::check_in(worker);
        is_sent
    });
    worker.recycle(used);
    is_sent.into()
}
