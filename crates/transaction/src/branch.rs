//! One client branch: where the request went, what came back, and its timers.

use crate::action::CancelReason;
use crate::deadline::{Deadline, Retransmission};
use crate::endpoint::Endpoint;
use crate::machine::ClientState;
use sip::{Message, Time};

/// Script routes armed by `t_on_failure` and its relatives, as indexes the script compiler gave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArmedRoutes {
    pub failure: Option<u32>,
    pub branch: Option<u32>,
    pub reply: Option<u32>,
    pub branch_failure: Option<u32>,
}

/// What the caller knows about a branch when adding it.
#[derive(Clone, Debug, Default)]
pub struct BranchStart {
    pub request_uri: Vec<u8>,
    /// `$du`, empty when none.
    pub destination_uri: Vec<u8>,
    pub path: Vec<u8>,
    pub instance: Vec<u8>,
    pub ruid: Vec<u8>,
    pub user_agent: Vec<u8>,
    /// Branch flags of the script.
    pub script_flags: u32,
    pub armed: ArmedRoutes,
}

impl BranchStart {
    /// Makes it as new. Bytes of the memory it keeps.
    pub(crate) fn clear(&mut self) -> usize {
        let BranchStart { request_uri, destination_uri, path, instance, ruid, user_agent, script_flags, armed } = self;
        *script_flags = 0;
        *armed = ArmedRoutes::default();
        let mut kept = 0;
        for text in [request_uri, destination_uri, path, instance, ruid, user_agent] {
            text.clear();
            kept += text.capacity();
        }
        kept
    }
}

/// Yes-or-no facts of a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BranchFlags {
    /// The final status was made here (timeout, send error), there is no reply.
    pub faked: bool,
    /// Its reply must not win: dropped by the failure route, or the branch was never sent.
    pub dropped: bool,
    /// Stands for a suspended script, nothing was sent (spec 7.14).
    pub blind: bool,
    /// First branch of a serial step.
    pub first_of_step: bool,
    /// A provisional reply came.
    pub provisional: bool,
    /// The script waits for something before this branch's reply is decided on.
    pub reply_suspended: bool,
    /// Record-Route headers were added, one and two.
    pub record_routed: bool,
    pub record_routed_twice: bool,
}

/// How far the CANCEL of a branch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelStage {
    #[default]
    None,
    /// Owed; goes out when a provisional reply arrives.
    Wanted,
    /// Asked for with `Action::Cancel` or sent.
    Sent,
    /// Answered or given up.
    Answered,
}

/// The CANCEL of a branch.
#[derive(Clone, Debug, Default)]
pub struct BranchCancel {
    pub stage: CancelStage,
    pub reason: Option<CancelReason>,
    /// Bytes sent, for retransmission; empty before.
    pub bytes: Box<[u8]>,
    pub(crate) retransmission: Retransmission,
    pub(crate) bound: Deadline,
}

impl BranchCancel {
    pub(crate) fn stop(&mut self) {
        self.retransmission.stop();
        self.bound = Deadline::NEVER;
    }
}

/// One client branch.
#[derive(Clone, Debug)]
pub struct Branch {
    pub start: BranchStart,
    /// Where it was sent, `None` until then and for a blind branch.
    pub endpoint: Option<Endpoint>,
    /// The request as sent. Emptied once nothing can need it any more.
    pub sent: Vec<u8>,
    pub armed: ArmedRoutes,
    pub flags: BranchFlags,
    /// State machine of the branch.
    pub state: ClientState,
    /// Last status received or faked, 0 = none.
    pub last_status: u16,
    /// The failure reply (300-699) received.
    pub reply: Option<Box<Message>>,
    /// What its reply route edited, for when the kept reply is relayed.
    pub reply_edits: Option<Box<sip::Edits>>,
    pub cancel: BranchCancel,
    pub(crate) retransmission: Retransmission,
    pub(crate) bound: Deadline,
}

impl Branch {
    pub(crate) fn new(start: BranchStart, first_of_step: bool) -> Branch {
        Branch {
            armed: start.armed,
            start,
            endpoint: None,
            sent: Vec::new(),
            flags: BranchFlags { first_of_step, ..BranchFlags::default() },
            state: ClientState::Idle,
            last_status: 0,
            reply: None,
            reply_edits: None,
            cancel: BranchCancel::default(),
            retransmission: Retransmission::default(),
            bound: Deadline::NEVER,
        }
    }

    /// Whether a final status is known.
    pub fn is_final(&self) -> bool {
        self.last_status >= 200
    }

    /// Whether a final reply is still to come from a peer.
    pub fn is_pending(&self) -> bool {
        !self.flags.blind && !self.flags.dropped && !self.is_final()
    }

    /// Whether the request is out and neither answered nor given up.
    pub fn is_underway(&self) -> bool {
        matches!(self.state, ClientState::Calling | ClientState::Proceeding) && !self.flags.blind
    }

    pub(crate) fn is_reliable(&self) -> bool {
        self.endpoint.is_none_or(|endpoint| endpoint.protocol.is_reliable())
    }

    pub(crate) fn stop_request_timers(&mut self) {
        self.retransmission.stop();
        self.bound = Deadline::NEVER;
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.retransmission.at.min(self.bound).min(self.cancel.retransmission.at).min(self.cancel.bound)
    }

    /// When the wait for the final reply ends, if it runs.
    pub fn final_response_at(&self) -> Option<Time> {
        self.bound.time()
    }
}
