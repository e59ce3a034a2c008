//! What a script asks of connections and files: closing, not connecting, aliases, reading and writing.

mod support;

use std::net::{SocketAddr, TcpListener};

use support::Server;
use support::sip::{Call, Party, header, options, reply};

const ROUTES: &str = r#"
request_route {
	if ($hdr(X-Wish) == "reply-close") set_reply_close();
	if ($hdr(X-Wish) == "forward-close") set_forward_close();
	if ($hdr(X-Wish) == "no-connect") set_forward_no_connect();
	if ($hdr(X-Wish) == "alias") force_tcp_alias();
	if ($hdr(X-Wish) == "alias-port") add_tcp_alias("$(hdr(X-Port){s.int})");
	if ($hdr(X-Wish) == "abort") abort();
	if ($hdr(X-Wish) == "copy") send_tcp("127.0.0.1:$hdr(X-Port)");
	if (is_method("MESSAGE")) {
		if ($hdr(X-Way) == "stateless") { forward(); exit; }
		t_relay();
		exit;
	}
	if ($hdr(X-Way) == "stateful") { t_newtran(); t_reply("200", "Done"); exit; }
	sl_send_reply("200", "Done");
}
"#;

fn proxy(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

fn with(request: &str, headers: &str) -> String {
    request.replace("Max-Forwards: 70\r\n", &format!("Max-Forwards: 70\r\n{headers}"))
}

#[test]
fn a_final_reply_closes_the_connection_when_the_script_wants_it() {
    let mut server = Server::with("", ROUTES);
    for way in ["stateless", "stateful"] {
        let mut caller = Party::tcp(proxy(&server));
        let request = options(&caller, &format!("close-{way}"), proxy(&server));
        caller.send(&with(&request, &format!("X-Wish: reply-close\r\nX-Way: {way}\r\n")));
        assert!(caller.expect_close().starts_with("SIP/2.0 200"), "{way}");
        let mut other = Party::tcp(proxy(&server));
        let request = options(&other, &format!("open-{way}"), proxy(&server));
        other.send(&with(&request, &format!("X-Way: {way}\r\n")));
        other.expect("SIP/2.0 200");
        other.send(&with(&options(&other, &format!("again-{way}"), proxy(&server)), &format!("X-Way: {way}\r\n")));
        other.expect("SIP/2.0 200");
    }
    server.assert_serves("closed connections");
}

#[test]
fn a_connection_opened_to_forward_a_request_is_closed_behind_it() {
    let mut server = Server::with("", ROUTES);
    for way in ["stateless", "stateful"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("sip:bob@{};transport=tcp", listener.local_addr().unwrap());
        let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
        let request = Call::new(&format!("forward-{way}"), &uri).request(&caller, "MESSAGE", 1, &uri, "");
        caller.send(&with(&request, &format!("X-Wish: forward-close\r\nX-Way: {way}\r\n")));
        let mut callee = Party::accept(&listener);
        assert!(callee.expect_close().starts_with("MESSAGE "), "{way}");
    }
    server.assert_serves("closed connections");
}

#[test]
fn no_connection_is_opened_against_the_scripts_wish() {
    let mut server = Server::with("", ROUTES);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("sip:bob@{};transport=tcp", listener.local_addr().unwrap());
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    let request = |caller: &Party, id: &str| Call::new(id, &uri).request(caller, "MESSAGE", 1, &uri, "");
    let refused = request(&caller, "refused");
    caller.send(&with(&refused, "X-Wish: no-connect\r\n"));
    let allowed = request(&caller, "allowed");
    caller.send(&allowed);
    // The first connection there is carries the second request; over it the first wish is possible, too.
    let mut callee = Party::accept(&listener);
    let arrived = callee.expect("MESSAGE ");
    assert_eq!(header(&arrived, "Call-ID").as_deref(), Some("allowed"));
    let over_open = request(&caller, "over-open");
    caller.send(&with(&over_open, "X-Wish: no-connect\r\n"));
    loop {
        let arrived = callee.expect("MESSAGE ");
        let id = header(&arrived, "Call-ID").unwrap_or_default();
        assert_ne!(id, "refused");
        if id == "over-open" {
            break;
        }
    }
    server.assert_serves("a refused connection");
}

#[test]
fn an_alias_lets_requests_use_the_peers_own_connection() {
    let mut server = Server::with("", ROUTES);
    for (number, wish) in ["alias", "alias-port"].iter().enumerate() {
        // Nobody listens at the port of the Via: only the connection leads there.
        let unused = support::free_port();
        let mut phone = Party::tcp(proxy(&server));
        let request = options(&phone, &format!("phone{number}"), proxy(&server));
        let request = request.replace(&format!("Via: SIP/2.0/TCP {}", phone.address()), &format!("Via: SIP/2.0/TCP 127.0.0.1:{unused}"));
        phone.send(&with(&request, &format!("X-Wish: {wish}\r\nX-Port: {unused}\r\n")));
        phone.expect("SIP/2.0 200");
        let uri = format!("sip:phone@127.0.0.1:{unused};transport=tcp");
        let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
        let message = Call::new(&format!("caller{number}"), &uri).request(&caller, "MESSAGE", 1, &uri, "");
        caller.send(&message);
        let arrived = phone.expect("MESSAGE ");
        let answer = reply(&arrived, &phone, "200 OK", "phone");
        phone.send(&answer);
        caller.expect("SIP/2.0 200");
    }
    server.assert_serves("aliases");
}

#[test]
fn a_copy_of_the_message_goes_over_a_stream() {
    let server = Server::with("", ROUTES);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    let request = with(
        &options(&caller, "copied", proxy(&server)),
        &format!("X-Wish: copy\r\nX-Port: {}\r\n", listener.local_addr().unwrap().port()),
    );
    caller.send(&request);
    assert_eq!(Party::accept(&listener).expect("OPTIONS "), request, "the message as it came");
    caller.expect("SIP/2.0 200");
}

#[test]
fn abort_ends_the_proxy() {
    let mut server = Server::with("", ROUTES);
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    let request = options(&caller, "abort", proxy(&server));
    caller.send(&with(&request, "X-Wish: abort\r\n"));
    support::until("the end of the proxy", || (!server.is_alive()).then_some(()));
    assert!(server.log().contains("abort()"), "{}", server.log());
}

const FILES: &str = r#"
modparam("cfgutils", "hash_file", "FOLDER/hashed")
request_route {
	if ($rU == "write") {
		if (file_write("FOLDER/written", "$hdr(X-Text)")) append_to_reply("X-Result: written\r\n");
		else append_to_reply("X-Result: failed\r\n");
	} else if ($rU == "nowhere") {
		if (file_write("FOLDER/none/written", "text")) append_to_reply("X-Result: written\r\n");
		else append_to_reply("X-Result: failed\r\n");
	} else if (file_read("FOLDER/$rU", "$var(text)")) append_to_reply("X-Result: $rc $var(text)\r\n");
	else append_to_reply("X-Result: $rc\r\n");
	sl_send_reply("200", "OK");
}
"#;

#[test]
fn a_script_reads_and_writes_files_while_others_are_served() {
    let folder = support::Folder::new();
    let hashed = folder.write("hashed", "aaa");
    let routes = FILES.replace("FOLDER/hashed", &support::path_text(&hashed));
    let server = Server::with("", &routes);
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    let mut number = 0;
    let mut ask = |user: &str, text: &str| {
        number += 1;
        let uri = format!("sip:{user}@127.0.0.1:{}", server.port);
        let request = Call::new(&format!("file{number}"), &uri).request(&caller, "OPTIONS", 1, &uri, "");
        caller.send(&with(&request, &format!("X-Text: {text}\r\n")));
        header(&caller.expect("SIP/2.0 200"), "X-Result").unwrap_or_default()
    };
    assert_eq!(ask("written", ""), "-1", "there is no such file yet");
    assert_eq!(ask("write", "some text"), "written");
    assert_eq!(ask("written", ""), "1 some text");
    assert_eq!(ask("write", "other"), "written");
    assert_eq!(ask("written", ""), "1 other", "a file is written anew");
    assert_eq!(ask("nowhere", ""), "failed");
    let check = || server.ask_json("cfgutils.check_config_hash", "[]").unwrap_or_default();
    assert!(server.ask_json("cfgutils.get_config_hash", "[]").unwrap_or_default().contains("47bce5c74f589f4867dbd57e9ca9f808"));
    assert!(check().contains("Identical hash"), "{}", check());
    folder.write("hashed", "bbb");
    assert!(check().contains("Different hash"), "{}", check());
    std::fs::remove_file(&hashed).unwrap();
    assert!(check().contains("Failed to hash the file"), "{}", check());
}

#[test]
fn a_hashed_file_that_is_not_there_stops_the_start() {
    let folder = support::Folder::new();
    let port = support::free_port();
    let listen = format!("listen = udp:127.0.0.1:{port}\n");
    let text = support::configuration(
        &folder,
        port,
        &listen,
        "modparam(\"cfgutils\", \"hash_file\", \"FOLDER/none\")",
        "request_route { exit; }\n",
    );
    let file = folder.write("proxy.cfg", &text);
    let output = support::finish(support::duolog().arg("-f").arg(&file).args(["-DD", "-E", "-Y"]).arg(&folder.0));
    assert!(!output.status.success());
    assert!(support::text(&output.stderr).contains("hash_file"), "{}", support::text(&output.stderr));
}
