//! Putting replaced From and To headers right: in the requests of a call either way, and in replies (spec proxy-core 11.13).

use std::sync::Arc;

use ::dialog::{DialogId, Direction};
use script::exports::{Argument, Flow};

use super::RestoreMode;
use super::replacement::{Party, address, address_span};
use super::stored_uri::{is_text_of_uri, other_of};
use crate::rr;
use crate::worker::Worker;

/// `loose_route()` has consumed an own Route: the request goes on with the headers its receiver knows.
pub fn on_routed(worker: &mut Worker) {
    let state = &worker.node.states.uac;
    if state.restore_mode != RestoreMode::Automatic || worker.run.message.to_tag().is_empty() {
        return;
    }
    let within = if state.restores_by_dialog { crate::dialog::request_within(worker) } else { None };
    for party in Party::BOTH {
        let is_done = within.is_some_and(|(dialog, direction)| by_dialog(worker, party, dialog, direction));
        if is_done || by_route(worker, party) {
            worker.run.uac.replaced |= header_of(worker, party).bit();
        }
    }
    keep_for_replies(worker);
}

/// The header of the run's request that shows what was From (or To) in the first request.
fn header_of(worker: &Worker, party: Party) -> Party {
    match rr::direction(&worker.run) {
        rr::Direction::Downstream => party,
        rr::Direction::Upstream => party.other(),
    }
}

/// Restores from the parameter of the consumed Route. False: there is none, or it does not fit.
fn by_route(worker: &mut Worker, party: Party) -> bool {
    let node = Arc::clone(&worker.node);
    let state = &node.states.uac;
    let Some(value) = sip::params::find(rr::own_route_parameters(&worker.run), state.parameter(party)) else { return false };
    let header = header_of(worker, party);
    let Some(own) = header.of(&worker.run.message) else { return false };
    let Some(other) = other_of(own.uri, value, &state.restore_password) else {
        worker.log(0, "uac", "a replaced URI is not put back: the Route parameter does not belong to this header");
        return false;
    };
    let Some(uri) = worker.run.message.span_of(own.uri) else { return false };
    worker.run.edits.replace_anew(uri, &other);
    true
}

/// Restores display name and URI from the dialog. False: the header was not replaced.
fn by_dialog(worker: &mut Worker, party: Party, dialog: DialogId, direction: Direction) -> bool {
    let node = Arc::clone(&worker.node);
    let [old_uri, new_uri, old_display, new_display] = party.variables();
    let (header, uri, display) = match direction {
        Direction::Upstream => (party.other(), old_uri, old_display),
        _ => (party, new_uri, new_display),
    };
    let Some(uri) = node.dialogs.variable(dialog, uri).filter(|uri| is_text_of_uri(uri)) else { return false };
    let display = node.dialogs.variable(dialog, display).unwrap_or_default();
    let message = &worker.run.message;
    let Some((span, is_bare)) = header.of(message).and_then(|own| Some((address_span(message, &own)?, !own.whole.contains(&b'<')))) else {
        return false;
    };
    worker.run.edits.replace_anew(span, &address(&display, &uri, is_bare));
    true
}

/// `uac_restore_from()`: with `restore_mode` manual, after `loose_route()`.
pub(super) fn restore_from(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(by_route(worker, Party::From))
}

/// `uac_restore_to()`
pub(super) fn restore_to(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(by_route(worker, Party::To))
}

/// The transaction in the run learns which headers were replaced, to put its replies right.
pub fn keep_for_replies(worker: &mut Worker) {
    let run = &mut *worker.run;
    let Some(transaction) = run.tm.transaction.as_mut().filter(|_| run.uac.replaced != 0) else { return };
    // A CANCEL is about what was sent, whatever `reparse_invite` says.
    transaction.data.uses_sent_headers = true;
    if worker.node.states.uac.restore_mode != RestoreMode::Never {
        transaction.data.replaced |= run.uac.replaced;
    }
}

/// A reply of the run's transaction: From and To go back as they came in the request.
pub fn restore_in_reply(worker: &mut Worker) {
    let run = &mut *worker.run;
    let Some(transaction) = &run.tm.transaction else { return };
    if transaction.data.replaced == 0 {
        return;
    }
    for party in Party::BOTH.into_iter().filter(|party| transaction.data.replaced & party.bit() != 0) {
        let request = &transaction.request;
        let kept = party.of(request).and_then(|own| address_span(request, &own)).map(|span| request.text(span));
        let span = party.of(&run.message).and_then(|own| address_span(&run.message, &own));
        if let (Some(kept), Some(span)) = (kept, span) {
            run.edits.replace_anew(span, kept);
        }
    }
}
