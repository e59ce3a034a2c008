//! Structure, index and typed fields of a message.

use super::*;
use crate::fields::ContentLength;

const INVITE: &[u8] = b"INVITE sip:bob@biloxi.com SIP/2.0\r\n\
v: SIP/2.0/UDP pc33.atlanta.com:5070;branch=z9hG4bK776;rport , SIP/2.0/TCP [::1];branch=z9hG4bKb\r\n\
Via : SIP/2.0/TLS c;received=1.2.3.4\r\n\
To: Bob <sip:bob@biloxi.com>\r\n\
From: \"A, l\" <sip:alice@atlanta.com>;tag=1928\r\n\
Call-ID:\r\n  a84b4c76e66710\r\n \r\n\
CSeq: 314159\r\n  INVITE\r\n\
m: <sip:a@b,c>;q=1, sip:d@e;expires=7,*\r\n\
Route: <sip:p1;lr>,<sip:p2;lr>\r\n\
X-Thing: one\r\n\
route: <sip:p3>\r\n\
x-thing: two\r\n\
L: 4\r\n\
Max-Forwards: 0068\r\n\
\r\n\
v=0\n";

#[test]
fn every_part_of_a_request_is_found() {
    let message = Message::from_bytes(INVITE).expect("a message");
    assert!(message.is_request() && !message.is_reply());
    assert_eq!((message.method(), message.method_text()), (Method::Invite, &b"INVITE"[..]));
    assert_eq!(message.request_uri(), b"sip:bob@biloxi.com");
    assert_eq!((message.version(), message.status(), message.reason()), (&b"SIP/2.0"[..], 0, &b""[..]));
    assert_eq!(message.call_id(), b"a84b4c76e66710");
    let cseq = message.cseq().expect("a cseq");
    assert_eq!((cseq.number, cseq.number_text, cseq.method), (314_159, &b"314159"[..], Method::Invite));
    assert_eq!((message.from_tag(), message.to_tag()), (&b"1928"[..], &b""[..]));
    assert_eq!(message.from().expect("from").display, b"\"A, l\"");
    assert_eq!((message.content_length(), message.max_forwards()), (Some(4), Some(68)));
    assert_eq!(message.body(), b"v=0\n");
    assert_eq!(message.headers().len(), 13);
    assert!(message.is_head_terminated());
    assert_eq!(message.check_required(), Ok(()));
}

#[test]
fn lists_run_over_commas_and_header_lines() {
    let message = Message::from_bytes(INVITE).expect("a message");
    let vias: Vec<_> = message.vias().map(|via| (via.host, via.header)).collect();
    assert_eq!(vias, [(&b"pc33.atlanta.com"[..], 0), (b"[::1]", 0), (b"c", 1)]);
    let top = message.top_via().expect("a via");
    assert_eq!((top.port, top.branch, top.rport), (Some(5070), &b"z9hG4bK776"[..], Some(&b""[..])));
    let routes: Vec<_> = message.routes().map(|route| (route.whole, route.header)).collect();
    assert_eq!(routes, [(&b"<sip:p1;lr>"[..], 7), (b"<sip:p2;lr>", 7), (b"<sip:p3>", 9)]);
    let contacts: Vec<_> = message.contacts().map(|contact| contact.uri).collect();
    assert_eq!(contacts, [&b"sip:a@b,c"[..], b"sip:d@e", b"*"]);
    assert_eq!(message.record_routes().count(), 0);
}

#[test]
fn names_are_found_in_any_case_compact_and_with_a_space_before_the_colon() {
    let message = Message::from_bytes(INVITE).expect("a message");
    let values = |name: &[u8]| message.headers_named(name).map(|h| message.text(h.value)).collect::<Vec<_>>();
    assert_eq!(values(b"X-THING"), [&b"one"[..], b"two"]);
    assert_eq!(values(b"content-length"), [b"4"]);
    assert_eq!(values(b"VIA").len(), 2);
    assert_eq!(values(b"V").len(), 2);
    assert!(values(b"X-Other").is_empty());
    assert_eq!(message.headers_of(HeaderId::Route).count(), 2);
}

#[test]
fn lines_cover_all_bytes_between_first_line_and_empty_line() {
    let message = Message::from_bytes(INVITE).expect("a message");
    let mut at = message.first_line().end;
    for header in message.headers() {
        assert_eq!(header.line.start, at);
        at = header.line.end;
    }
    assert_eq!(at, message.headers_end());
    assert_eq!(message.body_span().start, at + 2);
}

#[test]
fn a_reply_has_a_status_and_the_method_of_its_cseq() {
    let message = Message::from_bytes(b"\r\n\nSIP/2.0 183 In Progress\nCSeq: 2 PRACK\n\n").expect("a reply");
    assert!(!message.is_request() && message.is_reply());
    assert_eq!((message.status(), message.reason()), (183, &b"In Progress"[..]));
    assert_eq!((message.method(), message.method_text()), (Method::Prack, &b"PRACK"[..]));
    assert_eq!(message.check_required(), Err(ParseError::Missing(HeaderId::Via)));
}

#[test]
fn a_failed_parse_leaves_no_index_and_the_message_can_be_used_again() {
    let mut message = Message::from_bytes(INVITE).expect("a message");
    assert!(message.parse(b"INVITE sip:a SIP/2.0\r\nTo: x\r\nno colon here\r\n\r\n", &Limits::default()).is_err());
    assert!(!message.is_request() && !message.is_reply());
    assert_eq!((message.headers().len(), message.to(), message.body()), (0, None, &b""[..]));
    message.parse(INVITE, &Limits::default()).expect("the same again");
    assert_eq!(message.headers().len(), 13);
}

#[test]
fn parsing_again_into_the_same_message_keeps_its_memory() {
    let mut message = Message::from_bytes(INVITE).expect("a message");
    let before = message.heap_bytes();
    for _ in 0..10 {
        message.parse(INVITE, &Limits::default()).expect("a message");
    }
    assert_eq!(message.heap_bytes(), before);
    let copy = message.clone();
    assert_eq!((copy.bytes(), copy.headers()), (message.bytes(), message.headers()));
    assert!(copy.heap_bytes() <= before);
}

#[test]
fn spans_lead_from_slices_back_to_offsets_and_foreign_slices_are_told() {
    let message = Message::from_bytes(INVITE).expect("a message");
    let uri = message.request_uri();
    assert_eq!(message.span_of(uri), Some(Span { start: 7, end: 25 }));
    assert_eq!(message.text(message.span_of(uri).expect("a span")), uri);
    assert_eq!(message.span_of(b"sip:bob@biloxi.com"), None);
    assert_eq!(message.text(Span { start: 9, end: 1_000_000 }), b"");
}

#[test]
fn overwriting_keeps_length_and_refuses_line_ends() {
    let mut message = Message::from_bytes(INVITE).expect("a message");
    let span = message.header(HeaderId::MaxForwards).expect("a header").value;
    assert!(message.overwrite(span, b"  67"));
    assert_eq!(message.text(span), b"  67");
    assert!(!message.overwrite(span, b"67"));
    assert!(!message.overwrite(span, b"6\r\n7"));
    assert!(!message.overwrite(Span { start: 999_999, end: 1_000_003 }, b"abcd"));
}

#[test]
fn content_lengths_that_differ_or_are_no_numbers_are_invalid() {
    for (lines, state) in [
        ("", ContentLength::Absent),
        ("l: 5\r\nContent-Length: 5\r\n", ContentLength::Bytes(5)),
        ("l: 5\r\nContent-Length: 6\r\n", ContentLength::Invalid),
        ("l: -999\r\n", ContentLength::Invalid),
        ("l: 4294967296\r\n", ContentLength::Invalid),
        ("l:\r\n", ContentLength::Invalid),
    ] {
        let text = format!("OPTIONS sip:a SIP/2.0\r\n{lines}\r\n");
        let message = Message::from_bytes(text.as_bytes()).expect("a message");
        assert_eq!(message.content_length_state(), state, "{lines}");
    }
}

#[test]
fn each_bound_has_its_own_refusal() {
    let limits = Limits {
        start_line_bytes_max: 30,
        header_name_bytes_max: 8,
        header_value_bytes_max: 10,
        headers_max: 3,
        vias_max: 2,
        routes_max: 2,
        body_bytes_max: 4,
        head_bytes_max: 200,
    };
    let mut message = Message::new();
    let mut parse = |text: &str| message.parse(text.as_bytes(), &limits);
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\n\r\nbody"), Ok(()));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\n\r\nbody5"), Err(ParseError::BodyTooLarge { bytes: 5 }));
    assert_eq!(parse("OPTIONS sip:aaaaaaaaaaa SIP/2.0\r\n\r\n"), Err(ParseError::StartLineTooLong { bytes: 31 }));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\nX-2345678: a\r\n\r\n"), Err(ParseError::HeaderNameTooLong { offset: 23, bytes: 9 }));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\nX: 12345678901\r\n\r\n"), Err(ParseError::HeaderValueTooLong { offset: 23, bytes: 11 }));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n"), Err(ParseError::TooManyHeaders { max: 3 }));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\nv: a,b\r\nVia: c\r\n\r\n"), Err(ParseError::TooManyVias { max: 2 }));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\nRoute: a,b,c\r\n\r\n"), Err(ParseError::TooManyRoutes { max: 2 }));
    assert_eq!(parse(&"x".repeat(300)), Err(ParseError::TooLarge { bytes: 300 }));
    assert_eq!(parse("\r\n\r\n"), Err(ParseError::Empty));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\r\nTo: x"), Err(ParseError::HeaderUnterminated { offset: 23 }));
}
