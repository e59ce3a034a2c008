//! The binary as an operator runs it: a configuration, calls over UDP, the books over RPC.

#[path = "../../../crates/server/tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;

use support::sip::{Call, Dialog, Party, header, headers, reply, whole_call};
use support::{RELAY, Server, duolog, finish, text, until};

/// The relay of the server's tests; calls of carol are paid by the company.
fn routes() -> String {
    let rule = "\tif (is_method(\"INVITE\") && $rU == \"carol\") { $dlg_var(account) = \"company\"; }\n\tif (is_method(\"INVITE\")) { dlg_manage();";
    RELAY.replace("\tif (is_method(\"INVITE\")) { dlg_manage();", rule)
}

/// The answer of a command without its white space.
fn ask(server: &Server, method: &str, parameters: &str) -> String {
    let answer = server.ask_json(method, parameters).unwrap_or_default();
    answer.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn minutes(server: &Server, account: &str) -> String {
    ask(server, "talk.minutes", &format!("[\"{account}\"]"))
}

#[test]
fn calls_are_booked_on_their_accounts() {
    let server = Server::with("", &routes());
    let proxy: SocketAddr = format!("127.0.0.1:{}", server.port).parse().unwrap();
    for (id, user) in [("one", "bob"), ("two", "bob"), ("three", "carol")] {
        let callee = Party::udp("127.0.0.1:0", proxy);
        let uri = format!("sip:{user}@{}", callee.address());
        whole_call(&mut Party::udp("127.0.0.1:0", proxy), id, &uri, || callee, &[]);
    }
    let (alice, company) = (minutes(&server, "alice"), minutes(&server, "company"));
    for part in ["\"account\":\"alice\"", "\"calls\":2", "\"minutes\":2", "\"talking\":0"] {
        assert!(alice.contains(part), "{part} in {alice}");
    }
    assert!(company.contains("\"calls\":1"), "{company}");
    assert!(minutes(&server, "nobody").contains("Nosuchaccount"));
    let all = ask(&server, "talk.minutes", "[]");
    assert!(all.contains("alice") && all.contains("company"), "{all}");
    let commands = ask(&server, "system.listMethods", "[]");
    assert!(commands.contains("talk.end"), "{commands}");
}

/// A call that was answered and acknowledged: its two ends.
fn answered(server: &Server, id: &str) -> (Party, Party) {
    let proxy: SocketAddr = format!("127.0.0.1:{}", server.port).parse().unwrap();
    let (mut caller, mut callee) = (Party::udp("127.0.0.1:0", proxy), Party::udp("127.0.0.1:0", proxy));
    let uri = format!("sip:bob@{}", callee.address());
    let call = Call::new(id, &uri);
    caller.send(&call.request(&caller, "INVITE", 1, &uri, ""));
    let invite = callee.expect("INVITE ");
    callee.send(&reply(&invite, &callee, "200 OK", "bob"));
    let answer = caller.expect("SIP/2.0 200");
    let mut routes = headers(&answer, "Record-Route");
    routes.reverse();
    caller.send(&call.request_within(&caller, "ACK", 1, &Dialog { target: &uri, remote_tag: "bob", routes: &routes }, ""));
    callee.expect("ACK ");
    (caller, callee)
}

fn booked(server: &Server) -> String {
    until("the call to be booked", || Some(minutes(server, "alice")).filter(|text| text.contains("\"calls\":1")))
}

#[test]
fn an_account_without_credit_is_hung_up_on() {
    let mut server = Server::with("", &routes());
    let (mut caller, mut callee) = answered(&server, "credit");
    assert!(minutes(&server, "alice").contains("\"talking\":1"));
    let listed = ask(&server, "dlg.list_ctx", "[]");
    assert!(listed.contains("\"talk_account\":\"alice\""), "{listed}");
    let ended = ask(&server, "talk.end", "[\"alice\"]");
    assert!(ended.contains("\"result\":1"), "{ended}");
    for party in [&mut caller, &mut callee] {
        let bye = party.expect("BYE ");
        assert_eq!(header(&bye, "Call-ID").as_deref(), Some("credit"));
        let answer = reply(&bye, party, "200 OK", "");
        party.send(&answer);
    }
    let booked = booked(&server);
    assert!(booked.contains("\"talking\":0"), "{booked}");
    server.assert_serves("the end of a call by an observer");
}

#[test]
fn a_script_asks_the_books_before_it_lets_a_call_through() {
    let rule = "\tif (is_method(\"INVITE\") && talk_exceeds(\"$fU\", 1)) { sl_send_reply(\"402\", \"Payment Required\"); exit; }\n";
    let server = Server::with("", &RELAY.replace("\tif (is_method(\"INVITE\")) {", &format!("{rule}\tif (is_method(\"INVITE\")) {{")));
    let proxy: SocketAddr = format!("127.0.0.1:{}", server.port).parse().unwrap();
    let mut caller = Party::udp("127.0.0.1:0", proxy);
    for id in ["first", "second"] {
        let callee = Party::udp("127.0.0.1:0", proxy);
        let uri = format!("sip:bob@{}", callee.address());
        whole_call(&mut caller, id, &uri, || callee, &[]);
    }
    let uri = format!("sip:bob@127.0.0.1:{}", support::free_port());
    let third = Call::new("third", &uri).request(&caller, "INVITE", 1, &uri, "");
    caller.send(&third);
    caller.expect("SIP/2.0 402 Payment Required");
}

#[test]
fn the_configuration_of_the_example_is_right() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/talk-minutes.cfg");
    let output = finish(duolog().args(["-c", "-f", file]));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_call_whose_lifetime_is_over_is_booked_although_nobody_hung_up() {
    let server = Server::with("modparam(\"dialog\", \"default_timeout\", 1)", &routes());
    let _parties = answered(&server, "silent");
    let booked = booked(&server);
    assert!(booked.contains("\"talking\":0"), "{booked}");
}
