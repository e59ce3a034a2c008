//! Requests that scripts send within a dialog: `dlg_req_within()` and `dlg_refer()` with its relatives (spec dialog 9.4, 9.6).

use std::sync::Arc;

use ::dialog::{DialogId, Leg, SequenceStep};
use script::exports::{Argument, Flow};
use script::value::Text;

use super::{context, ending, replies};
use crate::tm::Purpose;
use crate::worker::Worker;

fn text(arguments: &[Argument], place: usize) -> Text {
    arguments.get(place).map(Argument::text).unwrap_or_default()
}

/// The party a side names; None for another word.
fn leg(side: &[u8]) -> Option<Leg> {
    if side.eq_ignore_ascii_case(b"caller") {
        Some(Leg::Caller)
    } else if side.eq_ignore_ascii_case(b"callee") {
        Some(Leg::Callee)
    } else {
        None
    }
}

/// `dlg_req_within(side, method[, headers][, content type, body])`. A callee that has not answered is reached while its
/// provisional reply is processed.
pub(super) fn request_within(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (side, method) = (text(arguments, 0), text(arguments, 1));
    let legs: &[Leg] = match leg(&side) {
        Some(Leg::Caller) => &[Leg::Caller],
        Some(Leg::Callee) => &[Leg::Callee],
        None if side.eq_ignore_ascii_case(b"all") => &Leg::BOTH,
        None => &[],
    };
    // With four arguments the last two are the content, without headers.
    let with_headers = matches!(arguments.len(), 3 | 5);
    let content = if arguments.len() > 3 { arguments.get(arguments.len() - 2..) } else { None };
    let headers = if with_headers { text(arguments, 2) } else { Text::empty() };
    let lacks_content = content.is_some_and(|content| content.iter().any(|part| part.text().is_empty()));
    if legs.is_empty() || method.is_empty() || (with_headers && headers.is_empty()) || lacks_content {
        worker.log(-1, "dialog", "dlg_req_within: side, method, headers and content must not be empty");
        return Flow::Code(-1);
    }
    let Some(dialog) = context::context_dialog(worker) else { return Flow::Code(-1) };
    let mut lines = headers.to_vec();
    if !lines.is_empty() && !lines.ends_with(b"\r\n") {
        lines.extend_from_slice(b"\r\n");
    }
    let mut body = Vec::new();
    if let Some([kind, content]) = content {
        lines.extend_from_slice(&[b"Content-Type: ", &kind.text()[..], b"\r\n"].concat());
        body = content.text().to_vec();
    }
    let node = Arc::clone(&worker.node);
    for leg in legs {
        let is_setting_up = node.dialogs.state(dialog).is_some_and(::dialog::State::is_setting_up);
        let request = if *leg == Leg::Callee && is_setting_up {
            replies::early_request(worker, dialog)
        } else {
            node.dialogs.local_request(dialog, *leg, SequenceStep::Above(1))
        };
        let is_sent = match request {
            Ok(request) => ending::send(worker, &method, &request, lines.clone(), body.clone(), Purpose::None),
            Err(_) => false,
        };
        if !is_sent {
            worker.log(-1, "dialog", &format!("dlg_req_within: {method} of dialog [{dialog}] to the {leg:?} not sent"));
            return Flow::Code(-1);
        }
    }
    Flow::Code(1)
}

/// `dlg_refer(side, uri)`: refers the party opposite to the side.
pub(super) fn refer(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(side) = leg(&text(arguments, 0)) else {
        worker.log(-1, "dialog", "dlg_refer: the side is caller or callee");
        return Flow::Code(-1);
    };
    let dialog = context::context_dialog(worker);
    refer_party(worker, dialog, side.other(), &text(arguments, 1))
}

/// `dlg_refer_did(h_entry, h_id, side, uri)`.
pub(super) fn refer_numbered(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let number = |place: usize| arguments.get(place).and_then(Argument::number).and_then(|number| u32::try_from(number).ok());
    let dialog = match (number(0), number(1)) {
        (Some(entry), Some(id)) => worker.node.dialogs.find(entry, id),
        _ => None,
    };
    let side = leg(&text(arguments, 2)).unwrap_or(Leg::Callee);
    refer_party(worker, dialog, side.other(), &text(arguments, 3))
}

/// `dlg_refer_cid(callid, side, uri)`: the first dialog with this Call-ID.
pub(super) fn refer_of_call_id(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let dialog = worker.node.dialogs.of_call_id(&text(arguments, 0)).first().copied();
    let side = leg(&text(arguments, 1)).unwrap_or(Leg::Callee);
    refer_party(worker, dialog, side.other(), &text(arguments, 2))
}

fn refer_party(worker: &mut Worker, dialog: Option<DialogId>, leg: Leg, uri: &[u8]) -> Flow {
    let Some(dialog) = dialog.filter(|_| !uri.is_empty()) else { return Flow::Code(-1) };
    let node = Arc::clone(&worker.node);
    let request = match node.dialogs.local_request(dialog, leg, SequenceStep::Above(1)) {
        Ok(request) => request,
        Err(error) => {
            worker.log(-1, "dialog", &format!("REFER of dialog [{dialog}] not possible: {error:?}"));
            return Flow::Code(-1);
        }
    };
    let state = &node.states.dialog;
    let headers = refer_headers(&state.bridge_controller, uri, &state.bridge_contact);
    Flow::from(ending::send(worker, b"REFER", &request, headers, Vec::new(), Purpose::DialogRefer { dialog, leg }))
}

pub(super) fn refer_headers(controller: &[u8], uri: &[u8], contact: &[u8]) -> Vec<u8> {
    let bare = uri.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")).unwrap_or(uri);
    [b"Referred-By: ", controller, b"\r\nRefer-To: ", bare, b"\r\nContact: <", contact, b">\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_read_in_any_case() {
        assert_eq!(leg(b"Caller"), Some(Leg::Caller));
        assert_eq!(leg(b"CALLEE"), Some(Leg::Callee));
        assert_eq!(leg(b"all"), None);
    }

    #[test]
    fn a_refer_names_the_target_without_brackets() {
        let headers = refer_headers(b"sip:c@h", b"<sip:t@h>", b"sip:c@h:5060");
        assert_eq!(headers, b"Referred-By: sip:c@h\r\nRefer-To: sip:t@h\r\nContact: <sip:c@h:5060>\r\n");
    }
}
