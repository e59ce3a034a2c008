//! What a stateless reply takes from a request, found without indexing the rest: for replies that must cost next to nothing.

use crate::fields::CSeq;
use crate::header::HeaderId;
use crate::name_address::NameAddress;
use crate::reply::{ReplyParts, write_added_tag, write_reply_head, write_tail, write_via_line};
use crate::scan::{Elements, after, before, from, trim, trim_end};
use crate::via::Via;

/// Most lines of Via, From, To, Call-ID and CSeq; a request with more has to be parsed.
pub const LINES_MAX: usize = 20;

/// A line that the reply copies, without its line end.
#[derive(Clone, Copy)]
struct Line<'a> {
    id: HeaderId,
    text: &'a [u8],
}

/// The parts of a request that its replies are made of. All are slices of the request; values are read when they are asked for.
pub struct Outline<'a> {
    lines: [Line<'a>; LINES_MAX],
    count: usize,
    version: &'a [u8],
    via: &'a [u8],
    to: &'a [u8],
    cseq: &'a [u8],
    pub call_id: &'a [u8],
}

impl<'a> Outline<'a> {
    /// Finds the lines of a request. `None`: it has to be parsed to know what it is, or that it is nothing; a field that must
    /// stand once and stands twice is such a case ([`crate::Message::check_required`] drops it).
    pub fn read(request: &'a [u8]) -> Option<Outline<'a>> {
        let mut line_ends = memchr::memchr_iter(b'\n', request);
        let first = line_ends.next()?;
        let version = trim_end(before(request, first));
        let version = from(version, version.len().checked_sub(b"SIP/2.0".len())?);
        if version != b"SIP/2.0" {
            return None;
        }
        let mut lines = Lines { all: [Line { id: HeaderId::Other, text: b"" }; LINES_MAX], count: 0 };
        let (mut via, mut to, mut call_id, mut cseq, mut from_value) = (None, None, None, None, None);
        let mut at = first.checked_add(1)?;
        let mut is_at_end = false;
        for line_end in line_ends {
            let end = line_end.checked_add(1)?;
            let line = request.get(at..end)?;
            is_at_end = matches!(line, [b'\n'] | [b'\r', b'\n']);
            if is_at_end {
                break;
            }
            if matches!(request.get(end), Some(b' ' | b'\t')) {
                // The line goes on.
                continue;
            }
            at = end;
            if !matches!(line.first(), Some(b'V' | b'v' | b'F' | b'f' | b'T' | b't' | b'C' | b'c' | b'I' | b'i')) {
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = trim_end(before(line, colon));
            if !may_be_copied(name) {
                continue;
            }
            let id = HeaderId::from_name(name);
            let place = match id {
                HeaderId::Via => &mut via,
                HeaderId::From => &mut from_value,
                HeaderId::To => &mut to,
                HeaderId::CallId => &mut call_id,
                HeaderId::CSeq => &mut cseq,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(trim(after(line, colon)));
            } else if id != HeaderId::Via {
                return None;
            }
            lines.add(id, trim_end(line))?;
        }
        if !is_at_end && at != request.len() {
            return None;
        }
        let call_id = call_id.filter(|call_id| from_value.is_some() && !call_id.is_empty())?;
        Some(Outline { lines: lines.all, count: lines.count, version, via: via?, to: to?, cseq: cseq?, call_id })
    }

    /// The topmost Via, if it can be read.
    pub fn top_via(&self) -> Option<Via<'a>> {
        Via::parse(Elements::new(self.via).next()?, 0)
    }

    /// The CSeq, if it can be read.
    pub fn cseq(&self) -> Option<CSeq<'a>> {
        CSeq::parse(self.cseq)
    }

    /// Whether To carries a tag parameter, so that the request is one within a dialog; `None`: To cannot be read.
    pub fn is_within(&self) -> Option<bool> {
        NameAddress::parse(self.to).map(|to| to.param(b"tag").is_some())
    }

    /// Whether To ends with this tag. False where another parameter follows it.
    pub fn ends_with_to_tag(&self, tag: &[u8]) -> bool {
        self.to.strip_suffix(tag).is_some_and(|rest| rest.ends_with(b";tag="))
    }

    /// Appends the reply that [`crate::write_reply`] would write for a code of 300 and above. `via` is the topmost one; a tag
    /// is for a request that is not within a dialog.
    pub fn write_refusal(&self, out: &mut Vec<u8>, via: &Via<'_>, parts: &ReplyParts<'_>) {
        write_reply_head(out, self.version, parts);
        let mut is_top = true;
        for line in self.lines.get(..self.count).unwrap_or_default() {
            match line.id {
                HeaderId::Via if std::mem::replace(&mut is_top, false) => {
                    write_via_line(out, line.text, via, parts);
                    continue;
                }
                HeaderId::To if !parts.to_tag.is_empty() => write_added_tag(out, line.text, parts.to_tag),
                _ => out.extend_from_slice(line.text),
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(parts.extra_headers);
        write_tail(out, parts);
    }
}

/// Most other names are told apart by first letter and length.
fn may_be_copied(name: &[u8]) -> bool {
    let first = name.first().map_or(0, |letter| letter | 0x20);
    matches!((first, name.len()), (b'v', 1 | 3) | (b'f', 1 | 4) | (b't', 1 | 2) | (b'i', 1) | (b'c', 4 | 7))
}

struct Lines<'a> {
    all: [Line<'a>; LINES_MAX],
    count: usize,
}

impl<'a> Lines<'a> {
    fn add(&mut self, id: HeaderId, text: &'a [u8]) -> Option<()> {
        *self.all.get_mut(self.count)? = Line { id, text };
        self.count = self.count.checked_add(1)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::Message;
    use crate::reply::write_reply;

    const INVITE: &str = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport , SIP/2.0/TCP i\r\n\
        Max-Forwards: 70\r\nv: SIP/2.0/UDP [2001:db8::9];branch=z9hG4bKy\r\nContact: <sip:a@b>\r\nFrom: \"T\" <sip:f@h>;tag=1\r\n\
        To : <sip:t@h>\r\n ;x=y\r\nCall-ID: c\r\nTimestamp: 1\r\nCSeq: 7 INVITE\r\nContent-Type: a/b\r\nContent-Length: 11\r\n\r\nVia: body\r\n";

    fn source() -> SocketAddr {
        "192.0.2.7:5099".parse().expect("an address")
    }

    #[test]
    fn a_refusal_is_the_reply_that_is_written_for_the_parsed_request() {
        let server = Some(&b"duolog"[..]);
        let parts = ReplyParts { to_tag: b"ours", extra_headers: b"Retry-After: 4\r\n", server, ..ReplyParts::new(503, b"No", source()) };
        let texts = [
            INVITE.to_owned(),
            INVITE.replace(";rport", ""),
            INVITE.replace("h:5070", "192.0.2.7"),
            INVITE.replace("h:5070", "192.0.2.7").replace(";rport", ";received=1.2.3.4"),
            INVITE.replace("\r\n", "\n"),
            INVITE.replace("Call-ID:", "i  :").replace("From", "f").replace("To ", "t"),
            INVITE.split_once("\r\n\r\n").map(|(head, _)| format!("{head}\r\n")).expect("a head"),
        ];
        for text in texts {
            for force_rport in [false, true] {
                let parts = ReplyParts { force_rport, ..parts };
                let (mut written, mut expected) = (Vec::new(), Vec::new());
                let outline = Outline::read(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
                outline.write_refusal(&mut written, &outline.top_via().expect("a Via"), &parts);
                write_reply(&mut expected, &Message::from_bytes(text.as_bytes()).expect("a request"), &parts);
                assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&expected), "{text}");
            }
        }
    }

    #[test]
    fn what_identifies_the_call_is_read_as_it_is_parsed() {
        let outline = Outline::read(INVITE.as_bytes()).expect("a request");
        let message = Message::from_bytes(INVITE.as_bytes()).expect("a request");
        assert_eq!((outline.call_id, outline.is_within()), (message.call_id(), Some(false)));
        assert_eq!((outline.cseq(), outline.top_via()), (message.cseq(), message.top_via()));
        let within = INVITE.replace(" ;x=y", " ;tag");
        assert_eq!(Outline::read(within.as_bytes()).and_then(|outline| outline.is_within()), Some(true));
    }

    #[test]
    fn a_to_tag_is_recognised_at_the_end_of_to() {
        let ends = |to: &str| {
            let text = INVITE.replace(" ;x=y", to);
            Outline::read(text.as_bytes()).is_some_and(|outline| outline.ends_with_to_tag(b"ours"))
        };
        assert!(ends(" ;x=y;tag=ours") && ends(" ;tag=ours  "));
        assert!(!ends(" ;tag=yours") && !ends(" ;tag=ours;x=y") && !ends(" ;x=ours") && !ends(" ;x=y"));
    }

    #[test]
    fn what_is_doubtful_has_to_be_parsed() {
        let many = "v: SIP/2.0/UDP h\r\n".repeat(LINES_MAX);
        let doubtful = [
            INVITE.replace("Timestamp: 1", "To: <sip:other>"),
            INVITE.replace("Timestamp: 1", "Call-ID: d"),
            INVITE.replace("Timestamp: 1", "f: <sip:other>;tag=2"),
            INVITE.replace("Call-ID: c\r\n", ""),
            INVITE.replace("Call-ID: c", "Call-ID: "),
            INVITE.replace("From", "Form"),
            INVITE.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"),
            INVITE.replace("Max-Forwards: 70\r\n", &many),
            INVITE.replace("To :", "To"),
            String::new(),
            "\r\n\r\n".to_owned(),
            "INVITE sip:a SIP/2.0\r\nVia".to_owned(),
        ];
        for text in doubtful {
            assert!(Outline::read(text.as_bytes()).is_none(), "{text}");
        }
        let unreadable = INVITE.replace("CSeq: 7", "CSeq: x").replace("<sip:t@h>", "<sip:t@h").replace("UDP h:5070", "UDP");
        let outline = Outline::read(unreadable.as_bytes()).expect("lines");
        assert_eq!((outline.top_via(), outline.cseq(), outline.is_within()), (None, None, None));
    }
}
