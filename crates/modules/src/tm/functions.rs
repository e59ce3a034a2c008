//! The script functions of tm (spec proxy-core 7.4).

use std::sync::Arc;

use script::exports::{Argument, Flow, Routes};
use script::regex::Pattern;
use sip::method::Method;
use transaction::DropReplies;

use super::actions::perform_all;
use super::create::{Created, create, lookup_request};
use crate::next_hop;
use crate::worker::Worker;

fn text(arguments: &[Argument], index: usize) -> script::value::Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn integer(arguments: &[Argument], index: usize) -> i64 {
    arguments.get(index).map_or(0, Argument::integer)
}

/// `t_newtran()`
pub fn t_newtran(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::Code(match create(worker) {
        Created::New => 1,
        Created::Retransmission => 0,
        Created::Exists => next_hop::error::EXISTS,
        Created::Refused(code) => code,
    })
}

/// `t_reply(code, reason)`
pub fn t_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (code, reason) = reply_arguments(worker, arguments);
    super::reply(worker, code, &reason).into()
}

/// `t_send_reply(code, reason)`: creates the transaction when it is not there yet.
pub fn t_send_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.tm.transaction.is_none() {
        match create(worker) {
            Created::New | Created::Exists => {}
            Created::Retransmission => return Flow::Code(0),
            Created::Refused(code) => return Flow::Code(code),
        }
    }
    t_reply(worker, arguments)
}

fn reply_arguments(worker: &Worker, arguments: &[Argument]) -> (u16, Vec<u8>) {
    let settings = &worker.node.states.tm.settings;
    let code = u16::try_from(integer(arguments, 0)).ok().filter(|code| (100..700).contains(code));
    let reason = text(arguments, 1);
    let reason = if crate::sl::is_reason(&reason) { reason.to_vec() } else { settings.default_reason.as_bytes().to_vec() };
    (code.unwrap_or(settings.default_code), reason)
}

/// `t_reply_error()`: answers with the last internal error.
pub fn t_reply_error(worker: &mut Worker, _: &[Argument]) -> Flow {
    let error = if worker.run.last_error == 0 { -1 } else { worker.run.last_error };
    let (code, reason) = crate::sl::error_reply(error, "TM");
    super::reply(worker, code, reason.as_bytes()).into()
}

/// `t_check_trans()`
pub fn t_check_trans(worker: &mut Worker, _: &[Argument]) -> Flow {
    if !worker.run.route_set.meets(Routes::REQUEST) {
        return Flow::Code(1);
    }
    if !worker.run.message.is_request() {
        return worker.run.tm.transaction.is_some().into();
    }
    match worker.run.message.method() {
        Method::Cancel => super::cancel::invite_of(worker).is_some().into(),
        // An ACK to a reply made here was absorbed before the script; one to a relayed 2xx belongs to no transaction.
        Method::Ack => Flow::Code(-1),
        _ if worker.run.tm.transaction.is_some() => {
            t_retransmit_reply(worker, &[]);
            Flow::Code(0)
        }
        _ => {
            if super::absorb_retransmission(worker) {
                Flow::Code(0)
            } else {
                Flow::Code(-1)
            }
        }
    }
}

/// `t_lookup_request()`
pub fn t_lookup_request(worker: &mut Worker, _: &[Argument]) -> Flow {
    (worker.run.tm.transaction.is_some() || lookup_request(worker)).into()
}

/// `t_lookup_cancel([1])`: with 1 the message gets the flags of the INVITE.
pub fn t_lookup_cancel(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.message.method() != Method::Cancel {
        return Flow::Code(-1);
    }
    let Some(invite) = super::cancel::invite_of(worker) else { return Flow::Code(-1) };
    if integer(arguments, 0) != 0 {
        let node = Arc::clone(&worker.node);
        if let transaction::Checkout::Taken(transaction) = node.transactions.checkout(invite) {
            worker.run.flags = transaction.message_flags;
            super::settle::return_transaction(worker, transaction);
        }
    }
    Flow::Code(1)
}

/// `t_relay_cancel()`: handled → 0 ends the script; no INVITE → 1.
pub fn t_relay_cancel(worker: &mut Worker, _: &[Argument]) -> Flow {
    if worker.run.message.method() != Method::Cancel {
        return Flow::Code(1);
    }
    match super::relay_cancel(worker) {
        Some(code) if code > 0 => Flow::Code(0),
        Some(code) => Flow::Code(code),
        None => Flow::Code(1),
    }
}

/// `t_retransmit_reply()`
pub fn t_retransmit_reply(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(transaction) = &worker.run.tm.transaction else { return Flow::Code(-1) };
    match transaction.buffer(transaction::Buffer::Reply) {
        Some((endpoint, bytes)) => {
            worker.outbox.send(endpoint, bytes);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `t_release()`
pub fn t_release(worker: &mut Worker, _: &[Argument]) -> Flow {
    let node = Arc::clone(&worker.node);
    let mut actions = Vec::new();
    let Some(transaction) = &mut worker.run.tm.transaction else { return Flow::Code(1) };
    transaction.release(worker.now.time, &node.states.tm.settings, &mut actions);
    perform_all(worker, &actions, None);
    Flow::Code(1)
}

fn route_argument(worker: &Worker, kind: script::syntax::ast::RouteKind, name: &[u8]) -> Result<Option<u32>, ()> {
    if name.is_empty() || name == b"0" {
        return Ok(None);
    }
    worker.node.program.route(kind, name).map(|route| Some(route.0)).ok_or(())
}

fn arm(
    worker: &mut Worker,
    kind: script::syntax::ast::RouteKind,
    name: &[u8],
    place: fn(&mut transaction::ArmedRoutes) -> &mut Option<u32>,
) -> Flow {
    // As in Kamailio a name without a route takes the place of the one armed before, and nothing runs.
    let route = route_argument(worker, kind, name).unwrap_or_else(|()| {
        worker.log(0, "tm", &format!("no such route: {}, none is armed", String::from_utf8_lossy(name)));
        None
    });
    *place(&mut worker.run.tm.armed) = route;
    if let Some(transaction) = &mut worker.run.tm.transaction {
        // For the branches to come; those that are under way keep what they were sent with.
        *place(&mut transaction.armed) = route;
    }
    Flow::Code(1)
}

/// `t_on_failure("NAME")`
pub fn t_on_failure(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    arm(worker, script::syntax::ast::RouteKind::Failure, &text(arguments, 0), |armed| &mut armed.failure)
}

/// `t_on_reply("NAME")`
pub fn t_on_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    arm(worker, script::syntax::ast::RouteKind::OnReply, &text(arguments, 0), |armed| &mut armed.reply)
}

/// `t_on_branch("NAME")`
pub fn t_on_branch(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    arm(worker, script::syntax::ast::RouteKind::Branch, &text(arguments, 0), |armed| &mut armed.branch)
}

/// `t_on_branch_failure("NAME")`: `event_route[tm:branch-failure:NAME]`.
pub fn t_on_branch_failure(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let name = if name.is_empty() || &*name == b"0" { name.to_vec() } else { [b"tm:branch-failure:".as_slice(), &name].concat() };
    arm(worker, script::syntax::ast::RouteKind::Event, &name, |armed| &mut armed.branch_failure)
}

/// `t_check_status("re")`
pub fn t_check_status(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let code = status_code(worker).to_string();
    match arguments.first() {
        Some(Argument::Regex(pattern)) => pattern.is_match(code.as_bytes()).into(),
        Some(other) => Pattern::new(&other.text()).is_ok_and(|pattern| pattern.is_match(code.as_bytes())).into(),
        None => Flow::Code(-1),
    }
}

/// The code that `t_check_status` and `t_get_status_code` look at.
pub fn status_code(worker: &Worker) -> u16 {
    let routes = worker.run.route_set;
    if routes.meets(Routes::FAILURE.or(Routes::BRANCH_FAILURE)) {
        return worker.run.tm.reply.code;
    }
    if routes.meets(Routes::ONREPLY) && !worker.run.message.is_request() {
        return worker.run.message.status();
    }
    worker.run.tm.transaction.as_ref().map_or(0, |transaction| transaction.server.status)
}

/// `t_get_status_code()`
pub fn t_get_status_code(worker: &mut Worker, _: &[Argument]) -> Flow {
    match status_code(worker) {
        0 => Flow::Code(-1),
        code => Flow::Code(i32::from(code)),
    }
}

/// `t_branch_timeout()`
pub fn t_branch_timeout(worker: &mut Worker, _: &[Argument]) -> Flow {
    let view = &worker.run.tm.reply;
    (view.is_faked && view.code == 408).into()
}

/// `t_branch_replied()`: a reply came earlier, the current one not counted.
pub fn t_branch_replied(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(transaction) = &worker.run.tm.transaction else { return Flow::Code(-1) };
    worker.run.tm.reply.branch.and_then(|index| transaction.branches.get(index)).is_some_and(|branch| branch.flags.provisional).into()
}

/// `t_any_timeout()`
pub fn t_any_timeout(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.any_timed_out()).into()
}

/// `t_any_replied()`
pub fn t_any_replied(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.any_replied()).into()
}

/// `t_is_canceled()`
pub fn t_is_canceled(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.flags.canceled).into()
}

/// `t_is_expired()`
pub fn t_is_expired(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.is_expired(worker.now.time)).into()
}

/// `t_grep_status("code")`
pub fn t_grep_status(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let code = u16::try_from(integer(arguments, 0)).unwrap_or(0);
    worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.has_status(code)).into()
}

/// `t_drop_replies([mode])`
pub fn t_drop_replies(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let mode = match text(arguments, 0).first() {
        Some(b'n') => DropReplies::None,
        Some(b'l') => DropReplies::LastStep,
        _ => DropReplies::All,
    };
    if let Some(transaction) = &mut worker.run.tm.transaction {
        transaction.drop_replies(mode);
    }
    Flow::Code(1)
}

/// `t_save_lumps()`: the edits so far hold for all branches.
pub fn t_save_lumps(worker: &mut Worker, _: &[Argument]) -> Flow {
    let run = &mut worker.run;
    match &mut run.tm.transaction {
        Some(transaction) if transaction.branches.is_empty() => {
            transaction.edits = run.edits.clone();
            Flow::Code(1)
        }
        _ => Flow::Code(-1),
    }
}

/// `t_is_set("failure_route"|"branch_route"|"onreply_route"|"branch_failure_route")`
pub fn t_is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let armed = &worker.run.tm.armed;
    match &*text(arguments, 0) {
        b"failure_route" => armed.failure.is_some().into(),
        b"branch_route" => armed.branch.is_some().into(),
        b"onreply_route" => armed.reply.is_some().into(),
        b"branch_failure_route" => armed.branch_failure.is_some().into(),
        _ => Flow::Code(-1),
    }
}

/// `t_exists()`: test without side effects.
pub fn t_exists(worker: &mut Worker, _: &[Argument]) -> Flow {
    super::create::exists(worker).into()
}

/// `t_clean()`: nothing gets stuck here, so there is nothing to purge.
pub fn t_clean(_: &mut Worker, _: &[Argument]) -> Flow {
    Flow::Code(1)
}

/// `t_is_retr_async_reply()`: the reply in hand was kept while the script waited.
pub fn t_is_retr_async_reply(worker: &mut Worker, _: &[Argument]) -> Flow {
    let view = worker.run.tm.reply.branch;
    let transaction = worker.run.tm.transaction.as_ref();
    view.and_then(|index| transaction?.branches.get(index)).is_some_and(|branch| branch.flags.reply_suspended).into()
}

/// `t_use_uac_headers()`: a CANCEL follows the request as it was sent, whatever `reparse_invite` says.
pub fn t_use_uac_headers(worker: &mut Worker, _: &[Argument]) -> Flow {
    let tm = &mut worker.run.tm;
    tm.uses_sent_headers = true;
    if let Some(transaction) = &mut tm.transaction {
        transaction.data.uses_sent_headers = true;
    }
    Flow::Code(1)
}

/// `t_cell_append_branches(index, label)`: the branches of this message go out on another transaction, which is open.
pub fn t_cell_append_branches(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (Ok(slot), Ok(generation)) = (u32::try_from(integer(arguments, 0)), u32::try_from(integer(arguments, 1))) else {
        return Flow::Code(-1);
    };
    let id = transaction::TransactionId { slot, generation };
    let node = Arc::clone(&worker.node);
    match node.transactions.checkout(id) {
        transaction::Checkout::Taken(transaction) => super::failure::append_branches(worker, transaction),
        transaction::Checkout::Busy | transaction::Checkout::Gone => {
            worker.log(-1, "tm", "t_cell_append_branches: the transaction is gone or in use");
            Flow::Code(-1)
        }
    }
}

/// A function that this version declares but does not carry out: says so and fails.
pub fn not_offered(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.log(-1, "tm", "this function is not offered by this version (see COMPAT.md)");
    Flow::Code(-1)
}
