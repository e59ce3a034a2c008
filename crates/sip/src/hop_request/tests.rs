//! CANCEL and ACK as spec proxy-core 7.9 and 7.10 show them.

use super::*;

const INVITE: &[u8] = b"INVITE sip:b@h SIP/2.0\r\n\
Record-Route: <sip:us;lr>\r\n\
Via: SIP/2.0/UDP us;branch=z9hG4bKabc.0\r\n\
Via: SIP/2.0/UDP them;received=1.2.3.4\r\n\
From: <sip:a@h>;tag=1\r\n\
To: <sip:b@h>\r\n\
Call-ID: 7\r\n\
CSeq: 0042 INVITE\r\n\
Route: <sip:p1;lr>\r\n\
Contact: <sip:a@1>\r\n\
Max-Forwards: 69\r\n\
Require: 100rel\r\n\
P-Key: v\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 3\r\n\
\r\n\
v=0";

#[test]
fn cancel_copies_what_routes_the_invite_and_nothing_else() {
    let invite = Message::from_bytes(INVITE).expect("a message");
    let mut out = Vec::new();
    write_cancel_copying(&mut out, &invite, b"p-", b"Reason: SIP;cause=200\r\n");
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "CANCEL sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKabc.0\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
         Call-ID: 7\r\nCSeq: 0042 CANCEL\r\nRoute: <sip:p1;lr>\r\nMax-Forwards: 69\r\nP-Key: v\r\n\
         Content-Length: 0\r\nReason: SIP;cause=200\r\n\r\n"
    );
    let mut plain = Vec::new();
    write_cancel(&mut plain, &invite, b"");
    assert!(!String::from_utf8_lossy(&plain).contains("P-Key"));
}

#[test]
fn ack_takes_the_to_of_the_reply() {
    let invite = Message::from_bytes(INVITE).expect("a message");
    let reply =
        Message::from_bytes(b"SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP us\r\nt: <sip:b@h>;tag=9\r\nCSeq: 42 INVITE\r\n\r\n").expect("a reply");
    let mut out = Vec::new();
    write_ack(&mut out, &invite, &reply, b"");
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "ACK sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKabc.0\r\nFrom: <sip:a@h>;tag=1\r\nt: <sip:b@h>;tag=9\r\n\
         Call-ID: 7\r\nCSeq: 0042 ACK\r\nRoute: <sip:p1;lr>\r\nMax-Forwards: 69\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn the_received_invite_gives_the_headers_when_told_so() {
    let sent_invite = Message::from_bytes(INVITE).expect("a message");
    let received = b"INVITE sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP them\r\nTo: <sip:b@h>\r\nFrom: <sip:old@h>;tag=1\r\nCSeq: 41 INVITE\r\n\
        Call-ID: 7\r\nRoute: <sip:us;lr>\r\nRoute: <sip:p1;lr>\r\nMax-Forwards: 70\r\nRequire: x\r\n\r\n";
    let received_invite = Message::from_bytes(received).expect("a message");
    let from = FromReceived { sent_invite: &sent_invite, received_invite: &received_invite, user_agent: b"User-Agent: me" };
    let mut out = Vec::new();
    write_cancel_from_received(&mut out, from, b"Reason: SIP;cause=200\r\n");
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "CANCEL sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKabc.0\r\nFrom: <sip:old@h>;tag=1\r\nCall-ID: 7\r\n\
         To: <sip:b@h>\r\nCSeq: 0042 CANCEL\r\nMax-Forwards: 70\r\nRoute: <sip:us;lr>\r\nRoute: <sip:p1;lr>\r\n\
         User-Agent: me\r\nContent-Length: 0\r\nReason: SIP;cause=200\r\n\r\n"
    );
    let reply = Message::from_bytes(b"SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP us\r\nTo: <sip:b@h>;tag=9\r\nCSeq: 42 INVITE\r\n\r\n");
    let mut out = Vec::new();
    write_ack_from_received(&mut out, from, &reply.expect("a reply"));
    assert!(String::from_utf8_lossy(&out).contains("To: <sip:b@h>;tag=9\r\nCSeq: 0042 ACK\r\n"));
}
