//! Requests as the ends of a call write them.

use super::call::Side;
use super::message::{Method, NO_BODY, SESSION, put};
use super::peers::Identity;
use super::text::Digits;

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// The trunk of the call at this host: the first INVITE and what belongs to it.
    Trunk(&'a str),
    /// What the other end gave as its Contact, and the Route lines to it.
    Known { target: &'a [u8], routes: &'a [u8] },
}

/// A request of one end of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub side: Side,
    pub method: Method,
    /// Whose transaction it belongs to: an ACK to a refusal is in that of the INVITE (RFC 3261 §17.1.1.3).
    pub transaction: Method,
    pub sequence: u32,
    pub number: u32,
    /// Part of each Call-ID and branch.
    pub run: &'a str,
    pub target: Target<'a>,
    /// Of the caller and of the callee.
    pub account: u32,
    pub trunk: u32,
    /// The callee's tag is known.
    pub is_within: bool,
    /// What To says, when that is not what the two ends have made of it.
    pub to: Option<&'a [u8]>,
}

impl Request<'_> {
    /// Appends the request.
    pub fn write(&self, out: &mut Vec<u8>, own: &Identity) {
        let (number, sequence) = (Digits::of(self.number), Digits::of(self.sequence));
        let (account, trunk) = (Digits::of(self.account), Digits::of(self.trunk));
        let (number, sequence, account, trunk) = (number.bytes(), sequence.bytes(), account.bytes(), trunk.bytes());
        let (name, run) = (self.method.name().as_bytes(), self.run.as_bytes());
        let mut write = |parts: &[&[u8]]| put(out, parts);
        write(&[name, b" "]);
        match self.target {
            Target::Trunk(host) => write(&[b"sip:trunk", trunk, b"@", host.as_bytes()]),
            Target::Known { target, .. } => write(&[target]),
        }
        write(&[b" SIP/2.0\r\nVia: SIP/2.0/UDP ", own.address.as_bytes(), b";branch=z9hG4bK"]);
        write(&[number, b"-", sequence, b"-", self.transaction.name().as_bytes(), b"-", run, b"\r\n"]);
        if let Target::Known { routes, .. } = self.target {
            write(&[routes]);
        }
        write(&[b"Max-Forwards: 70\r\n"]);
        let (caller, callee) = match self.side {
            Side::Caller => (&b"From"[..], &b"To"[..]),
            Side::Callee => (&b"To"[..], &b"From"[..]),
        };
        write(&[caller, b": <sip:account", account, b"@example.com>;tag=r", number, b"\r\n", callee, b": "]);
        match self.to {
            Some(to) => write(&[to]),
            None => write(&[b"<sip:trunk", trunk, b"@example.com>"]),
        }
        if self.to.is_none() && self.is_within {
            write(&[b";tag=e", number]);
        }
        write(&[b"\r\nCall-ID: ", number, b".", run, b"\r\nCSeq: ", sequence, b" ", name]);
        write(&[b"\r\nContact: <", own.contact.as_bytes(), b">\r\n"]);
        write(&[if self.method == Method::Invite { SESSION } else { NO_BODY }]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: Request<'_> = Request {
        side: Side::Caller,
        method: Method::Invite,
        transaction: Method::Invite,
        sequence: 1,
        number: 12,
        run: "run",
        target: Target::Trunk("127.0.0.1:1"),
        account: 3,
        trunk: 4,
        is_within: false,
        to: None,
    };

    fn written(request: &Request<'_>) -> String {
        let mut out = Vec::new();
        let own = Identity { address: "127.0.0.1:2".to_owned(), contact: "sip:caller@127.0.0.1:2".to_owned() };
        request.write(&mut out, &own);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_first_request_names_the_trunk_and_carries_a_session() {
        let text = written(&INVITE);
        let head = "INVITE sip:trunk4@127.0.0.1:1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:2;branch=z9hG4bK12-1-INVITE-run\r\n\
                    Max-Forwards: 70\r\nFrom: <sip:account3@example.com>;tag=r12\r\nTo: <sip:trunk4@example.com>\r\n\
                    Call-ID: 12.run\r\nCSeq: 1 INVITE\r\nContact: <sip:caller@127.0.0.1:2>\r\nContent-Type: application/sdp\r\n";
        assert!(text.starts_with(head) && text.as_bytes().ends_with(SESSION), "{text}");
    }

    #[test]
    fn a_request_of_the_callee_follows_the_route_and_turns_the_names_round() {
        let target = Target::Known { target: b"sip:caller@127.0.0.1:2", routes: b"Route: <sip:p;lr>\r\n" };
        let bye = Request { side: Side::Callee, method: Method::Bye, transaction: Method::Bye, target, is_within: true, ..INVITE };
        assert_eq!(
            written(&bye),
            "BYE sip:caller@127.0.0.1:2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:2;branch=z9hG4bK12-1-BYE-run\r\nRoute: <sip:p;lr>\r\n\
             Max-Forwards: 70\r\nTo: <sip:account3@example.com>;tag=r12\r\nFrom: <sip:trunk4@example.com>;tag=e12\r\n\
             Call-ID: 12.run\r\nCSeq: 1 BYE\r\nContact: <sip:caller@127.0.0.1:2>\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn an_acknowledged_refusal_has_the_branch_of_its_request_and_the_tag_of_its_reply() {
        let text = written(&Request { method: Method::Ack, to: Some(b"<sip:trunk4@example.com>;tag=x"), ..INVITE });
        assert!(
            text.starts_with("ACK sip:trunk4@127.0.0.1:1 SIP/2.0\r\n") && text.contains(";branch=z9hG4bK12-1-INVITE-run\r\n"),
            "{text}"
        );
        assert!(text.contains("\r\nTo: <sip:trunk4@example.com>;tag=x\r\n") && text.contains("\r\nCSeq: 1 ACK\r\n"), "{text}");
    }
}
