//! Probes of confirmed calls (spec dialog 2.8, 9.5, 13.66, 13.67).

use modules::rpc::Parameter;

use crate::stage::{ALICE, BOB, Stage, ordinary};

const PROBED: &str = "modparam(\"dialog\", \"ka_timer\", 1)\nmodparam(\"dialog\", \"ka_interval\", 30)\n";

/// A confirmed call whose callee, or both parties, are probed.
fn probed(parameters: &str, legs: &[&str]) -> Stage {
    let properties: String = legs.iter().map(|name| format!("\tdlg_set_property(\"{name}\");\n")).collect();
    let configuration = ordinary(&format!("{PROBED}{parameters}"));
    let configuration = configuration.replace("\tdlg_manage();\n", &format!("\tdlg_manage();\n{properties}"));
    let mut stage = Stage::new(&configuration);
    stage.confirmed("c1");
    stage
}

#[test]
fn both_parties_are_probed_with_a_number_below_the_last_used() {
    let mut stage = probed("modparam(\"dialog\", \"lreq_callee_headers\", \"X-Callee: 1\")\n", &["ka-src", "ka-dst"]);
    stage.within("INFO", "c1", true, 5, "B");
    let info = stage.take(ALICE, "INFO");
    stage.answer(&info, "200 OK", "A", "");
    stage.forget();
    stage.wait(29_000);
    assert!(stage.find(ALICE, "OPTIONS").is_none());
    stage.wait(2_000);
    let (caller, callee) = (stage.take(ALICE, "OPTIONS"), stage.take(BOB, "OPTIONS"));
    assert_eq!((caller.cseq(), callee.cseq()), (4, 1), "one below, never below 1");
    assert!(callee.text.ends_with("\nX-Callee: 1\n\n") && !caller.text.contains("X-Callee"), "{}", callee.text);
    assert_eq!((callee.request_uri(), callee.header("To")), ("sip:bob@192.0.2.2:5080", "<sip:bob@example.com>;tag=B"));
}

#[test]
fn a_party_that_knows_the_call_no_more_has_ten_seconds_left() {
    let mut stage = probed("modparam(\"dialog\", \"send_bye\", 1)\n", &["ka-dst"]);
    stage.wait(31_000);
    let probe = stage.take(BOB, "OPTIONS");
    stage.answer(&probe, "481 Unknown", "B", "");
    assert_eq!(stage.only().lifetime, 10);
    stage.wait(11_000);
    stage.take(ALICE, "BYE");
    stage.take(BOB, "BYE");
    assert_eq!(stage.logged("EV end"), ["EV end 4 c1 keepalive"]);
}

#[test]
fn an_answer_that_comes_after_the_verdict_revokes_it() {
    let mut stage = probed("modparam(\"tm\", \"fr_timer\", 3000)\n", &["ka-dst"]);
    let before = stage.only().timeout;
    stage.wait(31_000);
    let probe = stage.take(BOB, "OPTIONS");
    stage.wait(4_000);
    assert_eq!(stage.only().lifetime, 10, "silence is a verdict");
    stage.answer(&probe, "200 OK", "B", "");
    let view = stage.only();
    assert_eq!((view.lifetime, view.timeout), (43_200, before));
    stage.wait(20_000);
    assert_eq!(stage.states(), [4]);
}

#[test]
fn a_request_of_the_party_revokes_the_verdict_and_one_of_the_other_does_not() {
    for (is_callee, is_revoked) in [(true, true), (false, false)] {
        let mut stage = probed("modparam(\"tm\", \"fr_timer\", 3000)\n", &["ka-dst"]);
        stage.wait(35_000);
        assert_eq!(stage.only().lifetime, 10);
        stage.within("INFO", "c1", is_callee, 5, "B");
        assert_eq!(stage.only().lifetime == 43_200, is_revoked);
        stage.wait(12_000);
        assert_eq!(stage.states() == [4], is_revoked);
    }
}

#[test]
fn a_lifetime_set_after_the_verdict_stays() {
    let mut stage = probed("modparam(\"tm\", \"fr_timer\", 3000)\n", &["ka-dst"]);
    stage.wait(31_000);
    let probe = stage.take(BOB, "OPTIONS");
    stage.wait(4_000);
    let id = stage.only().id;
    assert!(stage.proxy.node.dialogs.set_timeout(stage.now(), id, 100).is_ok());
    stage.answer(&probe, "200 OK", "B", "");
    assert_eq!(stage.only().lifetime, 100);
}

#[test]
fn probes_leave_on_the_steps_of_their_timer() {
    let mut stage = probed("modparam(\"dialog\", \"ka_timer\", 20)\n", &["ka-src"]);
    stage.wait(39_500);
    assert!(stage.find(ALICE, "OPTIONS").is_none(), "30 seconds are over, the step of 20 is not");
    stage.wait(1_500);
    let probe = stage.take(ALICE, "OPTIONS");
    stage.answer(&probe, "200 OK", "A", "");
    stage.forget();
    stage.wait(38_000);
    assert!(stage.find(ALICE, "OPTIONS").is_none());
    stage.wait(3_000);
    stage.take(ALICE, "OPTIONS");
}

#[test]
fn a_property_set_later_counts_only_with_ka_live() {
    for (parameters, is_probed) in [("", false), ("modparam(\"dialog\", \"ka_live\", 1)\n", true)] {
        let mut stage = probed(parameters, &[]);
        let id = stage.only().id;
        let dialogs = &stage.proxy.node.dialogs;
        dialogs.set_internal_flags(stage.now(), id, dialog::flags::internal_flag::KEEPALIVE_CALLEE, 0);
        stage.wait(31_000);
        let probe = stage.find(BOB, "OPTIONS");
        assert_eq!(probe.is_some(), is_probed);
        if let Some(probe) = probe {
            stage.answer(&probe, "200 OK", "B", "");
            let dialogs = &stage.proxy.node.dialogs;
            dialogs.set_internal_flags(stage.now(), id, 0, dialog::flags::internal_flag::KEEPALIVE_CALLEE);
            stage.forget();
            stage.wait(61_000);
            assert!(stage.find(BOB, "OPTIONS").is_none());
        }
    }
}

#[test]
fn a_property_taken_back_counts_only_with_ka_live() {
    for (parameters, is_probed) in [("", true), ("modparam(\"dialog\", \"ka_live\", 1)\n", false)] {
        let mut stage = probed(parameters, &["ka-dst"]);
        let id = stage.only().id;
        let dialogs = &stage.proxy.node.dialogs;
        dialogs.set_internal_flags(stage.now(), id, 0, dialog::flags::internal_flag::KEEPALIVE_CALLEE);
        stage.wait(31_000);
        assert_eq!(stage.find(BOB, "OPTIONS").is_some(), is_probed);
    }
}

#[test]
fn an_ended_call_is_probed_no_more() {
    let mut stage = probed("", &["ka-src", "ka-dst"]);
    let id = stage.only().id;
    let numbers = vec![Parameter::Integer(i64::from(id.entry)), Parameter::Integer(i64::from(id.id))];
    stage.wait(29_000);
    assert!(stage.rpc("dlg.end_dlg", numbers).is_ok());
    let bye = stage.take(BOB, "BYE");
    stage.answer(&bye, "200 OK", "B", "");
    stage.wait(40_000);
    assert!(stage.find(ALICE, "OPTIONS").is_none() && stage.find(BOB, "OPTIONS").is_none());
}

#[test]
fn a_refusal_that_comes_twice_counts_once() {
    let mut stage = probed("modparam(\"dialog\", \"ka_failed_limit\", 2)\n", &["ka-dst"]);
    stage.wait(30_250);
    let probe = stage.take(BOB, "OPTIONS");
    for _ in 0..3 {
        stage.answer(&probe, "481 Unknown", "B", "");
    }
    assert_eq!(stage.only().lifetime, 43_200);
    stage.wait(30_000);
    let probe = stage.take(BOB, "OPTIONS");
    stage.answer(&probe, "481 Unknown", "B", "");
    assert_eq!(stage.only().lifetime, 10);
}
