//! BYEs made here: one task for each party, with a result (spec dialog 9.2, 13.15, 13.16, 13.46, 13.65).

use crate::stage::{ALICE, BOB, Stage, ordinary, with_routes};

#[test]
fn a_number_too_low_is_cured_and_the_call_is_over_at_once() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    stage.end_by_rpc();
    let bye = stage.take(BOB, "BYE");
    stage.take(ALICE, "BYE");
    stage.answer(&bye, "500 Out of order", "B", "");
    assert!(stage.states().is_empty(), "the first final reply ends the call");
    let again = stage.take(BOB, "BYE");
    assert_eq!((bye.cseq(), again.cseq()), (102, 1102));
    assert_ne!(bye.header("Via"), again.header("Via"), "a transaction of its own");
    stage.answer(&again, "200 OK", "B", "");
    stage.wait(40_000);
    assert!(stage.find(BOB, "BYE").is_none());
    stage.check();
}

#[test]
fn a_party_that_refuses_every_number_is_given_up_in_the_end() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    stage.end_by_rpc();
    for _ in 0..3 {
        let bye = stage.take(BOB, "BYE");
        stage.answer(&bye, "500 Out of order", "B", "");
    }
    assert!(stage.find(BOB, "BYE").is_none());
    assert!(stage.has_logged("the Callee answered it with 500; attempts: 3"));
}

#[test]
fn a_busy_party_gets_its_bye_when_it_asked_for_it_whatever_became_of_the_call() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    stage.end_by_rpc();
    let (caller, callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
    stage.answer(&callee, "503 Busy", "B", "Retry-After: 3 (starting up);duration=9\n");
    stage.answer(&caller, "200 OK", "A", "");
    assert!(stage.states().is_empty());
    stage.wait(2_500);
    assert!(stage.find(BOB, "BYE").is_none());
    stage.wait(1_500);
    let again = stage.take(BOB, "BYE");
    assert_eq!(again.cseq(), callee.cseq() + 1);
    stage.answer(&again, "200 OK", "B", "");
    stage.forget();
    stage.wait(60_000);
    assert_eq!(stage.summary(), []);
}

#[test]
fn a_party_that_asks_for_too_long_a_wait_or_for_credentials_is_given_up() {
    for (reply, more, line) in [
        ("503 Busy", "Retry-After: 3600\n", "the Callee answered it with 503; attempts: 1"),
        ("401 Unauthorized", "", "the Callee wants credentials (401), which are not here; attempts: 1"),
        ("481 Unknown", "", "the Callee answered it with 481; attempts: 1"),
    ] {
        let mut stage = Stage::new(&ordinary(""));
        stage.confirmed("c1");
        stage.end_by_rpc();
        let bye = stage.take(BOB, "BYE");
        stage.take(ALICE, "BYE");
        stage.answer(&bye, reply, "B", more);
        assert!(stage.has_logged(line), "{reply}");
        stage.wait(40_000);
        assert!(stage.find(BOB, "BYE").is_none(), "{reply}");
        assert!(stage.states().is_empty());
    }
}

#[test]
fn an_alias_that_leads_nowhere_is_replaced_by_the_contact() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed_at("c1", "sip:bob@192.0.2.9:5062;alias=192.0.2.2~5080~1");
    stage.end_by_rpc();
    let bye = stage.take(BOB, "BYE");
    assert_eq!(bye.request_uri(), "sip:bob@192.0.2.9:5062");
    stage.unsent(&bye);
    assert_eq!(stage.states(), [4], "nothing answered so far");
    let again = stage.take("192.0.2.9:5062", "BYE");
    assert_eq!(again.cseq(), bye.cseq() + 1);
    stage.answer(&again, "200 OK", "B", "");
    assert!(stage.states().is_empty());
}

#[test]
fn a_call_whose_parties_cannot_be_reached_is_over_with_its_second_try() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    stage.end_by_rpc();
    for _ in 0..2 {
        let (caller, callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
        assert_eq!(stage.states(), [4]);
        stage.unsent(&caller);
        stage.unsent(&callee);
    }
    assert!(stage.states().is_empty() && stage.summary().is_empty(), "{:?}", stage.summary());
    assert!(stage.has_logged("the Caller could not be reached; attempts: 2"));
    assert_eq!(stage.logged("EV end"), ["EV end 4 c1 rpc"]);
    stage.check();
}

#[test]
fn a_command_given_twice_sends_one_pair_of_byes_and_runs_one_route() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    stage.end_by_rpc();
    stage.end_by_rpc();
    stage.take(ALICE, "BYE");
    stage.take(BOB, "BYE");
    assert!(stage.summary().is_empty());
    assert_eq!(stage.logged("EV end").len(), 1);
}

/// A proxy whose INFO ends the call by these statements and logs their codes.
fn ended_by_script(statements: &str) -> Stage {
    let main = format!(
        r#"
	if (has_totag()) {{
		loose_route();
		if (is_method("INFO")) {{
			{statements}
			sl_send_reply("200", "Well");
			exit;
		}}
		t_relay();
		exit;
	}}
	dlg_manage();
	record_route();
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#
    );
    let mut stage = Stage::new(&with_routes("", &main, ""));
    stage.confirmed("c1");
    stage.within("INFO", "c1", false, 2, "B");
    stage
}

#[test]
fn both_sides_can_be_ended_one_after_the_other_in_one_script() {
    for (first, second) in [("caller", "callee"), ("callee", "caller")] {
        let call = |side: &str| format!("$var(rc) = dlg_bye(\"{side}\"); xlog(\"L_ERR\", \"RC $var(rc)\\n\");");
        let mut stage = ended_by_script(&[call(first), call(second), call(second), call("all")].concat());
        assert_eq!(stage.logged("RC"), ["RC 1", "RC 1", "RC -1", "RC -1"]);
        assert_eq!(stage.logged("EV end").len(), 1);
        let (caller, callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
        assert!(stage.find(ALICE, "BYE").is_none() && stage.find(BOB, "BYE").is_none());
        stage.answer(&caller, "200 OK", "A", "");
        assert!(stage.states().is_empty());
        stage.answer(&callee, "200 OK", "B", "");
        stage.check();
    }
}

#[test]
fn ending_all_after_one_side_ends_the_other_side() {
    for side in ["caller", "callee"] {
        let statements = format!(
            "dlg_bye(\"{side}\"); $var(rc) = dlg_bye(\"all\"); xlog(\"L_ERR\", \"RC $var(rc)\\n\");\
             $var(rc) = dlg_bye(\"all\"); xlog(\"L_ERR\", \"RC $var(rc)\\n\");"
        );
        let mut stage = ended_by_script(&statements);
        assert_eq!(stage.logged("RC"), ["RC 1", "RC -1"]);
        stage.take(ALICE, "BYE");
        stage.take(BOB, "BYE");
        assert!(stage.find(ALICE, "BYE").is_none() && stage.find(BOB, "BYE").is_none());
    }
}

#[test]
fn a_bye_for_one_side_after_all_is_refused_while_its_own_is_out() {
    let mut stage = ended_by_script("dlg_bye(\"all\"); $var(rc) = dlg_bye(\"caller\"); xlog(\"L_ERR\", \"RC $var(rc)\\n\");");
    assert_eq!(stage.logged("RC"), ["RC -1"]);
    stage.take(ALICE, "BYE");
    stage.take(BOB, "BYE");
    assert!(stage.find(ALICE, "BYE").is_none());
}

#[test]
fn a_socket_that_is_gone_and_a_party_without_route_set_are_reached_all_the_same() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    let id = stage.only().id;
    assert!(stage.proxy.node.dialogs.set_socket(stage.now(), id, dialog::Leg::Callee, b"udp:203.0.113.7:5060"));
    stage.end_by_rpc();
    let bye = stage.take(BOB, "BYE");
    assert!(bye.header("Via").contains("198.51.100.1"), "{}", bye.text);
}

#[test]
fn headers_come_in_their_order_each_on_a_line_of_its_own() {
    let parameters = "modparam(\"dialog\", \"dlg_extra_hdrs\", \"X-Extra: 1\\r\\n\")\n\
                      modparam(\"dialog\", \"lreq_callee_headers\", \"X-Callee: 2\")\n";
    let mut stage = Stage::new(&ordinary(parameters));
    stage.confirmed("c1");
    let id = stage.only().id;
    let numbers = |number: u32| modules::rpc::Parameter::Integer(i64::from(number));
    let header = modules::rpc::Parameter::Text(b"X-Rpc: 3".to_vec());
    assert!(stage.rpc("dlg.end_dlg", vec![numbers(id.entry), numbers(id.id), header]).is_ok());
    let (caller, callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
    assert!(callee.text.ends_with("Max-Forwards: 70\nX-Extra: 1\nX-Rpc: 3\nX-Callee: 2\n\n"), "{}", callee.text);
    assert!(caller.text.ends_with("Max-Forwards: 70\nX-Extra: 1\nX-Rpc: 3\n\n"), "{}", caller.text);
}

#[test]
fn a_termination_whose_byes_cannot_be_sent_can_be_asked_for_again() {
    let mut stage = Stage::new(&ordinary(""));
    stage.confirmed("c1");
    let id = stage.only().id;
    let contacts = |stage: &Stage, caller: &[u8], callee: &[u8]| {
        for (leg, contact) in [(dialog::Leg::Caller, caller), (dialog::Leg::Callee, callee)] {
            assert!(stage.proxy.node.dialogs.set_contact(stage.now(), id, leg, contact));
        }
    };
    contacts(&stage, b"sip:alice@192.0.2.1:5090;transport=wonder", b"sip:bob@192.0.2.2:5080;transport=wonder");
    let text = |text: &str| modules::rpc::Parameter::Text(text.as_bytes().to_vec());
    let names = || vec![text("c1"), text("A"), text("B")];
    let references = stage.only().references;
    let _ = stage.rpc("dlg.terminate_dlg", names());
    assert_eq!((stage.states(), stage.summary()), (vec![4], Vec::new()));
    assert_eq!(stage.only().references, references, "nothing is held for what was not sent");
    contacts(&stage, b"sip:alice@192.0.2.1:5090", b"sip:bob@192.0.2.2:5080");
    let _ = stage.rpc("dlg.terminate_dlg", names());
    let bye = stage.take(BOB, "BYE");
    stage.take(ALICE, "BYE");
    stage.answer(&bye, "200 OK", "B", "");
    assert!(stage.states().is_empty());
    assert_eq!(stage.logged("EV end").len(), 1, "the route runs once, whatever is tried again");
}
