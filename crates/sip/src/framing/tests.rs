//! Frames do not depend on how the stream was cut, and no ambiguous length passes.

use super::*;

const STREAM: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n\r\nBYE sip:b SIP/2.0\nX: 1\nl\t:\n 2\n\nhiGET /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}SIP/2.0 200 OK\r\nl: 0\r\n\r\n";

fn frames(pieces: &[&[u8]]) -> Result<Vec<String>, FrameError> {
    let mut framer = Framer::new();
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next()? {
            found.push(match frame {
                Frame::Message(bytes) => format!("sip {}", String::from_utf8_lossy(bytes)),
                Frame::Http(bytes) => format!("http {}", String::from_utf8_lossy(bytes)),
                Frame::KeepalivePing => "ping".to_string(),
            });
        }
    }
    assert_eq!(framer.pending(), 0);
    Ok(found)
}

#[test]
fn the_same_frames_come_out_wherever_the_stream_is_cut() {
    let whole = frames(&[STREAM]).expect("frames");
    assert_eq!(whole.len(), 5);
    assert_eq!(whole[1], "ping");
    assert!(whole[2].starts_with("sip BYE") && whole[2].ends_with("hi"));
    assert!(whole[3].starts_with("http GET") && whole[3].ends_with("{}"));
    for cut in 1..STREAM.len() {
        assert_eq!(frames(&[&STREAM[..cut], &STREAM[cut..]]).as_ref(), Ok(&whole), "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
    assert_eq!(frames(&bytes), Ok(whole));
}

#[test]
fn lengths_that_two_receivers_could_read_differently_are_refused() {
    let refused = |headers: &str| {
        let mut framer = Framer::new();
        framer.push(format!("OPTIONS sip:a SIP/2.0\r\n{headers}\r\n").as_bytes());
        let error = framer.next().expect_err(headers);
        framer.push(b"more");
        assert_eq!(framer.next(), Err(error));
        assert_eq!(framer.pending(), 0);
        error
    };
    assert_eq!(refused(""), FrameError::NoContentLength);
    for value in ["-1", "+1", "0x10", "4294967296", "4294967328", "1 2", "1,1", "", "1e3"] {
        assert_eq!(refused(&format!("Content-Length: {value}\r\n")), FrameError::BadContentLength, "{value}");
    }
    assert_eq!(refused("Content-Length: 0\r\nl: 1\r\n"), FrameError::ContentLengthsDiffer);
    assert_eq!(refused("Content-Length: 2147483647\r\n"), FrameError::BodyTooLarge { bytes: 2_147_483_647 });
    assert_eq!(refused("Content-Length 0\r\n"), FrameError::BadHeader);
}

#[test]
fn a_folded_line_is_not_a_length() {
    let mut framer = Framer::new();
    framer.push(b"OPTIONS sip:a SIP/2.0\r\nX: a\r\n Content-Length: 5\r\nContent-Length : 1\r\n\r\nzz");
    assert!(matches!(framer.next(), Ok(Some(Frame::Message(bytes))) if bytes.ends_with(b"\r\n\r\nz")));
}

#[test]
fn heads_that_never_end_are_bounded() {
    let mut framer = Framer::new();
    framer.push(b"OPTIONS sip:a SIP/2.0\r\n");
    let mut error = None;
    for _ in 0..100_000 {
        framer.push(b"X: y\r\n");
        if let Err(found) = framer.next() {
            error = Some(found);
            break;
        }
    }
    assert_eq!(error, Some(FrameError::HeadTooLong));
    let mut framer = Framer::new();
    framer.push(&[b'x'; 9000]);
    assert_eq!(framer.next(), Err(FrameError::StartLineTooLong));
    let mut framer = Framer::new();
    framer.push(b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://x\r\n\r\n");
    assert_eq!(framer.next(), Err(FrameError::UnknownProtocol));
    let mut framer = Framer::new();
    framer.push(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(framer.next(), Err(FrameError::TransferEncoding));
}
