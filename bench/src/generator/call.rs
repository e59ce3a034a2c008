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

/// A request without a final reply.
#[derive(Debug)]
pub(super) struct Pending {
    pub text: String,
    pub side: Side,
    pub method: Method,
    pub sequence: u32,
    /// Microseconds since the generator began.
    pub sent: u64,
    /// Until it is sent again.
    pub wait: u64,
    /// A provisional reply came: an INVITE is not sent again.
    pub is_heard: bool,
}

/// A 200 of the callee to an INVITE, until its ACK comes.
#[derive(Debug)]
pub(super) struct Answer {
    pub text: String,
    /// When it was first sent; None: it rings.
    pub sent: Option<u64>,
    /// Until it is sent again.
    pub wait: u64,
}

/// Where requests within the call go: target and Route lines.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub target: String,
    pub route: String,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    pub stage: Stage,
    /// It has no planned end.
    pub is_held: bool,
    /// The CSeq number of the last INVITE or re-INVITE that was sent, and of the last one whose 200 came.
    pub offered: u32,
    pub accepted: u32,
    /// The callee has the ACK to its first 200.
    pub is_confirmed: bool,
    pub(super) ring: u64,
    pub(super) hold: u64,
    pub(super) updates: u8,
    pub(super) ended_by: Side,
    pub(super) caller_sequence: u32,
    pub(super) callee_sequence: u32,
    /// Tells timers that are no longer wanted.
    pub(super) serial: u16,
    pub(super) answer_serial: u16,
    pub(super) pending: Option<Box<Pending>>,
    pub(super) to_callee: Way,
    pub(super) to_caller: Way,
    pub(super) answer: Option<Box<Answer>>,
}
