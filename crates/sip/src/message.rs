//! A SIP message: its bytes and an index of where things are. Reusable, so parsing allocates nothing in steady state.

use crate::core_fields::{CoreFields, KEPT};
use crate::error::ParseError;
use crate::header::{Header, HeaderId};
use crate::limits::Limits;
use crate::method::Method;
use crate::scan::{after, before, from, trim_end};
use crate::span::Span;
use crate::start_line::StartLine;

const ABSENT: u16 = u16::MAX;

/// One message. The typed accessors (`from`, `cseq`, `top_via`, ...) are in [`crate::fields`].
#[derive(Debug)]
pub struct Message {
    bytes: Vec<u8>,
    headers: Vec<Header>,
    /// For each identity the position of its first header, or `ABSENT`.
    first: [u16; HeaderId::COUNT],
    /// One bit for each identity that has more than one header line.
    repeated: u128,
    start: StartLine,
    headers_end: u32,
    body: Span,
    core: CoreFields,
}

impl Default for Message {
    fn default() -> Message {
        Message {
            bytes: Vec::new(),
            headers: Vec::new(),
            first: [ABSENT; HeaderId::COUNT],
            repeated: 0,
            start: StartLine::default(),
            headers_end: 0,
            body: Span::default(),
            core: CoreFields::default(),
        }
    }
}

/// Copies to exact size: spare capacity of the original is not carried along. `clone_from` reuses memory instead.
impl Clone for Message {
    fn clone(&self) -> Message {
        Message { bytes: self.bytes.clone(), headers: self.headers.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Message) {
        let (mut bytes, mut headers) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.headers));
        bytes.clone_from(&source.bytes);
        headers.clone_from(&source.headers);
        *self = Message { bytes, headers, ..*source };
    }
}

impl Message {
    /// An empty message to parse into.
    pub fn new() -> Message {
        Message::default()
    }

    /// A new message of `bytes` under the datagram limits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Message, ParseError> {
        let mut message = Message::new();
        message.parse(bytes, &Limits::default())?;
        Ok(message)
    }

    /// Takes in `bytes` and indexes them. Checks structure and bounds only; see `check_required` for what a message must
    /// carry. Accepts line ends of a single LF, folding, and a head that ends with the bytes instead of an empty line
    /// (`is_head_terminated` tells). After an error `bytes()` still shows the input, everything else is empty.
    pub fn parse(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), ParseError> {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        let result = self.index(limits);
        if result.is_err() {
            self.forget_index();
        }
        result
    }

    fn forget_index(&mut self) {
        self.headers.clear();
        self.first = [ABSENT; HeaderId::COUNT];
        self.repeated = 0;
        self.start = StartLine::default();
        self.headers_end = 0;
        self.body = Span::default();
        self.core = CoreFields::default();
    }

    fn index(&mut self, limits: &Limits) -> Result<(), ParseError> {
        self.forget_index();
        let total = self.bytes.len();
        let bound = (limits.head_bytes_max as usize).saturating_add(limits.body_bytes_max as usize);
        if total > bound || u32::try_from(total).is_err() {
            return Err(ParseError::TooLarge { bytes: total });
        }
        let headers_start = self.index_start_line(limits)?;
        let (headers_end, body_start) = self.index_headers(headers_start, limits)?;
        let body_bytes = total.saturating_sub(body_start);
        if body_bytes > limits.body_bytes_max as usize {
            return Err(ParseError::BodyTooLarge { bytes: body_bytes });
        }
        self.headers_end = Span::new(headers_end, headers_end).start;
        self.body = Span::new(body_start, total);
        self.core = CoreFields::read(self);
        if self.start.status != 0 {
            self.start.method = self.core.cseq_method();
        }
        Ok(())
    }

    /// Skips line ends before the first line (RFC 3261 §7.5), reads it, and returns where the headers start.
    fn index_start_line(&mut self, limits: &Limits) -> Result<usize, ParseError> {
        let bytes = &self.bytes;
        let offset = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(ParseError::Empty)?;
        let width = memchr::memchr(b'\n', from(bytes, offset)).ok_or(ParseError::StartLineUnterminated)?;
        let text = before(from(bytes, offset), width);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() > limits.start_line_bytes_max as usize {
            return Err(ParseError::StartLineTooLong { bytes: text.len() });
        }
        let end = offset.saturating_add(width).saturating_add(1);
        self.start = StartLine::parse(text, offset)?;
        self.start.line = Span::new(offset, end);
        Ok(end)
    }

    /// One pass over the header lines. Returns where the empty line starts and where the body starts.
    fn index_headers(&mut self, start: usize, limits: &Limits) -> Result<(usize, usize), ParseError> {
        let Message { bytes, headers, first, repeated, .. } = self;
        let (mut vias, mut routes) = (0u32, 0u32);
        let mut at = start;
        loop {
            match bytes.get(at..) {
                None | Some([]) => return Ok((at, at)),
                Some([b'\n', ..]) => return Ok((at, at.saturating_add(1))),
                Some([b'\r', b'\n', ..]) => return Ok((at, at.saturating_add(2))),
                Some(_) => {}
            }
            let header = read_header(bytes, at, limits)?;
            if headers.len() >= limits.headers_max as usize {
                return Err(ParseError::TooManyHeaders { max: limits.headers_max });
            }
            if header.id == HeaderId::Via {
                count_elements(&mut vias, header.value.of(bytes));
                if vias > limits.vias_max {
                    return Err(ParseError::TooManyVias { max: limits.vias_max });
                }
            } else if header.id == HeaderId::Route {
                count_elements(&mut routes, header.value.of(bytes));
                if routes > limits.routes_max {
                    return Err(ParseError::TooManyRoutes { max: limits.routes_max });
                }
            }
            if let Some(slot) = first.get_mut(header.id as usize) {
                if *slot == ABSENT {
                    *slot = u16::try_from(headers.len()).unwrap_or(ABSENT);
                } else {
                    *repeated |= bit(header.id);
                }
            }
            at = header.line.end as usize;
            headers.push(header);
        }
    }

    /// All bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of a span; empty when it lies outside.
    pub fn text(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }

    /// Where `slice` lies in `bytes()`; `None` when it is not a part of them.
    pub fn span_of(&self, slice: &[u8]) -> Option<Span> {
        let start = (slice.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        let end = start.checked_add(slice.len())?;
        if end <= self.bytes.len() { Some(Span::new(start, end)) } else { None }
    }

    /// Whether this is a request (a message that failed to parse is neither request nor reply).
    pub fn is_request(&self) -> bool {
        !self.start.method_text.is_empty()
    }

    /// Whether this is a reply.
    pub fn is_reply(&self) -> bool {
        self.start.status != 0
    }

    /// The request's method; for a reply the CSeq's.
    pub fn method(&self) -> Method {
        self.start.method
    }

    /// Spelling of `method()`.
    pub fn method_text(&self) -> &[u8] {
        if self.is_reply() { self.cseq().map_or(b"", |cseq| cseq.method_text) } else { self.text(self.start.method_text) }
    }

    /// The Request-URI as received; empty in replies.
    pub fn request_uri(&self) -> &[u8] {
        self.text(self.start.uri)
    }

    /// `SIP/2.0` as written.
    pub fn version(&self) -> &[u8] {
        self.text(self.start.version)
    }

    /// Status code 100 to 999; 0 in requests.
    pub fn status(&self) -> u16 {
        self.start.status
    }

    /// Reason phrase of a reply.
    pub fn reason(&self) -> &[u8] {
        self.text(self.start.reason)
    }

    /// The first line with its line end.
    pub fn first_line(&self) -> Span {
        self.start.line
    }

    /// Where the Request-URI lies.
    pub fn request_uri_span(&self) -> Span {
        self.start.uri
    }

    /// All header lines in order.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The first header of this identity.
    pub fn header(&self, id: HeaderId) -> Option<&Header> {
        self.headers.get(usize::from(*self.first.get(id as usize)?))
    }

    /// Position in `headers()` of the first header of this identity.
    pub fn header_index(&self, id: HeaderId) -> Option<usize> {
        self.first.get(id as usize).map(|slot| usize::from(*slot)).filter(|index| *index < self.headers.len())
    }

    /// Whether more than one header line has this identity.
    pub fn is_repeated(&self, id: HeaderId) -> bool {
        self.repeated & bit(id) != 0
    }

    /// Value of the first header of this identity.
    pub fn value(&self, id: HeaderId) -> Option<&[u8]> {
        self.header(id).map(|header| self.text(header.value))
    }

    /// All headers of this identity, in order. For `Other`: all unknown ones.
    pub fn headers_of(&self, id: HeaderId) -> impl Iterator<Item = &Header> {
        self.headers_from(id).1.iter().filter(move |header| header.id == id)
    }

    /// Position of the first header of this identity, and the headers from there among which all of it are: that one
    /// alone when it is not repeated.
    pub(crate) fn headers_from(&self, id: HeaderId) -> (usize, &[Header]) {
        let count = self.headers.len();
        let start = self.header_index(id).unwrap_or(count);
        let end = if self.is_repeated(id) { count } else { start.saturating_add(1).min(count) };
        (start, self.headers.get(start..end).unwrap_or(&[]))
    }

    /// All headers with this name in any case; a known name also finds its compact form and the other way round.
    pub fn headers_named(&self, name: &[u8]) -> impl Iterator<Item = &Header> {
        let name = trim_end(name);
        let id = HeaderId::from_name(name);
        let start = self.header_index(id).unwrap_or(self.headers.len());
        self.headers
            .get(start..)
            .unwrap_or(&[])
            .iter()
            .filter(move |header| header.id == id && (id != HeaderId::Other || self.text(header.name).eq_ignore_ascii_case(name)))
    }

    /// Offset of the empty line that ends the headers.
    pub fn headers_end(&self) -> u32 {
        self.headers_end
    }

    /// Whether an empty line ends the headers. Without it the message must not be relayed (RFC 4475 `baddn`).
    pub fn is_head_terminated(&self) -> bool {
        self.headers_end < self.body.start
    }

    /// Everything behind the empty line, whatever Content-Length says.
    pub fn body(&self) -> &[u8] {
        self.text(self.body)
    }

    /// Where the body lies.
    pub fn body_span(&self) -> Span {
        self.body
    }

    /// Overwrites bytes in place with as many others (Max-Forwards digits, spec proxy-core 11.1). Refuses another length,
    /// a span outside, and line ends in the text, because the index must stay true.
    pub fn overwrite(&mut self, span: Span, text: &[u8]) -> bool {
        if span.len() != text.len() || text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return false;
        }
        let Some(target) = self.bytes.get_mut(span.start as usize..span.end as usize) else { return false };
        target.copy_from_slice(text);
        let touches = |id: HeaderId| self.header(id).is_some_and(|header| span.start < header.line.end && header.line.start < span.end);
        if KEPT.into_iter().any(touches) {
            self.core = CoreFields::read(self);
        }
        true
    }

    pub(crate) fn core(&self) -> &CoreFields {
        &self.core
    }

    /// Makes room for a message of so many bytes and headers.
    pub fn reserve(&mut self, bytes: usize, headers: usize) {
        self.bytes.reserve_exact(bytes);
        self.headers.reserve_exact(headers);
    }

    /// Heap bytes held, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity().saturating_add(self.headers.capacity().saturating_mul(size_of::<Header>()))
    }
}

const _: () = assert!(HeaderId::COUNT <= 128, "the set of repeated headers has 128 bits");

fn bit(id: HeaderId) -> u128 {
    1u128.wrapping_shl(u32::from(id as u8))
}

/// Reads the header line at `at` with its continuation lines.
fn read_header(bytes: &[u8], at: usize, limits: &Limits) -> Result<Header, ParseError> {
    let offset = at as u32;
    let end = header_line_end(bytes, at).ok_or(ParseError::HeaderUnterminated { offset })?;
    let line = bytes.get(at..end).unwrap_or(b"");
    // Names are short: looking at each byte costs less than setting up a vector search.
    let colon = line.iter().position(|byte| *byte == b':').ok_or(ParseError::HeaderName { offset })?;
    let name = trim_end(before(line, colon));
    if name.len() > limits.header_name_bytes_max as usize {
        return Err(ParseError::HeaderNameTooLong { offset, bytes: name.len() });
    }
    let id = HeaderId::from_name(name);
    // A known name is made of letters and dashes; only others need a look at each byte.
    if id == HeaderId::Other && (name.is_empty() || name.iter().any(|byte| *byte <= b' ' || *byte == 0x7f)) {
        return Err(ParseError::HeaderName { offset });
    }
    let raw = trim_end(from(line, colon.saturating_add(1)));
    let value = crate::scan::trim_start(raw);
    if value.len() > limits.header_value_bytes_max as usize {
        return Err(ParseError::HeaderValueTooLong { offset, bytes: value.len() });
    }
    let value_end = at.saturating_add(colon).saturating_add(1).saturating_add(raw.len());
    Ok(Header {
        id,
        name: Span::at(at, at.saturating_add(name.len())),
        value: Span::at(value_end.saturating_sub(value.len()), value_end),
        line: Span::at(at, end),
    })
}

/// Offset behind the line end of the header at `at`, continuation lines included; `None` when there is no line end.
pub(crate) fn header_line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        end = end.checked_add(memchr::memchr(b'\n', bytes.get(end..)?)?)?.checked_add(1)?;
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            return Some(end);
        }
    }
}

fn count_elements(count: &mut u32, value: &[u8]) {
    *count = count.saturating_add(1);
    let mut rest = value;
    // Nearly every value is one element: one search, no setting up of a count.
    while let Some(at) = memchr::memchr(b',', rest) {
        *count = count.saturating_add(1);
        rest = after(rest, at);
    }
}

#[cfg(test)]
mod tests;
