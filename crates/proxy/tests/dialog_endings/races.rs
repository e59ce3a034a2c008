//! Messages that cross or are lost: whatever happens, the call ends (RFC 5407, spec dialog 2.9, invariant D7).

use crate::stage::{ALICE, BOB, CAROL, PARALLEL_ROUTE, Sent, Stage, ordinary, with_routes};

const CONTACT: &str = "Contact: <sip:bob@192.0.2.2:5080>\n";

/// Alice hangs up the ringing call; her BYE and Bob's 200 cross.
fn hung_up_early(parameters: &str) -> (Stage, Sent) {
    let mut stage = Stage::new(&ordinary(parameters));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    stage.within("BYE", "c1", false, 2, "B");
    let bye = stage.take(BOB, "BYE");
    stage.answer(&bob, "200 OK", "B", CONTACT);
    stage.answer(&bye, "200 OK", "B", "");
    stage.take(ALICE, "200");
    (stage, bob)
}

#[test]
fn an_early_bye_that_crosses_the_answer_ends_the_call_after_a_few_seconds() {
    let (mut stage, _) = hung_up_early("");
    stage.within("ACK", "c1", false, 1, "B");
    assert_eq!(stage.states(), [4]);
    stage.forget();
    stage.wait(4_500);
    assert_eq!(stage.summary(), []);
    stage.wait(1_000);
    let (caller, callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
    assert_eq!(stage.logged("EV end"), ["EV end 4 c1 race"]);
    stage.answer(&callee, "481 Gone", "B", "");
    assert!(stage.states().is_empty());
    stage.answer(&caller, "481 Gone", "A", "");
    stage.check();
}

#[test]
fn it_ends_without_the_ack_and_requests_do_not_prolong_it() {
    let (mut stage, _) = hung_up_early("modparam(\"dialog\", \"race_condition_timeout\", 8)\n");
    stage.forget();
    stage.wait(4_000);
    stage.within("ACK", "c1", false, 1, "B");
    stage.within("INFO", "c1", true, 7, "B");
    stage.wait(3_000);
    assert!(stage.find(BOB, "BYE").is_none());
    stage.wait(1_500);
    stage.take(ALICE, "BYE");
    stage.take(BOB, "BYE");
}

#[test]
fn zero_seconds_leave_the_call_its_lifetime_as_kamailio_does() {
    let (mut stage, _) = hung_up_early("modparam(\"dialog\", \"race_condition_timeout\", 0)\n");
    stage.within("ACK", "c1", false, 1, "B");
    stage.wait(60_000);
    assert_eq!(stage.states(), [4]);
}

#[test]
fn hanging_up_one_fork_does_not_end_the_call_of_another() {
    for (answering, is_over) in [("B", true), ("C", false)] {
        let mut stage = Stage::new(&with_routes("", PARALLEL_ROUTE, ""));
        let bob = stage.calls("c1");
        let carol = stage.take(CAROL, "INVITE");
        stage.answer(&bob, "183 Progress", "B", "");
        stage.answer(&carol, "183 Progress", "C", "");
        stage.within("BYE", "c1", false, 2, "B");
        let (party, invite) = if is_over { (BOB, &bob) } else { (CAROL, &carol) };
        stage.answer(invite, "200 OK", answering, CONTACT);
        stage.take(ALICE, "200");
        stage.within("ACK", "c1", false, 1, answering);
        stage.wait(6_000);
        let hung_up = stage.find(ALICE, "BYE").is_some();
        assert_eq!((hung_up, party), (is_over, party));
        stage.check();
    }
}

#[test]
fn a_bye_of_the_callee_before_its_answer_ends_nothing() {
    let mut stage = Stage::new(&ordinary(""));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    stage.within("BYE", "c1", true, 1, "B");
    stage.answer(&bob, "200 OK", "B", CONTACT);
    stage.within("ACK", "c1", false, 1, "B");
    stage.wait(6_000);
    assert_eq!(stage.states(), [4]);
}

#[test]
fn an_answer_that_crosses_the_cancel_and_is_never_acknowledged_ends_by_itself() {
    for (parameters, has_byes) in [("", false), ("modparam(\"dialog\", \"noack_send_bye\", 1)\n", true)] {
        let mut stage = Stage::new(&ordinary(parameters));
        let bob = stage.calls("c1");
        stage.answer(&bob, "180 Ringing", "B", "");
        let cancel = format!(
            "CANCEL sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bKinvitec1\nFrom: <sip:alice@example.com>;tag=A\n\
             To: <sip:bob@example.com>\nCall-ID: c1\nCSeq: 1 CANCEL\nMax-Forwards: 70\nContent-Length: 0\n\n"
        );
        stage.receive(ALICE, &cancel);
        stage.take(BOB, "CANCEL");
        stage.answer(&bob, "200 OK", "B", CONTACT);
        assert_eq!(stage.states(), [3]);
        stage.forget();
        stage.wait(69_000);
        assert_eq!(stage.states(), [3], "60 seconds for the ACK and the last ten");
        assert!(stage.find(BOB, "BYE").is_none());
        stage.wait(2_000);
        assert_eq!((stage.find(ALICE, "BYE").is_some(), stage.find(BOB, "BYE").is_some()), (has_byes, has_byes));
        assert_eq!(stage.logged("EV end"), [if has_byes { "EV end 3 c1 no_ack" } else { "EV end 5 c1 no_ack" }]);
        stage.wait(60_000);
        assert!(stage.dialogs().is_empty());
        assert_eq!(stage.proxy.node.dialogs.statistics().active, 0);
        stage.check();
    }
}

#[test]
fn byes_that_nobody_answers_end_the_call_with_the_first_timeout() {
    let mut stage = Stage::new(&ordinary("modparam(\"dialog\", \"default_timeout\", 20)\nmodparam(\"dialog\", \"send_bye\", 1)\n"));
    stage.confirmed("c1");
    stage.wait(21_000);
    stage.take(ALICE, "BYE");
    stage.take(BOB, "BYE");
    assert_eq!((stage.states(), stage.only().timeout), (vec![4], 0));
    stage.wait(31_000);
    assert!(stage.dialogs().is_empty());
    stage.check();
}

#[test]
fn byes_of_an_expired_call_that_cannot_be_sent_end_it_at_once() {
    let mut stage = Stage::new(&ordinary("modparam(\"dialog\", \"default_timeout\", 20)\nmodparam(\"dialog\", \"send_bye\", 1)\n"));
    stage.confirmed("c1");
    let id = stage.only().id;
    for leg in [dialog::Leg::Caller, dialog::Leg::Callee] {
        assert!(stage.proxy.node.dialogs.set_contact(stage.now(), id, leg, b"sip:nobody@192.0.2.2:5080;transport=wonder"));
    }
    stage.wait(21_000);
    assert!(stage.dialogs().is_empty(), "{:?}", stage.states());
    assert_eq!(stage.logged("EV end").len(), 1);
    stage.check();
}

#[test]
fn a_call_in_a_profile_that_nobody_answers_leaves_it_with_its_end() {
    let main = r#"
	dlg_manage();
	set_dlg_profile("all");
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#;
    let parameters = "modparam(\"dialog\", \"early_timeout\", 5)\n";
    let mut stage = Stage::new(&with_routes(parameters, main, ""));
    let bob = stage.calls("c1");
    stage.answer(&bob, "180 Ringing", "B", "");
    let profiles = stage.proxy.node.dialogs.profiles();
    let all = profiles.find("all").expect("a profile");
    assert_eq!(profiles.size(all, None), Some(1));
    stage.wait(6_000);
    assert_eq!(stage.proxy.node.dialogs.profiles().size(all, None), Some(0));
    assert!(stage.dialogs().is_empty());
    assert_eq!(stage.proxy.node.dialogs.statistics().failed, 1);
    stage.check();
}
