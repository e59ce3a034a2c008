//! One call as its two ends know it: together the ledger of a run.

use super::message::Method;

/// Which end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Caller,
    Callee,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }
}

/// How far a call is, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The INVITE has no final reply.
    Calling,
    /// The caller has the 200: the call is acknowledged.
    Up,
    /// A BYE is on its way, without an answer yet.
    Ending,
    /// The BYE was answered with 200.
    Ended,
    /// The proxy died before the caller had the 200.
    Abandoned,
    /// A request was refused or never answered.
    Failed,
}

/// One call of the ledger; this is all that stays of it when it has ended.
#[derive(Clone, Debug)]
pub struct Call {
    pub stage: Stage,
    /// It has no planned end.
    pub is_held: bool,
    /// The callee has the ACK to its first 200.
    pub is_confirmed: bool,
    /// The CSeq number of the last INVITE or re-INVITE that was sent, and of the last one whose 200 came.
    pub offered: u32,
    pub accepted: u32,
    /// The place of what its two ends need as long as they have something to do.
    pub(super) ends: u32,
}

/// A request without a final reply. Its text is written anew when it is sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub side: Side,
    pub method: Method,
    /// A provisional reply came: an INVITE is not sent again.
    pub is_heard: bool,
    /// That was a 180.
    pub is_ringing: bool,
    pub sequence: u32,
    /// Until it is sent again, microseconds.
    pub wait: u32,
    /// Microseconds since the generator began.
    pub sent: u64,
}

/// A 200 of the callee to an INVITE, until its ACK comes.
#[derive(Debug)]
pub(super) struct Answer {
    pub text: Box<[u8]>,
    /// When it was first sent; None: it rings.
    pub sent: Option<u64>,
    /// Until it is sent again, microseconds.
    pub wait: u32,
}

/// Where requests within the call go: the target and, behind it, the Route lines as they are written.
#[derive(Debug, Default)]
pub(super) struct Way {
    text: Box<[u8]>,
    target_bytes: u16,
}

impl Way {
    pub fn new(target: &[u8], routes: &[u8]) -> Way {
        let target_bytes = u16::try_from(target.len()).unwrap_or(u16::MAX);
        Way { text: [target, routes].concat().into_boxed_slice(), target_bytes }
    }

    /// The other end is not known yet.
    pub fn is_unknown(&self) -> bool {
        self.target_bytes == 0
    }

    pub fn target(&self) -> &[u8] {
        self.text.get(..usize::from(self.target_bytes)).unwrap_or_default()
    }

    pub fn routes(&self) -> &[u8] {
        self.text.get(usize::from(self.target_bytes)..).unwrap_or_default()
    }
}

/// What the ends of a call know as long as they have something to do.
#[derive(Debug)]
pub(super) struct Ends {
    /// From 180 to 200, and from the ACK to the BYE; microseconds.
    pub ring: u32,
    pub hold: u32,
    pub caller_sequence: u32,
    pub callee_sequence: u32,
    /// Tells timers that are no longer wanted.
    pub serial: u16,
    pub answer_serial: u16,
    pub updates: u8,
    pub ended_by: Side,
    /// Re-INVITEs and the end, whose time came while a request or an answer was on its way.
    pub updates_waiting: u8,
    pub is_end_waiting: bool,
    pub pending: Option<Pending>,
    pub answer: Option<Box<Answer>>,
    pub to_callee: Way,
    pub to_caller: Way,
    /// The place of its callee among the peers.
    pub callee: usize,
}

impl Ends {
    /// Of a call whose first INVITE is not sent yet.
    pub fn new(callee: usize, ring: u32, hold: u32, updates: u8, ended_by: Side) -> Ends {
        Ends {
            ring,
            hold,
            caller_sequence: 1,
            callee_sequence: 0,
            serial: 0,
            answer_serial: 0,
            updates,
            ended_by,
            updates_waiting: 0,
            is_end_waiting: false,
            pending: None,
            answer: None,
            to_callee: Way::default(),
            to_caller: Way::default(),
            callee,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_gives_its_target_and_its_routes_back() {
        let way = Way::new(b"sip:callee@127.0.0.1:2", b"Route: <sip:a;lr>\r\n");
        assert_eq!((way.target(), way.routes()), (&b"sip:callee@127.0.0.1:2"[..], &b"Route: <sip:a;lr>\r\n"[..]));
        assert!(Way::default().is_unknown() && !way.is_unknown());
    }

    #[test]
    fn a_call_that_has_ended_and_one_that_is_held_are_small() {
        assert!(size_of::<Call>() <= 16, "{}", size_of::<Call>());
        assert!(size_of::<Ends>() <= 128, "{}", size_of::<Ends>());
    }
}
