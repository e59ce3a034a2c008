//! Which requests match (spec proxy-core 7.2).

use super::*;
use crate::sample::{SECRET, TO, VIA, parse, plain, request};

fn key(message: &Message) -> Key {
    request_key(SECRET, message, &Settings::default()).expect("has a key")
}

fn same(via: &str, other: &str) -> bool {
    key(&request("INVITE", via, TO)) == key(&request("INVITE", other, TO))
}

#[test]
fn a_retransmission_and_the_ack_have_the_key_of_the_invite() {
    let invite = key(&plain("INVITE"));
    assert_eq!(key(&plain("INVITE")), invite);
    assert_eq!(key(&request("ACK", VIA, "<sip:bob@example.com>;tag=b1")), invite);
}

#[test]
fn another_method_has_another_key_and_a_cancel_shares_the_identity() {
    let invite = key(&plain("INVITE"));
    assert_ne!(key(&plain("BYE")), invite);
    let cancel = plain("CANCEL");
    assert_ne!(key(&cancel), invite);
    assert_eq!(cancelled_key(SECRET, &cancel, &Settings::default()), Some(invite));
    assert_ne!(key(&plain("FOO")).identity, key(&plain("BAR")).identity);
}

#[test]
fn branch_sent_by_and_transport_decide_and_default_ports_are_equal() {
    let base = "SIP/2.0/UDP host.example.com;branch=z9hG4bKx";
    assert!(same(base, "SIP/2.0/UDP host.example.com:5060;branch=z9hG4bKx"));
    assert!(same(base, "SIP/2.0/UDP host.example.com;branch=z9hG4bKx;rport;received=192.0.2.7"));
    assert!(!same(base, "SIP/2.0/UDP host.example.com:5061;branch=z9hG4bKx"));
    assert!(!same(base, "SIP/2.0/UDP host.example.com:5062;branch=z9hG4bKx"));
    assert!(!same(base, "SIP/2.0/UDP other.example.com;branch=z9hG4bKx"));
    assert!(!same(base, "SIP/2.0/TCP host.example.com;branch=z9hG4bKx"));
    assert!(!same(base, "SIP/2.0/UDP host.example.com;branch=z9hG4bKX"));
    assert!(same("SIP/2.0/TLS h.example;branch=z9hG4bKx", "SIP/2.0/TLS h.example:5061;branch=z9hG4bKx"));
}

#[test]
fn without_the_cookie_call_from_to_uri_and_via_decide() {
    let old = "SIP/2.0/UDP 192.0.2.1;branch=1";
    let invite = key(&request("INVITE", old, TO));
    assert_eq!(key(&request("INVITE", old, TO)), invite);
    assert_eq!(key(&request("ACK", old, "<sip:bob@example.com>;tag=b1")), invite, "the ACK knows the To URI only");
    assert_ne!(key(&request("INVITE", old, "<sip:carol@example.com>")), invite);
    assert_ne!(key(&request("INVITE", "SIP/2.0/UDP 192.0.2.2;branch=1", TO)), invite);
    assert_ne!(key(&request("BYE", old, "<sip:bob@example.com>;tag=b1")), key(&request("BYE", old, "<sip:bob@example.com>;tag=b2")));
    let loose = Settings { match_top_via: false, ..Settings::default() };
    let elsewhere = request("INVITE", "SIP/2.0/UDP 192.0.2.2;branch=1", TO);
    assert_eq!(request_key(SECRET, &elsewhere, &loose), request_key(SECRET, &request("INVITE", old, TO), &loose));
}

#[test]
fn the_bare_cookie_counts_as_no_branch() {
    let bare = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK";
    assert!(same(bare, bare));
    assert_ne!(key(&request("INVITE", bare, TO)), key(&request("INVITE", bare, "<sip:carol@example.com>")), "To has to count then");
}

#[test]
fn a_request_without_via_cseq_or_call_id_has_no_key() {
    for line in ["Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n", "CSeq: 1 INVITE\r\n", "Call-ID: x\r\n"] {
        let whole = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                     To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
        assert!(request_key(SECRET, &parse(whole), &Settings::default()).is_some());
        let cut = whole.replace(line, "");
        assert_eq!(request_key(SECRET, &parse(&cut), &Settings::default()), None, "{line}");
    }
}

#[test]
fn an_ack_belongs_to_the_dialog_with_its_call_id_cseq_and_from_tag() {
    let invite = plain("INVITE");
    let other_via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-ack";
    assert!(acknowledges_dialog_of(&request("ACK", other_via, "<sip:bob@example.com>;tag=b1"), &invite));
    let text = String::from_utf8_lossy(plain("ACK").bytes()).into_owned();
    for (from, to) in [("tag=a1", "tag=a2"), ("CSeq: 7", "CSeq: 8"), ("call-1", "call-2")] {
        assert!(!acknowledges_dialog_of(&parse(&text.replace(from, to)), &invite), "{from}");
    }
}
