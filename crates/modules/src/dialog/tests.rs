//! The module on a worker: what scripts set meets the right dialog.

use ::dialog::{CalleeLeg, Cause, DialogId, Leg, ReplyKind, State};

use crate::fixture::{receive, request, run, worker};
use crate::outbox::Effect;
use crate::worker::Worker;

const CONFIGURATION: &str = r#"#!KAMAILIO
server_id = 7
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "dialog.so"
modparam("dialog", "profiles_no_value", "all")
modparam("dialog", "h_id_start", -1)
modparam("dialog", "h_id_step", 10)
request_route {
	$dlg_var(try) = "of" + $cs;
	$dlg_var(sequence) = $cs;
	$dlg_var(length) = $(fU{s.len});
	$var(number) = 5;
	$dlg_var(number) = $var(number);
	$dlg_var(literal) = 7;
	set_dlg_profile("all");
	t_newtran();
	dlg_manage();
}
event_route[dialog:end] {
	xlog("L_ERR", "end of $dlg(callid) $dlg_var(try) in state $dlg(state)\n");
}
"#;

fn invite(sequence: u32) -> String {
    let text = request("INVITE", "sip:bob@example.com", "", "Contact: <sip:alice@192.0.2.1:5090>\n");
    text.replace("CSeq: 1 ", &format!("CSeq: {sequence} ")).replace("z9hG4bKabc", &format!("z9hG4bKabc{sequence}"))
}

/// Runs the main route on the INVITE; gives the dialog it made.
fn call(worker: &mut Worker, sequence: u32) -> DialogId {
    assert_eq!(run(worker, &invite(sequence)), 1);
    let dialog = worker.run.dialog.context.dialog.expect("a dialog");
    crate::tm::finish_request(worker);
    super::request_ended(worker);
    dialog
}

fn fail(worker: &Worker, dialog: DialogId) {
    let dialogs = &worker.node.dialogs;
    let change = dialogs.reply_begin(worker.now, dialog, ReplyKind::Failure).expect("a dialog");
    dialogs.reply_finish(worker.now, change, None, Cause::HERE);
}

#[test]
fn a_call_tried_again_gets_what_was_set_before_it_was_made() {
    let mut worker = worker(CONFIGURATION);
    let first = call(&mut worker, 1);
    fail(&worker, first);
    let second = call(&mut worker, 2);
    assert_ne!(first, second);
    let dialogs = &worker.node.dialogs;
    assert_eq!(dialogs.state(first), Some(State::Deleted));
    assert_eq!((dialogs.variable(first, b"try"), dialogs.variable(second, b"try")), (Some(b"of1".to_vec()), Some(b"of2".to_vec())));
    let all = dialogs.profiles().find("all").expect("a profile");
    assert_eq!(dialogs.profile_members(all, None), [second]);
}

#[test]
fn a_request_within_still_sees_the_failed_dialog() {
    let mut worker = worker(CONFIGURATION);
    let dialog = call(&mut worker, 1);
    fail(&worker, dialog);
    receive(&mut worker, &request("ACK", "sip:bob@example.com", "tt1", ""));
    assert_eq!(super::context::message_dialog(&worker), Some(dialog));
    receive(&mut worker, &request("CANCEL", "sip:bob@example.com", "", ""));
    assert_eq!(super::context::message_dialog(&worker), Some(dialog));
    receive(&mut worker, &request("INVITE", "sip:bob@example.com", "", ""));
    assert_eq!(super::context::message_dialog(&worker), None);
}

#[test]
fn the_end_route_sees_the_dialog_although_its_bye_failed_at_once() {
    let mut worker = worker(CONFIGURATION);
    let dialog = call(&mut worker, 1);
    let node = std::sync::Arc::clone(&worker.node);
    let change = node.dialogs.reply_begin(worker.now, dialog, ReplyKind::Success).expect("a dialog");
    let callee = CalleeLeg { tag: b"tt1", contact: b"sip:bob@%%", ..CalleeLeg::default() };
    node.dialogs.reply_finish(worker.now, change, Some(&callee), Cause::HERE);
    node.dialogs.set_contact(worker.now, dialog, Leg::Caller, b"sip:alice@%%");
    worker.outbox.clear();
    let _ = super::ending::end(&mut worker, dialog, None, ::dialog::EndReason::Script, b"");
    let lines = worker.outbox.effects.iter().filter_map(|effect| match effect {
        Effect::Log { text, .. } => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    let lines: Vec<String> = lines.collect();
    assert!(lines.iter().any(|line| line.contains("end of call1 of1 in state")), "{lines:?}");
    assert!(!node.dialogs.contains(dialog), "the failed BYEs ended it");
}

#[test]
fn numbers_are_kept_as_their_digits() {
    let mut worker = worker(CONFIGURATION);
    let dialog = call(&mut worker, 3);
    for (name, digits) in [("sequence", "3"), ("length", "5"), ("number", "5"), ("literal", "7")] {
        assert_eq!(worker.node.dialogs.variable(dialog, name.as_bytes()), Some(digits.as_bytes().to_vec()), "{name}");
    }
}

#[test]
fn numbers_start_at_the_server_id() {
    let mut worker = worker(CONFIGURATION);
    assert_eq!(call(&mut worker, 1).id % 10, 7);
}
