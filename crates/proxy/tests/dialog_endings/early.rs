//! Calls ended before they are answered: the reply to the caller and CANCEL for every branch (spec dialog 9.3, 13.62).

use modules::rpc::Parameter;
use transaction::{Endpoint, Protocol};

use crate::stage::{ALICE, BOB, CAROL, PARALLEL_ROUTE, RINGS_ROUTE, Sent, Stage, invite, ordinary, with_routes};

/// The caller's final reply is the one of an early termination.
fn assert_refused(stage: &mut Stage, status: &str) {
    let reply = stage.take(ALICE, status);
    assert_eq!(stage.find(ALICE, status).map(|again| again.text), None, "one final reply");
    let again = reply.text.clone();
    acknowledge(stage, &reply);
    assert!(again.starts_with(&format!("SIP/2.0 {status} ")));
}

fn acknowledge(stage: &mut Stage, reply: &Sent) {
    let call_id = reply.header("Call-ID").to_owned();
    let text = format!(
        "ACK sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bKinvite{call_id}\nFrom: <sip:alice@example.com>;tag=A\nTo: {}\n\
         Call-ID: {call_id}\nCSeq: 1 ACK\nMax-Forwards: 70\nContent-Length: 0\n\n",
        reply.header("To")
    );
    stage.receive(ALICE, &text);
}

/// The CANCEL of a branch, answered together with its INVITE.
fn cancelled(stage: &mut Stage, party: &str, invite: &Sent) -> Sent {
    let cancel = stage.take(party, "CANCEL");
    assert_eq!(cancel.header("Via"), invite.header("Via"), "the branch of the INVITE");
    stage.answer(&cancel, "200 OK", "x", "");
    stage.answer(invite, "487 Request Terminated", "B", "");
    stage.take(party, "ACK");
    cancel
}

fn assert_over(stage: &mut Stage) {
    assert_eq!(stage.logged("EV failed"), ["EV failed 5 rpc"]);
    let counts = stage.proxy.node.dialogs.statistics();
    assert_eq!((counts.failed, counts.early, counts.unconfirmed, counts.active), (1, 0, 0, 0));
    stage.check();
    stage.wait(40_000);
    assert!(stage.dialogs().is_empty());
}

#[test]
fn a_ringing_call_is_answered_480_and_cancelled_with_a_reason() {
    let mut stage = Stage::new(&ordinary(""));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    assert_eq!(stage.states(), [2]);
    stage.end_by_rpc();
    assert_eq!(stage.states(), [5]);
    assert_refused(&mut stage, "480");
    let cancel = cancelled(&mut stage, BOB, &bob);
    assert!(cancel.header("Reason").contains("cause=480"), "{}", cancel.text);
    assert_over(&mut stage);
}

#[test]
fn the_reply_can_be_chosen() {
    let parameters = "modparam(\"dialog\", \"bye_early_code\", 486)\nmodparam(\"dialog\", \"bye_early_reason\", \"Closed\")\n";
    let mut stage = Stage::new(&ordinary(parameters));
    let bob = stage.calls("c1");
    stage.answer(&bob, "183 Progress", "B", "");
    stage.end_by_rpc();
    assert!(stage.take(ALICE, "486").text.starts_with("SIP/2.0 486 Closed\n"));
}

#[test]
fn nothing_is_cancelled_before_the_party_has_said_something() {
    let mut stage = Stage::new(&ordinary(""));
    let bob = stage.calls("c1");
    assert_eq!(stage.states(), [1]);
    stage.end_by_rpc();
    assert_refused(&mut stage, "480");
    assert!(stage.find(BOB, "CANCEL").is_none(), "RFC 3261 §9.1");
    stage.answer(&bob, "100 Trying", "", "");
    cancelled(&mut stage, BOB, &bob);
    assert_over(&mut stage);
}

#[test]
fn a_call_that_is_ended_while_its_answer_is_under_way_is_hung_up() {
    let mut stage = Stage::new(&ordinary(""));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    stage.end_by_rpc();
    stage.take(BOB, "CANCEL");
    // The 200 crosses the CANCEL; a caller who has got the 480 does not know what to do with it.
    stage.answer(&bob, "200 OK", "B", "Contact: <sip:bob@192.0.2.2:5080>\n");
    assert_eq!(stage.states(), [3]);
    stage.wait(5_500);
    stage.take(ALICE, "BYE");
    let bye = stage.take(BOB, "BYE");
    stage.answer(&bye, "200 OK", "B", "");
    assert_eq!(stage.states(), [5], "kept for the INVITE's transaction");
    assert_eq!(stage.logged("EV"), ["EV failed 5 rpc", "EV start 3", "EV end 3 c1 race"]);
    stage.check();
}

#[test]
fn every_branch_of_a_parallel_fork_is_cancelled() {
    let mut stage = Stage::new(&with_routes("", PARALLEL_ROUTE, ""));
    let bob = stage.calls("c1");
    let carol = stage.take(CAROL, "INVITE");
    stage.answer(&bob, "180 Ringing", "B", "");
    stage.answer(&carol, "180 Ringing", "C", "");
    stage.end_by_rpc();
    assert_refused(&mut stage, "480");
    cancelled(&mut stage, BOB, &bob);
    cancelled(&mut stage, CAROL, &carol);
    assert_over(&mut stage);
}

#[test]
fn the_second_try_of_a_serial_fork_is_cancelled_and_no_third_is_made() {
    let main = r#"
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	t_on_failure("NEXT");
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#;
    let routes = r#"
failure_route[NEXT] {
	xlog("L_ERR", "FAILURE of bob\n");
	t_on_failure("NEXT");
	$ru = "sip:carol@192.0.2.3:5080";
	$du = $null;
	t_relay();
}
"#;
    let mut stage = Stage::new(&with_routes("", main, routes));
    let bob = stage.calls("c1");
    stage.answer(&bob, "486 Busy", "B", "");
    let carol = stage.take(CAROL, "INVITE");
    stage.answer(&carol, "180 Ringing", "C", "");
    stage.end_by_rpc();
    assert_refused(&mut stage, "480");
    cancelled(&mut stage, CAROL, &carol);
    assert_eq!(stage.logged("FAILURE"), ["FAILURE of bob"], "the failure route does not see what was answered here");
    assert!(stage.find(CAROL, "INVITE").is_none());
    assert_over(&mut stage);
}

#[test]
fn the_transaction_may_be_older_or_younger_than_the_dialog() {
    for first in ["t_newtran(); dlg_manage();", "dlg_manage(); t_newtran();"] {
        let main = format!(
            "\n\tif (has_totag()) {{ loose_route(); t_relay(); exit; }}\n\t{first}\n\trecord_route();\n\t$du = \"sip:192.0.2.2:5080\";\n\tt_relay();\n"
        );
        let mut stage = Stage::new(&with_routes("", &main, ""));
        let bob = stage.calls("c1");
        stage.answer(&bob, "180 Ringing", "B", "");
        stage.end_by_rpc();
        assert_refused(&mut stage, "480");
        cancelled(&mut stage, BOB, &bob);
        assert_over(&mut stage);
    }
}

#[test]
fn the_script_can_end_the_call_in_the_route_that_made_it() {
    for first in ["dlg_manage();", "t_newtran(); dlg_manage();", "dlg_manage(); t_newtran();"] {
        let main = format!(
            "\n\t{first}\n\t$var(rc) = dlg_bye(\"all\");\n\txlog(\"L_ERR\", \"RC $var(rc)\\n\");\n\t$du = \"sip:192.0.2.2:5080\";\n\tt_relay();\n"
        );
        let mut stage = Stage::new(&with_routes("", &main, ""));
        stage.invite("c1");
        assert_eq!(stage.logged("RC"), ["RC 1"], "{first}");
        assert_refused(&mut stage, "480");
        stage.wait(1_000);
        assert!(stage.find(BOB, "INVITE").is_none(), "{first}: answered calls are not relayed");
        let counts = stage.proxy.node.dialogs.statistics();
        assert_eq!((counts.failed, counts.unconfirmed), (1, 0), "{first}");
        assert_eq!(stage.logged("EV failed"), ["EV failed 5 script"]);
        stage.wait(40_000);
        assert!(stage.dialogs().is_empty());
    }
}

#[test]
fn the_script_can_end_the_call_when_its_callee_rings() {
    let routes = "onreply_route[RINGS] {\n\tif (status == \"180\") { dlg_bye(\"all\"); }\n}\n";
    let mut stage = Stage::new(&with_routes("", RINGS_ROUTE, routes));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    assert_refused(&mut stage, "480");
    cancelled(&mut stage, BOB, &bob);
    assert_eq!(stage.logged("EV failed"), ["EV failed 5 script"]);
    assert_eq!(stage.proxy.node.dialogs.statistics().failed, 1);
    stage.check();
}

#[test]
fn a_caller_on_tcp_gets_its_reply_on_its_connection() {
    let mut stage = Stage::new(&ordinary(""));
    let from = Endpoint { protocol: Protocol::Tcp, address: ALICE.parse().expect("an address"), socket: 2, connection: 77 };
    stage.receive_over(from, &invite("c1", "TCP"));
    let bob = stage.take(BOB, "INVITE");
    stage.answer(&bob, "180 Ringing", "B", "");
    stage.forget();
    stage.end_by_rpc();
    assert_eq!(stage.connections(), [77]);
    assert!(stage.take(ALICE, "480").header("Via").contains("TCP"));
}

#[test]
fn a_command_repeated_while_the_call_is_being_refused_changes_nothing() {
    let mut stage = Stage::new(&ordinary(""));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    let id = stage.only().id;
    let numbers = || vec![Parameter::Integer(i64::from(id.entry)), Parameter::Integer(i64::from(id.id))];
    for _ in 0..3 {
        assert!(stage.rpc("dlg.end_dlg", numbers()).is_ok());
    }
    assert_refused(&mut stage, "480");
    cancelled(&mut stage, BOB, &bob);
    assert!(stage.find(BOB, "CANCEL").is_none());
    assert_over(&mut stage);
}
