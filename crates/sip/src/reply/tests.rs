//! Local replies, byte for byte.

use super::*;

const INVITE: &str = "INVITE sip:a@b SIP/2.0\r\n\
Record-Route: <sip:p;lr>\r\n\
v: SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport;x=1\r\n\
Max-Forwards: 70\r\n\
To: \"A\"\r\n <sip:a@b>\r\n\
Via: SIP/2.0/UDP older\r\n\
From: <sip:c@d>;tag=1\r\n\
Call-ID: 1\r\n\
CSeq: 1 INVITE\r\n\
Content-Length: 4\r\n\
\r\n\
body";

fn reply(text: &str, parts: &ReplyParts<'_>) -> String {
    let message = Message::from_bytes(text.as_bytes()).expect("a message");
    let mut out = Vec::new();
    write_reply(&mut out, &message, parts);
    String::from_utf8(out).expect("text")
}

fn source() -> SocketAddr {
    "1.2.3.4:9".parse().expect("an address")
}

#[test]
fn a_reply_carries_the_dialog_headers_in_the_order_of_the_request() {
    let parts = ReplyParts {
        to_tag: b"T",
        extra_headers: b"X-A: 1\r\n",
        server: Some(b"duolog"),
        body: b"v=0",
        content_type: b"application/sdp",
        ..ReplyParts::new(200, b"OK", source())
    };
    assert_eq!(
        reply(INVITE, &parts),
        "SIP/2.0 200 OK\r\nRecord-Route: <sip:p;lr>\r\n\
         v: SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport=9;received=1.2.3.4;x=1\r\n\
         To: \"A\"\r\n <sip:a@b>;tag=T\r\nVia: SIP/2.0/UDP older\r\nFrom: <sip:c@d>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         X-A: 1\r\nContent-Type: application/sdp\r\nServer: duolog\r\nContent-Length: 3\r\n\r\nv=0"
    );
}

#[test]
fn a_provisional_below_180_has_no_tag_and_a_failure_no_record_route() {
    let trying = reply(INVITE, &ReplyParts { to_tag: b"T", ..ReplyParts::new(100, b"trying", source()) });
    assert!(!trying.contains("tag=T") && !trying.contains("Record-Route") && !trying.contains("Server"));
    let busy = reply(INVITE, &ReplyParts { to_tag: b"T", ..ReplyParts::new(486, b"Busy Here", source()) });
    assert!(busy.contains("<sip:a@b>;tag=T\r\n") && !busy.contains("Record-Route"));
    assert!(busy.ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

#[test]
fn an_existing_tag_is_kept_and_an_empty_one_is_filled() {
    let parts = ReplyParts { to_tag: b"T", ..ReplyParts::new(404, b"Not Found", source()) };
    let with = |to: &str| reply(&INVITE.replace("\"A\"\r\n <sip:a@b>", to), &parts);
    assert!(with("<sip:a@b>;tag=old").contains("To: <sip:a@b>;tag=old\r\n"));
    assert!(with("<sip:a@b>;tag=;x=1").contains("To: <sip:a@b>;tag=T;x=1\r\n"));
    assert!(with("sip:a@b").contains("To: sip:a@b;tag=T\r\n"));
}

#[test]
fn received_stands_behind_the_branch_when_there_is_no_rport() {
    let plain = INVITE.replace(";rport", "");
    let parts = ReplyParts::new(200, b"OK", source());
    assert!(reply(&plain, &parts).contains("branch=z9hG4bKx;received=1.2.3.4;x=1\r\n"));
    let forced = ReplyParts { force_rport: true, ..parts };
    assert!(reply(&plain, &forced).contains("branch=z9hG4bKx;rport=9;received=1.2.3.4;x=1\r\n"));
    let same = plain.replace("h:5070", "1.2.3.4");
    assert!(reply(&same, &parts).contains("v: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKx;x=1\r\n"));
}

#[test]
fn a_request_with_nothing_in_it_still_gets_a_whole_reply() {
    let out = reply(
        "OPTIONS sip:a SIP/2.0\r\nVia: ;;\r\nTo: \"open\r\n\r\n",
        &ReplyParts { to_tag: b"T", ..ReplyParts::new(400, b"Bad", source()) },
    );
    assert_eq!(out, "SIP/2.0 400 Bad\r\nVia: ;;\r\nTo: \"open;tag=T\r\nContent-Length: 0\r\n\r\n");
}
