//! SIP as far as the generator needs it: what it reads out of what came, and what it answers.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::text::{decimal, lines};

/// The end of a head without body.
pub const NO_BODY: &[u8] = b"Content-Length: 0\r\n\r\n";

/// The end of a head, and a description of audio; what it says does not matter, its size does.
pub const SESSION: &[u8] = b"Content-Type: application/sdp\r\nContent-Length: 129\r\n\r\n\
    v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Headers that a reply echoes and that a message has once, behind all that it echoes otherwise.
const SINGLES: [&[u8]; 4] = [b"From:", b"To:", b"Call-ID:", b"CSeq:"];

/// Room for Route lines, usually enough.
const ROUTE_BYTES: usize = 256;

/// The requests of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Other,
}

impl Method {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Other => "other",
        }
    }

    fn of(name: &[u8]) -> Method {
        match name {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            _ => Method::Other,
        }
    }
}

/// Finds the headers that are read, by the line end in front of them: that is faster than going through all lines.
struct Headers {
    call_id: Finder<'static>,
    sequence: Finder<'static>,
    to: Finder<'static>,
    contact: Finder<'static>,
    record_route: Finder<'static>,
}

static HEADERS: LazyLock<Headers> = LazyLock::new(|| Headers {
    call_id: Finder::new("\nCall-ID: "),
    sequence: Finder::new("\nCSeq: "),
    to: Finder::new("\nTo: "),
    contact: Finder::new("\nContact: "),
    record_route: Finder::new("\nRecord-Route: "),
});

/// The value of the first of these headers, and what is behind it from its line end on.
fn value<'a>(bytes: &'a [u8], header: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    // The next header is nearly always the one that is wanted.
    let start = if bytes.starts_with(header.needle()) { 0 } else { header.find(bytes)? };
    let value = bytes.get(start + header.needle().len()..)?;
    let (value, behind) = value.split_at(memchr::memchr(b'\n', value)?);
    Some((value.strip_suffix(b"\r").unwrap_or(value), behind))
}

/// What stands in front of and behind the first `byte`.
fn split(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// Appends all parts.
pub fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// A message that came.
#[derive(Debug)]
pub struct Incoming<'a> {
    bytes: &'a [u8],
    /// The status of a reply; None: a request.
    pub code: Option<u16>,
    /// Of the CSeq.
    pub method: Method,
    pub sequence: u32,
    /// In front of the first dot of the Call-ID.
    pub number: u32,
    /// Behind it.
    pub run: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// Reads a message; None: not one of a generator's calls.
    pub fn read(bytes: &'a [u8]) -> Option<Incoming<'a>> {
        let code = match bytes.strip_prefix(b"SIP/2.0 ") {
            Some(rest) => Some(u16::try_from(decimal(rest.get(..3)?)?).ok()?),
            None => None,
        };
        let (call_id, behind) = value(bytes, &HEADERS.call_id)?;
        let (sequence, _) = value(behind, &HEADERS.sequence).or_else(|| value(bytes, &HEADERS.sequence))?;
        let ((number, run), (sequence, method)) = (split(call_id, b'.')?, split(sequence, b' ')?);
        Some(Incoming { bytes, code, method: Method::of(method), sequence: decimal(sequence)?, number: decimal(number)?, run })
    }

    /// The value of To.
    pub fn to(&self) -> &'a [u8] {
        value(self.bytes, &HEADERS.to).map_or(b"", |(to, _)| to)
    }

    /// To holds a tag.
    pub fn is_within(&self) -> bool {
        has_tag(self.to())
    }

    /// The URI of the Contact.
    pub fn contact(&self) -> &'a [u8] {
        let contact = value(self.bytes, &HEADERS.contact).and_then(|(contact, _)| split(contact, b'<'));
        contact.and_then(|(_, uri)| split(uri, b'>')).map_or(b"", |(uri, _)| uri)
    }

    /// Its recorded route as Route lines for requests the other way; `is_reversed` for whom the message answers.
    pub fn routes(&self, is_reversed: bool) -> Vec<u8> {
        let mut rest = self.bytes;
        let recorded = std::iter::from_fn(|| {
            let (value, behind) = value(rest, &HEADERS.record_route)?;
            rest = behind;
            Some(value)
        });
        let mut routes = Vec::with_capacity(ROUTE_BYTES);
        if is_reversed {
            // The values of one line are reversed, too: they are commas apart, and our proxies' URIs hold none.
            let values: Vec<&[u8]> = recorded.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii).collect();
            values.into_iter().rev().for_each(|value| put(&mut routes, &[b"Route: ", value, b"\r\n"]));
        } else {
            recorded.for_each(|value| put(&mut routes, &[b"Route: ", value, b"\r\n"]));
        }
        routes
    }

    /// What all replies to this request have between their first line and the end of their head: what must be echoed, `tag` in To
    /// unless there is one, and the contact.
    pub fn echo(&self, out: &mut Vec<u8>, tag: &[u8], contact: &str) {
        let mut singles = SINGLES.len();
        for line in lines(self.bytes).skip(1).take_while(|line| !line.is_empty()) {
            let is_single = SINGLES.iter().any(|name| line.starts_with(name));
            if line.starts_with(b"To:") && !has_tag(line) {
                put(out, &[line, b";tag=", tag, b"\r\n"]);
            } else if is_single || line.starts_with(b"Via:") || line.starts_with(b"Record-Route:") {
                put(out, &[line, b"\r\n"]);
            }
            // Nothing to be echoed comes behind the last of these.
            singles -= usize::from(is_single);
            if singles == 0 {
                break;
            }
        }
        put(out, &[b"Contact: <", contact.as_bytes(), b">\r\n"]);
    }
}

/// Whether a From or To has a tag behind its URI.
fn has_tag(value: &[u8]) -> bool {
    split(value, b'>').is_some_and(|(_, parameters)| parameters.windows(5).any(|window| window == b";tag="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nRecord-Route: <sip:a;lr>, <sip:b;lr>\r\n\
                         Record-Route: <sip:c;lr>\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 12.run\r\nCSeq: 3 INVITE\r\n\
                         Contact: <sip:callee@127.0.0.1:2>;q=1\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_reply_is_read_and_its_route_is_turned_round() {
        let reply = Incoming::read(REPLY.as_bytes()).unwrap();
        assert_eq!((reply.code, reply.method, reply.sequence), (Some(200), Method::Invite, 3));
        assert_eq!((reply.number, reply.run, reply.is_within()), (12, &b"run"[..], true));
        assert_eq!((reply.to(), reply.contact()), (&b"<sip:c@d>;tag=2"[..], &b"sip:callee@127.0.0.1:2"[..]));
        assert_eq!(reply.routes(true), b"Route: <sip:c;lr>\r\nRoute: <sip:b;lr>\r\nRoute: <sip:a;lr>\r\n");
        assert_eq!(reply.routes(false), b"Route: <sip:a;lr>, <sip:b;lr>\r\nRoute: <sip:c;lr>\r\n");
    }

    #[test]
    fn a_request_is_answered_with_what_must_be_echoed() {
        let text = REPLY.replace("SIP/2.0 200 OK", "INVITE sip:c@d SIP/2.0").replace(";tag=2", "");
        let request = Incoming::read(text.as_bytes()).unwrap();
        assert_eq!((request.code, request.is_within()), (None, false));
        let mut out = Vec::new();
        request.echo(&mut out, b"callee", "sip:callee@127.0.0.1:2");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nRecord-Route: <sip:a;lr>, <sip:b;lr>\r\nRecord-Route: <sip:c;lr>\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=callee\r\nCall-ID: 12.run\r\nCSeq: 3 INVITE\r\n\
             Contact: <sip:callee@127.0.0.1:2>\r\n"
        );
    }

    #[test]
    fn what_is_no_message_of_a_call_is_none() {
        for text in ["", "SIP/2.0", "SIP/2.0 2x0 OK\r\n\r\n", "BYE sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n", "\0\0\0", "\r\n"] {
            assert!(Incoming::read(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_length_of_the_session_is_the_one_told() {
        let text = std::str::from_utf8(SESSION).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head} {}", body.len());
    }
}
