//! `$T_*`: the transaction, its branches, and variables read on another message of it (spec proxy-core 8).

use std::sync::Arc;

use script::exports::{Evaluate, Index, Inner, Routes};
use script::syntax::ast::RouteKind;
use script::value::Value;
use sip::message::Message;
use sip::method::Method;
use transaction::{Branch, Checkout};

use crate::run::Run;
use crate::tm;
use crate::worker::Worker;

/// Names inside `$T(...)`; [`transaction_field`] knows them by position.
pub(super) const TRANSACTION_FIELDS: &[&str] =
    &["id_index", "id_label", "reply_code", "reply_type", "branch_index", "id_label_n", "id_index_n", "ruri"];
/// Names inside `$T_branch(...)`; [`branch_field`] knows them by position.
pub(super) const BRANCH_FIELDS: &[&str] = &["flags", "uri"];

fn is_after_failure(run: &Run) -> bool {
    run.route_set.meets(Routes::FAILURE.or(Routes::BRANCH_FAILURE)) && run.route != RouteKind::Request
}

fn count(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The branch that a reply, failure or branch route is about.
fn branch(run: &Run) -> Option<&Branch> {
    run.tm.transaction.as_ref()?.branches.get(run.tm.reply.branch?)
}

fn text_or_null(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::Null } else { Value::text(bytes) }
}

/// `$T_branch_idx`: in a failure route the index that the next added branch would get.
pub(super) fn branch_index(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    let run = &worker.run;
    match run.route {
        RouteKind::Event if run.route_set.meets(Routes::BRANCH_FAILURE) => run.tm.reply.branch.map_or(Value::Integer(-1), count),
        RouteKind::Branch | RouteKind::OnReply => run.tm.reply.branch.map_or(Value::Integer(-1), count),
        RouteKind::Request => count(run.branches.len()),
        _ if is_after_failure(run) => {
            count(run.tm.transaction.as_ref().map_or(0, |transaction| transaction.branches.len()) + run.branches.len())
        }
        _ => Value::Integer(-1),
    }
}

/// `$T_reply_code`
pub(super) fn reply_code(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    Value::Integer(i64::from(tm::status_code(worker)))
}

/// `$T_reply_reason`
pub(super) fn reply_reason(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    let run = &worker.run;
    if is_after_failure(run) {
        text_or_null(&run.tm.reply.reason)
    } else if run.route == RouteKind::OnReply && !run.message.is_request() {
        text_or_null(run.message.reason())
    } else {
        Value::Null
    }
}

/// `$T_reply_last`: the highest status the branch received so far; in an onreply route the reply in hand counts.
pub(super) fn reply_last(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    if worker.run.route == RouteKind::OnReply && !worker.run.message.is_request() {
        let earlier = branch(&worker.run).map_or(0, |branch| branch.last_status);
        return Value::Integer(i64::from(worker.run.message.status().max(earlier)));
    }
    branch(&worker.run).map_or(Value::Null, |branch| Value::Integer(i64::from(branch.last_status)))
}

/// `$T_reply_ruid`: the record id of the contact that the branch went to.
pub(super) fn reply_ruid(worker: &mut Worker, _: &Inner, _: Option<Index>) -> Value {
    branch(&worker.run).map_or(Value::Null, |branch| text_or_null(&branch.start.ruid))
}

/// `$T(name)`
pub(super) fn transaction_field(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    let Inner::Choice(field) = inner else { return Value::Null };
    match field {
        2 => return reply_code(worker, inner, index),
        4 => return branch_index(worker, inner, index),
        _ => {}
    }
    let run = &worker.run;
    let Some(transaction) = &run.tm.transaction else { return Value::Null };
    match field {
        0 | 6 => Value::Integer(i64::from(transaction.id().slot)),
        1 | 5 => Value::Integer(i64::from(transaction.id().generation)),
        3 => Value::Integer(i64::from(is_after_failure(run) && run.tm.reply.is_faked)),
        7 => text_or_null(branch(run).map_or_else(|| transaction.request.request_uri(), |branch| &branch.start.request_uri)),
        _ => Value::Null,
    }
}

/// `$T_branch(flags|uri)`
pub(super) fn branch_field(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let Some(branch) = branch(&worker.run) else { return Value::Null };
    match inner {
        Inner::Choice(0) => Value::Integer(i64::from(branch.start.script_flags)),
        Inner::Choice(1) => text_or_null(&branch.start.request_uri),
        _ => Value::Null,
    }
}

/// Reads a variable as if the message were the run's own; gives the message back.
fn read_on(worker: &mut Worker, inner: &Inner, message: Message, source: Option<transaction::Endpoint>) -> (Value, Message) {
    let Inner::Variable(reference) = inner else { return (Value::Null, message) };
    let mut run = worker.fresh_run();
    run.is_faked = true;
    run.message = message;
    run.message_number = worker.run.message_number;
    if let Some(source) = source {
        run.source = source;
    }
    let (value, mut used) = worker.with_run(run, |worker| worker.read(reference));
    let message = std::mem::take(&mut used.message);
    worker.recycle(used);
    (value, message)
}

/// Reads a variable on the request of the transaction in the run.
fn read_on_request(worker: &mut Worker, inner: &Inner) -> Value {
    let Some(transaction) = &mut worker.run.tm.transaction else { return Value::Null };
    let (message, source) = (std::mem::take(&mut transaction.request), transaction.data.source);
    let (value, message) = read_on(worker, inner, message, source);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.request = message;
    }
    value
}

/// `$T_req(pv)`
pub(super) fn on_request(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    read_on_request(worker, inner)
}

/// `$T_rpl(pv)`: on the picked reply; null when it was made here.
pub(super) fn on_reply(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let Some(mut winner) = worker.run.tm.winner.take() else { return Value::Null };
    let source = branch(&worker.run).and_then(|branch| branch.endpoint);
    let (value, message) = read_on(worker, inner, std::mem::take(&mut *winner), source);
    *winner = message;
    worker.run.tm.winner = Some(winner);
    value
}

/// `$T_inv(pv)`: on the INVITE that the CANCEL in the run means.
pub(super) fn on_invite(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    if worker.run.message.method() != Method::Cancel {
        return Value::Null;
    }
    let Some(id) = tm::invite_of(worker) else { return Value::Null };
    let node = Arc::clone(&worker.node);
    let Checkout::Taken(transaction) = node.transactions.checkout(id) else {
        worker.log(0, "tmx", "another worker holds the INVITE; $T_inv is null");
        return Value::Null;
    };
    let run = worker.fresh_run();
    let (value, used) = worker.with_run(run, |worker| {
        tm::attach(worker, transaction);
        let value = read_on_request(worker, inner);
        tm::check_in(worker);
        value
    });
    worker.recycle(used);
    value
}
