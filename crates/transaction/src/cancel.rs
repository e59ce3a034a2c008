//! Cancelling branches, by a CANCEL from upstream or by the proxy itself (spec proxy-core 7.9, RFC 3261 §9 and §16.10).

use crate::action::{Action, Actions, CancelReason};
use crate::branch::CancelStage;
use crate::deadline::Deadline;
use crate::machine::ClientState;
use crate::settings::{CancelUnanswered, Settings};
use crate::transaction::Transaction;
use sip::Time;

/// Which branches to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    Others(usize),
    This(usize),
}

/// How many branches a cancel concerned, by what happened to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelStep {
    /// A CANCEL goes out now.
    pub sent: usize,
    /// It goes out with the first provisional reply.
    pub waiting: usize,
    /// Counted as 487 without asking (`cancel_b_method=0`): call `choose` afterwards.
    pub faked: usize,
}

/// How to answer a CANCEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// 200 `canceling`; if `choose` is set, call `choose` afterwards.
    Cancelling { choose: bool },
    /// 200 `ok -- no more pending branches`; if `answer_invite` is set, first 487 `Request canceled` to the INVITE.
    NothingPending { answer_invite: bool },
}

impl CancelAnswer {
    /// Reason phrase of the 200 to the CANCEL.
    pub const fn reason(self) -> &'static str {
        match self {
            CancelAnswer::Cancelling { .. } => "canceling",
            CancelAnswer::NothingPending { .. } => "ok -- no more pending branches",
        }
    }
}

/// Reason phrase of the 487 to an INVITE that had nothing to cancel.
pub const INVITE_CANCELED_REASON: &str = "Request canceled";

impl<D> Transaction<D> {
    /// A CANCEL for this transaction came from upstream. `reasons`: its Reason header lines, with CRLF.
    pub fn cancel_received(&mut self, now: Time, reasons: &[u8], settings: &Settings, actions: &mut Actions) -> CancelAnswer {
        if !self.is_invite() || !self.is_open() {
            return CancelAnswer::NothingPending { answer_invite: false };
        }
        self.flags.canceled = true;
        if settings.copy_cancel_reason && !self.flags.no_cancel_reason {
            self.cancel_reasons = reasons.into();
        }
        if !self.branches.iter().any(|branch| branch.is_underway()) {
            return CancelAnswer::NothingPending { answer_invite: true };
        }
        let step = self.cancel_branches(now, Which::All, CancelReason::EndToEnd, settings, actions);
        CancelAnswer::Cancelling { choose: step.faked > 0 }
    }

    /// Cancels branches that are under way and not cancelled yet.
    pub fn cancel_branches(
        &mut self,
        now: Time,
        which: Which,
        reason: CancelReason,
        settings: &Settings,
        actions: &mut Actions,
    ) -> CancelStep {
        let mut step = CancelStep::default();
        if !self.is_invite() {
            return step;
        }
        let final_response = self.timers.final_response;
        for (index, branch) in self.branches.iter_mut().enumerate() {
            let chosen = match which {
                Which::All => true,
                Which::Others(kept) => index != kept,
                Which::This(only) => index == only,
            };
            if !chosen || !branch.is_underway() || branch.cancel.stage != CancelStage::None {
                continue;
            }
            branch.cancel.reason = Some(reason);
            let answered = branch.state == ClientState::Proceeding;
            match settings.cancel_unanswered {
                CancelUnanswered::Wait if !answered => {
                    branch.cancel.stage = CancelStage::Wanted;
                    step.waiting += 1;
                }
                CancelUnanswered::Fake if !answered => {
                    branch.stop_request_timers();
                    branch.state = ClientState::Completed;
                    branch.last_status = 487;
                    branch.flags.faked = true;
                    branch.cancel.stage = CancelStage::Wanted;
                    step.faked += 1;
                }
                _ => {
                    branch.cancel.stage = CancelStage::Sent;
                    branch.retransmission.stop();
                    // RFC 3261 §9.1: a callee that ignores the CANCEL is not waited for longer than a transaction.
                    branch.bound = branch.bound.min(Deadline::after(now, final_response));
                    actions.push(Action::Cancel { branch: index, reason });
                    step.sent += 1;
                }
            }
        }
        step
    }

    /// The CANCEL of a branch went out: keeps its bytes and retransmits them until answered or `fr_timer`.
    pub fn cancel_sent(&mut self, now: Time, index: usize, bytes: &[u8]) -> bool {
        let timers = self.timers;
        let Some(branch) = self.branches.get_mut(index) else {
            return false;
        };
        if branch.cancel.stage != CancelStage::Sent {
            return false;
        }
        branch.cancel.bytes = bytes.into();
        branch.cancel.bound = Deadline::after(now, timers.final_response);
        let end = Deadline::after(now, timers.final_response);
        if branch.bound.is_set() {
            branch.bound = branch.bound.min(end);
        }
        if !branch.is_reliable() {
            branch.cancel.retransmission.start(now, timers.retransmit_first);
        }
        true
    }
}

#[cfg(test)]
mod tests;
