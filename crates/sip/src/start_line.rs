//! The first line of a request or reply (RFC 3261 §7.1, §7.2).

use crate::error::ParseError;
use crate::method::Method;
use crate::scan::{after, before, from, trim, trim_end};
use crate::span::Span;

/// Spans of the first line's parts. A reply has a status, a request has none (0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartLine {
    /// Method of a request; of a reply the CSeq's, filled in by `Message`.
    pub method: Method,
    pub method_text: Span,
    pub uri: Span,
    pub version: Span,
    pub status: u16,
    pub reason: Span,
    /// The whole line with its line end.
    pub line: Span,
}

impl Default for StartLine {
    fn default() -> StartLine {
        let none = Span::default();
        StartLine { method: Method::Other, method_text: none, uri: none, version: none, status: 0, reason: none, line: none }
    }
}

const VERSION: &[u8] = b"SIP/2.0";

impl StartLine {
    /// Reads the line that starts at `offset` and whose text (without line end) is `text`.
    pub fn parse(text: &[u8], offset: usize) -> Result<StartLine, ParseError> {
        let is_reply = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
        let parsed = if is_reply { StartLine::reply(text, offset) } else { StartLine::request(text, offset) };
        parsed.ok_or(ParseError::StartLine { offset: u32::try_from(offset).unwrap_or(u32::MAX) })
    }

    fn request(text: &[u8], offset: usize) -> Option<StartLine> {
        let space = memchr::memchr(b' ', text)?;
        let method_text = before(text, space);
        let rest = after(text, space);
        let space = memchr::memchr(b' ', rest)?;
        let uri = before(rest, space);
        let version = trim_end(after(rest, space));
        // Looks at every byte without stopping early: the loop then works on many bytes at once.
        let printable = |part: &[u8]| !part.is_empty() && part.iter().fold(true, |good, &byte| good & (byte > b' ') & (byte != 0x7f));
        if !printable(method_text) || !printable(uri) || !version.eq_ignore_ascii_case(VERSION) {
            return None;
        }
        let uri_at = offset.checked_add(method_text.len())?.checked_add(1)?;
        let version_at = uri_at.checked_add(uri.len())?.checked_add(1)?;
        Some(StartLine {
            method: Method::from_bytes(method_text),
            method_text: span_at(offset, method_text),
            uri: span_at(uri_at, uri),
            version: span_at(version_at, version),
            ..StartLine::default()
        })
    }

    /// `SIP/2.0 NNN[ reason]`: exactly three digits, class 1 to 9.
    fn reply(text: &[u8], offset: usize) -> Option<StartLine> {
        let space = memchr::memchr(b' ', text)?;
        let version = before(text, space);
        let rest = after(text, space);
        let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', tail @ ..] = rest else {
            return None;
        };
        if !version.eq_ignore_ascii_case(VERSION) || tail.first().is_some_and(|byte| *byte != b' ') {
            return None;
        }
        let digit = |byte: &u8| u16::from(byte.wrapping_sub(b'0'));
        let status = digit(a).wrapping_mul(100).wrapping_add(digit(b).wrapping_mul(10)).wrapping_add(digit(c));
        let reason = trim(from(rest, 4));
        let reason_at = offset.checked_add(version.len())?.checked_add(5)?;
        let leading = from(rest, 4).len().checked_sub(crate::scan::trim_start(from(rest, 4)).len())?;
        Some(StartLine {
            version: span_at(offset, version),
            status,
            reason: span_at(reason_at.checked_add(leading)?, reason),
            ..StartLine::default()
        })
    }
}

fn span_at(offset: usize, text: &[u8]) -> Span {
    Span::new(offset, offset.saturating_add(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_has_three_parts_with_single_spaces() {
        let text = b"INVITE sip:a@b SIP/2.0 ";
        let line = StartLine::parse(text, 0).expect("a request line");
        assert_eq!((line.method, line.status), (Method::Invite, 0));
        assert_eq!((line.uri.of(text), line.version.of(text)), (&b"sip:a@b"[..], &b"SIP/2.0"[..]));
        for bad in [
            "INVITE sip:a@b; lr SIP/2.0",
            "INVITE  sip:a@b SIP/2.0",
            "INVITE sip:a@b SIP/7.0",
            "INVITE",
            "GET / HTTP/1.1",
            " INVITE a SIP/2.0",
        ] {
            assert!(StartLine::parse(bad.as_bytes(), 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_status_line_has_exactly_three_digits() {
        for (text, status, reason) in [
            ("SIP/2.0 200 = 2**3 * 5", 200, "= 2**3 * 5"),
            ("SIP/2.0 100 ", 100, ""),
            ("sip/2.0 404", 404, ""),
            ("SIP/2.0 183   Progress ", 183, "Progress"),
        ] {
            let line = StartLine::parse(text.as_bytes(), 0).expect("a status line");
            assert_eq!((line.status, line.reason.of(text.as_bytes())), (status, reason.as_bytes()));
        }
        for bad in ["SIP/2.0 4294967301 better not", "SIP/2.0 20 x", "SIP/2.0 099 x", "SIP/3.0 200 OK", "SIP/2.0"] {
            assert!(StartLine::parse(bad.as_bytes(), 0).is_err(), "{bad}");
        }
    }
}
