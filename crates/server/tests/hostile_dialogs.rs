//! What callers can do to dialogs on purpose: each attack gets a defined answer while a call beside it goes on and ends well.

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::sip::{Call, Dialog, Party, header, headers, reply};
use support::{Server, is_installed, path_text, text, until};

const PARAMETERS: &str = "max_while_loops = 100000\nmodparam(\"dialog\", \"profiles_with_value\", \"caller\")\n\
                          modparam(\"dialog\", \"profiles_no_value\", \"all\")\n";

/// Longest wait for an INVITE whose script is an attack: thousands of steps of an unoptimised proxy on a busy machine.
const ATTACK_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a Contact that passes the bound of one header.
const LONG_CONTACT: usize = 7_000;

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
    /// Changes every request of the caller.
    change: Box<dyn Fn(String) -> String>,
}

impl Conversation {
    fn begin(server: &Server, id: &str) -> Conversation {
        Conversation::with(server, id, |request| request, |answer| answer)
    }

    /// With changes to every request of the caller and to the answer.
    fn with(server: &Server, id: &str, change: impl Fn(String) -> String + 'static, answer: impl Fn(String) -> String) -> Conversation {
        let mut caller = Party::udp("127.0.0.1:0", proxy(server));
        let mut callee = Party::udp("127.0.0.1:0", proxy(server));
        let uri = format!("sip:bob@{}", callee.address());
        let call = Call::new(id, &uri);
        caller.send(&change(call.request(&caller, "INVITE", 1, &uri, "")));
        let arrived = callee.next_within(ATTACK_PATIENCE).filter(|message| message.starts_with("INVITE ")).expect("an INVITE");
        let said = answer(reply(&arrived, &callee, "200 OK", "bob"));
        callee.send(&said);
        let answered = caller.expect("SIP/2.0 200");
        let mut routes = headers(&answered, "Record-Route");
        routes.reverse();
        // A caller stands for the proxies it made up.
        routes.retain(|route| route.contains(&format!(":{}", server.port)));
        let change = Box::new(change);
        let mut conversation = Conversation { call, caller, callee, invite: arrived, target: uri, routes, number: 1, change };
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
        (self.change)(self.call.request_within(&self.caller, method, self.number, &dialog, ""))
    }

    fn result(&self) -> String {
        header(&self.invite, "X-Result").unwrap_or_default()
    }

    fn end(mut self) {
        let bye = self.request("BYE");
        // A storm before it may have filled somebody's receive buffer: repeated and answered again, as any two parties would.
        until("the end of the call", || {
            self.caller.send(&bye);
            let end = Instant::now() + Duration::from_millis(500);
            while Instant::now() < end {
                if let Some(arrived) = self.callee.next_within(Duration::from_millis(5)).filter(|message| message.starts_with("BYE ")) {
                    let answer = reply(&arrived, &self.callee, "200 OK", "bob");
                    self.callee.send(&answer);
                }
                let answered = self.caller.next_within(Duration::from_millis(5)).filter(|message| message.starts_with("SIP/2.0 200"));
                if answered.and_then(|answer| header(&answer, "CSeq")).is_some_and(|value| value.ends_with(" BYE")) {
                    return Some(());
                }
            }
            None
        });
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
    let call = Conversation::with(server, kind, move |request| request.replace("Max-Forwards: 70\r\n", &line), |answer| answer);
    let result = call.result();
    (call, result)
}

#[test]
fn variables_beyond_their_number_are_refused_and_known_ones_still_change() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "variables");
    assert_eq!(result, "904 refused, changed");
    if is_installed("kamcmd") {
        let list = server.kamcmd(&format!("unixs:{}", path_text(&server.control)), &["dlg.list"]);
        assert_eq!(text(&list.stdout).matches("key").count(), 4096, "{}", text(&list.stderr));
    }
    call.end();
    assert_all_is_well(&mut server, beside, 2);
}

#[test]
fn a_variable_of_a_megabyte_is_refused_and_smaller_ones_are_kept() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let (call, result) = attack(&server, "megabytes");
    assert_eq!(result, "1048576  here");
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

/// A caller whose calls all have one Call-ID; the CSeq tells them apart for the proxy's transactions.
fn of_one_call_id(number: u32) -> impl Fn(String) -> String {
    move |request| {
        let request = request.replace(&format!("Call-ID: of{number}\r\n"), "Call-ID: one-for-all\r\n");
        request.replace("CSeq: ", &format!("CSeq: {number}"))
    }
}

#[test]
fn two_hundred_calls_with_one_call_id_are_two_hundred_calls() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let begin = |number| Conversation::with(&server, &format!("of{number}"), of_one_call_id(number), |answer| answer);
    let calls: Vec<Conversation> = (100..300).map(begin).collect();
    assert_eq!(statistic(&server, "active_dialogs"), 201);
    for (number, call) in calls.into_iter().enumerate() {
        call.end();
        if number == 99 {
            assert_eq!(statistic(&server, "active_dialogs"), 101);
        }
    }
    assert_all_is_well(&mut server, beside, 201);
}

#[test]
fn too_many_invites_with_one_call_id_and_cseq_get_503_and_leave_no_dialog() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let mut callee = Party::udp("127.0.0.1:0", proxy(&server));
    let uri = format!("sip:bob@{}", callee.address());
    let mut refused = 0;
    for number in 0..140 {
        let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
        let id = format!("of{number}");
        let invite = Call::new(&id, &uri).request(&caller, "INVITE", 1, &uri, "");
        caller.send(&invite.replace(&format!("Call-ID: {id}\r\n"), "Call-ID: one-for-all\r\n"));
        let answer = until("an answer", || {
            if let Some(arrived) = callee.next_within(Duration::from_millis(20)) {
                let busy = reply(&arrived, &callee, "486 Busy Here", "bob");
                callee.send(&busy);
            }
            caller.next_within(Duration::from_millis(20)).filter(|answer| !answer.starts_with("SIP/2.0 100"))
        });
        if answer.starts_with("SIP/2.0 503") {
            assert!(header(&answer, "Retry-After").is_some(), "{answer}");
            refused += 1;
        } else {
            assert!(answer.starts_with("SIP/2.0 486"), "{answer}");
        }
    }
    assert!(refused > 0, "none was refused");
    assert_eq!(statistic(&server, "active_dialogs"), 1);
    assert_eq!(statistic(&server, "failed_dialogs"), 140 - refused);
    assert_all_is_well(&mut server, beside, 141);
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

/// The message with a Contact of so many bytes more.
fn with_long_contact(bytes: usize) -> impl Fn(String) -> String {
    move |message| {
        let (before, rest) = message.split_once("Contact: <sip:").unwrap_or((&message, ""));
        format!("{before}Contact: <sip:{}{rest}", "x".repeat(bytes))
    }
}

#[test]
fn a_contact_beyond_the_bound_of_headers_makes_no_call() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    let callee = Party::udp("127.0.0.1:0", proxy(&server));
    let uri = format!("sip:bob@{}", callee.address());
    let invite = Call::new("long", &uri).request(&caller, "INVITE", 1, &uri, "");
    caller.send(&with_long_contact(60_000)(invite));
    until("the proxy's verdict", || server.log().contains("is too long").then_some(()));
    assert_all_is_well(&mut server, beside, 1);
}

#[test]
fn contacts_and_routes_within_the_bounds_of_headers_are_kept_in_the_dialog() {
    let mut server = server();
    let beside = Conversation::begin(&server, "beside");
    let both = Conversation::with(&server, "both", with_long_contact(LONG_CONTACT), with_long_contact(LONG_CONTACT));
    assert!(both.invite.contains("X-Dialog: made"));
    both.end();
    let entries: String = (0..50).map(|number| format!("Record-Route: <sip:p{number}.example.com;lr;{}>\r\n", "y".repeat(1_100))).collect();
    let entries = move |request: String| {
        let is_invite = request.starts_with("INVITE ");
        if is_invite { request.replace("Max-Forwards: 70\r\n", &format!("{entries}Max-Forwards: 70\r\n")) } else { request }
    };
    let routed = Conversation::with(&server, "routed", entries, |answer| answer);
    assert!(routed.invite.contains("X-Dialog: made"));
    let list = server.ask_json("dlg.dlg_list", "[\"routed\"]").unwrap_or_default();
    assert!(list.contains("<sip:p0.example.com;lr;"), "the caller's route set is kept");
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
    let info = beside.request("INFO");
    until("the request behind the forged ones", || {
        beside.caller.send(&info);
        beside.callee.next_within(Duration::from_millis(500)).filter(|message| message.starts_with("INFO "))
    });
    assert_eq!(statistic(&server, "active_dialogs"), 1);
    let list = server.ask_json("dlg.list", "[]").unwrap_or_default();
    assert!(list.split_whitespace().collect::<String>().contains("\"state\":4"), "{list}");
    assert_all_is_well(&mut server, beside, 1);
}
