//! A reply arrived on a branch: retransmission timers, ACK, CANCEL that was owed (spec proxy-core 7.7.2).

use crate::action::{Action, Actions, CancelReason};
use crate::branch::CancelStage;
use crate::forward::client_row;
use crate::machine::{ClientEvent, ClientState, effect};
use crate::settings::Settings;
use crate::transaction::Transaction;
use sip::{Message, Method, Time};

/// What to do with a reply after the state machine saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyStep {
    /// Not of this transaction (no such branch, other method): forward it statelessly.
    Unmatched,
    /// Dealt with: a retransmission, an answer to our CANCEL, or a provisional on a cancelled branch.
    Absorbed,
    /// Run the branch's onreply_route, then call `decide`.
    Process,
}

impl<D> Transaction<D> {
    /// Feeds a reply whose top Via branch named this transaction and `index`. First do the actions, then the step.
    pub fn on_reply(&mut self, now: Time, index: usize, reply: &Message, settings: &Settings, actions: &mut Actions) -> ReplyStep {
        let code = reply.status();
        let method = reply.method();
        if method == Method::Cancel && self.is_invite() {
            return self.on_cancel_reply(index, code);
        }
        if method != self.method || (method == Method::Other && !self.same_other_method(reply)) {
            return ReplyStep::Unmatched;
        }
        let (invite, local) = (self.is_invite(), self.flags.local);
        let auto_ack = !self.flags.no_auto_ack;
        let open = self.is_open();
        let Some(branch) = self.branches.get_mut(index) else {
            return ReplyStep::Unmatched;
        };
        if branch.state == ClientState::Idle || branch.flags.blind {
            return ReplyStep::Unmatched;
        }
        let mut row = client_row(invite, branch.state, ClientEvent::of_status(code));
        let first = !branch.flags.provisional;
        if code < 200 {
            branch.flags.provisional = true;
            let restart = settings.restart_final_response_on_each_reply || first || (code >= 180 && branch.last_status < 180);
            if !restart || branch.cancel.stage != CancelStage::None {
                row.effects &= !effect::BOUND;
            }
        }
        let owed = code < 200 && branch.cancel.stage == CancelStage::Wanted;
        let cancelled = branch.cancel.stage != CancelStage::None;
        if owed {
            branch.cancel.stage = CancelStage::Sent;
        }
        let reason = branch.cancel.reason.unwrap_or(CancelReason::None);
        self.apply_client(now, index, row);
        if owed {
            actions.push(Action::Cancel { branch: index, reason });
        }
        if row.has(effect::ACK) {
            actions.push(Action::Acknowledge { branch: index });
        }
        if invite && local && auto_ack && (200..300).contains(&code) {
            actions.push(Action::AcknowledgeSuccess { branch: index });
        }
        if code >= 200 {
            // Nobody waits for the answer to the CANCEL any more.
            if let Some(branch) = self.branches.get_mut(index) {
                branch.cancel.stop();
            }
        }
        if !row.has(effect::PASS) || (code < 200 && (cancelled || !open)) {
            return ReplyStep::Absorbed;
        }
        ReplyStep::Process
    }

    fn on_cancel_reply(&mut self, index: usize, code: u16) -> ReplyStep {
        let Some(branch) = self.branches.get_mut(index) else {
            return ReplyStep::Unmatched;
        };
        if branch.cancel.stage < CancelStage::Sent {
            return ReplyStep::Unmatched;
        }
        branch.cancel.retransmission.stop();
        if code >= 200 {
            branch.cancel.stop();
            branch.cancel.stage = CancelStage::Answered;
        }
        ReplyStep::Absorbed
    }

    fn same_other_method(&self, reply: &Message) -> bool {
        reply.cseq().map(|cseq| cseq.method_text) == Some(self.request.method_text())
    }
}

#[cfg(test)]
mod tests;
