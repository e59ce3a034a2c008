//! Requests within a dialog: matching after `loose_route()`, the state machine, the transaction that follows (spec dialog 1.7, 2.4).

use std::sync::Arc;

use ::dialog::settings::MatchMode;
use ::dialog::{Cause, DialogId, Direction, InDialogRequest, MatchTrouble, Occurrence, OccurrenceKind, RequestMethod};
use script::exports::Evaluate;
use sip::method::Method;

use super::reason::Reason;
use super::{context, create, event_route, profiles};
use crate::rr;
use crate::worker::Worker;

/// Called when `loose_route()` has consumed an own Route with parameters.
pub fn on_routed(worker: &mut Worker) {
    if worker.run.message.to_tag().is_empty() || context::context_dialog(worker).is_some() {
        return;
    }
    let node = Arc::clone(&worker.node);
    let settings = node.dialogs.settings();
    match_request(worker, settings.match_mode, |worker| {
        sip::params::find(rr::own_route_parameters(&worker.run), settings.rr_param.as_bytes())
    });
}

/// Finds the dialog of the run's request and takes the request through its state machine. `cookie_in` finds the cookie that
/// the request carries.
pub(super) fn match_request(worker: &mut Worker, mode: MatchMode, cookie_in: impl Fn(&Worker) -> Option<&[u8]>) {
    let node = Arc::clone(&worker.node);
    let message = &worker.run.message;
    if !message.is_request() {
        return;
    }
    let cookie = cookie_in(worker);
    let matched = node.dialogs.match_request(mode, cookie, message.call_id(), message.from_tag(), message.to_tag());
    if let Some(trouble) = matched.trouble {
        let cookie = cookie.unwrap_or_default().to_vec();
        tell(worker, trouble, &cookie);
    }
    if let Some((dialog, direction)) = matched.found {
        process(worker, dialog, direction);
    }
}

fn tell(worker: &mut Worker, trouble: MatchTrouble, cookie: &[u8]) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let message = &worker.run.message;
    let (method, call_id) = (text(message.method_text()), text(message.call_id()));
    match trouble {
        MatchTrouble::NoCookie => {}
        MatchTrouble::MalformedCookie => worker.log(-1, "dialog", &format!("malformed rr param '{}'", text(cookie))),
        MatchTrouble::UnknownCookie(id) => {
            let line = format!("unable to find dialog for {method} with route param '{}' [{id}] and call-id '{call_id}'", text(cookie));
            worker.log(0, "dialog", &line);
        }
        MatchTrouble::OtherIdentifiers(id) => {
            let line = format!("tight matching failed for {method} with call-id '{call_id}' and the dialog [{id}] of its route param");
            worker.log(0, "dialog", &line);
        }
    }
}

fn process(worker: &mut Worker, dialog: DialogId, direction: Direction) {
    let node = Arc::clone(&worker.node);
    let now = worker.now;
    worker.run.dialog.context.dialog = Some(dialog);
    worker.run.dialog.within = Some((dialog, direction));
    if node.states.dialog.shows_direction {
        worker.run.dialog.context.direction = direction;
    }
    for (profile, value) in std::mem::take(&mut worker.run.dialog.pending_profiles).into_iter().rev() {
        // A membership that cannot be made is passed over, as for a new dialog.
        let _ = node.dialogs.profile_join(now, dialog, profile, value.as_deref());
    }
    profiles::adopt(worker, dialog);
    let message = &worker.run.message;
    let method = request_method(message.method());
    let mut contact = std::mem::take(&mut worker.scratch.contact);
    contact.clear();
    if method == RequestMethod::Invite {
        contact.extend_from_slice(create::single_contact(message).unwrap_or_default());
    }
    let cseq = message.cseq().map(|cseq| cseq.number);
    let reason = if method == RequestMethod::Bye { Reason::of(message) } else { Reason::default() };
    let request = InDialogRequest {
        method,
        direction,
        cseq,
        contact: Some(&contact[..]).filter(|contact| !contact.is_empty()),
        timeout: timeout(worker),
        stated: reason.stated(),
        cause: Cause::HERE,
    };
    let Some(change) = node.dialogs.request_begin(now, dialog, &request) else {
        worker.scratch.contact = contact;
        return;
    };
    if method == RequestMethod::Bye && direction == Direction::Downstream && change.new.is_setting_up() {
        node.dialogs.early_bye(now, dialog, worker.run.message.to_tag());
    }
    worker.run.dialog.status = Some((change.new.number(), change.age));
    let is_held = change.held;
    event_route::run_here(worker, change.route, dialog);
    let request = InDialogRequest { cause: Cause::request(&worker.run.message), ..request };
    let finished = node.dialogs.request_finish(now, change, &request);
    worker.scratch.contact = contact;
    worker.run.dialog.sequence_shift = finished.sequence_shift;
    if is_held {
        worker.run.dialog.hold = Some(dialog);
        worker.run.dialog.told_reply = Some(OccurrenceKind::TerminatedConfirmed);
    } else if finished.occurrence.is_some_and(|occurrence| occurrence.kind == OccurrenceKind::RequestWithin) {
        worker.run.dialog.told_reply = Some(OccurrenceKind::ReplyWithin);
    }
    if finished.add_cookie && !create::add_cookie(worker, dialog) {
        worker.log(-1, "dialog", "no room for the Record-Route parameter");
    }
    attach(worker);
}

fn request_method(method: Method) -> RequestMethod {
    match method {
        Method::Ack => RequestMethod::Ack,
        Method::Bye => RequestMethod::Bye,
        Method::Prack => RequestMethod::Prack,
        Method::Invite => RequestMethod::Invite,
        _ => RequestMethod::Other,
    }
}

/// Seconds in the variable of `timeout_avp`, when it holds an integer above 0.
pub(super) fn timeout(worker: &mut Worker) -> Option<u32> {
    let node = Arc::clone(&worker.node);
    let value = worker.read(node.states.dialog.timeout_variable.as_ref()?);
    if !value.is_integer() {
        if !value.is_null() {
            worker.log(-1, "dialog", "timeout_avp holds no integer, default_timeout is used");
        }
        return None;
    }
    u32::try_from(value.to_integer()).ok().filter(|seconds| *seconds > 0)
}

/// The transaction in the run takes over the dialog of the run: its replies drive it, its end releases it.
pub(super) fn attach(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    let run = &mut *worker.run;
    let Some(transaction) = &mut run.tm.transaction else { return };
    let id = transaction.id();
    let part = &mut transaction.data.dialog;
    if let Some(dialog) = run.dialog.created.or(run.dialog.copied) {
        if part.invite.is_none() && node.states.dialog.claim_invite(dialog, id) {
            part.invite = Some(dialog);
            node.dialogs.set_dialog_flags(worker.now, dialog, ::dialog::flags::dialog_flag::TRANSACTION, 0);
        }
        run.dialog.is_attached = true;
    }
    if let Some(within) = run.dialog.within {
        part.within = Some(within);
        part.sequence_shift = run.dialog.sequence_shift;
        part.told_reply = run.dialog.told_reply;
    }
    if let Some(held) = run.dialog.hold.take() {
        part.holds.push(held);
    }
}

/// The transaction of the run's request exists now.
pub fn transaction_created(worker: &mut Worker) {
    if worker.node.states.dialog.is_told_later {
        tell_initial(worker);
    }
    let is_new_call = worker.run.message.method() == Method::Invite && worker.run.message.to_tag().is_empty();
    if is_new_call
        && let Some(flag) = worker.node.states.dialog.dialog_flag
        && worker.run.flags & flag != 0
        && !worker.run.dialog.is_spiral
        && context::context_dialog(worker).is_none()
    {
        create::begin(worker);
        return;
    }
    attach(worker);
}

/// The run's request has a transaction already, made for a copy of it: that one has the dialog, too.
pub fn transaction_exists(worker: &mut Worker) {
    worker.run.dialog.created = None;
}

/// Tells of the new call or of the spiral that `dlg_manage()` found before there was a transaction.
fn tell_initial(worker: &mut Worker) {
    let state = &worker.run.dialog;
    let told = match (state.created.or(state.copied), state.is_spiral) {
        (Some(created), _) => Some((created, OccurrenceKind::Created)),
        (None, true) => state.context.dialog.map(|found| (found, OccurrenceKind::Spiralled)),
        (None, false) => None,
    };
    if let Some((dialog, kind)) = told {
        let occurrence = Occurrence::towards(kind, Direction::Downstream);
        worker.node.dialogs.report(worker.now, dialog, occurrence, Cause::request(&worker.run.message));
    }
}
