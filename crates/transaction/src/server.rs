//! The server half: replies that went upstream, their retransmission, the wait for ACK, the wait state.

use crate::action::{Actions, Buffer, CancelReason};
use crate::cancel::Which;
use crate::deadline::{Deadline, Retransmission};
use crate::endpoint::Endpoint;
use crate::limits::WAIT_TOTAL_MAX;
use crate::machine::{ClientState, Row, ServerEvent, ServerState, effect};
use crate::seen_tags::SeenTags;
use crate::settings::Settings;
use crate::transaction::Transaction;
use crate::{server_invite, server_other};
use sip::Time;

/// Server half of a transaction.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where replies go; `None` for a local transaction.
    pub reply_route: Option<Endpoint>,
    pub state: ServerState,
    /// Last status sent upstream, 0 = none.
    pub status: u16,
    /// The last reply was made here.
    pub replied_locally: bool,
    /// To-tag of the replies made here.
    pub to_tag: Vec<u8>,
    /// Bytes of the last reply, for retransmission.
    pub reply: Vec<u8>,
    pub(crate) to_tags: SeenTags,
    pub(crate) retransmission: Retransmission,
    pub(crate) bound: Deadline,
    pub(crate) wait: Deadline,
    pub(crate) wait_end: Deadline,
}

/// Who made a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A callee; it was relayed.
    Relayed,
    /// This proxy.
    Local,
}

/// A reply that goes upstream.
#[derive(Clone, Copy, Debug)]
pub struct SentReply<'a> {
    pub code: u16,
    pub origin: Origin,
    /// As sent; kept for retransmission.
    pub bytes: &'a [u8],
    /// Tag of its To header, empty when it has none.
    pub to_tag: &'a [u8],
}

impl Server {
    pub(crate) fn new() -> Server {
        Server {
            reply_route: None,
            state: ServerState::Trying,
            status: 0,
            replied_locally: false,
            to_tag: Vec::new(),
            reply: Vec::new(),
            to_tags: SeenTags::default(),
            retransmission: Retransmission::default(),
            bound: Deadline::NEVER,
            wait: Deadline::NEVER,
            wait_end: Deadline::NEVER,
        }
    }

    /// Makes it as new, buffers kept. It is taken apart whole, so that no field is forgotten.
    pub(crate) fn renew(&mut self, new_route: Option<Endpoint>) {
        let Server { reply_route, state, status, replied_locally, to_tag, reply, to_tags, retransmission, bound, wait, wait_end } = self;
        *reply_route = new_route;
        *state = ServerState::Trying;
        *status = 0;
        *replied_locally = false;
        to_tag.clear();
        reply.clear();
        to_tags.clear();
        *retransmission = Retransmission::default();
        *bound = Deadline::NEVER;
        *wait = Deadline::NEVER;
        *wait_end = Deadline::NEVER;
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.retransmission.at.min(self.bound).min(self.wait)
    }
}

impl<D> Transaction<D> {
    pub(crate) fn server_row(&self, event: ServerEvent) -> Row<ServerState> {
        if self.is_invite() { server_invite::step(self.server.state, event) } else { server_other::step(self.server.state, event) }
    }

    /// Whether a reply with this code may go upstream now. `false`: a final reply was sent already.
    pub fn may_reply(&self, code: u16, origin: Origin) -> bool {
        !self.server_row(server_event(code, origin)).has(effect::REFUSE)
    }

    /// Records a reply that is about to be sent upstream (or, local transaction, reported to its maker).
    ///
    /// With a final reply, branches still under way are cancelled and the wait state begins or is prepared. Returns
    /// `false`, changing nothing, when `may_reply` says no.
    pub fn reply_sent(&mut self, now: Time, reply: SentReply<'_>, settings: &Settings, actions: &mut Actions) -> bool {
        let SentReply { code, origin, bytes, to_tag } = reply;
        let row = self.server_row(server_event(code, origin));
        if row.has(effect::REFUSE) {
            return false;
        }
        let first_final = code >= 200 && self.is_open();
        self.server.state = row.next;
        if row.has(effect::STORE) {
            self.server.status = code;
            self.server.replied_locally = origin == Origin::Local;
            self.server.reply.clear();
            self.server.reply.extend_from_slice(bytes);
        }
        self.remember_tag(code, origin, to_tag);
        if first_final {
            self.close_branches(now, code, settings, actions);
        }
        if self.flags.local {
            // Nobody upstream retransmits or acknowledges.
            if first_final {
                self.enter_wait(now, settings);
            }
        } else {
            self.arm_server(now, row, settings);
        }
        true
    }

    /// The request came again: what to send, if anything was sent yet.
    pub fn on_retransmission(&self) -> Option<Buffer> {
        let row = self.server_row(ServerEvent::Retransmission);
        (row.has(effect::RESEND) && !self.server.reply.is_empty()).then_some(Buffer::Reply)
    }

    /// `t_release`: ends the transaction without a reply; the wait state still absorbs retransmissions.
    pub fn release(&mut self, now: Time, settings: &Settings, actions: &mut Actions) {
        if self.server.wait.is_set() || self.is_ended() {
            return;
        }
        self.close_branches(now, 0, settings, actions);
        self.server.retransmission.stop();
        self.server.bound = Deadline::NEVER;
        self.enter_wait(now, settings);
    }

    /// `t_drop`: sets the status without sending anything, then releases.
    pub fn drop_with(&mut self, now: Time, code: u16, settings: &Settings, actions: &mut Actions) {
        self.server.status = code;
        self.release(now, settings, actions);
    }

    pub(crate) fn arm_server(&mut self, now: Time, row: Row<ServerState>, settings: &Settings) {
        let unreliable = self.server.reply_route.is_some_and(|route| !route.protocol.is_reliable());
        let server = &mut self.server;
        if row.has(effect::QUIET) {
            server.retransmission.stop();
        }
        if row.has(effect::STOP) {
            server.retransmission.stop();
            server.bound = Deadline::NEVER;
        }
        if row.has(effect::RETRANSMIT) && (unreliable || row.has(effect::RETRANSMIT_ALWAYS)) {
            server.retransmission.start(now, self.timers.retransmit_first);
        }
        if row.has(effect::BACK_OFF) {
            server.retransmission.back_off(now, self.timers.retransmit_longest);
        }
        if row.has(effect::BOUND) {
            server.bound = Deadline::after(now, self.timers.final_response);
        }
        if row.has(effect::WAIT) {
            self.enter_wait(now, settings);
        }
    }

    pub(crate) fn enter_wait(&mut self, now: Time, settings: &Settings) {
        self.flags.waiting = true;
        self.server.wait = Deadline::after(now, settings.wait);
        if !self.server.wait_end.is_set() {
            let total = WAIT_TOTAL_MAX.max(u64::from(settings.wait));
            self.server.wait_end = Deadline::after(now, u32::try_from(total).unwrap_or(u32::MAX));
        }
    }

    /// No more news is wanted from the branches: INVITEs are cancelled, others left alone.
    fn close_branches(&mut self, now: Time, code: u16, settings: &Settings, actions: &mut Actions) {
        if self.is_invite() {
            let reason = if code == 0 { CancelReason::None } else { CancelReason::Cause(code) };
            self.cancel_branches(now, Which::All, reason, settings, actions);
        }
        let (invite, local) = (self.is_invite(), self.flags.local);
        for branch in &mut self.branches {
            if branch.flags.blind || !invite {
                branch.stop_request_timers();
                if branch.state != ClientState::Idle {
                    branch.state = ClientState::Completed;
                }
            }
            // An INVITE is still needed for the ACK or CANCEL of its branch, unless that was answered with a 2xx.
            if !invite || (branch.state == ClientState::Accepted && !local) {
                branch.sent.clear();
            }
        }
        self.suspension.clear();
    }

    fn remember_tag(&mut self, code: u16, origin: Origin, to_tag: &[u8]) {
        if origin == Origin::Local {
            if !to_tag.is_empty() {
                self.server.to_tag.clear();
                self.server.to_tag.extend_from_slice(to_tag);
            }
            return;
        }
        if self.is_invite() && (200..300).contains(&code) {
            self.server.to_tags.add(to_tag);
        }
    }
}

fn server_event(code: u16, origin: Origin) -> ServerEvent {
    match (code, origin) {
        (0..=199, _) => ServerEvent::Provisional,
        (200..=299, Origin::Relayed) => ServerEvent::SuccessRelayed,
        (200..=299, Origin::Local) => ServerEvent::SuccessLocal,
        _ => ServerEvent::Failure,
    }
}
