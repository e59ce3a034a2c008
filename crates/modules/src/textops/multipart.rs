//! Multipart bodies (RFC 2046 §5.1): where the parts lie.

use std::ops::Range;

use sip::header::HeaderId;
use sip::message::Message;
use sip::params::{Params, unquote};

use super::BODY_PARTS_MAX;
use super::message_tests::media_type;

/// One part, as ranges of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// From its delimiter to the next one.
    pub whole: Range<usize>,
    /// Header lines, without the empty line.
    pub headers: Range<usize>,
    /// Content, without the line end that belongs to the next delimiter.
    pub content: Range<usize>,
}

/// All parts, and where the closing delimiter starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    pub parts: Vec<Part>,
    pub closing: usize,
}

/// The boundary of a multipart Content-Type. None: another type.
pub(crate) fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    if !media_type(content_type).get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/")) {
        return None;
    }
    let start = content_type.iter().position(|byte| *byte == b';')?;
    let list = content_type.get(start..)?;
    Params::new(list)
        .find(|parameter| parameter.name.eq_ignore_ascii_case(b"boundary"))
        .and_then(|parameter| parameter.value)
        .map(unquote)
        .filter(|boundary| !boundary.is_empty())
}

/// A delimiter line: where it starts, where the next line starts, and whether it closes the body.
struct Delimiter {
    start: usize,
    next_line: usize,
    is_closing: bool,
}

fn delimiters(body: &[u8], boundary: &[u8]) -> Vec<Delimiter> {
    let mark = [b"--", boundary].concat();
    let mut found = Vec::new();
    for start in memchr::memmem::find_iter(body, &mark) {
        let at_line_start = start == 0 || body.get(start.saturating_sub(1)) == Some(&b'\n');
        let behind = body.get(start.saturating_add(mark.len())..).unwrap_or(b"");
        let is_closing = behind.starts_with(b"--");
        let end = behind.iter().position(|byte| *byte == b'\n').map_or(behind.len(), |at| at.saturating_add(1));
        let tail = behind.get(if is_closing { 2 } else { 0 }..end).unwrap_or(b"");
        if !at_line_start || !tail.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        found.push(Delimiter { start, next_line: start.saturating_add(mark.len()).saturating_add(end), is_closing });
        if is_closing || found.len() > BODY_PARTS_MAX {
            break;
        }
    }
    found
}

/// Splits a body at its boundary. None: there is no closing delimiter, or there are too many parts.
pub(crate) fn split(body: &[u8], boundary: &[u8]) -> Option<Parts> {
    let delimiters = delimiters(body, boundary);
    let closing = delimiters.last().filter(|delimiter| delimiter.is_closing)?.start;
    let mut parts = Vec::new();
    for (current, next) in delimiters.iter().zip(delimiters.iter().skip(1)) {
        let text = body.get(current.next_line..next.start)?;
        let end = next.start.saturating_sub(if text.ends_with(b"\r\n") { 2 } else { usize::from(text.ends_with(b"\n")) });
        let (headers, content) = split_head(body, current.next_line..end.max(current.next_line));
        parts.push(Part { whole: current.start..next.start, headers, content });
    }
    Some(Parts { parts, closing })
}

fn split_head(body: &[u8], range: Range<usize>) -> (Range<usize>, Range<usize>) {
    let text = body.get(range.clone()).unwrap_or(b"");
    if text.starts_with(b"\r\n") {
        return (range.start..range.start, range.start.saturating_add(2)..range.end);
    }
    match memchr::memmem::find(text, b"\r\n\r\n") {
        Some(at) => {
            let end = range.start.saturating_add(at).saturating_add(2);
            (range.start..end, end.saturating_add(2)..range.end)
        }
        None => (range.clone(), range.end..range.end),
    }
}

/// The media type a part's headers name; `text/plain` without one.
pub(crate) fn part_type<'a>(body: &'a [u8], part: &Part) -> &'a [u8] {
    let headers = body.get(part.headers.clone()).unwrap_or(b"");
    headers
        .split(|byte| *byte == b'\n')
        .find_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = line.get(..colon)?.trim_ascii();
            let is_type = name.eq_ignore_ascii_case(b"Content-Type") || name.eq_ignore_ascii_case(b"c");
            is_type.then(|| media_type(line.get(colon.saturating_add(1)..).unwrap_or(b"")))
        })
        .unwrap_or(b"text/plain")
}

/// The parts of a message's body. None: the body is not multipart, or broken.
pub(crate) fn of_message(message: &Message) -> Option<Parts> {
    split(message.body(), boundary(message.value(HeaderId::ContentType)?)?)
}

/// The session description of a message: its body, or the first SDP part; empty when there is none.
pub(crate) fn description(message: &Message) -> &[u8] {
    let body = message.body();
    let Some(parts) = of_message(message) else { return body };
    parts
        .parts
        .iter()
        .find(|part| part_type(body, part).eq_ignore_ascii_case(b"application/sdp"))
        .and_then(|part| body.get(part.content.clone()))
        .unwrap_or(b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--x\r\n\r\nhello\r\n--x--\r\n";

    #[test]
    fn parts_are_found_with_headers_and_content() {
        let parts = split(BODY, b"x").expect("parts");
        let text = |range: &Range<usize>| BODY.get(range.clone()).unwrap_or(b"");
        assert_eq!(parts.parts.len(), 2);
        assert_eq!(text(&parts.parts[0].headers), b"Content-Type: application/sdp\r\n");
        assert_eq!(text(&parts.parts[0].content), b"v=0\r\n");
        assert_eq!(part_type(BODY, &parts.parts[0]), b"application/sdp");
        assert_eq!(text(&parts.parts[1].content), b"hello");
        assert_eq!(part_type(BODY, &parts.parts[1]), b"text/plain");
        assert!(text(&(parts.closing..BODY.len())).starts_with(b"--x--"));
    }

    #[test]
    fn a_body_without_its_end_is_refused() {
        assert_eq!(split(b"--x\r\n\r\nhello\r\n", b"x"), None);
        assert_eq!(split(b"", b"x"), None);
    }

    #[test]
    fn the_boundary_is_read_with_and_without_quotes() {
        assert_eq!(boundary(b"multipart/mixed;boundary=\"a b\""), Some(&b"a b"[..]));
        assert_eq!(boundary(b"Multipart/Mixed; boundary=ab"), Some(&b"ab"[..]));
        assert_eq!(boundary(b"application/sdp"), None);
    }

    #[test]
    fn any_cut_of_a_body_is_split_without_panic() {
        for end in 0..BODY.len() {
            let _ = split(&BODY[..end], b"x");
        }
    }
}
