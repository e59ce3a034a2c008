//! Each checker is shown a broken invariant and has to say so.

use dialog::{Begin, DialogView, Engine, NewDialog, Occurrence, OccurrenceKind, Settings, State};
use sip::message::Message;
use sip::method::Method;

use super::*;
use crate::proxy_node::now_at;

const PROMISES: Promises =
    Promises { marks: true, call_limit: Some(1), profiles: &["account"], call_seconds_max: 30, early_seconds_max: 300 };

/// A dialog as an engine shows it.
fn dialog() -> DialogView {
    let engine = Engine::new(now_at(0), Settings::default());
    let new = NewDialog { call_id: b"call-1@simulation", from_tag: b"A", contact: b"sip:a@10.0.1.1", cseq: 1, ..NewDialog::default() };
    let Begin::Created(id) = engine.begin(now_at(0), &new) else { panic!("refused") };
    DialogView { script_flags: 1 << 3, ..engine.view(now_at(0), id).expect("the dialog exists") }
}

/// A snapshot of a proxy with these dialogs, consistent in itself.
fn snapshot(at: u64, dialogs: Vec<DialogView>) -> Snapshot {
    let mut snapshot = Snapshot { at, records: dialogs.len() as u64, dialog_deadline: Some(at + 1), ..Snapshot::default() };
    for dialog in &dialogs {
        match dialog.state {
            State::Unconfirmed => (snapshot.states.unconfirmed += 1, snapshot.counts.unconfirmed += 1),
            State::Early => (snapshot.states.early += 1, snapshot.counts.early += 1),
            State::ConfirmedNoAck => (snapshot.states.confirmed_no_ack += 1, snapshot.counts.active += 1),
            State::Confirmed => (snapshot.states.confirmed += 1, snapshot.counts.active += 1),
            State::Deleted => (snapshot.states.deleted += 1, snapshot.counts.ended += 1),
        };
        snapshot.counts.processed += 1;
    }
    snapshot.dialogs = dialogs;
    snapshot
}

fn broken(verdicts: &Verdicts) -> Vec<&'static str> {
    verdicts.list.iter().map(|violation| violation.invariant).collect()
}

fn inspected(checker: &mut dyn Checker, snapshot: &Snapshot) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    checker.inspect(snapshot, &mut verdicts);
    broken(&verdicts)
}

fn seen(checker: &mut dyn Checker, sights: &[(u64, Sight<'_>)]) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    for (at, sight) in sights {
        checker.see(*at, sight, &mut verdicts);
    }
    broken(&verdicts)
}

fn message(first: &str, method: &str, cseq: u32, branch: &str, more: &str) -> Message {
    let text = format!(
        "{first}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch={branch}\r\nFrom: <sip:a@x>;tag=A\r\nTo: <sip:b@x>;tag=B\r\nCall-ID: call-1@simulation\r\nCSeq: {cseq} {method}\r\n{more}\r\n"
    );
    Message::from_bytes(text.as_bytes()).expect("a message")
}

fn reports(kinds: &[OccurrenceKind]) -> Vec<&'static str> {
    let view = dialog();
    let sights: Vec<_> = kinds.iter().map(|kind| (0, Sight::Dialog { dialog: &view, occurrence: Occurrence::of(*kind) })).collect();
    seen(&mut Dialogs::new(0, PROMISES), &sights)
}

#[test]
fn a_consistent_snapshot_breaks_nothing() {
    for checker in &mut all(0, PROMISES) {
        assert_eq!(inspected(checker.as_mut(), &snapshot(1_000, vec![dialog()])), Vec::<&str>::new());
    }
}

#[test]
fn d1_a_state_that_goes_back_is_found() {
    let mut checker = Dialogs::new(0, PROMISES);
    let start_time = now_at(0).date.seconds() as u32;
    let confirmed = DialogView { state: State::Confirmed, start_time, ..dialog() };
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![confirmed])), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &snapshot(0, vec![DialogView { state: State::Early, ..dialog() }])), ["D1"]);
}

#[test]
fn d2_an_answer_after_the_end_by_bye_is_found() {
    use OccurrenceKind::{Answered, Created, Terminated};
    assert_eq!(reports(&[Created, Answered, Terminated, Answered]), ["D2"]);
}

#[test]
fn d3_two_ends_of_one_life_are_found() {
    use OccurrenceKind::{Answered, Created, Expired, Failed, Terminated};
    assert_eq!(reports(&[Created, Failed, Failed]), ["D3"]);
    assert_eq!(reports(&[Created, Answered, Expired]), Vec::<&str>::new());
    assert_eq!(reports(&[Created, Answered, Expired, Terminated, Terminated]), ["D3"]);
}

#[test]
fn d3_d4_a_life_without_its_routes_is_found() {
    use OccurrenceKind::{Answered, Created, Destroyed, Terminated};
    assert_eq!(reports(&[Created, Answered, Terminated, Destroyed]), ["D4", "D3"]);
}

#[test]
fn d5_a_number_given_twice_is_found() {
    assert_eq!(reports(&[OccurrenceKind::Created, OccurrenceKind::Created]), ["D5", "D11"]);
    assert!(inspected(&mut Dialogs::new(0, PROMISES), &snapshot(0, vec![dialog(), dialog()])).contains(&"D5"));
}

#[test]
fn d7_a_dialog_that_outlives_its_lifetime_is_found() {
    assert_eq!(inspected(&mut Dialogs::new(0, PROMISES), &snapshot(400_000, vec![dialog()])), ["D7"]);
    let unarmed = Snapshot { dialog_deadline: None, ..snapshot(0, vec![dialog()]) };
    assert_eq!(inspected(&mut Dialogs::new(0, PROMISES), &unarmed), ["D7"]);
}

#[test]
fn d8_a_bye_with_an_old_cseq_and_a_second_bye_are_found() {
    let seen_request = message("INFO sip:b@x SIP/2.0", "INFO", 500, "z9hG4bK1", "");
    let low = message("BYE sip:b@x SIP/2.0", "BYE", 101, "z9hG4bK2", "");
    let again = message("BYE sip:b@x SIP/2.0", "BYE", 601, "z9hG4bK3", "");
    let from = crate::scenario::CALLER;
    let sights = [
        (0, Sight::Received { message: &seen_request, from }),
        (1, Sight::Sent { message: &low, to: from }),
        (2, Sight::Sent { message: &again, to: from }),
    ];
    assert_eq!(seen(&mut Dialogs::new(0, PROMISES), &sights), ["D8", "D8"]);
}

#[test]
fn d9_statistics_that_drift_are_found() {
    let mut drifted = snapshot(0, vec![dialog()]);
    drifted.counts.early += 1;
    assert_eq!(inspected(&mut Dialogs::new(0, PROMISES), &drifted), ["D9", "D9"]);
}

#[test]
fn d12_a_lost_variable_and_a_lost_flag_are_found() {
    let view = dialog();
    let created = Sight::Dialog { dialog: &view, occurrence: Occurrence::of(OccurrenceKind::Created) };
    let line = format!("x: MARK start {} <null>", view.id);
    assert_eq!(seen(&mut Dialogs::new(0, PROMISES), &[(0, created), (0, Sight::Line(&line))]), ["D12"]);
    let without = DialogView { script_flags: 0, ..dialog() };
    assert_eq!(inspected(&mut Dialogs::new(0, PROMISES), &snapshot(0, vec![without])), ["D12"]);
}

#[test]
fn p1_p2_p6_wrong_profiles_are_found() {
    let member = dialog::ProfileView { name: "account".into(), value: Some(b"a".to_vec()), unique: String::new() };
    let size = |size| ProfileSize { name: "account".to_owned(), value: Some(b"a".to_vec()), size };
    let with = |state, value| DialogView { state, profiles: vec![member.clone()], variables: value, ..dialog() };
    let miscounted = Snapshot { profiles: vec![size(0)], ..snapshot(0, vec![with(State::Early, Vec::new())]) };
    assert_eq!(inspected(&mut Profiles::new(0, PROMISES), &miscounted), ["P1"]);
    let dead = Snapshot { profiles: vec![size(0)], ..snapshot(0, vec![with(State::Deleted, Vec::new())]) };
    assert_eq!(inspected(&mut Profiles::new(0, PROMISES), &dead), ["P2"]);
    let both = vec![with(State::Early, Vec::new()), with(State::Early, Vec::new())];
    let crowded = Snapshot { profiles: vec![size(2)], ..snapshot(0, both) };
    assert_eq!(inspected(&mut Profiles::new(0, PROMISES), &crowded), ["P6"]);
}

#[test]
fn t1_two_transactions_of_one_key_and_a_second_script_run_are_found() {
    let one = TransactionSight {
        branch: b"z9hG4bKx".to_vec(),
        sent_by: b"h".to_vec(),
        call_id: b"call-1@simulation".to_vec(),
        call: 1,
        method: Method::Bye,
        is_local: false,
        created: 0,
    };
    let twice =
        Snapshot { transactions: vec![one.clone(), one], transaction_count: 2, transaction_deadline: Some(9), ..Snapshot::default() };
    assert_eq!(inspected(&mut Transactions::new(0), &twice), ["T1"]);
    let line = "x: MARK relay INVITE c SIP/2.0/UDP h;branch=z9hG4bKx";
    assert_eq!(seen(&mut Transactions::new(0), &[(0, Sight::Line(line)), (500, Sight::Line(line))]), ["T1"]);
}

#[test]
fn t2_a_failure_after_a_2xx_and_two_failures_are_found() {
    let to = crate::scenario::CALLER;
    let reply = |status: &str| message(&format!("SIP/2.0 {status} X"), "INVITE", 1, "z9hG4bKup", "");
    let (ok, busy, late) = (reply("200"), reply("486"), reply("487"));
    let sights = |first, second| [(0, Sight::Sent { message: first, to }), (1, Sight::Sent { message: second, to })];
    assert_eq!(seen(&mut Transactions::new(0), &sights(&ok, &busy)), ["T2"]);
    assert_eq!(seen(&mut Transactions::new(0), &sights(&busy, &late)), ["T2"]);
    assert_eq!(seen(&mut Transactions::new(0), &sights(&busy, &ok)), Vec::<&str>::new());
}

#[test]
fn t4_t5_an_early_cancel_and_a_wrong_ack_are_found() {
    let to = crate::scenario::FIRST;
    let request = |method: &str| message(&format!("{method} sip:b@x SIP/2.0"), method, 1, "z9hG4bKdown", "");
    let (invite, cancel, ack) = (request("INVITE"), request("CANCEL"), request("ACK"));
    let sights = [&invite, &cancel, &ack].map(|message| (0, Sight::Sent { message, to }));
    assert_eq!(seen(&mut Transactions::new(0), &sights), ["T5", "T4"]);
}

#[test]
fn t6_t9_transactions_that_stay_are_found() {
    let old = TransactionSight {
        branch: b"z9hG4bKx".to_vec(),
        sent_by: b"h".to_vec(),
        call_id: b"call-1@simulation".to_vec(),
        call: 1,
        method: Method::Bye,
        is_local: true,
        created: 0,
    };
    let snapshot = Snapshot {
        at: 500_000,
        transactions: vec![old],
        transaction_count: 1,
        parked: 1,
        transaction_deadline: Some(600_000),
        ..Snapshot::default()
    };
    assert_eq!(inspected(&mut Transactions::new(0), &snapshot), ["T6"]);
    let mut verdicts = Verdicts::default();
    Transactions::new(0).settled(&snapshot, &mut verdicts);
    assert_eq!(broken(&verdicts), ["T9", "R3"]);
}

#[test]
fn m3_a_wrong_content_length_is_found() {
    let wrong = message("INFO sip:b@x SIP/2.0", "INFO", 2, "z9hG4bK1", "Content-Length: 3\r\n");
    let sight = Sight::Sent { message: &wrong, to: crate::scenario::FIRST };
    assert_eq!(seen(&mut Messages::new(0), &[(0, sight)]), ["M3"]);
}
