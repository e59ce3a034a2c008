//! Replies on their way upstream: they drive the dialog of an INVITE (spec dialog 2.3); and the end of transactions.

use std::sync::Arc;

use ::dialog::{
    CalleeLeg, Cause, Change, DialogId, Direction, EventRoute, InviteReply, LocalRequest, Occurrence, OccurrenceKind, ReplyKind,
    SequenceStep, TerminateError,
};
use sip::message::Message;

use super::reason::Reason;
use super::{create, cseq, event_route};
use crate::tm::TransactionData;
use crate::worker::Worker;

/// A reply is about to be sent upstream for the run's transaction. `reply` is None for one made here.
pub fn reply_ready(worker: &mut Worker, code: u16, reply: Option<&Message>, branch: Option<usize>) {
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let part = &mut transaction.data.dialog;
    let is_forwarded = reply.is_some() && code < 300;
    if let Some((dialog, direction)) = part.within {
        let kind = part.told_reply.filter(|kind| if *kind == OccurrenceKind::ReplyWithin { is_forwarded } else { code >= 200 });
        if let Some(kind) = kind {
            report(worker, dialog, Occurrence::towards(kind, direction.reversed()), reply);
        }
        return;
    }
    let Some(dialog) = part.invite else { return };
    if is_forwarded {
        report(worker, dialog, Occurrence::towards(OccurrenceKind::ReplyForwarded, Direction::Upstream), reply);
    }
    let Some(transaction) = &mut worker.run.tm.transaction else { return };
    let part = &mut transaction.data.dialog;
    let kind = match code {
        101..=199 => ReplyKind::Provisional,
        200..=299 => ReplyKind::Success,
        300..=699 => ReplyKind::Failure,
        _ => return,
    };
    // Further 2xx are retransmissions or other forks, which are not tracked.
    if part.is_answered {
        return;
    }
    part.is_answered = kind == ReplyKind::Success;
    drive(worker, dialog, (kind, code), reply, branch);
}

fn drive(worker: &mut Worker, dialog: DialogId, (kind, code): (ReplyKind, u16), reply: Option<&Message>, branch: Option<usize>) {
    let node = Arc::clone(&worker.node);
    let now = worker.now;
    let reason = reply.filter(|_| kind == ReplyKind::Failure).map(Reason::of).unwrap_or_default();
    let told = InviteReply { kind, code, is_local: reply.is_none(), text: reason.text() };
    let Some(change) = node.dialogs.reply_begin(now, dialog, told) else { return };
    if change.held
        && let Some(transaction) = &mut worker.run.tm.transaction
    {
        transaction.data.dialog.holds.push(dialog);
    }
    if let Some(reply) = reply.filter(|_| change.route == Some(EventRoute::Start) && node.states.dialog.start_sees_callee) {
        let leg = Leg::of(worker, reply, branch);
        node.dialogs.callee_answers(now, dialog, &leg.callee(worker, reply));
    }
    event_route::run_aside(worker, change.route, dialog, reply);
    match (kind, reply) {
        (ReplyKind::Success, Some(reply)) => {
            if let Some(branch) = branch {
                cseq::answered(worker, branch);
            }
            let leg = Leg::of(worker, reply, branch);
            node.dialogs.reply_finish(now, change, Some(&leg.callee(worker, reply)), cause(worker, Some(reply)));
        }
        _ => {
            node.dialogs.reply_finish(now, change, None, cause(worker, reply));
        }
    }
}

fn report(worker: &Worker, dialog: DialogId, occurrence: Occurrence, reply: Option<&Message>) {
    worker.node.dialogs.report(worker.now, dialog, occurrence, cause(worker, reply));
}

/// The messages behind a reply of the run's transaction, for observers.
fn cause<'a>(worker: &'a Worker, reply: Option<&'a Message>) -> Cause<'a> {
    Cause { request: worker.run.tm.transaction.as_ref().map(|transaction| &transaction.request), reply }
}

/// Second half of what `dlg_update_state()` does with the run's reply: an answer tells the callee's leg here too, because the
/// state will not move again when the reply is relayed.
pub(super) fn finish_within_script(worker: &mut Worker, change: Change, kind: ReplyKind) {
    let node = Arc::clone(&worker.node);
    let reply = worker.run.message.clone();
    let leg = Leg::of(worker, &reply, worker.run.tm.reply.branch);
    let callee = leg.callee(worker, &reply);
    let callee = Some(&callee).filter(|_| kind == ReplyKind::Success);
    node.dialogs.reply_finish(worker.now, change, callee, Cause::HERE);
}

/// A request to the callee whose provisional reply the run processes.
pub(super) fn early_request(worker: &mut Worker, dialog: DialogId) -> Result<LocalRequest, TerminateError> {
    if worker.run.message.is_request() {
        return Err(TerminateError::Incomplete(::dialog::Leg::Callee));
    }
    let node = Arc::clone(&worker.node);
    let reply = worker.run.message.clone();
    let branch = worker.run.tm.reply.branch;
    let leg = Leg::of(worker, &reply, branch);
    node.dialogs.early_request(dialog, &leg.callee(worker, &reply), SequenceStep::Above(1))
}

/// The texts of the callee's leg that have to be built.
struct Leg {
    route_set: Vec<u8>,
    caller_route_set: Option<Vec<u8>>,
}

impl Leg {
    fn of(worker: &mut Worker, reply: &Message, branch: Option<usize>) -> Leg {
        let mut own = 0;
        let mut caller_entries = 0;
        if let Some(transaction) = &worker.run.tm.transaction {
            caller_entries = transaction.request.record_routes().count();
            if let Some(branch) = branch.and_then(|index| transaction.branches.get(index)) {
                own = usize::from(branch.flags.record_routed) + usize::from(branch.flags.record_routed_twice);
            }
        }
        let keep = worker.node.dialogs.settings().keep_proxy_rr;
        let entries: Vec<&[u8]> = reply.record_routes().take(::dialog::limits::RECORD_ROUTES_MAX + 1).map(|entry| entry.whole).collect();
        let route_set = ::dialog::leg::callee_route_set(&entries, caller_entries, own, keep).unwrap_or_else(|| {
            worker.log(-1, "dialog", "the 2xx carries too many Record-Route entries, the callee's route set stays empty");
            Vec::new()
        });
        Leg { route_set, caller_route_set: ::dialog::leg::caller_route_set(&entries, caller_entries, own, keep) }
    }

    fn callee<'a>(&'a self, worker: &'a Worker, reply: &'a Message) -> CalleeLeg<'a> {
        CalleeLeg {
            tag: reply.to_tag(),
            contact: create::single_contact(reply).unwrap_or_default(),
            route_set: &self.route_set,
            socket: worker.node.sockets.at(worker.run.source.socket).map_or(&b""[..], |socket| &socket.text),
            caller_route_set: self.caller_route_set.as_deref(),
        }
    }
}

/// The transaction is gone: what it held of dialogs is given back.
pub fn transaction_ended(worker: &mut Worker, data: &mut TransactionData) {
    let node = Arc::clone(&worker.node);
    let part = &mut data.dialog;
    if let Some(dialog) = part.invite.take() {
        node.states.dialog.forget_invite(dialog);
    }
    for dialog in part.holds.drain() {
        node.dialogs.release(worker.now, dialog);
    }
}
