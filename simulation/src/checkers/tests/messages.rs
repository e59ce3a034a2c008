//! M1 to M3.

use super::*;

fn copies(sights: &[(u64, Sight<'_>)]) -> Vec<&'static str> {
    seen(&mut Copies::new(0), sights)
}

fn invite(vias: &[&str], forwards: u32, more: &str) -> Message {
    message("INVITE sip:b@x SIP/2.0", "INVITE", 1, vias, &format!("Max-Forwards: {forwards}\r\n{more}"))
}

#[test]
fn m1_a_forwarded_request_that_changes_more_than_it_may_is_found() {
    let odd = "s :  a\r\nX: one\r\n\ttwo\r\nRecord-Route: <sip:r;lr>\r\n";
    let source = invite(&["z9hG4bKa"], 70, odd);
    let good = invite(&["z9hG4bKo", "z9hG4bKa"], 69, odd);
    assert_eq!(copies(&[(0, came(&source)), (0, left(&good))]), Vec::<&str>::new());
    let bad = [
        invite(&["z9hG4bKo", "z9hG4bKa"], 70, odd),
        invite(&["z9hG4bKo", "z9hG4bKa"], 69, "s : a\r\nX: one\r\n\ttwo\r\nRecord-Route: <sip:r;lr>\r\n"),
        invite(&["z9hG4bKo", "z9hG4bKa"], 69, "s :  a\r\nX: one two\r\nRecord-Route: <sip:r;lr>\r\n"),
        invite(&["z9hG4bKo", "z9hG4bKa"], 69, "s :  a\r\nX: one\r\n\ttwo\r\n"),
        invite(&["z9hG4bKo", "z9hG4bKa"], 69, &format!("{odd}Route: <sip:new;lr>\r\n")),
        invite(&["z9hG4bKo", "z9hG4bKa", "z9hG4bKz"], 69, odd),
    ];
    for (number, copy) in bad.iter().enumerate() {
        assert_eq!(copies(&[(0, came(&source)), (0, left(copy))]), ["M1"], "copy {number}");
    }
}

#[test]
fn m1_a_forwarded_reply_that_differs_is_found() {
    let source = message("SIP/2.0 180 Ringing", "INVITE", 1, &["z9hG4bKo", "z9hG4bKa"], "X: one\r\n");
    let good = message("SIP/2.0 180 Ringing", "INVITE", 1, &["z9hG4bKa"], "X: one\r\n");
    let bad = message("SIP/2.0 180 Ringing", "INVITE", 1, &["z9hG4bKa"], "X: two\r\n");
    let renamed = message("SIP/2.0 180 Other", "INVITE", 1, &["z9hG4bKa"], "X: one\r\n");
    assert_eq!(copies(&[(0, came(&source)), (0, left(&good))]), Vec::<&str>::new());
    assert_eq!(copies(&[(0, came(&source)), (0, left(&bad))]), ["M1"]);
    assert_eq!(copies(&[(0, came(&source)), (0, left(&renamed))]), ["M1"]);
}

#[test]
fn m1_a_request_without_via_is_found() {
    assert_eq!(copies(&[(0, left(&request("INFO", 2, &[])))]), ["M1"]);
}

/// M2 asks the product to write what it parsed: no message is known that does not survive, so the comparison itself is shown
/// two that differ.
#[test]
fn m2_texts_that_read_differently_are_found() {
    let (one, other) = (invite(&["z9hG4bKa"], 70, "X: one\r\n"), invite(&["z9hG4bKa"], 70, "X: two\r\n"));
    assert_eq!(crate::checkers::copies::reread(&one), Ok(()));
    assert!(crate::checkers::copies::same_reading(&one, &other).is_err());
    let longer = invite(&["z9hG4bKa"], 70, "X: one\r\nY: two\r\n");
    assert!(crate::checkers::copies::same_reading(&one, &longer).is_err());
}

#[test]
fn m3_a_wrong_or_missing_content_length_is_found() {
    let text = |length: &str| {
        format!(
            "INFO sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=A\r\nTo: <sip:b@x>\r\nCall-ID: call-1@simulation\r\nCSeq: 2 INFO\r\n{length}\r\nbody"
        )
    };
    let of = |length: &str| Message::from_bytes(text(length).as_bytes()).expect("a message");
    assert_eq!(copies(&[(0, left(&of("Content-Length: 4\r\n")))]), Vec::<&str>::new());
    assert!(copies(&[(0, left(&of("Content-Length: 9\r\n")))]).contains(&"M3"));
    assert_eq!(copies(&[(0, left(&of("")))]), ["M3"]);
}
