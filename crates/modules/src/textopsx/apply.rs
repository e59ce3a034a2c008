//! Making pending edits visible: the message is written anew and read again (spec proxy-core 4.2).

use std::sync::Arc;

use script::exports::{Argument, Flow, Routes};
use script::syntax::ast::RouteKind;
use script::value::Text;
use sip::edit::Edits;
use sip::limits::Limits;
use sip::message::Message;
use sip::serialise::{ReplyHead, RequestHead, write_reply_relay_with, write_request};

use super::status_line;
use crate::run::Run;
use crate::worker::Worker;

/// Reads a message that must have what every message needs.
fn parse(bytes: &[u8]) -> Option<Message> {
    let mut message = Message::new();
    message.parse(bytes, &Limits::stream()).ok()?;
    message.check_required().ok()?;
    Some(message)
}

/// The current message with its pending edits, without our Via. None: the edits made it unreadable.
pub fn changed_message(run: &Run) -> Option<Message> {
    changed_message_with(run, &[])
}

/// As [`changed_message`], with edits that came before those of the run.
pub fn changed_message_with(run: &Run, earlier: &[&Edits]) -> Option<Message> {
    let edits: Vec<&Edits> = earlier.iter().copied().chain([&run.edits]).collect();
    let mut bytes = Vec::with_capacity(run.message.bytes().len().saturating_add(256));
    let is_stream = run.source.protocol.is_reliable();
    if run.message.is_request() {
        let head = RequestHead { uri: run.request_uri(), ..RequestHead::default() };
        write_request(&mut bytes, &run.message, &edits, &head, is_stream);
    } else {
        let status = status_line(run).unwrap_or_default();
        let head = ReplyHead { status_line: &status, keep_top_via: true };
        write_reply_relay_with(&mut bytes, &run.message, &edits, &head, is_stream);
    }
    parse(&bytes)
}

/// Puts another message, in which the edits stand, in place of the current one; the former message.
pub fn replace_message(run: &mut Run, message: Message) -> Message {
    let former = std::mem::replace(&mut run.message, message);
    run.tm.key = None;
    run.edits.clear();
    run.textopsx.forget_positions();
    former
}

/// As [`replace_message`] for good: the request URI is the received one now, and what was added for replies made here is gone.
fn replace(run: &mut Run, message: Message) {
    replace_message(run, message);
    run.target.uri = None;
    run.textopsx.status = None;
    run.reply_headers.clear();
    run.reply_body = None;
}

/// `msg_apply_changes()` for modules: 1 done, -1 refused, 0 the new text cannot be read and the script must end.
pub fn apply_changes(worker: &mut Worker) -> i32 {
    if worker.run.route_set.meets(Routes::FAILURE.or(Routes::BRANCH).or(Routes::BRANCH_FAILURE)) {
        worker.log(-1, "textopsx", "msg_apply_changes is for request and reply routes");
        return -1;
    }
    if worker.run.message.is_request() && !worker.run.rr.plan.is_empty() {
        worker.log(-1, "textopsx", "msg_apply_changes must come before record_route");
        return -1;
    }
    match changed_message(&worker.run) {
        Some(message) => {
            replace(&mut worker.run, message);
            1
        }
        None => {
            worker.log(-1, "textopsx", "the changed message cannot be read");
            0
        }
    }
}

/// Makes a status given by `change_reply_status()` the reply's own, with all pending edits, so that choosing, storing and
/// relaying the reply see it. Called after a reply route; does nothing when the status was left alone.
pub fn commit_status(worker: &mut Worker) {
    if worker.run.textopsx.status.is_none() {
        return;
    }
    match changed_message(&worker.run) {
        Some(message) => replace(&mut worker.run, message),
        None => {
            worker.run.textopsx.status = None;
            worker.log(-1, "textopsx", "the reply with its new status cannot be read, the status stays");
        }
    }
}

/// `msg_apply_changes()`.
pub(super) fn msg_apply_changes(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::Code(apply_changes(worker))
}

/// `msg_set_buffer(data)`: the whole message becomes this text.
pub(super) fn msg_set_buffer(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let data: Text = arguments.first().map(Argument::text).unwrap_or_default();
    match parse(&data) {
        Some(message) if message.is_request() == worker.run.message.is_request() => {
            replace(&mut worker.run, message);
            Flow::Code(1)
        }
        _ => {
            worker.log(-1, "textopsx", "msg_set_buffer: the text is no message of the same kind");
            Flow::Code(-1)
        }
    }
}

/// `msg_changed_route(name)`: runs a route on the message as it would be with the edits, which stay pending.
pub(super) fn msg_changed_route(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let node = Arc::clone(&worker.node);
    let Some(route) = node.program.route(RouteKind::Request, &name) else {
        worker.log(-1, "textopsx", &format!("msg_changed_route: no route[{name}]"));
        return Flow::Code(-1);
    };
    let Some(changed) = changed_message(&worker.run) else { return Flow::Code(-1) };
    let original = std::mem::replace(&mut worker.run.message, changed);
    let edits = std::mem::take(&mut worker.run.edits);
    worker.run.tm.key = None;
    worker.run.textopsx.forget_positions();
    worker.run_route_id(route);
    worker.run.message = original;
    worker.run.edits = edits;
    worker.run.textopsx.forget_positions();
    Flow::Code(1)
}
