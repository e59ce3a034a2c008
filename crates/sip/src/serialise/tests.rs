//! Forwarded requests and relayed replies, byte for byte.

use super::*;
use crate::edit::Edits;

const OPTIONS: &str = "OPTIONS sip:a@b SIP/2.0\r\n\
Via: SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bKx;rport\r\n\
From: <sip:c@d>;tag=1\r\n\
To: <sip:a@b>\r\n\
Call-ID: 1\r\n\
CSeq: 1 OPTIONS\r\n\
Content-Length: 4\r\n\
\r\n\
body";

fn request(text: &str, edits: &[&Edits], head: &RequestHead<'_>, is_stream: bool) -> String {
    let message = Message::from_bytes(text.as_bytes()).expect("a message");
    let mut out = Vec::new();
    write_request(&mut out, &message, edits, head, is_stream);
    String::from_utf8(out).expect("text")
}

fn received(address: &str) -> Option<Received> {
    Some(Received { source: address.parse().expect("an address"), force_rport: false })
}

#[test]
fn without_edits_every_byte_is_kept() {
    for is_stream in [false, true] {
        assert_eq!(request(OPTIONS, &[], &RequestHead::default(), is_stream), OPTIONS);
    }
    let odd = "OPTIONS sip:a@b SIP/2.0 \nvIA :\tSIP/2.0/UDP h ; branch = x\n\tTo: fold\nX:\u{e9}\n\nbody\0";
    assert_eq!(request(odd, &[], &RequestHead::default(), false), odd);
}

#[test]
fn record_route_stands_first_then_our_via_then_the_old_one() {
    let head = RequestHead {
        uri: b"sip:new@h",
        before_headers: b"Record-Route: <sip:us;lr>\r\n",
        via: b"Via: SIP/2.0/UDP us;branch=z9hG4bKy\r\n",
        route_first: b"Route: <sip:path;lr>\r\n",
        top_via_received: received("1.2.3.4:5555"),
        ..RequestHead::default()
    };
    let mut edits = Edits::new();
    let start = OPTIONS.find("Via").expect("via") as u32;
    edits.insert_before(start, b"X-In: 1\r\n");
    edits.insert_after(OPTIONS.find("\r\n\r\n").expect("end") as u32 + 2, b"X-App: 1\r\n");
    let text = request(OPTIONS, &[&edits], &head, false);
    assert_eq!(
        text,
        "OPTIONS sip:new@h SIP/2.0\r\n\
         Record-Route: <sip:us;lr>\r\n\
         X-In: 1\r\n\
         Via: SIP/2.0/UDP us;branch=z9hG4bKy\r\n\
         Route: <sip:path;lr>\r\n\
         Via: SIP/2.0/UDP 10.0.0.9:5070;received=1.2.3.4;branch=z9hG4bKx;rport=5555\r\n\
         From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\
         X-App: 1\r\n\
         \r\nbody"
    );
}

#[test]
fn a_path_route_goes_before_the_first_route() {
    let text = "BYE sip:a SIP/2.0\r\nRoute: <sip:1>\r\nVia: SIP/2.0/UDP h\r\nRoute: <sip:2>\r\n\r\n";
    let head = RequestHead { via: b"Via: us\r\n", route_first: b"Route: <sip:0>\r\n", ..RequestHead::default() };
    assert_eq!(
        request(text, &[], &head, false),
        "BYE sip:a SIP/2.0\r\nRoute: <sip:0>\r\nRoute: <sip:1>\r\nVia: us\r\nVia: SIP/2.0/UDP h\r\nRoute: <sip:2>\r\n\r\n"
    );
}

#[test]
fn received_and_rport_follow_the_matrix() {
    let marked = |via: &str, source: &str, force_rport: bool| {
        let text = format!("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\n\r\n");
        let mark = Received { source: source.parse().expect("an address"), force_rport };
        let head = RequestHead { top_via_received: Some(mark), ..RequestHead::default() };
        let out = request(&text, &[], &head, false);
        let line = out.lines().nth(1).expect("a via line").to_string();
        line.strip_prefix("Via: SIP/2.0/UDP ").expect("a via").to_string()
    };
    assert_eq!(marked("1.1.1.1;branch=x", "1.1.1.1:9", false), "1.1.1.1;branch=x");
    assert_eq!(marked("1.1.1.1:7;branch=x", "1.1.1.1:9", false), "1.1.1.1:7;branch=x");
    assert_eq!(marked("name;branch=x", "1.1.1.1:9", false), "name;received=1.1.1.1;branch=x");
    assert_eq!(marked("2.2.2.2:7", "1.1.1.1:9", false), "2.2.2.2:7;received=1.1.1.1");
    assert_eq!(marked("1.1.1.1:9;rport;branch=x", "1.1.1.1:9", false), "1.1.1.1:9;received=1.1.1.1;rport=9;branch=x");
    assert_eq!(marked("1.1.1.1;received=9.9.9.9;branch=x", "1.1.1.1:9", false), "1.1.1.1;received=1.1.1.1;branch=x");
    assert_eq!(marked("h;branch=x;rport=1;received=3.3.3.3", "1.1.1.1:9", false), "h;branch=x;rport=9;received=1.1.1.1");
    assert_eq!(marked("1.1.1.1;branch=x", "1.1.1.1:9", true), "1.1.1.1;rport=9;branch=x");
    assert_eq!(marked("2.2.2.2;branch=x", "1.1.1.1:9", true), "2.2.2.2;rport=9;received=1.1.1.1;branch=x");
    assert_eq!(marked("[::1]:7 ;branch=x, SIP/2.0/TCP b", "[::2]:9", false), "[::1]:7;received=::2 ;branch=x, SIP/2.0/TCP b");
    assert_eq!(marked("[::1];branch=x", "[::1]:9", false), "[::1];branch=x");
    assert_eq!(marked("1.1.1.1;branch=x", "[::ffff:1.1.1.1]:9", false), "1.1.1.1;branch=x");
}

#[test]
fn a_via_the_script_removes_gets_no_marks() {
    let mut edits = Edits::new();
    let message = Message::from_bytes(OPTIONS.as_bytes()).expect("a message");
    edits.remove(message.header(HeaderId::Via).expect("via").line);
    let head = RequestHead { via: b"Via: us\r\n", top_via_received: received("1.2.3.4:5"), ..RequestHead::default() };
    assert!(request(OPTIONS, &[&edits], &head, false).starts_with("OPTIONS sip:a@b SIP/2.0\r\nVia: us\r\nFrom"));
}

#[test]
fn content_length_follows_body_edits_and_the_transport() {
    let body = OPTIONS.find("body").expect("body") as u32;
    let mut edits = Edits::new();
    edits.replace(Span { start: body, end: body + 4 }, b"a longer body");
    assert!(request(OPTIONS, &[&edits], &RequestHead::default(), false).ends_with("Length: 13\r\n\r\na longer body"));
    for wrong in ["99", "0", "-1", "four"] {
        let wrong = OPTIONS.replace("Length: 4", &format!("Length: {wrong}"));
        assert_eq!(request(&wrong, &[], &RequestHead::default(), false), OPTIONS);
        assert_eq!(request(&wrong, &[], &RequestHead::default(), true), OPTIONS);
    }
    let absent = OPTIONS.replace("Content-Length: 4\r\n", "");
    assert_eq!(request(&absent, &[], &RequestHead::default(), false), absent);
    assert_eq!(request(&absent, &[], &RequestHead::default(), true), OPTIONS);
    assert_eq!(request(&absent, &[&edits.clone()], &RequestHead::default(), false).matches("Content-Length").count(), 0);
    let none = OPTIONS.replace("Content-Length: 4", "l: 0").replace("body", "");
    let message = Message::from_bytes(none.as_bytes()).expect("a message");
    let mut set = Edits::new();
    set.insert_after(message.body_span().start, b"new");
    assert!(request(&none, &[&set], &RequestHead::default(), false).ends_with("l: 3\r\n\r\nnew"));
}

#[test]
fn differing_content_lengths_never_leave_on_a_stream() {
    let text = "BYE sip:a SIP/2.0\r\nl: 3\r\nTo: <sip:x>\r\nContent-Length: 900\r\nl: 3\r\n\r\nabc";
    let out = request(text, &[], &RequestHead::default(), true);
    let again = Message::from_bytes(out.as_bytes()).expect("a message");
    assert_eq!((again.content_length(), again.body()), (Some(3), &b"abc"[..]));
}

#[test]
fn a_head_without_an_empty_line_gets_one() {
    assert_eq!(request("BYE sip:a SIP/2.0\r\nTo: <x>\r\n", &[], &RequestHead::default(), false), "BYE sip:a SIP/2.0\r\nTo: <x>\r\n\r\n");
}

#[test]
fn a_relayed_reply_loses_its_top_via_only() {
    let relay = |text: &str, head: Option<ReplyHead<'_>>| {
        let message = Message::from_bytes(text.as_bytes()).expect("a message");
        let mut out = Vec::new();
        match head {
            None => write_reply_relay(&mut out, &message, &[], false),
            Some(head) => write_reply_relay_with(&mut out, &message, &[], &head, false),
        }
        String::from_utf8(out).expect("text")
    };
    assert_eq!(relay("SIP/2.0 200 OK\r\nX: 1\r\nVia: us\r\nv: them\r\n\r\n", None), "SIP/2.0 200 OK\r\nX: 1\r\nv: them\r\n\r\n");
    assert_eq!(relay("SIP/2.0 200 OK\r\nVia: us ,\r\n them\r\n\r\n", None), "SIP/2.0 200 OK\r\nVia: them\r\n\r\n");
    let head = ReplyHead { status_line: b"SIP/2.0 404 Gone\r\n", keep_top_via: true };
    assert_eq!(relay("SIP/2.0 200 OK\r\nVia: us\r\n\r\n", Some(head)), "SIP/2.0 404 Gone\r\nVia: us\r\n\r\n");
}

#[test]
fn nul_and_lonely_cr_in_headers_are_forbidden_and_in_bodies_are_not() {
    assert!(!has_forbidden_octets(OPTIONS.as_bytes()));
    assert!(!has_forbidden_octets(b"BYE sip:a SIP/2.0\r\nX: 1\r\n\r\nbody\0\rx"));
    assert!(!has_forbidden_octets(b"BYE sip:a SIP/2.0\nX: 1\n\nbody\0\rx"));
    assert!(has_forbidden_octets(b"BYE sip:a SIP/2.0\r\nX: a\rTo: b\r\n\r\n"));
    assert!(has_forbidden_octets(b"BYE sip:a SIP/2.0\r\nX: a\0b\r\n\r\n"));
    assert!(has_forbidden_octets(b"BYE sip:a SIP/2.0\r\nX: a\r"));
}

#[test]
fn a_length_that_stands_above_via_and_route_is_put_right_once() {
    let text = "BYE sip:a SIP/2.0\r\nl: 9\r\nRoute: <sip:1>\r\nVia: SIP/2.0/UDP h\r\nl: 8\r\n\r\nabc";
    let head = RequestHead { via: b"Via: us\r\n", route_first: b"Route: <sip:0>\r\n", ..RequestHead::default() };
    assert_eq!(
        request(text, &[], &head, true),
        "BYE sip:a SIP/2.0\r\nl: 3\r\nRoute: <sip:0>\r\nRoute: <sip:1>\r\nVia: us\r\nVia: SIP/2.0/UDP h\r\nl: 3\r\n\r\nabc"
    );
    let message = Message::from_bytes(b"SIP/2.0 200 OK\r\nl: 9\r\nVia: us\r\n\r\nabc").expect("a reply");
    let mut out = Vec::new();
    write_reply_relay(&mut out, &message, &[], true);
    assert_eq!(out, b"SIP/2.0 200 OK\r\nl: 3\r\n\r\nabc");
}
