//! Requests made here within calls, and the bridge (spec dialog 9.1, 9.4, 9.6, 9.7, 1.9).

use modules::rpc::Parameter;

use crate::stage::{ALICE, BOB, RINGS_ROUTE, Sent, Stage, ordinary, with_routes};

const CONTACT: &str = "Contact: <sip:bob@192.0.2.2:5080>\n";

/// A proxy whose route[WITHIN] does this for INFO and logs `$var(rc)`.
fn with_info(parameters: &str, statement: &str) -> String {
    let route = format!(
        "\n\tif (is_method(\"INFO\")) {{\n\t\t$var(rc) = {statement};\n\t\txlog(\"L_ERR\", \"RC $var(rc)\\n\");\n\t\tsl_send_reply(\"200\", \"Well\");\n\t\texit;\n\t}}\n\treturn;"
    );
    ordinary(parameters).replace("route[WITHIN] {\n\treturn;", &format!("route[WITHIN] {{{route}"))
}

fn parties(request: &Sent) -> (&str, &str) {
    (request.header("To"), request.header("From"))
}

#[test]
fn a_refer_goes_to_the_opposite_side_with_the_right_names_and_its_bye_ends_the_call() {
    for (side, party, to, from, other) in [
        ("callee", ALICE, "<sip:alice@example.com>;tag=A", "<sip:bob@example.com>;tag=B", BOB),
        ("caller", BOB, "<sip:bob@example.com>;tag=B", "<sip:alice@example.com>;tag=A", ALICE),
    ] {
        let mut stage = Stage::new(&with_info("", &format!("dlg_refer(\"{side}\", \"<sip:carol@example.com>\")")));
        stage.confirmed("c1");
        stage.within("INFO", "c1", false, 2, "B");
        assert_eq!(stage.logged("RC"), ["RC 1"]);
        let refer = stage.take(party, "REFER");
        assert_eq!(parties(&refer), (to, from));
        let base = if side == "caller" { 2 } else { 0 };
        assert_eq!(refer.cseq(), base + 1, "above the number of the side it speaks for");
        let end =
            "\nReferred-By: sip:controller@kamailio.org\nRefer-To: sip:carol@example.com\nContact: <sip:controller@kamailio.org:5060>\n\n";
        assert!(refer.text.ends_with(end), "{}", refer.text);
        stage.answer(&refer, "202 Accepted", "x", "");
        let bye = stage.take(party, "BYE");
        assert_eq!(parties(&bye), (to, from));
        assert!(bye.cseq() > refer.cseq());
        assert!(stage.find(other, "BYE").is_none(), "the other side is left to the new call");
        stage.answer(&bye, "200 OK", "x", "");
        assert!(stage.states().is_empty(), "the tracked call is over");
        assert_eq!(stage.logged("EV end").len(), 1);
        stage.check();
    }
}

#[test]
fn a_refer_that_nobody_answers_ends_the_call_too() {
    let mut stage = Stage::new(&with_info("modparam(\"tm\", \"fr_timer\", 3000)\n", "dlg_refer(\"callee\", \"sip:carol@example.com\")"));
    stage.confirmed("c1");
    stage.within("INFO", "c1", false, 2, "B");
    stage.take(ALICE, "REFER");
    stage.wait(4_000);
    stage.take(ALICE, "BYE");
    stage.wait(4_000);
    assert!(stage.states().is_empty());
}

#[test]
fn a_refer_can_name_its_call_by_number_or_call_id() {
    for (statement, code) in [
        ("dlg_refer_cid(\"c1\", \"callee\", \"sip:carol@example.com\")", "RC 1"),
        ("dlg_refer_cid(\"unknown\", \"callee\", \"sip:carol@example.com\")", "RC -1"),
        ("dlg_refer_did(\"$dlg(h_entry)\", \"$dlg(h_id)\", \"callee\", \"sip:carol@example.com\")", "RC 1"),
        ("dlg_refer_did(\"1\", \"2\", \"callee\", \"sip:carol@example.com\")", "RC -1"),
        ("dlg_refer(\"callee\", \"$var(empty)\")", "RC -1"),
    ] {
        let configuration = with_info("", statement).replace("\t\t$var(rc) = ", "\t\t$var(empty) = \"\";\n\t\t$var(rc) = ");
        let mut stage = Stage::new(&configuration);
        stage.confirmed("c1");
        for number in 2..4 {
            stage.within("INFO", "c1", false, number, "B");
        }
        assert_eq!(stage.logged("RC"), [code; 2], "{statement}: twice, because an unknown call must not block the table");
        assert_eq!(stage.find(ALICE, "REFER").is_some(), code == "RC 1");
    }
}

#[test]
fn notifies_about_a_refer_reach_the_script_and_keep_the_call() {
    let mut stage = Stage::new(&with_info("", "dlg_refer(\"callee\", \"sip:carol@example.com\")"));
    stage.confirmed("c1");
    stage.within("INFO", "c1", false, 2, "B");
    let refer = stage.take(ALICE, "REFER");
    stage.within("NOTIFY", "c1", false, 3, "B");
    assert_eq!(stage.states(), [4]);
    stage.answer(&refer, "202 Accepted", "A", "");
    assert!(stage.take(ALICE, "BYE").cseq() > refer.cseq());
}

#[test]
fn requests_within_reach_either_party_with_headers_and_body() {
    for (statement, callee, caller) in [
        ("dlg_req_within(\"callee\", \"INFO\")", true, false),
        ("dlg_req_within(\"caller\", \"MESSAGE\", \"X-A: 1\\r\\n\")", false, true),
        ("dlg_req_within(\"all\", \"MESSAGE\", \"text/plain\", \"hello\")", true, true),
        ("dlg_req_within(\"ALL\", \"UPDATE\", \"X-A: 1\", \"text/plain\", \"hello\")", true, true),
    ] {
        let mut stage = Stage::new(&with_info("", statement));
        stage.confirmed("c1");
        stage.within("INFO", "c1", false, 7, "B");
        assert_eq!(stage.logged("RC"), ["RC 1"], "{statement}");
        let method = statement.split('"').nth(3).unwrap_or_default();
        let (at_callee, at_caller) = (stage.find(BOB, method), stage.find(ALICE, method));
        assert_eq!((at_callee.is_some(), at_caller.is_some()), (callee, caller), "{statement}");
        if let Some(request) = at_callee {
            assert_eq!(request.cseq(), 8);
            assert_eq!(parties(&request), ("<sip:bob@example.com>;tag=B", "<sip:alice@example.com>;tag=A"));
            assert_eq!(request.text.matches("Max-Forwards: 70\n").count(), 1);
        }
        if let Some(request) = at_caller {
            assert_eq!(request.cseq(), 1);
            assert_eq!(parties(&request), ("<sip:alice@example.com>;tag=A", "<sip:bob@example.com>;tag=B"));
            let end = match method {
                "UPDATE" => "\nX-A: 1\nContent-Type: text/plain\n\nhello",
                _ if statement.contains("X-A") => "\nX-A: 1\n\n",
                _ => "\nContent-Type: text/plain\n\nhello",
            };
            assert!(request.text.ends_with(end), "{}", request.text);
        }
        stage.check();
    }
}

#[test]
fn a_request_within_is_refused_where_its_party_is_unknown() {
    let main = r#"
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	$var(rc) = dlg_req_within("callee", "INFO");
	xlog("L_ERR", "RC $var(rc)\n");
	$var(rc) = dlg_req_within("caller", "INFO");
	xlog("L_ERR", "RC $var(rc)\n");
	$var(rc) = dlg_req_within("nobody", "INFO");
	xlog("L_ERR", "RC $var(rc)\n");
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#;
    let mut stage = Stage::new(&with_routes("", main, ""));
    stage.invite("c1");
    assert_eq!(stage.logged("RC"), ["RC -1", "RC -1", "RC -1"]);
    assert!(stage.find(BOB, "INFO").is_none() && stage.find(ALICE, "INFO").is_none());
}

#[test]
fn a_callee_that_rings_is_asked_in_the_dialog_of_its_reply() {
    let routes = "onreply_route[RINGS] {\n\tif (status == \"183\") {\n\t\t$var(rc) = dlg_req_within(\"callee\", \"UPDATE\");\n\t\txlog(\"L_ERR\", \"RC $var(rc)\\n\");\n\t}\n}\n";
    let mut stage = Stage::new(&with_routes("", RINGS_ROUTE, routes));
    let bob = stage.calls("c1");
    stage.answer(&bob, "183 Progress", "B1", CONTACT);
    assert_eq!(stage.logged("RC"), ["RC 1"]);
    let update = stage.take(BOB, "UPDATE");
    assert_eq!(parties(&update), ("<sip:bob@example.com>;tag=B1", "<sip:alice@example.com>;tag=A"));
    assert_eq!((update.request_uri(), update.cseq()), ("sip:bob@192.0.2.2:5080", 2));
    assert_eq!(update.header("Route"), "", "the only Record-Route of the reply is our own");
}

#[test]
fn a_bridge_calls_refers_and_hangs_up() {
    let mut stage = Stage::new(&ordinary(""));
    let text = |text: &str| Parameter::Text(text.as_bytes().to_vec());
    assert!(stage.rpc("dlg.bridge_dlg", vec![text("sip:bob@192.0.2.2:5080"), text("sip:carol@example.com")]).is_ok());
    let invite = stage.take(BOB, "INVITE");
    assert_eq!((invite.request_uri(), invite.header("To"), invite.cseq()), ("sip:bob@192.0.2.2:5080", "<sip:bob@192.0.2.2:5080>", 10));
    assert!(invite.header("From").starts_with("<sip:controller@kamailio.org>;tag="));
    let lines: Vec<&str> = invite.text.lines().collect();
    let place = |start: &str| lines.iter().position(|line| line.starts_with(start));
    assert!(place("User-Agent:") < place("Contact:") && place("Contact:") < place("Content-Type:"), "{}", invite.text);
    assert_eq!(invite.header("Content-Length"), "147");
    stage.answer(&invite, "200 OK", "B", CONTACT);
    assert_eq!(stage.take(BOB, "ACK").cseq(), 10);
    let refer = stage.take(BOB, "REFER");
    assert_eq!(
        (refer.cseq(), refer.header("Refer-To"), refer.header("Contact")),
        (11, "sip:carol@example.com", "<sip:controller@kamailio.org:5060>")
    );
    assert!(stage.dialogs().is_empty(), "no record");
    stage.answer(&refer, "202 Accepted", "B", "");
    let bye = stage.take(BOB, "BYE");
    assert_eq!((bye.cseq(), bye.header("To")), (12, "<sip:bob@192.0.2.2:5080>;tag=B"));
    stage.answer(&bye, "200 OK", "B", "");
    stage.wait(40_000);
    assert!(stage.find(BOB, "BYE").is_none());
}

#[test]
fn a_bridge_whose_first_party_refuses_is_over() {
    let mut stage = Stage::new(&ordinary(""));
    let text = |text: &str| Parameter::Text(text.as_bytes().to_vec());
    let body = vec![text("sip:bob@example.com"), text("sip:carol@example.com"), text("sip:192.0.2.2:5080"), text("_")];
    assert!(stage.rpc("dlg.bridge_dlg", body).is_ok());
    let invite = stage.take(BOB, "INVITE");
    assert_eq!(
        (invite.request_uri(), invite.header("Content-Length"), invite.header("Content-Type")),
        ("sip:bob@example.com", "0", "application/sdp")
    );
    stage.answer(&invite, "486 Busy", "B", "");
    stage.take(BOB, "ACK");
    stage.wait(5_000);
    assert!(stage.find(BOB, "REFER").is_none());
}

#[test]
fn own_record_routes_are_kept_in_the_route_sets_that_ask_for_them() {
    const OWN: &str = "<sip:198.51.100.1;lr;ftag=A;did=";
    const LOWER: &str = "<sip:192.0.2.2:5070;lr;down=1>";
    const UPPER: &str = "<sip:192.0.2.1:5071;lr>";
    for (mode, at_callee, at_caller) in [(0, false, false), (1, true, false), (2, false, true), (3, true, true)] {
        let configuration = ordinary(&format!("modparam(\"dialog\", \"keep_proxy_rr\", {mode})\n"));
        let mut stage = Stage::new(&configuration);
        let invite = crate::stage::invite("c1", "UDP").replace("Contact:", &format!("Record-Route: {UPPER}\nContact:"));
        stage.receive(ALICE, &invite);
        let invite = stage.take(BOB, "INVITE");
        let below = Sent { text: invite.text.replacen("Record-Route:", &format!("Record-Route: {LOWER}\nRecord-Route:"), 1), ..invite };
        stage.answer(&below, "200 OK", "B", CONTACT);
        let view = stage.only();
        let set = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (caller, callee) = (set(&view.caller.route_set), set(&view.callee.route_set));
        assert_eq!((callee.contains(OWN), caller.contains(OWN)), (at_callee, at_caller), "mode {mode}: {caller} | {callee}");
        assert!(callee.ends_with(LOWER), "mode {mode}: {callee}");
        assert!(caller.ends_with(UPPER), "mode {mode}: {caller}");
    }
}

#[test]
fn every_party_is_reached_from_the_socket_it_was_met_on() {
    let main = r#"
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	force_send_socket("udp:198.51.100.1:5070");
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#;
    let mut stage = Stage::new(&with_routes("", main, ""));
    let invite = stage.calls("c1");
    let text = format!("SIP/2.0 200 OK\n{}", invite.text.split_once('\n').map_or("", |(_, rest)| rest));
    let text = text.replacen("To: <sip:bob@example.com>\n", &format!("To: <sip:bob@example.com>;tag=B\n{CONTACT}"), 1);
    let text = text.replacen("Contact: <sip:alice@192.0.2.1:5090>\n", "", 1);
    stage.receive_over(transaction::Endpoint::udp(BOB.parse().expect("an address"), 1), &text);
    stage.take(ALICE, "200");
    stage.end_by_rpc();
    assert!(stage.take(ALICE, "BYE").header("Via").starts_with("SIP/2.0/UDP 198.51.100.1;"));
    assert!(stage.take(BOB, "BYE").header("Via").starts_with("SIP/2.0/UDP 198.51.100.1:5070;"));
}

#[test]
fn a_state_forced_in_any_direction_keeps_counts_profiles_and_deadlines() {
    for first in 1..=5 {
        for second in 1..=5 {
            let mut stage = Stage::new(&ordinary(""));
            stage.confirmed("c1");
            let id = stage.only().id;
            let all = stage.proxy.node.dialogs.profiles().find("all").expect("a profile");
            assert!(stage.proxy.node.dialogs.profile_join(stage.now(), id, all, None).is_ok());
            for state in [first, second] {
                let text = |text: &str| Parameter::Text(text.as_bytes().to_vec());
                let named = vec![text("c1"), text("A"), text("B"), Parameter::Integer(state)];
                assert!(stage.rpc("dlg.set_state", named).is_ok(), "{first} {second}");
                stage.check();
            }
            let members = stage.proxy.node.dialogs.profiles().size(all, None);
            let is_over = first == 5 || second == 5;
            assert_eq!(members, Some(u64::from(!is_over)), "{first} {second}");
            stage.wait(43_300_000);
            assert!(stage.dialogs().is_empty(), "{first} {second}: {:?}", stage.states());
            stage.check();
        }
    }
}
