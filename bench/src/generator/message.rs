//! SIP as far as the generator needs it: what it reads out of what came, and what it answers.

use std::fmt::Write;

/// The callee's and the caller's description of their audio; its content does not matter, its size does.
pub const SESSION: &str = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                           m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

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

    fn of(name: &str) -> Method {
        match name {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            _ => Method::Other,
        }
    }
}

/// A message that came.
#[derive(Debug)]
pub struct Incoming<'a> {
    text: &'a str,
    /// The status of a reply; None: a request.
    pub code: Option<u16>,
    /// Of the CSeq.
    pub method: Method,
    pub sequence: u32,
    /// In front of the first dot of the Call-ID.
    pub number: u32,
    /// Behind it.
    pub run: &'a str,
    /// To holds a tag.
    pub is_within: bool,
    pub to: &'a str,
    /// The URI of the Contact.
    pub contact: &'a str,
}

/// The lines of the head, without the first.
fn head(text: &str) -> impl Iterator<Item = &str> {
    text.split("\r\n").skip(1).take_while(|line| !line.is_empty())
}

impl<'a> Incoming<'a> {
    /// Reads a message; None: not one of a generator's calls.
    pub fn read(text: &'a str) -> Option<Incoming<'a>> {
        let code = match text.strip_prefix("SIP/2.0 ") {
            Some(rest) => Some(rest.get(..3)?.parse().ok()?),
            None => None,
        };
        let mut incoming =
            Incoming { text, code, method: Method::Other, sequence: 0, number: 0, run: "", is_within: false, to: "", contact: "" };
        for line in head(text) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            match name {
                "Call-ID" => {
                    let (number, run) = value.split_once('.')?;
                    (incoming.number, incoming.run) = (number.parse().ok()?, run);
                }
                "CSeq" => {
                    let (sequence, method) = value.split_once(' ')?;
                    (incoming.sequence, incoming.method) = (sequence.parse().ok()?, Method::of(method.trim_end()));
                }
                "To" => (incoming.to, incoming.is_within) = (value, value.contains(";tag=")),
                "Contact" => incoming.contact = value.split(['<', '>']).nth(1).unwrap_or_default(),
                _ => {}
            }
        }
        (!incoming.run.is_empty() && incoming.sequence > 0).then_some(incoming)
    }

    /// Its recorded route as Route lines for requests the other way; `is_reversed` for whom the message answers.
    pub fn route(&self, is_reversed: bool) -> String {
        let recorded = head(self.text).filter_map(|line| line.strip_prefix("Record-Route: "));
        let mut lines = String::new();
        let mut add = |value: &str| {
            let _ = write!(lines, "Route: {value}\r\n");
        };
        if is_reversed {
            // The values of one line are reversed, too: they are commas apart, and our proxies' URIs hold none.
            let values: Vec<&str> = recorded.flat_map(|line| line.split(',')).map(str::trim).collect();
            values.into_iter().rev().for_each(&mut add);
        } else {
            recorded.for_each(&mut add);
        }
        lines
    }

    /// Writes the reply to this request: what must be echoed, `tag` in To, the contact and a body.
    pub fn reply(&self, out: &mut String, status: &str, tag: &str, contact: &str, body: &str) {
        out.clear();
        let _ = write!(out, "SIP/2.0 {status}\r\n");
        for line in head(self.text) {
            match line.split(':').next() {
                Some("Via" | "Record-Route" | "From" | "Call-ID" | "CSeq") => out.extend([line, "\r\n"]),
                Some("To") if self.is_within => out.extend([line, "\r\n"]),
                Some("To") => out.extend([line, ";tag=", tag, "\r\n"]),
                _ => {}
            }
        }
        let _ = write!(out, "Contact: <{contact}>\r\n");
        end(out, body);
    }
}

/// The end of a head, and the body.
pub fn end(out: &mut String, body: &str) {
    if !body.is_empty() {
        out.push_str("Content-Type: application/sdp\r\n");
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nRecord-Route: <sip:a;lr>, <sip:b;lr>\r\n\
                         Record-Route: <sip:c;lr>\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 12.run\r\nCSeq: 3 INVITE\r\n\
                         Contact: <sip:callee@127.0.0.1:2>;q=1\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_reply_is_read_and_its_route_is_turned_round() {
        let reply = Incoming::read(REPLY).unwrap();
        assert_eq!((reply.code, reply.method, reply.sequence), (Some(200), Method::Invite, 3));
        assert_eq!((reply.number, reply.run, reply.is_within), (12, "run", true));
        assert_eq!(reply.contact, "sip:callee@127.0.0.1:2");
        assert_eq!(reply.route(true), "Route: <sip:c;lr>\r\nRoute: <sip:b;lr>\r\nRoute: <sip:a;lr>\r\n");
        assert_eq!(reply.route(false), "Route: <sip:a;lr>, <sip:b;lr>\r\nRoute: <sip:c;lr>\r\n");
    }

    #[test]
    fn a_request_is_answered_with_what_must_be_echoed() {
        let text = REPLY.replace("SIP/2.0 200 OK", "INVITE sip:c@d SIP/2.0").replace(";tag=2", "");
        let request = Incoming::read(&text).unwrap();
        assert_eq!((request.code, request.is_within), (None, false));
        let mut out = String::new();
        request.reply(&mut out, "180 Ringing", "callee", "sip:callee@127.0.0.1:2", "");
        assert!(out.starts_with("SIP/2.0 180 Ringing\r\nVia: "), "{out}");
        assert!(out.contains("\r\nTo: <sip:c@d>;tag=callee\r\n"), "{out}");
        assert!(out.ends_with("Content-Length: 0\r\n\r\n"), "{out}");
    }

    #[test]
    fn what_is_no_message_of_a_call_is_none() {
        for text in ["", "SIP/2.0", "SIP/2.0 2x0 OK\r\n\r\n", "BYE sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n", "\0\0\0"] {
            assert!(Incoming::read(text).is_none(), "{text:?}");
        }
    }
}
