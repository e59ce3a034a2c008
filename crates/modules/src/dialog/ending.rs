//! Ending calls from here, and the requests this proxy sends within dialogs (spec dialog 9).

use std::sync::Arc;

use ::dialog::{ByeTask, DialogId, EarlyTermination, EndReason, EventRoute, Leg, LocalRequest, TerminateError, Termination};
use script::syntax::ast::RouteKind;
use transaction::Event;

use super::{bridge, bye_retry, cseq, event_route};
use crate::tm::{self, Purpose};
use crate::worker::Worker;

/// The header that every BYE made here brings itself.
const MAX_FORWARDS: &[u8] = b"Max-Forwards: 70\r\n";

/// Ends the call on both sides, or on one. `reason`: who wants it. `headers`: whole lines for every BYE. Says whether all requests went out.
pub(super) fn end(
    worker: &mut Worker,
    dialog: DialogId,
    leg: Option<Leg>,
    reason: EndReason,
    headers: &[u8],
) -> Result<bool, TerminateError> {
    let node = Arc::clone(&worker.node);
    let termination = match leg {
        None => node.dialogs.terminate(worker.now, dialog, reason)?,
        Some(leg) => node.dialogs.terminate_leg(worker.now, dialog, leg, reason)?,
    };
    Ok(carry_out(worker, dialog, termination, headers))
}

/// Sends what a termination asks for, then runs its route.
pub(super) fn carry_out(worker: &mut Worker, dialog: DialogId, termination: Termination, headers: &[u8]) -> bool {
    match termination {
        Termination::Byes { caller, callee, route } => {
            let node = Arc::clone(&worker.node);
            // A BYE that fails at once ends the dialog while it is sent; the route still sees it.
            let is_held = node.dialogs.hold(dialog);
            let mut is_sent = true;
            for (leg, request) in [(Leg::Caller, caller), (Leg::Callee, callee)] {
                if let Some(request) = request {
                    is_sent &= bye(worker, leg, *request, headers);
                }
            }
            run_route(worker, dialog, route);
            if is_held {
                node.dialogs.release(worker.now, dialog);
            }
            is_sent
        }
        Termination::Early(early) => end_early(worker, dialog, &early),
    }
}

pub(super) fn run_route(worker: &mut Worker, dialog: DialogId, route: Option<EventRoute>) {
    event_route::run_aside(worker, route, dialog, None);
}

/// Answers the INVITE and cancels its branches; the reply then moves the dialog.
fn end_early(worker: &mut Worker, dialog: DialogId, early: &EarlyTermination) -> bool {
    // In the route that made the dialog its INVITE may have no transaction yet.
    if worker.run.dialog.created == Some(dialog) && !worker.run.dialog.is_attached && tm::create(worker) == tm::Created::New {
        return tm::reply(worker, early.code, early.reason.as_bytes());
    }
    let Some(id) = worker.node.states.dialog.invite_of(dialog) else {
        worker.log(-1, "dialog", "the call is not answered and its INVITE has no transaction: it cannot be ended");
        return false;
    };
    let is_own = worker.run.tm.transaction.as_ref().is_some_and(|transaction| transaction.id() == id);
    if is_own && matches!(worker.run.route, RouteKind::Request | RouteKind::Failure) {
        // What the script does next has to meet an answered request.
        let is_answered = tm::reply(worker, early.code, early.reason.as_bytes());
        tm::deliver(worker, id, Event::CancelBranches { branch: None, cause: Some(early.code) });
        return is_answered;
    }
    let answer = Event::Answer {
        code: early.code,
        reason: early.reason.as_str().into(),
        to_tag: Box::default(),
        headers: Box::default(),
        body: Box::default(),
    };
    let is_answered = tm::deliver(worker, id, answer);
    tm::deliver(worker, id, Event::CancelBranches { branch: None, cause: Some(early.code) });
    is_answered
}

fn bye(worker: &mut Worker, leg: Leg, request: LocalRequest, headers: &[u8]) -> bool {
    let node = Arc::clone(&worker.node);
    let state = &node.states.dialog;
    let mut lines = [MAX_FORWARDS, &state.extra_headers, headers].concat();
    if leg == Leg::Callee {
        lines.extend_from_slice(&state.callee_headers);
    }
    bye_retry::send(worker, Box::new(ByeTask::new(request, lines)))
}

/// The probe of a dialog's party (spec dialog 9.5).
pub(super) fn keepalive(worker: &mut Worker, request: &LocalRequest) {
    let lines = if request.leg == Leg::Callee { worker.node.states.dialog.callee_headers.clone() } else { Vec::new() };
    let purpose = Purpose::DialogKeepalive { dialog: request.dialog, leg: request.leg };
    if !send(worker, b"OPTIONS", request, lines, Vec::new(), purpose) {
        worker.log(-1, "dialog", &format!("the keepalive of dialog [{}] could not be sent", request.dialog));
    }
}

/// A probe has a final reply.
pub(super) fn keepalive_answered(worker: &mut Worker, dialog: DialogId, leg: Leg, code: u16) {
    let node = Arc::clone(&worker.node);
    if node.dialogs.keepalive_answered(worker.now, dialog, leg, code) {
        worker.log(1, "dialog", &format!("the {leg:?} of dialog [{dialog}] gives no sign of life ({code}): its last seconds begin"));
    }
}

/// A probe that was judged already has a final reply again: only a sign of life counts once more.
pub fn keepalive_answered_late(worker: &mut Worker, dialog: DialogId, leg: Leg, code: u16) {
    if !::dialog::keepalive::is_failure(code) {
        keepalive_answered(worker, dialog, leg, code);
    }
}

/// Sends a request within a dialog. `headers`: whole lines.
pub(super) fn send(worker: &mut Worker, method: &[u8], request: &LocalRequest, headers: Vec<u8>, body: Vec<u8>, purpose: Purpose) -> bool {
    let local = local_request(worker, method, request, headers, body, purpose);
    let is_sent = tm::send_local(worker, &local).is_ok();
    if is_sent {
        cseq::used_here(worker, request.dialog, request.leg, request.cseq);
    }
    is_sent
}

/// The request as `tm` sends it.
pub(super) fn local_request(
    worker: &Worker,
    method: &[u8],
    request: &LocalRequest,
    headers: Vec<u8>,
    body: Vec<u8>,
    purpose: Purpose,
) -> tm::LocalRequest {
    // A socket that is gone leaves the choice to the destination.
    let socket = if request.socket.is_empty() { None } else { worker.node.sockets.find_text(&request.socket) };
    let next_hop = request.destination.as_ref().map(|alias| {
        let address = String::from_utf8_lossy(&alias.address);
        let transport = match alias.protocol {
            2 => "tcp",
            3 => "tls",
            4 => "sctp",
            5 => "ws",
            6 => "wss",
            _ => "udp",
        };
        format!("sip:{address}:{};transport={transport}", alias.port).into_bytes()
    });
    tm::LocalRequest {
        method: method.to_vec(),
        request_uri: request.request_uri.clone(),
        to: party(&request.to_uri, &request.to_tag),
        from: party(&request.from_uri, &request.from_tag),
        call_id: request.call_id.clone(),
        cseq: request.cseq,
        route_set: request.route_set.clone(),
        headers,
        body,
        socket,
        next_hop,
        purpose,
        ..tm::LocalRequest::default()
    }
}

/// `<uri>;tag=...`
fn party(uri: &[u8], tag: &[u8]) -> Vec<u8> {
    let tag_name: &[u8] = if tag.is_empty() { b"" } else { b";tag=" };
    [b"<", uri, b">", tag_name, tag].concat()
}

/// A request made here for a dialog has its final reply.
pub fn local_completed(worker: &mut Worker, purpose: &Purpose, code: u16, reply: Option<&sip::Message>) {
    match purpose {
        Purpose::DialogRefer { dialog, leg } => {
            if let Err(error) = end(worker, *dialog, Some(*leg), EndReason::Script, b"") {
                worker.log(0, "dialog", &format!("no BYE after the REFER of dialog [{dialog}]: {error:?}"));
            }
        }
        Purpose::DialogBye { task } => bye_retry::completed(worker, task, code, reply),
        Purpose::DialogKeepalive { dialog, leg } => keepalive_answered(worker, *dialog, *leg, code),
        Purpose::BridgeInvite { target } => {
            if let Some(reply) = reply.filter(|_| code < 300) {
                bridge::refer(worker, reply, target);
            }
        }
        Purpose::BridgeRefer { bye } => bridge::send(worker, bye),
        Purpose::None | Purpose::RemoteCall { .. } | Purpose::ScriptRequest(_) => {}
    }
}
