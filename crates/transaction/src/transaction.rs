//! One transaction: the server half, the client branches, and what the proxy hangs on it.

use crate::action::Buffer;
use crate::branch::{ArmedRoutes, Branch};
use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::machine::ServerState;
use crate::server::Server;
use crate::settings::{Settings, TimerValues};
use crate::suspend::Suspension;
use crate::table::TransactionId;
use sip::{Edits, Message, Method, Time};

/// Slack after `max_inv_lifetime` or `max_noninv_lifetime` before an open transaction without timers is given up.
const STALLED_AFTER: u32 = 60_000;

/// What most requests and replies need, in bytes and numbers.
const USUAL_REQUEST_BYTES: usize = 768;
const USUAL_REPLY_BYTES: usize = 512;
const USUAL_HEADERS: usize = 14;
const USUAL_DELETIONS: usize = 2;
const USUAL_TAG_BYTES: usize = 48;

/// Switches of a transaction, set by script functions and by what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Made for a request of our own, not for a received one.
    pub local: bool,
    /// A CANCEL came; new branches are refused.
    pub canceled: bool,
    /// `t_set_auto_inv_100`
    pub auto_100: bool,
    /// `t_set_disable_6xx`
    pub disable_6xx: bool,
    /// A 6xx has already stopped the other branches.
    pub stopped_by_6xx: bool,
    /// A timed out INVITE is answered even with `noisy_ctimer=0`.
    pub noisy_timeout: bool,
    /// `t_set_disable_failover`
    pub disable_failover: bool,
    /// `t_set_no_e2e_cancel_reason`
    pub no_cancel_reason: bool,
    /// `t_set_disable_internal_reply`
    pub disable_internal_reply: bool,
    /// `t_set_no_auto_ack`
    pub no_auto_ack: bool,
    /// The script answered itself (`t_reply`).
    pub admin_reply: bool,
    /// The wait state was entered.
    pub waiting: bool,
}

/// What the table's statistics know of a transaction already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) waiting: bool,
    pub(crate) completed: bool,
    /// Its end was put off for a branch that was still being cancelled.
    pub(crate) delayed: bool,
}

/// The winner a failure route is running for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedStep {
    pub(crate) branches_before: usize,
    /// First branch of the step that failed.
    pub(crate) step_first: usize,
}

/// One transaction, owned by the worker that checked it out.
#[derive(Debug)]
pub struct Transaction<D> {
    pub(crate) id: TransactionId,
    pub(crate) call: u64,
    pub(crate) method: Method,
    pub(crate) created: Time,
    /// The request as received, or as made here for a local one.
    pub request: Message,
    /// Edits of the request route, applied to every branch.
    pub edits: Edits,
    /// Message flags of the script.
    pub message_flags: u32,
    pub flags: Flags,
    /// Routes for the branches to come and for the transaction.
    pub armed: ArmedRoutes,
    pub server: Server,
    pub branches: Vec<Branch>,
    pub timers: TimerValues,
    /// Reason header lines of the CANCEL that came, with their CRLF.
    pub cancel_reasons: Box<[u8]>,
    /// Status and text of the last internal error, for the reply when nothing else is left.
    pub last_error: Option<(u16, Box<str>)>,
    pub(crate) suspension: Suspension,
    pub(crate) failed_step: Option<FailedStep>,
    pub(crate) stalled_at: Deadline,
    pub(crate) counted: Counted,
    /// What the proxy keeps here: variables, the dialog, callbacks.
    pub data: D,
}

/// What is known of a transaction when it begins.
pub(crate) struct Beginning<'a> {
    pub(crate) id: TransactionId,
    pub(crate) call: u64,
    pub(crate) method: Method,
    pub(crate) now: Time,
    /// Where replies go; `None` for a local transaction.
    pub(crate) reply_route: Option<Endpoint>,
    pub(crate) settings: &'a Settings,
}

impl<D: Default> Transaction<D> {
    pub(crate) fn new(beginning: &Beginning<'_>) -> Transaction<D> {
        let mut transaction = Transaction {
            id: beginning.id,
            call: 0,
            method: Method::Other,
            created: Time(0),
            request: Message::new(),
            edits: Edits::default(),
            message_flags: 0,
            flags: Flags::of(beginning),
            armed: ArmedRoutes::default(),
            server: Server::new(),
            branches: Vec::new(),
            timers: beginning.settings.timers,
            cancel_reasons: Box::default(),
            last_error: None,
            suspension: Suspension::default(),
            failed_step: None,
            stalled_at: Deadline::NEVER,
            counted: Counted::default(),
            data: D::default(),
        };
        transaction.begin(beginning);
        transaction
    }
}

impl Flags {
    fn of(beginning: &Beginning<'_>) -> Flags {
        Flags {
            local: beginning.reply_route.is_none(),
            canceled: false,
            auto_100: true,
            disable_6xx: beginning.settings.disable_6xx_block,
            stopped_by_6xx: false,
            noisy_timeout: beginning.settings.noisy_timeout,
            disable_failover: false,
            no_cancel_reason: false,
            disable_internal_reply: false,
            no_auto_ack: false,
            admin_reply: false,
            waiting: false,
        }
    }
}

impl<D> Transaction<D> {
    /// Makes it as new with the memory it has, but for the request, which the caller puts in, and `data`, which came as new
    /// ([`crate::Spares::keep`]). It is taken apart whole, so that no field is forgotten.
    pub(crate) fn begin(&mut self, beginning: &Beginning<'_>) {
        let Transaction {
            id,
            call,
            method,
            created,
            request: _,
            edits,
            message_flags,
            flags,
            armed,
            server,
            branches,
            timers,
            cancel_reasons,
            last_error,
            suspension,
            failed_step,
            stalled_at,
            counted,
            data: _,
        } = self;
        *id = beginning.id;
        *call = beginning.call;
        *method = beginning.method;
        *created = beginning.now;
        edits.clear();
        *message_flags = 0;
        *flags = Flags::of(beginning);
        *armed = ArmedRoutes::default();
        server.renew(beginning.reply_route);
        branches.clear();
        *timers = beginning.settings.timers;
        *cancel_reasons = Box::default();
        *last_error = None;
        *suspension = Suspension::default();
        *failed_step = None;
        *stalled_at = Deadline::NEVER;
        *counted = Counted::default();
        self.restart_stall_guard();
    }

    /// Memory that most requests need, taken at once: reused for another request, it seldom has to grow.
    pub(crate) fn make_room(&mut self, request: &Message) {
        self.request.reserve(request.bytes().len().max(USUAL_REQUEST_BYTES), request.headers().len().max(USUAL_HEADERS));
        self.edits.reserve_deletions(USUAL_DELETIONS);
        self.branches.reserve_exact(1);
        self.server.reply.reserve_exact(USUAL_REPLY_BYTES);
        self.server.to_tag.reserve_exact(USUAL_TAG_BYTES);
        self.server.to_tags.reserve(USUAL_TAG_BYTES);
    }
}

impl<D> Transaction<D> {
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// Keyed hash of Call-ID and CSeq number.
    pub fn call(&self) -> u64 {
        self.call
    }

    /// Method of the request; the branches' replies carry it in their CSeq.
    pub fn method(&self) -> Method {
        self.method
    }

    pub fn created(&self) -> Time {
        self.created
    }

    pub fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }

    pub fn is_local(&self) -> bool {
        self.flags.local
    }

    /// Whether no final reply went upstream (or, local, none was reported) yet.
    pub fn is_open(&self) -> bool {
        self.server.state.is_open()
    }

    /// Whether it is over: checking it in frees it.
    pub fn is_ended(&self) -> bool {
        self.server.state == ServerState::Terminated
    }

    /// Milliseconds the transaction may take until its final reply.
    pub fn lifetime(&self) -> u32 {
        if self.is_invite() { self.timers.lifetime_invite } else { self.timers.lifetime_other }
    }

    /// `t_is_expired`: its lifetime has passed.
    pub fn is_expired(&self, now: Time) -> bool {
        Deadline::after(self.created, self.lifetime()).is_due(now)
    }

    /// A deadline `milliseconds` from now, not beyond the lifetime (spec 7.12).
    pub(crate) fn bounded(&self, now: Time, milliseconds: u32) -> Deadline {
        let end = Deadline::after(self.created, self.lifetime());
        Deadline::after(now, milliseconds).min(end.max(Deadline::after(now, 1)))
    }

    pub(crate) fn restart_stall_guard(&mut self) {
        self.stalled_at = Deadline::after(self.created, self.lifetime().saturating_add(STALLED_AFTER));
    }

    /// The earliest moment `on_timer` has something to do.
    pub fn next_deadline(&self) -> Deadline {
        let mut earliest = self.server.deadline();
        if self.is_open() {
            earliest = earliest.min(self.stalled_at);
        }
        self.branches.iter().fold(earliest, |earliest, branch| earliest.min(branch.deadline()))
    }

    /// When the table wakes it up: nobody waits for the end of its wait state, so that comes coarsely.
    pub(crate) fn wake_at(&self) -> Deadline {
        let deadline = self.next_deadline();
        if deadline == self.server.wait { deadline.coarse(self.id.slot) } else { deadline }
    }

    /// Stored bytes and where they go. `None`: nothing is stored, so nothing is to be sent.
    pub fn buffer(&self, buffer: Buffer) -> Option<(&Endpoint, &[u8])> {
        let (endpoint, bytes) = match buffer {
            Buffer::Reply => (self.server.reply_route.as_ref()?, &self.server.reply[..]),
            Buffer::Request(index) => {
                let branch = self.branches.get(index)?;
                (branch.endpoint.as_ref()?, &branch.sent[..])
            }
            Buffer::Cancel(index) => {
                let branch = self.branches.get(index)?;
                (branch.endpoint.as_ref()?, &branch.cancel.bytes[..])
            }
        };
        (!bytes.is_empty()).then_some((endpoint, bytes))
    }

    /// `t_set_fr`: new values for this transaction, also for branches that are under way. 0 leaves a value unchanged.
    pub fn change_final_response(&mut self, now: Time, invite: u32, other: u32) {
        if invite != 0 {
            self.timers.final_response_invite = invite;
        }
        if other != 0 {
            self.timers.final_response = other;
        }
        let invite = self.bounded(now, self.timers.final_response_invite);
        let other = self.bounded(now, self.timers.final_response);
        let uses_invite_value = self.is_invite();
        for branch in self.branches.iter_mut().filter(|branch| branch.bound.is_set()) {
            let answered = uses_invite_value && branch.flags.provisional;
            branch.bound = if answered { invite } else { other };
        }
    }

    /// `t_set_retr`: T1 and T2; 0 leaves a value unchanged.
    pub fn change_retransmission(&mut self, first: u32, longest: u32) {
        if first != 0 {
            self.timers.retransmit_first = first;
        }
        if longest != 0 {
            self.timers.retransmit_longest = longest;
        }
    }

    /// `t_set_max_lifetime`; 0 leaves a value unchanged.
    pub fn change_lifetime(&mut self, invite: u32, other: u32) {
        if invite != 0 {
            self.timers.lifetime_invite = invite;
        }
        if other != 0 {
            self.timers.lifetime_other = other;
        }
        self.restart_stall_guard();
        let end = Deadline::after(self.created, self.lifetime());
        for branch in self.branches.iter_mut().filter(|branch| branch.bound.is_set()) {
            branch.bound = branch.bound.min(end);
        }
    }

    /// `t_any_replied`: some branch received a reply of a peer.
    pub fn any_replied(&self) -> bool {
        self.branches.iter().any(|branch| branch.flags.provisional || (branch.is_final() && !branch.flags.faked))
    }

    /// `t_any_timeout`: some branch timed out.
    pub fn any_timed_out(&self) -> bool {
        self.branches.iter().any(|branch| branch.flags.faked && branch.last_status == 408)
    }

    /// `t_grep_status`: some branch received this status last.
    pub fn has_status(&self, code: u16) -> bool {
        self.branches.iter().any(|branch| branch.last_status == code && !branch.flags.faked)
    }
}
