//! Timers of a transaction that have come due (spec proxy-core 7.12).

use crate::action::{Action, Actions, Buffer};
use crate::branch::CancelStage;
use crate::deadline::Deadline;
use crate::forward::client_row;
use crate::machine::{ClientEvent, ServerEvent, ServerState, effect};
use crate::settings::Settings;
use crate::transaction::Transaction;
use sip::Time;

/// What the caller does about due timers. Call `on_timer` again until it says `Idle` or `Ended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerStep {
    /// Nothing more is due.
    Idle,
    /// No final reply in time: try DNS failover if `replied` is false, then call `fail_branch` with 408.
    BranchTimedOut { branch: usize, replied: bool },
    /// A reply whose script was suspended waited too long: go on with `decide` and the reply kept on the branch.
    ReplyResumed { branch: usize },
    /// Open, but nothing is under way that could end it: answer 408 and log it, the script lost track of it.
    Stalled,
    /// The transaction is over; check it in.
    Ended,
}

impl<D> Transaction<D> {
    /// Does what is due at `now`. Bounded: each call takes at least one timer off or returns `Idle`.
    pub fn on_timer(&mut self, now: Time, settings: &Settings, actions: &mut Actions) -> TimerStep {
        if self.is_ended() {
            return TimerStep::Ended;
        }
        self.server_timers(now, settings, actions);
        for index in 0..self.branches.len() {
            self.retransmit(now, index, actions);
            self.cancel_timers(now, index, actions);
            if let Some(step) = self.bound_timer(now, index) {
                return step;
            }
        }
        if self.server.wait.is_due(now) && self.wait_over(now) {
            return TimerStep::Ended;
        }
        if self.is_open() && self.stalled_at.is_due(now) {
            let timers_run = self.branches.iter().any(|branch| branch.bound.is_set()) || self.server.wait.is_set();
            self.stalled_at = Deadline::after(now, self.timers.final_response);
            if !timers_run {
                return TimerStep::Stalled;
            }
        }
        TimerStep::Idle
    }

    /// Whether it is over now, when nothing but the end of its wait state is due: nothing is to be sent or decided then, so
    /// `on_timer` need not be called. Nearly every transaction ends like this.
    pub fn ends_quietly(&mut self, now: Time) -> bool {
        let server = &self.server;
        let quiet = server.wait.is_due(now)
            && !server.retransmission.at.min(server.bound).is_due(now)
            && !self.branches.iter().any(|branch| branch.deadline().is_due(now));
        quiet && self.wait_over(now)
    }

    fn server_timers(&mut self, now: Time, settings: &Settings, actions: &mut Actions) {
        if self.server.bound.is_due(now) {
            self.server.bound = Deadline::NEVER;
            let row = self.server_row(ServerEvent::BoundTimer);
            self.server.state = row.next;
            self.arm_server(now, row, settings);
        }
        if self.server.retransmission.at.is_due(now) {
            let row = self.server_row(ServerEvent::RetransmitTimer);
            self.server.retransmission.stop();
            self.arm_server(now, row, settings);
            if row.has(effect::RESEND) && !self.server.reply.is_empty() {
                actions.push(Action::Resend(Buffer::Reply));
            }
        }
    }

    fn retransmit(&mut self, now: Time, index: usize, actions: &mut Actions) {
        let invite = self.is_invite();
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        // At its bound the branch fails; one more copy at that moment would only confuse the callee.
        if !branch.retransmission.at.is_due(now) || branch.bound.is_due(now) {
            return;
        }
        branch.retransmission.at = Deadline::NEVER;
        let row = client_row(invite, branch.state, ClientEvent::RetransmitTimer);
        if row.has(effect::RESEND) && !branch.sent.is_empty() {
            actions.push(Action::Resend(Buffer::Request(index)));
        }
        self.apply_client(now, index, row);
    }

    fn cancel_timers(&mut self, now: Time, index: usize, actions: &mut Actions) {
        let longest = self.timers.retransmit_longest;
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        if branch.cancel.bound.is_due(now) {
            branch.cancel.stop();
            branch.cancel.stage = CancelStage::Answered;
        }
        if branch.cancel.retransmission.at.is_due(now) {
            branch.cancel.retransmission.back_off(now, longest);
            actions.push(Action::Resend(Buffer::Cancel(index)));
        }
    }

    fn bound_timer(&mut self, now: Time, index: usize) -> Option<TimerStep> {
        let (invite, open) = (self.is_invite(), self.is_open());
        let again = self.bounded(now, self.timers.final_response_invite);
        let branch = self.branches.get_mut(index)?;
        if !branch.bound.is_due(now) {
            return None;
        }
        branch.bound = Deadline::NEVER;
        if std::mem::take(&mut branch.flags.reply_suspended) {
            if branch.is_underway() {
                branch.bound = again;
            }
            return Some(TimerStep::ReplyResumed { branch: index });
        }
        let row = client_row(invite, branch.state, ClientEvent::BoundTimer);
        let replied = branch.flags.provisional;
        self.apply_client(now, index, row);
        if !row.has(effect::FAIL) {
            return None;
        }
        if open {
            return Some(TimerStep::BranchTimedOut { branch: index, replied });
        }
        if let Some(branch) = self.branches.get_mut(index) {
            branch.last_status = 408;
            branch.flags.faked = true;
        }
        None
    }

    /// Ends the wait state, unless a cancelled branch still owes its final reply (it has to be acknowledged).
    fn wait_over(&mut self, now: Time) -> bool {
        let unsettled = self
            .branches
            .iter()
            .filter(|branch| branch.is_underway() && branch.cancel.stage != CancelStage::None)
            .map(|branch| branch.bound)
            .filter(|bound| bound.is_set())
            .max();
        if let Some(until) = unsettled
            && !self.server.wait_end.is_due(now)
        {
            self.counted.delayed = true;
            self.server.wait = until.max(Deadline::after(now, 1)).min(self.server.wait_end);
            return false;
        }
        self.server.state = ServerState::Terminated;
        self.server.wait = Deadline::NEVER;
        true
    }
}

#[cfg(test)]
mod tests;
