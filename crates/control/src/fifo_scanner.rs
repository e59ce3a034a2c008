//! Cuts requests out of the bytes of a FIFO (spec proxy-core 13.3).

use crate::limits::FIFO_REQUEST_BYTES_MAX;

/// How a request begins; on a line of its own it ends whatever was left unfinished before it.
const FIRST_KEY: &[u8] = b"\"jsonrpc\"";

/// What one more byte has brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    Nothing,
    /// A whole object.
    Request(Vec<u8>),
    /// An object was given up.
    Dropped(&'static str),
}

/// Balanced `{...}`; quotes are honoured, anything outside braces is ignored. Who leaves a brace open loses only the own
/// request: a line that begins a new one starts anew.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    text: Vec<u8>,
    depth: usize,
    is_quoted: bool,
    is_escaped: bool,
    /// A brace at the beginning of a line inside `text`: maybe a new request.
    fresh: Option<usize>,
    is_at_line_start: bool,
    /// Too much came: nothing counts until a line begins with a brace.
    is_skipping: bool,
}

impl Scanner {
    pub(crate) fn push(&mut self, byte: u8) -> Scanned {
        let begins_line = std::mem::replace(&mut self.is_at_line_start, byte == b'\n');
        if self.is_skipping {
            if !begins_line || byte != b'{' {
                return Scanned::Nothing;
            }
            self.is_skipping = false;
        }
        if self.depth == 0 && byte != b'{' {
            return Scanned::Nothing;
        }
        if self.text.len() >= FIFO_REQUEST_BYTES_MAX {
            *self = Scanner { is_skipping: true, is_at_line_start: self.is_at_line_start, ..Scanner::default() };
            return Scanned::Dropped("too long");
        }
        if begins_line && byte == b'{' && self.depth > 0 {
            self.fresh = Some(self.text.len());
        }
        self.text.push(byte);
        if self.begins_anew() {
            return Scanned::Dropped("not finished");
        }
        if self.is_quoted {
            self.is_quoted = self.is_escaped || byte != b'"';
            self.is_escaped = !self.is_escaped && byte == b'\\';
            return Scanned::Nothing;
        }
        match byte {
            b'"' => self.is_quoted = true,
            b'{' => self.depth += 1,
            b'}' => self.depth -= 1,
            _ => {}
        }
        if self.depth > 0 {
            return Scanned::Nothing;
        }
        self.fresh = None;
        Scanned::Request(std::mem::take(&mut self.text))
    }

    /// Has a new request begun inside an unfinished one? Then only the new one is kept.
    fn begins_anew(&mut self) -> bool {
        let Some(fresh) = self.fresh else { return false };
        let key = self.text.get(fresh + 1..).unwrap_or_default().trim_ascii_start();
        if key == FIRST_KEY {
            self.text.drain(..fresh);
            *self =
                Scanner { text: std::mem::take(&mut self.text), depth: 1, is_at_line_start: self.is_at_line_start, ..Scanner::default() };
            return true;
        }
        if !FIRST_KEY.starts_with(key) {
            self.fresh = None;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Vec<Scanned> {
        let mut scanner = Scanner::default();
        bytes.iter().map(|byte| scanner.push(*byte)).filter(|scanned| *scanned != Scanned::Nothing).collect()
    }

    fn request(text: &str) -> Scanned {
        Scanned::Request(text.as_bytes().to_vec())
    }

    #[test]
    fn objects_are_cut_out_of_the_stream() {
        assert_eq!(scan(br#"junk {"a":"}\"{"} more {"b":{}}"#), [request(r#"{"a":"}\"{"}"#), request(r#"{"b":{}}"#)]);
    }

    #[test]
    fn an_open_brace_does_not_swallow_the_next_request() {
        let bytes = b"{\"jsonrpc\":\"2.0\",\"params\":[{\n{\"jsonrpc\":\"2.0\",\"id\":1}\n";
        assert_eq!(scan(bytes), [Scanned::Dropped("not finished"), request("{\"jsonrpc\":\"2.0\",\"id\":1}")]);
        let bytes = b"{\"a\":\"open quote\n{ \n \"jsonrpc\" :\"2.0\"}\n";
        assert_eq!(scan(bytes), [Scanned::Dropped("not finished"), request("{ \n \"jsonrpc\" :\"2.0\"}")]);
    }

    #[test]
    fn an_object_on_several_lines_stays_one() {
        let text = "{\n  \"jsonrpc\": \"2.0\",\n  \"params\": {\n    \"x\": {\n}\n  },\n  \"id\": 5\n}";
        assert_eq!(scan(text.as_bytes()), [request(text)]);
        let text = "{\"jsonrpc\":\"2.0\",\"params\":[\n{\"a\":1},\n{\"b\":2}]}";
        assert_eq!(scan(text.as_bytes()), [request(text)]);
    }

    #[test]
    fn what_is_too_long_is_dropped_whole() {
        let mut bytes = b"{\"params\":[\"".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', FIFO_REQUEST_BYTES_MAX));
        bytes.extend_from_slice(b"\",{\"method\":\"core.kill\"}]}\n{\"jsonrpc\":\"2.0\"}");
        assert_eq!(scan(&bytes), [Scanned::Dropped("too long"), request("{\"jsonrpc\":\"2.0\"}")]);
    }
}
