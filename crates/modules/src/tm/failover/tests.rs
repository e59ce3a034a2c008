//! Calls to names with several addresses, on a worker without network.

use sip::time::Time;

use super::super::{answered, finish_request, on_due, receive_reply};
use super::*;
use crate::dns::record::Reply;
use crate::fixture::{receive, request, run, sent, worker as worker_on};
use crate::outbox::Effect;
use crate::run::Answer;

/// `many.test` has the servers 192.0.2.1 and .2, then `late.test`, whose address is not known.
fn worker(more: &str) -> Worker {
    let server = |number: u8, target: &str| {
        format!(
            "modparam(\"corex\", \"dns_cache\", \"type=SRV;name=_sip._udp.many.test;addr={target};priority={number};port=507{number};flags=2\")\n"
        )
    };
    let address =
        |number: u8| format!("modparam(\"corex\", \"dns_cache\", \"type=A;name=h{number}.test;addr=192.0.2.{number};flags=2\")\n");
    let modules = "loadmodule \"tm\"\nloadmodule \"sl\"\nloadmodule \"pv\"\nloadmodule \"corex\"\n";
    let servers = [server(1, "h1.test"), server(2, "h2.test"), server(3, "late.test"), address(1), address(2)].concat();
    worker_on(&format!("use_dns_failover = yes\n{modules}{servers}{more}request_route {{\nt_relay();\n}}\n"))
}

/// Runs the request route as the proxy does; what left.
fn call(worker: &mut Worker, method: &str) -> Vec<(std::net::SocketAddr, String)> {
    run(worker, &request(method, "sip:bob@many.test", "", "Max-Forwards: 70\n"));
    finish_request(worker);
    sent(worker)
}

/// The reply of a peer to a request we sent.
fn reply_to(request: &str, code: u16) -> String {
    let keeps = |line: &&str| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name));
    let lines: Vec<&str> = request.lines().filter(keeps).collect();
    format!("SIP/2.0 {code} X\n{}\nContent-Length: 0\n\n", lines.join("\n"))
}

fn answer(worker: &mut Worker, request: &str, code: u16) -> Vec<(std::net::SocketAddr, String)> {
    receive(worker, &reply_to(request, code));
    receive_reply(worker);
    sent(worker)
}

fn to(sent: &[(std::net::SocketAddr, String)]) -> Vec<String> {
    sent.iter().map(|(to, text)| format!("{} {to}", text.split(' ').next().unwrap_or_default())).collect()
}

fn pass_time(worker: &mut Worker, milliseconds: u64) {
    worker.now.time = Time(worker.now.time.0 + milliseconds);
    let mut due = Vec::new();
    worker.node.transactions.due(worker.now.time, &mut due);
    for id in due {
        on_due(worker, id);
    }
}

#[test]
fn a_503_sends_the_request_to_the_next_server_with_a_branch_of_its_own() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    assert_eq!(to(&first), ["OPTIONS 192.0.2.1:5071"]);
    let second = answer(&mut worker, &first[0].1, 503);
    assert_eq!(to(&second), ["OPTIONS 192.0.2.2:5072"]);
    let via = |text: &str| text.lines().find(|line| line.starts_with("Via")).map(ToOwned::to_owned);
    assert_ne!(via(&first[0].1), via(&second[0].1));
    assert_eq!(to(&answer(&mut worker, &second[0].1, 200)), ["SIP/2.0 192.0.2.1:5090"]);
}

#[test]
fn the_address_of_a_later_server_is_looked_up_when_its_turn_comes() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    let second = answer(&mut worker, &first[0].1, 503);
    receive(&mut worker, &reply_to(&second[0].1, 503));
    receive_reply(&mut worker);
    let asked = worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::Resolve { ticket, question } => Some((*ticket, question.name.to_string())),
        _ => None,
    });
    let (ticket, name) = asked.expect("a question");
    assert_eq!(name, "late.test");
    assert!(sent(&mut worker).is_empty(), "nothing goes upstream meanwhile");
    let reply = Reply::of_address("late.test", "192.0.2.3".parse().unwrap());
    assert!(answered(&mut worker, ticket, &Answer::Records(reply)));
    assert_eq!(to(&sent(&mut worker)), ["OPTIONS 192.0.2.3:5073"]);
}

#[test]
fn when_the_last_look_up_fails_the_replies_so_far_decide() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    let second = answer(&mut worker, &first[0].1, 503);
    receive(&mut worker, &reply_to(&second[0].1, 503));
    receive_reply(&mut worker);
    for _ in 0..4 {
        let ticket = worker.outbox.effects.iter().find_map(|effect| match effect {
            Effect::Resolve { ticket, .. } => Some(*ticket),
            _ => None,
        });
        let Some(ticket) = ticket else { break };
        worker.outbox.clear();
        answered(&mut worker, ticket, &Answer::Records(Reply::default()));
    }
    let replies = sent(&mut worker);
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies[0].1.starts_with("SIP/2.0 500 "), "{}", replies[0].1);
}

#[test]
fn a_silent_server_is_left_after_fr_timer_and_a_ringing_one_is_not() {
    let mut worker = worker("modparam(\"tm\", \"fr_timer\", 1000)\nmodparam(\"tm\", \"fr_inv_timer\", 2000)\n");
    let first = call(&mut worker, "INVITE");
    assert_eq!(to(&first), ["SIP/2.0 192.0.2.1:5090", "INVITE 192.0.2.1:5071"]);
    pass_time(&mut worker, 1_001);
    let second = sent(&mut worker);
    assert!(to(&second).contains(&"INVITE 192.0.2.2:5072".to_owned()), "{second:?}");
    let invite = second.iter().find(|(to, _)| to.port() == 5072).unwrap().1.clone();
    answer(&mut worker, &invite, 180);
    pass_time(&mut worker, 2_001);
    let last = sent(&mut worker);
    assert!(last.iter().any(|(_, text)| text.starts_with("SIP/2.0 408 ")), "{last:?}");
    assert!(!last.iter().any(|(_, text)| text.starts_with("INVITE")), "{last:?}");
}

#[test]
fn a_request_that_did_not_leave_goes_to_the_next_server() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    unsent(&mut worker, first[0].1.replace('\n', "\r\n").as_bytes());
    assert_eq!(to(&sent(&mut worker)), ["OPTIONS 192.0.2.2:5072"]);
    unsent(&mut worker, first[0].1.replace('\n', "\r\n").as_bytes());
    assert!(sent(&mut worker).is_empty(), "told twice, done once");
}

#[test]
fn a_request_that_did_not_leave_and_has_no_other_server_is_answered_477() {
    let mut worker = worker_on("loadmodule \"tm\"\nloadmodule \"sl\"\nrequest_route {\nt_relay();\n}\n");
    run(&mut worker, &request("OPTIONS", "sip:bob@192.0.2.9", "", "Max-Forwards: 70\n"));
    finish_request(&mut worker);
    let first = sent(&mut worker);
    unsent(&mut worker, first[0].1.replace('\n', "\r\n").as_bytes());
    let replies = sent(&mut worker);
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies[0].1.starts_with("SIP/2.0 477 "), "{}", replies[0].1);
}

#[test]
fn what_did_not_leave_and_is_no_request_of_ours_is_ignored() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    let forged = first[0].1.replace("branch=z9hG4bK", "branch=z9hG4bKx");
    for text in [reply_to(&first[0].1, 200), forged, "no message".to_owned(), String::new()] {
        unsent(&mut worker, text.replace('\n', "\r\n").as_bytes());
    }
    assert!(sent(&mut worker).is_empty());
}

#[test]
fn a_call_that_may_not_fail_over_ends_with_its_first_server() {
    let mut worker = worker("");
    let first = call(&mut worker, "OPTIONS");
    let id = {
        let message = sip::message::Message::from_bytes(first[0].1.replace('\n', "\r\n").as_bytes()).unwrap();
        match read_branch(worker.node.transactions.secret(), message.top_via().unwrap().branch) {
            BranchId::Transaction { id, .. } => id,
            _ => panic!("not ours"),
        }
    };
    let transaction::Checkout::Taken(mut transaction) = worker.node.transactions.checkout(id) else { panic!("gone") };
    transaction.flags.disable_failover = true;
    worker.node.transactions.check_in(transaction);
    let replies = answer(&mut worker, &first[0].1, 503);
    assert_eq!(to(&replies), ["SIP/2.0 192.0.2.1:5090"]);
    assert!(replies[0].1.starts_with("SIP/2.0 500 "));
}

#[test]
fn reply_codes_are_codes_and_classes() {
    let codes = ReplyCodes::parse("code=480;class=6; 488").unwrap();
    let wanted: Vec<u16> = [480, 481, 488, 503, 500, 603].into_iter().filter(|code| codes.contain(*code)).collect();
    assert_eq!(wanted, [480, 488, 503, 603]);
    assert!(ReplyCodes::default().contain(503));
}

#[test]
fn what_is_no_code_stops_the_start() {
    for text in ["class=2", "code=200", "code=x", "klass=4", "class=44"] {
        assert!(ReplyCodes::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_branch_route_runs_again_only_without_reparse_on_dns_failover() {
    for (setting, expected) in [(1, "X-Branch: 0"), (0, "X-Branch: 1")] {
        let more = format!(
            "loadmodule \"textops\"\nloadmodule \"tmx\"\nmodparam(\"tm\", \"reparse_on_dns_failover\", {setting})\nbranch_route[B] {{\nappend_hf(\"X-Branch: $T_branch_idx\\r\\n\");\n}}\n"
        );
        let mut worker = worker(&more);
        let text = request("OPTIONS", "sip:bob@many.test", "", "Max-Forwards: 70\n");
        receive(&mut worker, &text);
        worker.run.tm.armed.branch = worker.node.program.route(script::syntax::ast::RouteKind::Branch, b"B").map(|route| route.0);
        worker.run_route(script::syntax::ast::RouteKind::Request, "").unwrap();
        finish_request(&mut worker);
        let first = sent(&mut worker);
        assert!(first[0].1.contains("X-Branch: 0"), "{}", first[0].1);
        let second = answer(&mut worker, &first[0].1, 503);
        assert!(second[0].1.contains(expected), "{setting}: {}", second[0].1);
        assert_eq!(second[0].1.matches("X-Branch").count(), 1);
    }
}

fn message_to_many(call_id: &[u8]) -> LocalRequest {
    LocalRequest {
        method: b"MESSAGE".to_vec(),
        request_uri: b"sip:bob@many.test".to_vec(),
        to: b"<sip:bob@many.test>".to_vec(),
        from: b"<sip:alice@example.com>;tag=a".to_vec(),
        call_id: call_id.to_vec(),
        cseq: 10,
        ..LocalRequest::default()
    }
}

#[test]
fn a_request_made_here_goes_to_the_next_server_with_its_own_via() {
    let mut worker = worker("modparam(\"tm\", \"fr_timer\", 1000)\n");
    let local = message_to_many(b"local7");
    let id = super::super::send_local(&mut worker, &local).unwrap();
    let first = sent(&mut worker);
    assert_eq!(to(&first), ["MESSAGE 192.0.2.1:5071"]);
    let second = answer(&mut worker, &first[0].1, 503);
    assert_eq!(to(&second), ["MESSAGE 192.0.2.2:5072"]);
    let without_via = |text: &str| text.lines().filter(|line| !line.starts_with("Via")).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(without_via(&first[0].1), without_via(&second[0].1));
    answer(&mut worker, &second[0].1, 200);
    if let transaction::Checkout::Taken(transaction) = worker.node.transactions.checkout(id) {
        assert!(!transaction.is_open());
    }
}

#[test]
fn a_request_made_here_that_cannot_be_sent_goes_to_the_next_server() {
    let mut worker = worker("onsend_route {\nif ($snd(port) == 5071) drop;\n}\n");
    let local = message_to_many(b"local8");
    super::super::send_local(&mut worker, &local).unwrap();
    let second = sent(&mut worker);
    assert_eq!(to(&second), ["MESSAGE 192.0.2.2:5072"]);
    assert!(answer(&mut worker, &second[0].1, 200).is_empty());
}
