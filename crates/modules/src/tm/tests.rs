//! Behaviour of tm on a worker without network: bounds, look-ups, connection hints.

use std::sync::Arc;

use sip::time::Time;
use transaction::{SecretKey, Table};

use super::{LocalRequest, answered, send_local};
use crate::dns::record::Reply;
use crate::fixture::{request, run, sent, worker};
use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

const RELAY: &str = "loadmodule \"tm\"\nloadmodule \"sl\"\nloadmodule \"pv\"\nrequest_route {\n$du = \"sip:192.0.2.9\";\nif (!t_relay()) { sl_reply_error(); }\n}\n";

fn ticket_of(worker: &Worker) -> Option<u64> {
    worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::Resolve { ticket, .. } => Some(*ticket),
        _ => None,
    })
}

fn message_to(uri: &str) -> LocalRequest {
    LocalRequest {
        method: b"MESSAGE".to_vec(),
        request_uri: uri.as_bytes().to_vec(),
        to: b"<sip:bob@example.com>".to_vec(),
        from: b"<sip:alice@example.com>;tag=a".to_vec(),
        call_id: b"local1".to_vec(),
        cseq: 10,
        ..LocalRequest::default()
    }
}

#[test]
fn a_full_table_refuses_with_503_and_the_script_cannot_answer_twice() {
    let mut worker = worker(RELAY);
    let node = Arc::get_mut(&mut worker.node).expect("the only owner");
    node.transactions = Table::with_bound(SecretKey(1, 2), 1, Time(1_000), 0);
    run(&mut worker, &request("OPTIONS", "sip:bob@example.com", "", ""));
    let sent = sent(&mut worker);
    assert_eq!(sent.len(), 1);
    let reply = sent.first().map_or("", |(_, text)| text);
    assert!(reply.starts_with("SIP/2.0 503 Service Unavailable\n"), "{reply}");
    assert!(reply.contains("\nRetry-After: 10\n"), "{reply}");
}

#[test]
fn a_local_request_to_a_name_is_sent_by_the_answer() {
    let mut worker = worker(RELAY);
    send_local(&mut worker, &message_to("sip:bob@example.com:5077")).expect("a transaction");
    let ticket = ticket_of(&worker).expect("a look-up");
    assert!(sent(&mut worker).is_empty());
    assert!(answered(&mut worker, ticket, &Answer::Records(Reply::of_address("example.com", "192.0.2.7".parse().unwrap()))));
    let sent = sent(&mut worker);
    assert_eq!(sent.first().map(|(to, _)| to.to_string()), Some("192.0.2.7:5077".to_owned()));
    assert!(!answered(&mut worker, ticket, &Answer::Records(Reply::default())), "an answer counts once");
}

#[test]
fn a_local_request_to_an_unknown_name_ends_its_transaction() {
    let mut worker = worker(RELAY);
    let id = send_local(&mut worker, &message_to("sip:bob@nowhere.invalid")).expect("a transaction");
    for question in ["the servers", "the address"] {
        let ticket = ticket_of(&worker).expect(question);
        assert!(sent(&mut worker).is_empty());
        assert!(answered(&mut worker, ticket, &Answer::Records(Reply::default())));
    }
    assert!(sent(&mut worker).is_empty());
    match worker.node.transactions.checkout(id) {
        transaction::Checkout::Taken(transaction) => assert!(!transaction.is_open()),
        transaction::Checkout::Busy => panic!("the transaction was not put back"),
        transaction::Checkout::Gone => {}
    }
}

#[test]
fn an_answer_that_nobody_waits_for_is_ignored() {
    let mut worker = worker(RELAY);
    assert!(!answered(&mut worker, 99, &Answer::Awake));
}

fn stream_sends(worker: &Worker) -> Vec<(bool, String)> {
    let text =
        |range: &std::ops::Range<usize>| worker.outbox.bytes.get(range.clone()).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let sends = worker.outbox.effects.iter().filter_map(|effect| match effect {
        Effect::StreamSend { may_connect, bytes, .. } => Some((*may_connect, text(bytes)?)),
        _ => None,
    });
    sends.collect()
}

#[test]
fn a_request_too_long_for_udp_goes_by_tcp_with_a_tcp_via() {
    let mut worker = worker(&format!("udp_mtu = 100\nudp_mtu_try_proto = TCP\n{RELAY}"));
    run(&mut worker, &request("OPTIONS", "sip:bob@example.com", "", ""));
    let sends = stream_sends(&worker);
    assert_eq!(sends.len(), 1);
    assert!(sends.iter().all(|(may_connect, text)| *may_connect && text.contains("Via: SIP/2.0/TCP 127.0.0.1")), "{sends:?}");
}

#[test]
fn forward_no_connect_opens_no_connection() {
    let relay = RELAY
        .replace("if (!t_relay())", "set_forward_no_connect();\nif (!t_relay())")
        .replace("sip:192.0.2.9", "sip:192.0.2.9;transport=tcp");
    let mut worker = worker(&relay);
    run(&mut worker, &request("OPTIONS", "sip:bob@example.com", "", ""));
    assert_eq!(stream_sends(&worker).iter().map(|(may_connect, _)| *may_connect).collect::<Vec<_>>(), [false]);
}
