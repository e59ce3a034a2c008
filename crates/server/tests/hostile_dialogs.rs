//! What callers can do to dialogs on purpose: each attack gets a defined answer while a call beside it goes on and ends well.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use support::sip::{Call, Dialog, Party, header, headers, reply};
use support::{Server, until};

const PARAMETERS: &str = "max_while_loops = 100000\nmodparam(\"dialog\", \"profiles_with_value\", \"caller\")\n\
                          modparam(\"dialog\", \"profiles_no_value\", \"all\")\n";

/// The relay; the header X-Attack of an INVITE says what the script does to its dialog, X-Result tells the callee how it went.
const ROUTES: &str = r#"
request_route {
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
		sl_send_reply("481", "Call/Transaction Does Not Exist");
		exit;
	}
	t_check_trans();
	if (is_method("INVITE")) {
		if (dlg_manage()) append_hf("X-Dialog: made\r\n");
		record_route();
		set_dlg_profile("all");
		$var(refused) = 0;
		$var(i) = 0;
		if ($hdr(X-Attack) == "variables") {
			while ($var(i) < 5000) {
				if (!dlg_set_var("$ci", "$ft", "", "key$var(i)", "value")) $var(refused) = $var(refused) + 1;
				$var(i) = $var(i) + 1;
			}
			$dlg_var(key0) = "changed";
			append_hf("X-Result: $var(refused) refused, $dlg_var(key0)\r\n");
		}
		if ($hdr(X-Attack) == "megabytes") {
			$var(x) = "0123456789abcdef";
			while ($var(i) < 16) {
				$var(x) = $var(x) + $var(x);
				$var(i) = $var(i) + 1;
			}
			$dlg_var(big) = $var(x);
			$dlg_var(small) = "here";
			append_hf("X-Result: $(var(x){s.len}) $(dlg_var(big){s.len}) $dlg_var(small)\r\n");
		}
		if ($hdr(X-Attack) == "value") {
			$var(x) = "0123456789abcdef";
			while ($var(i) < 13) {
				$var(x) = $var(x) + $var(x);
				$var(i) = $var(i) + 1;
			}
			set_dlg_profile("caller", "$var(x)"); $var(set) = $rc;
			is_in_profile("caller", "$var(x)"); $var(in) = $rc;
			get_profile_size("caller", "$var(x)", "$var(size)");
			append_hf("X-Result: $var(set) $var(in) $var(size)\r\n");
		}
		if ($hdr(X-Attack) == "joins") {
			while ($var(i) < 10000) {
				if (!set_dlg_profile("caller", "$fU")) $var(refused) = $var(refused) + 1;
				$var(i) = $var(i) + 1;
			}
			get_profile_size("caller", "$fU", "$var(size)");
			append_hf("X-Result: $var(refused) refused, $var(size) members\r\n");
		}
	}
	if (!t_relay()) { sl_reply_error(); }
}
"#;

fn server() -> Server {
    Server::with(PARAMETERS, ROUTES)
}

fn proxy(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

/// One number of the statistics of dialogs.
fn statistic(server: &Server, name: &str) -> i64 {
    let answer = server.ask_json("stats.get_statistics", &format!("[\"{name}\"]")).unwrap_or_default();
    let value = answer.split(&format!("dialog:{name} = ")).nth(1).and_then(|rest| rest.split('"').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn profile_size(server: &Server, parameters: &str) -> String {
    let answer = server.ask_json("dlg.profile_get_size", parameters).unwrap_or_default();
    answer.split_whitespace().collect()
}

/// An answered call through the proxy.
struct Conversation {
    call: Call,
    caller: Party,
    callee: Party,
    /// The INVITE as the callee got it.
    invite: String,
    target: String,
    routes: Vec<String>,
    number: u32,
}

impl Conversation {
    fn begin(server: &Server, id: &str) -> Conversation {
        Conversation::with(server, id, |invite| invite, |answer| answer)
    }

    /// With changes to the INVITE and to its answer.
    fn with(server: &Server, id: &str, invite: impl Fn(String) -> String, answer: impl Fn(String) -> String) -> Conversation {
        let mut caller = Party::udp("127.0.0.1:0", proxy(server));
        let mut callee = Party::udp("127.0.0.1:0", proxy(server));
        let uri = format!("sip:bob@{}", callee.address());
        let call = Call::new(id, &uri);
        let request = invite(call.request(&caller, "INVITE", 1, &uri, ""));
        caller.send(&request);
        let arrived = callee.expect("INVITE ");
        let said = answer(reply(&arrived, &callee, "200 OK", "bob"));
        callee.send(&said);
        let answered = caller.expect("SIP/2.0 200");
        let mut routes = headers(&answered, "Record-Route");
        routes.reverse();
        let mut conversation = Conversation { call, caller, callee, invite: arrived, target: uri, routes, number: 1 };
        let ack = conversation.request("ACK");
        conversation.caller.send(&ack);
        conversation.callee.expect("ACK ");
        conversation
    }

    /// The caller's next request within the dialog.
    fn request(&mut self, method: &str) -> String {
        if method != "ACK" {
            self.number += 1;
        }
        let dialog = Dialog { target: &self.target, remote_tag: "bob", routes: &self.routes };
        self.call.request_within(&self.caller, method, self.number, &dialog, "")
    }

    fn result(&self) -> String {
        header(&self.invite, "X-Result").unwrap_or_default()
    }

    fn end(mut self) {
        let bye = self.request("BYE");
        self.caller.send(&bye);
        let arrived = self.callee.expect("BYE ");
        let answer = reply(&arrived, &self.callee, "200 OK", "bob");
        self.callee.send(&answer);
        let wanted = format!("{} BYE", self.number);
        until("the end of the call", || header(&self.caller.expect("SIP/2.0 200"), "CSeq").filter(|value| *value == wanted));
    }
}

/// The call beside the attack ends as if nothing had been, and nothing is left behind.
fn assert_all_is_well(server: &mut Server, beside: Conversation, calls: i64) {
    beside.end();
    assert_eq!(statistic(server, "active_dialogs"), 0);
    assert_eq!(statistic(server, "early_dialogs"), 0);
    assert_eq!(statistic(server, "processed_dialogs"), calls);
    assert_eq!(statistic(server, "expired_dialogs"), 0);
    let all = profile_size(server, "[\"all\"]");
    assert!(all.contains("\"result\":0"), "{all}");
    let caller = profile_size(server, "[\"caller\"]");
    assert!(caller.contains("\"result\":0"), "{caller}");
    server.assert_serves("the attack");
}

/// A call that attacks by script; what the script found.
fn attack(server: &Server, kind: &str) -> (Conversation, String) {
    let line = format!("X-Attack: {kind}\r\nMax-Forwards: 70\r\n");
    let call = Conversation::with(server, kind, |invite| invite.replace("Max-Forwards: 70\r\n", &line), |answer| answer);
    let result = call.result();
    (call, result)
}

#[test]
fn variables_beyond_their_number_are_refused_and_known_ones_still_change() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "variables");
    assert_eq!(result, "904 refused, changed");
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn a_variable_of_a_megabyte_is_refused_and_smaller_ones_are_kept() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "megabytes");
    assert_eq!(result, "1048576 0 here");
    assert!(server.log().len() < 20_000, "{} bytes of log", server.log().len());
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn a_profile_value_of_100_kilobytes_is_refused() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "value");
    assert_eq!(result, "-1 -1 0");
    assert!(server.log().len() < 20_000, "{} bytes of log", server.log().len());
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn ten_thousand_joins_of_one_call_stop_at_the_bound_and_end_with_it() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "joins");
    // One of the 256 is the profile without value.
    assert_eq!(result, "9745 refused, 255 members");
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn two_hundred_calls_with_one_call_id_are_two_hundred_calls() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let calls: Vec<Conversation> = (0..200)
        .map(|number| {
            let mut call = Conversation::with(
                &server,
                &format!("of{number}"),
                |invite| invite.replace(&format!("Call-ID: of{number}\r\n"), "Call-ID: one-for-all\r\n"),
                |answer| answer,
            );
            call.call.id = format!("of{number}");
            call
        })
        .collect();
    assert_eq!(statistic(&server, "active_dialogs"), 201);
    for (number, mut call) in calls.into_iter().enumerate() {
        let bye = call.request("BYE").replace(&format!("Call-ID: of{number}\r\n"), "Call-ID: one-for-all\r\n");
        call.caller.send(&bye);
        let arrived = call.callee.expect("BYE ");
        let answer = reply(&arrived, &call.callee, "200 OK", "bob");
        call.callee.send(&answer);
        call.caller.expect("SIP/2.0 200");
        if number == 99 {
            assert_eq!(statistic(&server, "active_dialogs"), 101);
        }
    }
    assert_all_is_well(&mut server, beside, 201);
}

#[test]
fn a_storm_of_reinvites_changes_no_other_call() {
    const STORM: u32 = 1_000;
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let mut call = Conversation::begin(&server, "storm");
    let before = server.memory();
    let mut answered = 0;
    for number in 0..STORM {
        let invite = call.request("INVITE");
        call.caller.send(&invite);
        // Every other one is answered; the rest stay open, as a storm would leave them.
        if number % 2 == 0
            && let Some(arrived) = call.callee.next_within(Duration::from_millis(500))
        {
            let answer = reply(&arrived, &call.callee, "491 Request Pending", "bob");
            call.callee.send(&answer);
            answered += 1;
        }
    }
    assert!(answered > STORM / 4, "only {answered} arrived");
    assert_eq!(statistic(&server, "active_dialogs"), 2);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 65_536, "memory grew by {grown} kB");
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn contacts_and_routes_of_60_kilobytes_are_kept_or_refused_and_the_calls_end() {
    let long = "x".repeat(60_000);
    let entries: String = (0..50).map(|number| format!("Record-Route: <sip:p{number}.example.com;lr;{}>\r\n", "y".repeat(1_150))).collect();
    let contact = |message: String| {
        let (before, rest) = message.split_once("Contact: <sip:").unwrap();
        format!("{before}Contact: <sip:{long}{rest}")
    };
    let routes = |message: String| message.replace("Max-Forwards: 70\r\n", &format!("{entries}Max-Forwards: 70\r\n"));
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    // The contacts of both sides together are more than a dialog keeps: it goes on without the callee's.
    let both = Conversation::with(&server, "both", contact, contact);
    assert!(both.invite.contains("X-Dialog: made"));
    assert_eq!(statistic(&server, "active_dialogs"), 2);
    both.end();
    let mut routed = Conversation::with(&server, "routed", routes, |answer| answer);
    assert!(routed.invite.contains("X-Dialog: made"));
    // The caller answers for the proxies it made up.
    routed.routes.retain(|route| route.contains(&format!(":{}", server.port)));
    routed.end();
    assert_all_is_well(&mut server, beside, 3);
}

#[test]
fn forged_cookies_and_foreign_tags_end_no_call() {
    let mut server = server();
    let mut beside = Conversation::begin(&server, "beside");
    let mut attacker = Party::udp("127.0.0.1:0", proxy(&server));
    let sink = Party::udp("127.0.0.1:0", proxy(&server));
    let target = format!("sip:bob@{}", sink.address());
    let real = beside.routes.first().cloned().unwrap_or_default();
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for number in 0..300 {
        let route = match number % 3 {
            0 => real.clone(),
            1 => format!("<sip:127.0.0.1:{};lr;did={:x}.{:x}>", server.port, random() & 0xfff, random()),
            _ => format!("<sip:127.0.0.1:{};lr;did={}>", server.port, "f".repeat(number * 7)),
        };
        // Its own Call-ID, or the one of the call beside with tags that are not its.
        let id = if number % 2 == 0 { String::from("beside") } else { format!("forged{number}") };
        let call = Call::new(&format!("forged{number}"), &target);
        let dialog = Dialog { target: &target, remote_tag: "guessed", routes: &[route] };
        let bye = call
            .request_within(&attacker, "BYE", 9, &dialog, "")
            .replace(&format!("Call-ID: forged{number}\r\n"), &format!("Call-ID: {id}\r\n"));
        attacker.send(&bye);
    }
    until("the forged requests", || server.ask_json("core.uptime", "[]"));
    assert_eq!(statistic(&server, "active_dialogs"), 1);
    let info = beside.request("INFO");
    beside.caller.send(&info);
    beside.callee.expect("INFO ");
    let list = server.ask_json("dlg.list", "[]").unwrap_or_default();
    assert!(list.split_whitespace().collect::<String>().contains("\"state\":4"), "{list}");
    assert_all_is_well(&mut server, beside, 1);
}
