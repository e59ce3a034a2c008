//! Remote calls that wait for a SIP reply: answered when it comes, while every door goes on serving others.

mod support;

use std::net::SocketAddr;
use std::thread;

use support::sip::{Party, reply};
use support::{Server, is_installed, path_text, text};

const HEADERS: &str = "From: <sip:alice@example.com>\\r\\nTo: <sip:bob@example.com>\\r\\n";

fn proxy(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

fn parameters(callee: &Party) -> String {
    format!("[\"OPTIONS\",\"sip:bob@{}\",\".\",\".\",\"{HEADERS}\"]", callee.address())
}

#[test]
fn a_call_is_answered_with_the_reply_while_its_door_serves_others() {
    let server = Server::relay("");
    let mut callee = Party::udp("127.0.0.1:0", proxy(&server));
    let parameters = parameters(&callee);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| server.ask_json("tm.t_uac_wait", &parameters))).collect();
        let requests: Vec<String> = (0..8).map(|_| callee.expect("OPTIONS ")).collect();
        // All eight wait at this moment, on the datagram socket that answers here at once.
        let version = server.ask_json("core.version", "[]").expect("an answer");
        assert!(version.contains("duolog"), "{version}");
        assert!(waiting.iter().all(|call| !call.is_finished()));
        for request in &requests {
            callee.send(&reply(request, &callee, "200 Fine", "uas"));
        }
        for call in waiting {
            let answer = call.join().expect("a thread").expect("an answer");
            let squeezed: String = answer.split_whitespace().collect();
            assert!(squeezed.contains("\"result\":[200,\"Fine\",\"sip:bob@127.0.0.1:"), "{answer}");
        }
    });
}

#[test]
fn a_binrpc_client_gets_code_and_text() {
    if !is_installed("kamcmd") {
        return;
    }
    let server = Server::relay("");
    let mut callee = Party::udp("127.0.0.1:0", proxy(&server));
    let door = format!("unixs:{}", path_text(&server.control));
    let uri = format!("sip:bob@{}", callee.address());
    let headers = HEADERS.replace("\\r\\n", "\r\n");
    thread::scope(|scope| {
        let asked = scope.spawn(|| server.kamcmd(&door, &["tm.t_uac_wait_block", "OPTIONS", &uri, ".", ".", &headers]));
        let request = callee.expect("OPTIONS ");
        callee.send(&reply(&request, &callee, "486 Busy", "uas"));
        let said = text(&asked.join().expect("a thread").stdout);
        assert!(said.contains("code: 486") && said.contains("text: Busy"), "{said}");
    });
}

#[test]
fn more_calls_than_may_wait_are_refused_and_those_that_wait_are_answered_in_the_end() {
    let server = Server::relay("modparam(\"tm\", \"fr_timer\", 1500)");
    let callee = Party::udp("127.0.0.1:0", proxy(&server));
    let parameters = parameters(&callee);
    let answers: Vec<String> = thread::scope(|scope| {
        let calls: Vec<_> = (0..80).map(|_| scope.spawn(|| server.ask_json("tm.t_uac_wait_block", &parameters))).collect();
        calls.into_iter().filter_map(|call| call.join().expect("a thread")).collect()
    });
    let refused = answers.iter().filter(|answer| answer.contains("Reply wait/async mode not supported")).count();
    let ended = answers.iter().filter(|answer| answer.contains("408")).count();
    assert_eq!((refused, ended), (16, 64), "of {} answers", answers.len());
    assert!(server.ask_json("core.version", "[]").is_some());
}
