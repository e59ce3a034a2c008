//! Cuts a byte stream (TCP, TLS) into messages, and refuses every way two receivers could cut differently.

use crate::header::HeaderId;
use crate::limits::Limits;
use crate::message::header_line_end;
use crate::scan::{after, before, decimal, from, trim, trim_end};
use std::fmt;

/// One thing found on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole SIP message.
    Message(&'a [u8]),
    /// Two line ends between messages (RFC 5626 §3.5.1): answer with one.
    KeepalivePing,
    /// A whole HTTP request or reply, for what serves HTTP on the same port.
    Http(&'a [u8]),
}

/// Why a stream cannot be read on. The connection must be closed: where the next message starts is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The first line is neither SIP nor HTTP.
    UnknownProtocol,
    StartLineTooLong,
    /// No empty line within the bound.
    HeadTooLong,
    /// A header line without a colon.
    BadHeader,
    /// A SIP message on a stream must say its length.
    NoContentLength,
    /// Not all digits, or beyond 32 bits.
    BadContentLength,
    /// Two that differ.
    ContentLengthsDiffer,
    BodyTooLarge {
        bytes: u32,
    },
    /// HTTP chunked transfer is not served.
    TransferEncoding,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::UnknownProtocol => f.write_str("first line is neither SIP nor HTTP"),
            FrameError::StartLineTooLong => f.write_str("first line is too long"),
            FrameError::HeadTooLong => f.write_str("headers do not end within the bound"),
            FrameError::BadHeader => f.write_str("header line without a colon"),
            FrameError::NoContentLength => f.write_str("message on a stream without Content-Length"),
            FrameError::BadContentLength => f.write_str("Content-Length is not a 32-bit number"),
            FrameError::ContentLengthsDiffer => f.write_str("Content-Length headers differ"),
            FrameError::BodyTooLarge { bytes } => write!(f, "body of {bytes} bytes is too large"),
            FrameError::TransferEncoding => f.write_str("Transfer-Encoding is not served"),
        }
    }
}

impl std::error::Error for FrameError {}

/// What is known of the message at the start of the buffer.
#[derive(Clone, Copy, Debug)]
struct Head {
    is_http: bool,
    /// Offsets count from `Framer::start`.
    end: usize,
    body: usize,
}

/// The unread bytes of one connection. Memory is bounded by one head, one body and what was last pushed.
#[derive(Debug, Default)]
pub struct Framer {
    limits: Option<Limits>,
    buffer: Vec<u8>,
    /// Bytes before this one are done with.
    start: usize,
    /// No empty line ends before this offset from `start`.
    scanned: usize,
    head: Option<Head>,
    failed: Option<FrameError>,
}

impl Framer {
    /// A framer under `Limits::stream()`.
    pub fn new() -> Framer {
        Framer::default()
    }

    pub fn with_limits(limits: Limits) -> Framer {
        Framer { limits: Some(limits), ..Framer::default() }
    }

    /// Adds received bytes. After an error they are thrown away.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start.min(self.buffer.len()));
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes received and not yet given out.
    pub fn pending(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// The next whole frame; `None` when more bytes are needed. An error stays: the stream is beyond repair.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.advance() {
            Ok(None) => Ok(None),
            Ok(Some(Cut::Ping)) => Ok(Some(Frame::KeepalivePing)),
            Ok(Some(Cut::Whole { is_http, from: start, to })) => {
                let bytes = self.buffer.get(start..to).unwrap_or(b"");
                Ok(Some(if is_http { Frame::Http(bytes) } else { Frame::Message(bytes) }))
            }
            Err(error) => {
                self.failed = Some(error);
                self.buffer = Vec::new();
                self.start = 0;
                Err(error)
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Cut>, FrameError> {
        let limits = self.limits.unwrap_or(Limits::stream());
        if self.head.is_none() {
            if self.skip_line_ends() {
                return Ok(Some(Cut::Ping));
            }
            match self.find_head(&limits)? {
                Some(head) => self.head = Some(head),
                None => return Ok(None),
            }
        }
        let Some(head) = self.head else {
            return Ok(None);
        };
        let total = head.end.saturating_add(head.body);
        if self.pending() < total {
            return Ok(None);
        }
        let start = self.start;
        self.start = start.saturating_add(total);
        self.scanned = 0;
        self.head = None;
        Ok(Some(Cut::Whole { is_http: head.is_http, from: start, to: self.start }))
    }

    /// Drops line ends before a message. True when a keepalive (two of them) was dropped.
    fn skip_line_ends(&mut self) -> bool {
        loop {
            match from(&self.buffer, self.start) {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.start = self.start.saturating_add(4);
                    return true;
                }
                // The second half of a keepalive may still be under way.
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] | [b'\r'] => return false,
                [b'\r', b'\n', ..] => self.start = self.start.saturating_add(2),
                [b'\n', ..] => self.start = self.start.saturating_add(1),
                _ => return false,
            }
        }
    }

    fn find_head(&mut self, limits: &Limits) -> Result<Option<Head>, FrameError> {
        let bytes = from(&self.buffer, self.start);
        if matches!(bytes, [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r']) {
            return Ok(None);
        }
        let line_end = memchr::memchr(b'\n', bytes);
        if line_end.unwrap_or(bytes.len()) > limits.start_line_bytes_max as usize {
            return Err(FrameError::StartLineTooLong);
        }
        let Some(line_end) = line_end else {
            return Ok(None);
        };
        let is_http = is_http_line(before(bytes, line_end)).ok_or(FrameError::UnknownProtocol)?;
        let end = empty_line_end(bytes, self.scanned.max(line_end));
        if end.unwrap_or(bytes.len()) > limits.head_bytes_max as usize {
            return Err(FrameError::HeadTooLong);
        }
        let Some(end) = end else {
            self.scanned = bytes.len().saturating_sub(2);
            return Ok(None);
        };
        let lines = before(bytes, end);
        let body = body_length(lines, line_end.saturating_add(1), is_http)?;
        if body > limits.body_bytes_max {
            return Err(FrameError::BodyTooLarge { bytes: body });
        }
        Ok(Some(Head { is_http, end, body: body as usize }))
    }
}

/// A frame before it is borrowed out of the buffer.
enum Cut {
    Ping,
    Whole { is_http: bool, from: usize, to: usize },
}

/// Whether a first line is HTTP (true) or SIP (false); `None` for anything else.
fn is_http_line(line: &[u8]) -> Option<bool> {
    let line = trim_end(line);
    let word = line.rsplit(|byte| *byte == b' ').next().unwrap_or(b"");
    let starts = |text: &[u8], prefix: &[u8]| text.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    if starts(line, b"SIP/") || starts(word, b"SIP/") {
        Some(false)
    } else if starts(word, b"HTTP/1.") || starts(line, b"HTTP/1.") {
        Some(true)
    } else {
        None
    }
}

/// Offset behind the first empty line, looking for line ends from `scanned` on.
fn empty_line_end(bytes: &[u8], scanned: usize) -> Option<usize> {
    let mut at = scanned;
    loop {
        at = at.checked_add(memchr::memchr(b'\n', bytes.get(at..)?)?)?.checked_add(1)?;
        match from(bytes, at) {
            [b'\n', ..] => return at.checked_add(1),
            [b'\r', b'\n', ..] => return at.checked_add(2),
            _ => {}
        }
    }
}

/// Reads the headers of `head` from `start` the way `Message::parse` does, and returns the length of the body.
fn body_length(head: &[u8], start: usize, is_http: bool) -> Result<u32, FrameError> {
    let mut length = None;
    let mut at = start;
    while !matches!(from(head, at), [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
        let end = header_line_end(head, at).unwrap_or(head.len());
        let line = before(from(head, at), end.saturating_sub(at));
        let colon = memchr::memchr(b':', line).ok_or(FrameError::BadHeader)?;
        let name = trim_end(before(line, colon));
        if HeaderId::from_name(name) == HeaderId::ContentLength && (!is_http || name.len() > 1) {
            let value = decimal(trim(after(line, colon))).ok_or(FrameError::BadContentLength)?;
            if length.is_some_and(|known| known != value) {
                return Err(FrameError::ContentLengthsDiffer);
            }
            length = Some(value);
        } else if is_http && name.eq_ignore_ascii_case(b"Transfer-Encoding") {
            return Err(FrameError::TransferEncoding);
        }
        at = end;
    }
    match length {
        Some(length) => Ok(length),
        None if is_http => Ok(0),
        None => Err(FrameError::NoContentLength),
    }
}

#[cfg(test)]
mod tests;
