//! Script functions on one dialog: ending, finding, timeout, contact, state, variables of another dialog (spec dialog 4).

use std::sync::Arc;

use ::dialog::view::AttributeValue;
use ::dialog::{Attribute, DialogId, Direction, EndReason, InDialogRequest, InviteReply, Leg, ReplyKind, RequestMethod, State};
use script::exports::{Argument, Evaluate, Flow};
use script::value::{Text, Value};
use sip::method::Method;

use super::reason::Reason;
use super::{context, create, ending, replies};
use crate::worker::Worker;

fn text(arguments: &[Argument], place: usize) -> Text {
    arguments.get(place).map(Argument::text).unwrap_or_default()
}

/// `dlg_bye("caller"|"callee"|"all")`.
pub(super) fn bye(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let side = text(arguments, 0);
    let leg = if side.eq_ignore_ascii_case(b"caller") {
        Some(Leg::Caller)
    } else if side.eq_ignore_ascii_case(b"callee") {
        Some(Leg::Callee)
    } else if side.eq_ignore_ascii_case(b"all") {
        None
    } else {
        worker.log(-1, "dialog", &format!("dlg_bye: invalid param \"{side}\""));
        return Flow::Code(-1);
    };
    let Some(dialog) = context::context_dialog(worker) else { return Flow::Code(-1) };
    match ending::end(worker, dialog, leg, EndReason::Script, b"") {
        Ok(is_sent) => Flow::from(is_sent),
        Err(error) => {
            worker.log(0, "dialog", &format!("dlg_bye: dialog [{dialog}] is not ended: {error:?}"));
            Flow::Code(-1)
        }
    }
}

/// `dlg_get(callid, from_tag, to_tag)`.
pub(super) fn get(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (call_id, from_tag, to_tag) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    if call_id.is_empty() || from_tag.is_empty() || to_tag.is_empty() {
        worker.log(-1, "dialog", "dlg_get: Call-ID and both tags are needed");
        return Flow::Code(-1);
    }
    match worker.node.dialogs.find_by_identifiers(&call_id, &from_tag, &to_tag, Direction::None) {
        Some((dialog, direction)) => {
            worker.run.dialog.context.dialog = Some(dialog);
            worker.run.dialog.context.direction = direction;
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `is_known_dlg()`.
pub(super) fn is_known(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(context::message_dialog(worker).is_some())
}

/// `dlg_set_timeout(seconds[, h_entry, h_id])`.
pub(super) fn set_timeout(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let number = |place: usize| arguments.get(place).and_then(Argument::number);
    let dialog = if arguments.len() > 1 {
        let part = |place: usize| number(place).and_then(|number| u32::try_from(number).ok());
        part(1).zip(part(2)).and_then(|(entry, id)| worker.node.dialogs.find(entry, id))
    } else {
        context::message_dialog(worker)
    };
    let Some(dialog) = dialog else { return Flow::Code(-1) };
    match worker.node.dialogs.set_timeout(worker.now, dialog, number(0).unwrap_or(0)) {
        Ok(_) => Flow::Code(1),
        Err(error) => {
            worker.log(-1, "dialog", &format!("dlg_set_timeout: {error:?}"));
            Flow::Code(-1)
        }
    }
}

/// The way the run's message travels in the dialog.
fn direction(worker: &Worker) -> Direction {
    context::by_identifiers(worker).map_or(Direction::None, |(_, direction)| direction)
}

/// Who sent the run's message: requests and replies of a transaction travel opposite ways.
fn sender(worker: &Worker) -> Option<Leg> {
    let leg = direction(worker).sender()?;
    Some(if worker.run.message.is_request() { leg } else { leg.other() })
}

/// `dlg_set_ruri()`: the request URI becomes the contact of the other party.
pub(super) fn set_request_uri(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(dialog) = context::message_dialog(worker) else { return Flow::Code(-1) };
    let Some(leg) = direction(worker).sender() else { return Flow::Code(-1) };
    match worker.node.dialogs.attribute(dialog, Attribute::Contact(leg.other())) {
        Some(Some(AttributeValue::Text(contact))) => {
            worker.run.set_request_uri(&contact);
            Flow::Code(1)
        }
        _ => Flow::Code(-1),
    }
}

/// `dlg_update_contact()`: takes the Contact of the message for its sender.
pub(super) fn update_contact(worker: &mut Worker, _: &[Argument]) -> Flow {
    let (Some(dialog), Some(leg)) = (context::message_dialog(worker), sender(worker)) else { return Flow::Code(-1) };
    let Some(contact) = create::single_contact(&worker.run.message) else {
        worker.log(-1, "dialog", "dlg_update_contact: exactly one Contact is needed");
        return Flow::Code(-1);
    };
    Flow::from(worker.node.dialogs.set_contact(worker.now, dialog, leg, contact))
}

/// `dlg_update_socket()`: takes the socket the message came in on for its sender.
pub(super) fn update_socket(worker: &mut Worker, _: &[Argument]) -> Flow {
    let (Some(dialog), Some(leg)) = (context::message_dialog(worker), sender(worker)) else { return Flow::Code(-1) };
    let node = Arc::clone(&worker.node);
    let Some(socket) = node.sockets.at(worker.run.source.socket) else { return Flow::Code(-1) };
    Flow::from(node.dialogs.set_socket(worker.now, dialog, leg, &socket.text))
}

/// `dlg_set_state(state)`: by its first letter.
pub(super) fn set_state(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let Some(state) = state_named(&name) else {
        worker.log(-1, "dialog", &format!("dlg_set_state: unknown state {name}"));
        return Flow::Code(-1);
    };
    let Some((dialog, _)) = context::by_identifiers(worker) else { return Flow::Code(-1) };
    Flow::from(worker.node.dialogs.force_state(worker.now, dialog, state, EndReason::Script).is_some())
}

fn state_named(name: &[u8]) -> Option<State> {
    match name.first()?.to_ascii_lowercase() {
        b'u' => Some(State::Unconfirmed),
        b'e' => Some(State::Early),
        b'a' => Some(State::ConfirmedNoAck),
        b'c' => Some(State::Confirmed),
        b'd' => Some(State::Deleted),
        _ => None,
    }
}

/// `dlg_update_state()`: takes the message through the state machine, without event routes.
pub(super) fn update_state(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some((dialog, direction)) = context::by_identifiers(worker) else { return Flow::Code(-1) };
    let node = Arc::clone(&worker.node);
    let now = worker.now;
    let message = &worker.run.message;
    let held = if message.is_request() {
        let method = match message.method() {
            Method::Ack => RequestMethod::Ack,
            Method::Bye => RequestMethod::Bye,
            Method::Prack => RequestMethod::Prack,
            _ => RequestMethod::Other,
        };
        let reason = Reason::of(message);
        let request = InDialogRequest {
            method,
            direction,
            cseq: None,
            contact: None,
            timeout: None,
            stated: reason.stated(),
            cause: ::dialog::Cause::HERE,
        };
        let Some(change) = node.dialogs.request_begin(now, dialog, &request) else { return Flow::Code(-1) };
        let is_held = change.held;
        node.dialogs.request_finish(now, change, &request);
        is_held
    } else {
        // Only replies to the INVITE say anything about the dialog's state.
        let kind = match (message.method(), message.status()) {
            (Method::Invite, 101..=199) => ReplyKind::Provisional,
            (Method::Invite, 200..=299) => ReplyKind::Success,
            (Method::Invite, 300..=699) => ReplyKind::Failure,
            _ => return Flow::Code(1),
        };
        let reason = Reason::of(message);
        let reply = InviteReply { kind, code: message.status(), is_local: false, text: reason.text() };
        let Some(change) = node.dialogs.reply_begin(now, dialog, reply) else { return Flow::Code(-1) };
        let is_held = change.held;
        replies::finish_within_script(worker, change, kind);
        is_held
    };
    if held {
        node.dialogs.release(now, dialog);
    }
    Flow::Code(1)
}

/// The dialog named by the first three arguments; an empty To-tag finds early ones.
fn named(worker: &Worker, arguments: &[Argument]) -> Result<Option<DialogId>, ()> {
    let (call_id, from_tag, to_tag) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    if call_id.is_empty() || from_tag.is_empty() || text(arguments, 3).is_empty() {
        return Err(());
    }
    let found = worker.node.dialogs.find_by_identifiers(&call_id, &from_tag, &to_tag, Direction::None);
    Ok(found.map(|(dialog, _)| dialog))
}

/// `dlg_get_var(callid, from_tag, to_tag, name, $var)`: null when there is no such dialog or variable.
pub(super) fn get_variable(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(dialog) = named(worker, arguments) else { return Flow::Code(-1) };
    let Some(Argument::Variable(destination)) = arguments.get(4) else { return Flow::Code(-1) };
    let value = dialog.and_then(|dialog| worker.node.dialogs.variable(dialog, &text(arguments, 3)));
    let destination = Arc::clone(destination);
    Flow::from(worker.write(&destination, value.map_or(Value::Null, Value::text)).is_ok())
}

/// `dlg_set_var(callid, from_tag, to_tag, name, value)`.
pub(super) fn set_variable(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(Some(dialog)) = named(worker, arguments) else { return Flow::Code(-1) };
    let (key, value) = (text(arguments, 3), text(arguments, 4));
    Flow::from(worker.node.dialogs.set_variable(worker.now, dialog, &key, Some(&value)).is_ok())
}

/// A function that this proxy does not have.
pub(super) fn unavailable(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.log(-1, "dialog", "this function is not available here (see COMPAT.md), nothing was done");
    Flow::Code(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_names_the_state_in_any_case() {
        assert_eq!(state_named(b"Confirmed"), Some(State::Confirmed));
        assert_eq!(state_named(b"a"), Some(State::ConfirmedNoAck));
        assert_eq!(state_named(b"x"), None);
        assert_eq!(state_named(b""), None);
    }
}
