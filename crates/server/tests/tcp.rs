//! Calls over streams, and streams that lie.

mod support;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use support::Server;
use support::sip::{Call, Party, header, headers, options, whole_call};

fn proxy(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

#[test]
fn a_call_over_streams_works_however_the_caller_cuts_its_messages() {
    let mut server = Server::relay("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("sip:bob@{};transport=tcp", listener.local_addr().unwrap());
    let mut connection = None;
    for (number, pieces) in [vec![], vec![1, 3, 200], vec![17], vec![64, 1, 2, 500], vec![333, 5]].iter().enumerate() {
        let mut caller = Party::tcp(proxy(&server));
        // The proxy keeps its connection to the callee for the next call.
        let callee = || connection.take().unwrap_or_else(|| Party::accept(&listener));
        let (callee, invite) = whole_call(&mut caller, &format!("split{number}"), &uri, callee, pieces);
        assert!(headers(&invite, "Record-Route").iter().any(|value| value.contains("transport=tcp")), "{invite}");
        connection = Some(callee);
    }
    server.assert_serves("five calls");
}

#[test]
fn a_udp_caller_reaches_a_stream_callee_and_the_other_way_round() {
    let mut server = Server::relay("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("sip:bob@{};transport=tcp", listener.local_addr().unwrap());
    let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
    whole_call(&mut caller, "udp2tcp", &uri, || Party::accept(&listener), &[]);
    let callee = Party::udp("127.0.0.1:0", proxy(&server));
    let uri = format!("sip:bob@{}", callee.address());
    let mut caller = Party::tcp(proxy(&server));
    whole_call(&mut caller, "tcp2udp", &uri, || callee, &[]);
    server.assert_serves("mixed calls");
}

#[test]
fn replies_come_back_on_the_connection_of_the_request_in_order() {
    let mut server = Server::relay("");
    let mut caller = Party::tcp(proxy(&server));
    let many: String = (0..20).map(|number| options(&caller, &format!("pipeline{number}"), proxy(&server))).collect();
    caller.send(&many);
    for number in 0..20 {
        let reply = caller.expect("SIP/2.0 200");
        assert_eq!(header(&reply, "Call-ID"), Some(format!("pipeline{number}")));
    }
    server.assert_serves("a pipeline");
}

#[test]
fn a_double_line_end_is_answered_with_one() {
    let server = Server::relay("");
    let mut caller = Party::tcp(proxy(&server));
    caller.send("\r\n\r\n");
    assert_eq!(caller.next_within(support::PATIENCE).as_deref(), Some("\r\n"));
    let request = options(&caller, "afterping", proxy(&server));
    caller.send(&format!("\r\n\r\n{request}"));
    caller.expect("SIP/2.0 200");
}

/// An OPTIONS whose length is said so, with a second request where its body would be.
fn smuggled(from: &Party, id: &str, proxy: SocketAddr, lengths: &str) -> String {
    let outer = options(from, id, proxy).replace("Content-Length: 0\r\n", lengths);
    format!("{outer}{}", options(from, &format!("{id}-inner"), proxy))
}

#[test]
fn a_length_that_can_be_read_in_two_ways_closes_the_connection_and_never_makes_a_second_request() {
    let mut server = Server::relay("");
    for (number, lengths) in [
        "Content-Length: 4294967296\r\n",
        "Content-Length: 4294967328\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: -10\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: 0x10\r\n",
        "Content-Length: 0, 400\r\n",
        "Content-Length: 0 400\r\n",
        "Content-Length: 0\r\nContent-Length: 400\r\n",
        "Content-Length: 400\r\nl: 0\r\n",
        "Content-Length: \r\n",
        "Content-Length: zero\r\n",
        "",
    ]
    .iter()
    .enumerate()
    {
        let mut caller = Party::tcp(proxy(&server));
        caller.send(&smuggled(&caller, &format!("smuggle{number}"), proxy(&server), lengths));
        let answer = caller.expect_close();
        assert!(!answer.contains("-inner"), "{lengths:?} made a second request: {answer}");
        server.assert_serves(lengths);
    }
}

#[test]
fn two_lengths_that_agree_are_one() {
    let server = Server::relay("");
    let mut caller = Party::tcp(proxy(&server));
    caller.send(&options(&caller, "agree", proxy(&server)).replace("Content-Length: 0\r\n", "Content-Length: 0\r\nl: 0\r\n"));
    // Some refuse even this; what must not happen is a hang.
    let reply = caller.next_within(support::PATIENCE).unwrap_or_default();
    assert!(reply.is_empty() || reply.starts_with("SIP/2.0 "), "{reply}");
}

#[test]
fn a_request_that_is_a_body_stays_a_body() {
    let mut server = Server::relay("");
    let mut caller = Party::tcp(proxy(&server));
    let inner = options(&caller, "inner", proxy(&server));
    let outer = options(&caller, "outer", proxy(&server)).replace("Content-Length: 0\r\n", &format!("Content-Length: {}\r\n", inner.len()));
    let last = options(&caller, "last", proxy(&server));
    caller.send(&format!("{outer}{inner}{last}"));
    assert_eq!(header(&caller.expect("SIP/2.0 200"), "Call-ID").as_deref(), Some("outer"));
    assert_eq!(header(&caller.expect("SIP/2.0 200"), "Call-ID").as_deref(), Some("last"));
    server.assert_serves("a body that looks like a request");
}

#[test]
fn an_endless_header_and_an_endless_body_are_cut_off() {
    let mut server = Server::relay("");
    let before = server.memory();
    for (number, head) in
        ["OPTIONS sip:x SIP/2.0\r\nX: ", "", "OPTIONS sip:x SIP/2.0\r\nContent-Length: 2147483647\r\n\r\n"].iter().enumerate()
    {
        let Party::Tcp(mut stream, _) = Party::tcp(proxy(&server)) else { unreachable!() };
        use std::io::Write;
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut sent = 0_usize;
        let _ = stream.write_all(head.as_bytes());
        let chunk = vec![b'a'; 65_536];
        while sent < 8 << 20 {
            match stream.write(&chunk) {
                Ok(length) => sent += length,
                Err(_) => break,
            }
        }
        assert!(sent < 8 << 20, "case {number} was read without end");
        server.assert_serves("an endless message");
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 16_384, "{grown} kB");
}

#[test]
fn a_message_that_never_ends_holds_up_nobody_else() {
    let mut server = Server::relay("");
    let mut slow: Vec<Party> = (0..50).map(|_| Party::tcp(proxy(&server))).collect();
    for party in &mut slow {
        party.send("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP ");
    }
    let mut caller = Party::tcp(proxy(&server));
    let request = Call::new("quick", "sip:x").request(&caller, "OPTIONS", 1, &format!("sip:127.0.0.1:{}", server.port), "");
    caller.send(&request);
    caller.expect("SIP/2.0 200");
    server.assert_serves("fifty half messages");
}

#[test]
fn a_silent_connection_is_closed_after_its_lifetime() {
    let mut server = Server::relay("tcp_connection_lifetime = 2");
    let mut idle = Party::tcp(proxy(&server));
    idle.send(&options(&idle, "idle", proxy(&server)));
    idle.expect("SIP/2.0 200");
    assert_eq!(idle.expect_close(), "");
    server.assert_serves("an idle connection");
}
