//! Stateless replies, from script to wire.

use crate::fixture::{receive, request, run, sent, worker};
use sip::time::Time;

const MODULES: &str =
    "loadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"sanity.so\"\nloadmodule \"siputils.so\"\n";

fn configured(script: &str) -> crate::worker::Worker {
    worker(&format!("server_signature=no\n{MODULES}request_route {{ {script} }}\n"))
}

#[test]
fn a_reply_goes_to_the_via_port_with_a_tag_of_41_bytes() {
    let mut worker = configured("sl_send_reply(\"404\", \"Not Here\");");
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    let sent = sent(&mut worker);
    let (destination, text) = sent.first().expect("a reply");
    assert_eq!(destination.to_string(), "192.0.2.1:5090");
    assert!(text.starts_with("SIP/2.0 404 Not Here\nVia: SIP/2.0/UDP 192.0.2.1:5090;branch=z9hG4bKabc\n"), "{text}");
    let tag = text.split("To: <sip:bob@example.com>;tag=").nth(1).and_then(|rest| rest.lines().next()).expect("a tag");
    assert_eq!((tag.len(), tag.as_bytes().get(32)), (41, Some(&b'.')));
    assert!(worker.run.is_replied);
}

#[test]
fn a_provisional_100_has_no_tag_and_the_same_request_gets_the_same_tag() {
    let mut worker = configured("if (is_method(\"OPTIONS\")) sl_send_reply(\"100\", \"Trying\"); else sl_send_reply(\"486\", \"Busy\");");
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    assert!(!sent(&mut worker).first().expect("a reply").1.contains("bob@example.com>;tag="));
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    let first = sent(&mut worker);
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    assert_eq!(first, sent(&mut worker));
}

#[test]
fn the_ack_to_a_young_reply_is_swallowed_once_it_carries_our_tag() {
    let mut worker = configured("sl_send_reply(\"486\", \"Busy\");");
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    let tag = super::to_tag(&worker.node, &worker.run.message, b'.');
    let ack = request("ACK", "sip:bob@z.z", &String::from_utf8_lossy(&tag), "");
    receive(&mut worker, &ack);
    assert!(super::is_filtered_ack(&mut worker));
    receive(&mut worker, &request("ACK", "sip:bob@z.z", "other", ""));
    assert!(!super::is_filtered_ack(&mut worker));
    worker.now.time = Time(worker.now.time.0 + super::ACK_WAIT_MILLISECONDS);
    receive(&mut worker, &ack);
    assert!(!super::is_filtered_ack(&mut worker));
}

#[test]
fn an_ack_is_never_replied() {
    let mut worker = configured("if (!sl_send_reply(\"404\", \"x\")) exit;");
    run(&mut worker, &request("ACK", "sip:bob@z.z", "", ""));
    assert!(sent(&mut worker).is_empty());
}

#[test]
fn a_redirect_carries_the_destination_set() {
    let mut worker = configured("$ru = \"sip:c@z.z\"; append_branch(\"sip:b@z.z\"); sl_send_reply(\"302\", \"Moved\");");
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    let text = &sent(&mut worker).first().expect("a reply").1.clone();
    assert!(text.contains("\nContact: <sip:c@z.z>, <sip:b@z.z>\n"), "{text}");
}

#[test]
fn headers_and_body_for_the_reply_are_sent() {
    let mut worker =
        configured("append_to_reply(\"X-R: 1\\r\\n\"); set_reply_body(\"hello\", \"text/plain\"); sl_send_reply(\"200\", \"OK\");");
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let text = &sent(&mut worker).first().expect("a reply").1.clone();
    assert!(text.contains("\nX-R: 1\n") && text.contains("Content-Type: text/plain\n") && text.ends_with("\n\nhello"), "{text}");
}

#[test]
fn a_failed_check_replies_and_ends_the_script() {
    let mut worker = configured("sanity_check(); sl_send_reply(\"200\", \"OK\");");
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", "Proxy-Require: foo\n"));
    let sent = sent(&mut worker);
    assert_eq!(sent.len(), 1);
    let text = &sent.first().expect("a reply").1;
    assert!(text.starts_with("SIP/2.0 420 Bad Proxy Require Extension\n") && text.contains("\nUnsupported: foo\n"), "{text}");
}

#[test]
fn options_for_the_proxy_are_answered_with_what_it_accepts() {
    let mut worker = configured("options_reply();");
    run(&mut worker, &request("OPTIONS", "sip:127.0.0.1", "", ""));
    let text = &sent(&mut worker).first().expect("a reply").1.clone();
    assert!(text.starts_with("SIP/2.0 200 OK\n") && text.contains("\nAccept: */*\n") && text.contains("\nAccept-Language: en\n"), "{text}");
}

#[test]
fn replies_are_counted_by_status() {
    let mut worker = configured("sl_send_reply(\"404\", \"x\");");
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let read = |name: &str| super::MODULE.statistics.iter().find(|one| one.name == name).map(|one| (one.read)(&worker.node));
    assert_eq!((read("404_replies"), read("sent_replies"), read("200_replies")), (Some(1), Some(1), Some(0)));
}
