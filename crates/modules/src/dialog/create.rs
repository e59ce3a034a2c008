//! New dialogs: `dlg_manage()`, the flag of 5.6, and what becomes of a dialog whose request went nowhere (spec dialog 1.5).

use std::sync::Arc;

use ::dialog::settings::MatchMode;
use ::dialog::{Begin, Cause, NewDialog, PendingProfile, State};
use script::exports::{Argument, Evaluate, Flow};
use script::value::Text;
use sip::message::Message;
use sip::method::Method;

use super::context::{self, Context};
use super::{profiles, within};
use crate::rr;
use crate::worker::Worker;

/// `dlg_manage()`.
pub(super) fn manage(worker: &mut Worker, _: &[Argument]) -> Flow {
    let message = &worker.run.message;
    if message.to().is_none() {
        worker.log(-1, "dialog", "dlg_manage: the To header cannot be read");
        return Flow::Code(-1);
    }
    if !message.to_tag().is_empty() {
        if context::context_dialog(worker).is_none() {
            within::match_request(worker, MatchMode::IdentifiersOnly, |_| None);
        }
        return Flow::Code(1);
    }
    if message.method() != Method::Invite || !message.is_request() || context::context_dialog(worker).is_some() {
        return Flow::Code(-1);
    }
    Flow::from(begin(worker))
}

/// Makes the dialog of the run's INVITE, or finds that it is a spiral.
pub(super) fn begin(worker: &mut Worker) -> bool {
    let node = Arc::clone(&worker.node);
    let request_uri = match &node.states.dialog.request_uri {
        Some(format) => worker.format(format),
        None => Text::from(worker.run.request_uri()),
    };
    let asked = if node.states.dialog.honours_context_timeout { u32::try_from(worker.run.dialog.context.timeout).ok() } else { None };
    let lifetime = asked.filter(|seconds| *seconds > 0).or_else(|| within::timeout(worker));
    let run = &worker.run;
    let message = &run.message;
    let pending = &run.dialog;
    let (route_set, route_entries) = routes(message);
    let variables: Vec<(&[u8], &[u8])> = pending.pending_variables.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    let profiles: Vec<PendingProfile<'_>> =
        pending.pending_profiles.iter().map(|(profile, value)| PendingProfile::of(*profile, value.as_deref())).collect();
    let new = NewDialog {
        call_id: message.call_id(),
        from_uri: message.from().map_or(b"", |from| from.uri),
        to_uri: message.to().map_or(b"", |to| to.uri),
        request_uri: &request_uri,
        from_tag: message.from_tag(),
        contact: single_contact(message).unwrap_or_default(),
        route_set: &route_set,
        route_entries,
        cseq: message.cseq().map_or(0, |cseq| cseq.number),
        socket: node.sockets.at(run.source.socket).map_or(&b""[..], |socket| &socket.text),
        lifetime,
        timeout_route: pending.context.timeout_route.as_ref().map(|(number, name)| (*number, &name[..])),
        timeout_bye: pending.context.timeout_bye != 0,
        script_flags: pending.context.flags,
        internal_flags: pending.context.properties,
        variables: &variables,
        profiles: &profiles,
        transaction: run.tm.transaction.is_some(),
        is_told_later: node.states.dialog.is_told_later && run.tm.transaction.is_none(),
        cause: Cause::request(message),
    };
    match node.dialogs.begin(worker.now, &new) {
        Begin::Refused(refusal) => {
            let call_id = String::from_utf8_lossy(worker.run.message.call_id()).into_owned();
            worker.log(-1, "dialog", &format!("no dialog for the INVITE with Call-ID '{call_id}': {refusal}"));
            false
        }
        Begin::Spiral(dialog) => {
            worker.run.dialog.is_spiral = true;
            worker.run.dialog.context.dialog = Some(dialog);
            forget_pending(worker);
            // Nothing was sent for the dialog yet: no spiral, but a copy that came while the script of the first one runs.
            let is_copy = node.dialogs.state(dialog) == Some(State::Unconfirmed) && node.states.dialog.invite_of(dialog).is_none();
            if is_copy && add_cookie(worker, dialog) {
                worker.run.dialog.copied = Some(dialog);
                within::attach(worker);
            }
            true
        }
        Begin::Created(dialog) => {
            worker.run.dialog.context.dialog = Some(dialog);
            worker.run.dialog.created = Some(dialog);
            forget_pending(worker);
            if !add_cookie(worker, dialog) {
                node.dialogs.abandon(worker.now, dialog);
                worker.run.dialog.context.dialog = None;
                worker.run.dialog.created = None;
                worker.log(-1, "dialog", "no room for the Record-Route parameter, no dialog made");
                return false;
            }
            profiles::adopt(worker, dialog);
            within::attach(worker);
            true
        }
    }
}

fn forget_pending(worker: &mut Worker) {
    worker.run.dialog.pending_profiles.clear();
    worker.run.dialog.pending_variables.clear();
}

/// Puts the cookie into the Record-Route to come, unless dialogs are matched by identifiers only.
pub(super) fn add_cookie(worker: &mut Worker, dialog: ::dialog::DialogId) -> bool {
    let node = Arc::clone(&worker.node);
    let settings = node.dialogs.settings();
    if settings.match_mode == MatchMode::IdentifiersOnly {
        return true;
    }
    let mut parameter = std::mem::take(&mut worker.scratch.text);
    parameter.clear();
    ::dialog::cookie::write_parameter(&mut parameter, &settings.rr_param, dialog);
    if let Some(transaction) = &mut worker.run.tm.transaction {
        rr::add_parameter(&mut transaction.data.record_route, &parameter);
    }
    let is_added = rr::add_parameter(&mut worker.run.rr.plan, &parameter);
    worker.scratch.text = parameter;
    is_added
}

/// The URI of the Contact, when there is exactly one that is not `*`.
pub(super) fn single_contact(message: &Message) -> Option<&[u8]> {
    let mut contacts = message.contacts();
    let first = contacts.next()?;
    (contacts.next().is_none() && !first.uri.is_empty() && first.uri != b"*").then_some(first.uri)
}

/// Record-Route entries in message order, joined by commas, and their number.
fn routes(message: &Message) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let mut count = 0;
    for entry in message.record_routes().take(::dialog::limits::RECORD_ROUTES_MAX) {
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(entry.whole);
        count += 1;
    }
    (out, count)
}

/// After the request route: a dialog without a transaction disappears, the context is empty again (spec dialog 1.5, 1.11).
pub fn request_ended(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    let state = &mut worker.run.dialog;
    state.pending_profiles.clear();
    state.reservations.clear();
    state.pending_variables.clear();
    state.context = Context::default();
    let created = state.created.take().filter(|dialog| !state.is_attached && node.states.dialog.invite_of(*dialog).is_none());
    let hold = state.hold.take();
    if let Some(dialog) = created {
        node.dialogs.abandon(worker.now, dialog);
    }
    if let Some(dialog) = hold {
        node.dialogs.release(worker.now, dialog);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &str) -> Message {
        let text = format!(
            "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@c>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{headers}\r\n"
        );
        Message::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_a_single_real_contact_counts() {
        assert_eq!(single_contact(&message("Contact: <sip:a@h>\r\n")), Some(&b"sip:a@h"[..]));
        assert_eq!(single_contact(&message("Contact: <sip:a@h>, <sip:b@h>\r\n")), None);
        assert_eq!(single_contact(&message("Contact: *\r\n")), None);
        assert_eq!(single_contact(&message("")), None);
    }

    #[test]
    fn route_entries_are_joined_in_order() {
        let (set, count) = routes(&message("Record-Route: <sip:p1;lr>, <sip:p2;lr>;x=y\r\nRecord-Route: <sip:p3;lr>\r\n"));
        assert_eq!((&set[..], count), (&b"<sip:p1;lr>,<sip:p2;lr>;x=y,<sip:p3;lr>"[..], 3));
    }
}
