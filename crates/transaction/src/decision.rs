//! What to do about a reply, and the choice once every branch has its final status (spec proxy-core 7.8).

use crate::action::{Action, Actions, CancelReason};
use crate::branch::CancelStage;
use crate::cancel::Which;
use crate::machine::ClientState;
use crate::pick_reply::{Pick, PickOrder, challenges, pick};
use crate::settings::{FailureReplies, Settings};
use crate::transaction::{FailedStep, Transaction};
use sip::{Message, Time};
use std::borrow::Cow;

/// Text of the 500 that ends a request all of whose replies were dropped (spec proxy-core 1.5).
const NOTHING_LEFT_REASON: &str = "I'm terribly sorry, server error occurred (1/TM)";

/// What the caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Relay upstream (local transaction: report) the reply in hand, or for a failure the one stored on the branch;
    /// then call `reply_sent`.
    Relay { branch: usize },
    /// Make a reply here and send it; then call `reply_sent`. `branch`: the one it stands for, if any.
    RelayLocal { code: u16, reason: Cow<'static, str>, branch: Option<usize> },
    /// Make a reply with this code and the challenges of all branches in `challenges`; then call `reply_sent`.
    AggregateChallenges { code: u16, branch: usize },
    /// Kept or counted, nothing goes upstream yet.
    Store,
    /// Nothing to do with it.
    Discard,
    /// Run the branch-failure callbacks and route of one branch, then call `choose`.
    BranchFailureRoute { branch: usize, code: u16, route: u32 },
    /// All branches failed: run failure callbacks and the route, if armed; then call `after_failure_route`.
    FailureRoute { winner: usize, code: u16, route: Option<u32> },
    /// `noisy_ctimer=0`: the timed out INVITE ends without a reply; it is on wait already.
    Silent,
}

/// A reply after its onreply_route.
#[derive(Clone, Copy, Debug)]
pub struct RoutedReply<'a> {
    pub message: &'a Message,
    /// Its status, which the route may have changed within its class.
    pub code: u16,
    /// The route said `drop`; counts for provisional replies only.
    pub dropped: bool,
}

impl<D> Transaction<D> {
    /// Decides on a reply `on_reply` told to process, after its onreply_route.
    pub fn decide(&mut self, now: Time, index: usize, reply: RoutedReply<'_>, settings: &Settings, actions: &mut Actions) -> Decision {
        let RoutedReply { message, code, dropped } = reply;
        let open = self.is_open();
        let (invite, ended) = (self.is_invite(), self.is_ended());
        let passes_provisional = !self.flags.local || settings.pass_provisional_replies;
        let Some(branch) = self.branches.get_mut(index) else {
            return Decision::Discard;
        };
        if code < 200 {
            if dropped || branch.is_final() {
                return Decision::Discard;
            }
            branch.last_status = branch.last_status.max(code);
            let relayed = open && passes_provisional && (code > 100 || settings.relay_100);
            return if relayed { Decision::Relay { branch: index } } else { Decision::Discard };
        }
        if code < 300 {
            branch.last_status = code;
            branch.flags.faked = false;
            // Each fork's 2xx reaches the caller, even one that comes after a timeout (RFC 3261 §16.7 step 5).
            let relayed = open || (invite && !ended);
            return if relayed { Decision::Relay { branch: index } } else { Decision::Discard };
        }
        if branch.is_final() {
            return Decision::Discard;
        }
        branch.last_status = code;
        branch.reply = Some(Box::new(message.clone()));
        if !open {
            return Decision::Discard;
        }
        self.branch_failed(now, index, code, settings, actions)
    }

    /// Gives a branch a final status made here (timeout 408, send error 503) and decides.
    ///
    /// The INVITE may still be alive at the callee: it is cancelled now if it was answered, else on its first
    /// provisional reply.
    pub fn fail_branch(&mut self, now: Time, index: usize, code: u16, settings: &Settings, actions: &mut Actions) -> Decision {
        let (open, invite, only) = (self.is_open(), self.is_invite(), self.branches.len() == 1);
        let Some(branch) = self.branches.get_mut(index) else {
            return Decision::Discard;
        };
        if branch.is_final() {
            return Decision::Discard;
        }
        let replied = branch.flags.provisional;
        branch.state = ClientState::Completed;
        branch.stop_request_timers();
        branch.last_status = code;
        branch.flags.faked = true;
        if branch.flags.blind {
            self.suspension.clear();
        } else if invite && branch.cancel.stage == CancelStage::None {
            branch.cancel.reason = Some(CancelReason::None);
            branch.cancel.stage = CancelStage::Wanted;
            if branch.flags.provisional {
                branch.cancel.stage = CancelStage::Sent;
                actions.push(Action::Cancel { branch: index, reason: CancelReason::None });
            }
        }
        if !open {
            return Decision::Discard;
        }
        let routed = branch.armed.failure.is_some();
        if invite && only && !routed && !replied && !self.flags.noisy_timeout && !self.flags.local && code == 408 {
            self.release(now, settings, actions);
            return Decision::Silent;
        }
        self.branch_failed(now, index, code, settings, actions)
    }

    fn branch_failed(&mut self, now: Time, index: usize, code: u16, settings: &Settings, actions: &mut Actions) -> Decision {
        let route = self.branches.get_mut(index).and_then(|branch| branch.armed.branch_failure.take());
        match route {
            Some(route) => Decision::BranchFailureRoute { branch: index, code, route },
            None => self.choose(now, settings, actions),
        }
    }

    /// Looks over all branches after one of them got a final status.
    pub fn choose(&mut self, now: Time, settings: &Settings, actions: &mut Actions) -> Decision {
        if !self.is_open() {
            return Decision::Discard;
        }
        if self.suspension.is_suspended() {
            return Decision::Store;
        }
        let order = self.pick_order(settings);
        let mut picked = pick(&self.branches, order);
        if picked == Pick::Pending
            && let Some(code) = self.new_6xx()
        {
            self.flags.stopped_by_6xx = true;
            self.cancel_branches(now, Which::All, CancelReason::Cause(code), settings, actions);
            picked = pick(&self.branches, order);
        }
        match picked {
            Pick::Pending => Decision::Store,
            Pick::Nothing => self.nothing_left(),
            Pick::Winner { branch, code } if code >= 300 => self.start_failure(branch, code, settings),
            Pick::Winner { branch, .. } => Decision::Relay { branch },
        }
    }

    fn pick_order(&self, settings: &Settings) -> PickOrder {
        PickOrder { faked_reply_priority: settings.faked_reply_priority }
    }

    /// The 6xx that stops the other branches, once per transaction.
    fn new_6xx(&self) -> Option<u16> {
        if self.flags.disable_6xx || self.flags.stopped_by_6xx {
            return None;
        }
        let stopping = |code: &u16| (600..700).contains(code);
        self.branches.iter().filter(|branch| !branch.flags.dropped).map(|branch| branch.last_status).find(stopping)
    }

    fn start_failure(&mut self, winner: usize, code: u16, settings: &Settings) -> Decision {
        let step_first = self.branches.iter().rposition(|branch| branch.flags.first_of_step).unwrap_or(0);
        self.failed_step = Some(FailedStep { branches_before: self.branches.len(), step_first });
        let armed = self.branches.get(winner).and_then(|branch| branch.armed.failure);
        // The route the winner was sent with; branches added now get one only if it is armed again.
        self.armed.failure = None;
        let route = armed;
        match settings.failure_replies {
            FailureReplies::DropAll if route.is_some() => self.drop_replies(DropReplies::All),
            FailureReplies::DropLastStep if route.is_some() => self.drop_replies(DropReplies::LastStep),
            _ => {}
        }
        Decision::FailureRoute { winner, code, route }
    }

    /// Decides after the failure callbacks and route ran.
    pub fn after_failure_route(&mut self, settings: &Settings) -> Decision {
        if self.suspension.is_suspended() && self.is_open() {
            return Decision::Store;
        }
        let Some(step) = self.failed_step.take() else {
            return Decision::Discard;
        };
        if !self.is_open() {
            return Decision::Discard;
        }
        let added = self.branches.iter().skip(step.branches_before).any(|branch| !branch.flags.blind);
        if added && settings.failure_replies == FailureReplies::DropIfBranchesAdded {
            self.drop_range(0, step.branches_before);
        }
        self.conclude(settings)
    }

    /// The choice when no failure route is to run any more.
    pub(crate) fn conclude(&self, settings: &Settings) -> Decision {
        match pick(&self.branches, self.pick_order(settings)) {
            Pick::Pending => Decision::Store,
            Pick::Winner { branch, code } => self.final_decision(branch, code, settings),
            Pick::Nothing => self.nothing_left(),
        }
    }

    fn final_decision(&self, winner: usize, code: u16, settings: &Settings) -> Decision {
        let faked = self.branches.get(winner).is_none_or(|branch| branch.flags.faked || branch.reply.is_none());
        let branch = Some(winner);
        if faked && code >= 300 {
            if self.flags.canceled {
                return Decision::RelayLocal { code: 487, reason: Cow::Borrowed("Request Terminated"), branch };
            }
            if code == 408 {
                let reason = Cow::Owned(settings.timeout_reason.to_string());
                return Decision::RelayLocal { code: settings.timeout_code, reason, branch };
            }
        }
        if self.flags.local {
            return if faked {
                Decision::RelayLocal { code, reason: Cow::Borrowed(reason_phrase(code)), branch }
            } else {
                Decision::Relay { branch: winner }
            };
        }
        if code == 503 && settings.remap_503 {
            return Decision::RelayLocal { code: 500, reason: Cow::Borrowed(reason_phrase(503)), branch };
        }
        if faked {
            return Decision::RelayLocal { code, reason: Cow::Borrowed(reason_phrase(code)), branch };
        }
        let several = || challenges(&self.branches).nth(1).is_some();
        if matches!(code, 401 | 407) && settings.aggregate_challenges && several() {
            return Decision::AggregateChallenges { code, branch: winner };
        }
        Decision::Relay { branch: winner }
    }

    pub(crate) fn nothing_left(&self) -> Decision {
        let (code, reason) = match &self.last_error {
            _ if self.flags.canceled => (487, Cow::Borrowed("Request Terminated")),
            Some((code, reason)) => (*code, Cow::Owned(reason.to_string())),
            None => (500, Cow::Borrowed(NOTHING_LEFT_REASON)),
        };
        Decision::RelayLocal { code, reason, branch: None }
    }

    /// `t_drop_replies`: takes stored replies out of the choice.
    pub fn drop_replies(&mut self, which: DropReplies) {
        let end = self.failed_step.map_or(self.branches.len(), |step| step.branches_before);
        match which {
            DropReplies::None => {}
            DropReplies::All => self.drop_range(0, end),
            DropReplies::LastStep => {
                let first = self.failed_step.map_or(0, |step| step.step_first);
                self.drop_range(first, end);
            }
        }
    }

    fn drop_range(&mut self, first: usize, end: usize) {
        let count = end.saturating_sub(first);
        for branch in self.branches.iter_mut().skip(first).take(count).filter(|branch| branch.is_final()) {
            branch.flags.dropped = true;
        }
    }

    /// Clears a timer the caller found superfluous: the wait for the final reply of a branch it replaced (DNS failover).
    pub fn give_up_branch(&mut self, index: usize) {
        if let Some(branch) = self.branches.get_mut(index) {
            branch.stop_request_timers();
            branch.state = ClientState::Completed;
            branch.last_status = branch.last_status.max(408);
            branch.flags.faked = true;
            branch.flags.dropped = true;
        }
    }
}

/// Argument of `t_drop_replies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReplies {
    None,
    LastStep,
    All,
}

/// Text for a reply made here, by its code.
pub fn reason_phrase(code: u16) -> &'static str {
    match code {
        400 => "Bad Request",
        404 => "Not Found",
        408 => "Request Timeout",
        477 => "Unfortunately error on sending to next hop occurred",
        478 => "Unresolvable destination",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        483 => "Too Many Hops",
        487 => "Request Terminated",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        603 => "Decline",
        _ => "Request Failed",
    }
}

#[cfg(test)]
mod tests;
