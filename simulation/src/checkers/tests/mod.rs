//! Each checker is shown a broken invariant and has to say so, and a consistent world, where it has to keep silent.

mod dialogs;
mod messages;
mod profiles;
mod transactions;

use dialog::{Begin, DialogView, EndReason, Engine, NewDialog, Occurrence, OccurrenceKind, Settings, State};
use sip::message::Message;

use super::*;
use crate::proxy_node::now_at;

pub(super) const PROMISES: Promises =
    Promises { marks: true, call_limit: Some(1), profiles: &["account"], call_seconds_max: 30, early_seconds_max: 300 };
pub(super) const PROXY: SocketAddr = crate::scenario::place(0, 1);
pub(super) const SOMEWHERE: SocketAddr = crate::scenario::CALLER;

/// A dialog as an engine shows it.
pub(super) fn dialog() -> DialogView {
    let engine = Engine::new(now_at(0), Settings::default());
    let new = NewDialog { call_id: b"call-1@simulation", from_tag: b"A", contact: b"sip:a@10.0.1.1", cseq: 1, ..NewDialog::default() };
    let Begin::Created(id) = engine.begin(now_at(0), &new) else { panic!("refused") };
    DialogView { script_flags: 1 << 3, ..engine.view(now_at(0), id).expect("the dialog exists") }
}

/// The dialog once it is answered at virtual time 0.
pub(super) fn answered() -> DialogView {
    let date = now_at(0).date.seconds() as u32;
    let mut dialog = DialogView { state: State::ConfirmedNoAck, start_time: date, timeout: date + 30, lifetime: 30, ..dialog() };
    dialog.callee.tag = b"B".to_vec();
    dialog
}

/// A snapshot of a proxy with these dialogs, consistent in itself.
pub(super) fn snapshot(at: u64, dialogs: Vec<DialogView>) -> Snapshot {
    let date = now_at(at).date.seconds();
    let mut snapshot = Snapshot { at, date, records: dialogs.len() as u64, dialog_deadline: Some(at + 1), ..Snapshot::default() };
    for dialog in &dialogs {
        match dialog.state {
            State::Unconfirmed => (snapshot.states.unconfirmed += 1, snapshot.counts.unconfirmed += 1),
            State::Early => (snapshot.states.early += 1, snapshot.counts.early += 1),
            State::ConfirmedNoAck => (snapshot.states.confirmed_no_ack += 1, snapshot.counts.active += 1),
            State::Confirmed => (snapshot.states.confirmed += 1, snapshot.counts.active += 1),
            State::Deleted => (snapshot.states.deleted += 1, snapshot.counts.ended += 1),
        };
        snapshot.counts.processed += 1;
        snapshot.ended_by_reason += u64::from(dialog.state == State::Deleted);
    }
    snapshot.dialogs = dialogs;
    snapshot
}

pub(super) fn broken(verdicts: &Verdicts) -> Vec<&'static str> {
    verdicts.list.iter().map(|violation| violation.invariant).collect()
}

pub(super) fn inspected(checker: &mut dyn Checker, snapshot: &Snapshot) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    checker.inspect(snapshot, &mut verdicts);
    broken(&verdicts)
}

pub(super) fn settled(checker: &mut dyn Checker, snapshot: &Snapshot) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    checker.settled(snapshot, &mut verdicts);
    broken(&verdicts)
}

pub(super) fn seen(checker: &mut dyn Checker, sights: &[(u64, Sight<'_>)]) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    for (at, sight) in sights {
        checker.see(*at, sight, &mut verdicts);
    }
    broken(&verdicts)
}

pub(super) fn message(first: &str, method: &str, cseq: u32, branches: &[&str], more: &str) -> Message {
    let vias: String = branches.iter().map(|branch| format!("Via: SIP/2.0/UDP 10.0.0.1;branch={branch}\r\n")).collect();
    let text = format!(
        "{first}\r\n{vias}From: <sip:a@x>;tag=A\r\nTo: <sip:b@x>;tag=B\r\nCall-ID: call-1@simulation\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n{more}\r\n"
    );
    Message::from_bytes(text.as_bytes()).expect("a message")
}

pub(super) fn request(method: &str, cseq: u32, branches: &[&str]) -> Message {
    message(&format!("{method} sip:b@x SIP/2.0"), method, cseq, branches, "")
}

pub(super) fn reply(status: u16, branches: &[&str]) -> Message {
    message(&format!("SIP/2.0 {status} X"), "INVITE", 1, branches, "")
}

pub(super) fn came(message: &Message) -> Sight<'_> {
    Sight::Received { message, from: SOMEWHERE }
}

pub(super) fn left(message: &Message) -> Sight<'_> {
    Sight::Sent { message, to: SOMEWHERE, cause: None }
}

pub(super) fn told(dialog: &DialogView, kind: OccurrenceKind) -> Sight<'_> {
    Sight::Dialog { dialog, occurrence: Occurrence::of(kind), cause: None }
}

#[test]
fn a_consistent_snapshot_breaks_nothing() {
    let dialog = dialog();
    for checker in &mut all(0, PROXY, PROMISES) {
        assert_eq!(seen(checker.as_mut(), &[(0, told(&dialog, OccurrenceKind::Created))]), Vec::<&str>::new());
        assert_eq!(inspected(checker.as_mut(), &snapshot(1_000, vec![dialog.clone()])), Vec::<&str>::new());
    }
}

#[test]
fn a_whole_call_breaks_nothing() {
    let (new, up) = (dialog(), answered());
    let early = DialogView { state: State::Early, ..dialog() };
    let confirmed = DialogView { state: State::Confirmed, ..answered() };
    let over = DialogView { state: State::Deleted, timeout: 0, end_reason: Some(EndReason::CallerBye), ..answered() };
    let bye = request("BYE", 2, &["z9hG4bKbye"]);
    let (invite, out) = (request("INVITE", 1, &["z9hG4bKin"]), request("INVITE", 1, &["z9hG4bKout", "z9hG4bKin"]));
    let (ok, passed) = (reply(200, &["z9hG4bKout", "z9hG4bKin"]), reply(200, &["z9hG4bKin"]));
    let start = format!("MARK start {} yes", new.id);
    let end = format!("MARK end {} yes", new.id);
    let sights = [
        (0, came(&invite)),
        (0, told(&new, OccurrenceKind::Created)),
        (0, left(&out)),
        (100, told(&early, OccurrenceKind::Early)),
        (200, came(&ok)),
        (200, told(&up, OccurrenceKind::Answered)),
        (200, Sight::Line(&start)),
        (200, left(&passed)),
        (300, told(&confirmed, OccurrenceKind::Confirmed)),
        (900, came(&bye)),
        (900, told(&over, OccurrenceKind::Terminated)),
        (900, Sight::Line(&end)),
        (990, told(&over, OccurrenceKind::Destroyed)),
    ];
    for checker in &mut all(0, PROXY, PROMISES) {
        assert_eq!(seen(checker.as_mut(), &sights), Vec::<&str>::new());
        assert_eq!(settled(checker.as_mut(), &snapshot(2_000, Vec::new())), Vec::<&str>::new());
    }
}
