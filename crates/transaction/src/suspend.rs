//! A script that waits: suspended once, resumed once or timed out (spec proxy-core 7.14, T8).

use crate::branch::{Branch, BranchStart};
use crate::decision::Decision;
use crate::limits::SUSPENSIONS_MAX;
use crate::machine::ClientState;
use crate::settings::Settings;
use crate::transaction::Transaction;
use sip::{Message, Time};

/// Whether and where the script of a transaction is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspension {
    /// The blind branch that holds the timer.
    branch: Option<usize>,
    /// Grows with every suspension, so that a late resume does not hit the next one.
    serial: u32,
}

impl Suspension {
    pub fn is_suspended(&self) -> bool {
        self.branch.is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.branch = None;
    }
}

/// Why a transaction cannot be suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspendError {
    /// A CANCEL came: there is nothing to wait for.
    Canceled,
    /// A final reply was sent.
    Final,
    /// It is suspended already.
    Suspended,
    /// No branch left for the timer, or suspended too often.
    Limit,
}

/// What a resume may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeStep {
    /// Run the route, then call `after_resume`.
    Run,
    /// Not suspended, or a later suspension than the one meant.
    NotSuspended,
    /// Cancelled or answered meanwhile; nothing to run.
    Over,
}

impl<D> Transaction<D> {
    pub fn suspension(&self) -> &Suspension {
        &self.suspension
    }

    /// Suspends the script of the request. A blind branch takes the failure route and runs `fr_timer`; when that
    /// expires, `on_timer` reports it as timed out. Returns the serial that `resume` asks for.
    pub fn suspend(&mut self, now: Time, settings: &Settings) -> Result<u32, SuspendError> {
        if self.flags.canceled {
            return Err(SuspendError::Canceled);
        }
        if !self.is_open() {
            return Err(SuspendError::Final);
        }
        if self.suspension.is_suspended() {
            return Err(SuspendError::Suspended);
        }
        if self.suspension.serial >= SUSPENSIONS_MAX {
            return Err(SuspendError::Limit);
        }
        let bound = self.bounded(now, self.timers.final_response);
        let mut branch = Branch::new(BranchStart { armed: self.armed, ..BranchStart::default() }, false);
        branch.flags.blind = true;
        branch.state = ClientState::Calling;
        branch.bound = bound;
        // A blind branch that was resumed is used again, so that waiting often does not use up the branches.
        let spent = self.branches.iter().position(|branch| branch.flags.blind && branch.flags.dropped);
        let index = spent.unwrap_or(self.branches.len());
        match self.branches.get_mut(index) {
            Some(place) => *place = branch,
            None if index < settings.branches_bound() => self.branches.push(branch),
            None => return Err(SuspendError::Limit),
        }
        self.suspension = Suspension { branch: Some(index), serial: self.suspension.serial + 1 };
        Ok(self.suspension.serial)
    }

    /// Ends the suspension; `serial` `None` means whichever is current (`t_continue` names none).
    pub fn resume(&mut self, serial: Option<u32>) -> ResumeStep {
        let Some(index) = self.suspension.branch else {
            return ResumeStep::NotSuspended;
        };
        if serial.is_some_and(|serial| serial != self.suspension.serial) {
            return ResumeStep::NotSuspended;
        }
        self.suspension.clear();
        if let Some(branch) = self.branches.get_mut(index) {
            branch.stop_request_timers();
            branch.state = ClientState::Completed;
            branch.last_status = 500;
            branch.flags.faked = true;
            branch.flags.dropped = true;
        }
        if self.flags.canceled || !self.is_open() { ResumeStep::Over } else { ResumeStep::Run }
    }

    /// After the resumed route: what is still to be decided, if anything. A route that left the request without any way
    /// to an answer gets the best earlier failure, or the error reply.
    pub fn after_resume(&mut self, settings: &Settings) -> Option<Decision> {
        if !self.is_open() || self.suspension.is_suspended() || self.server.wait.is_set() {
            return None;
        }
        let decision = if self.failed_step.is_some() { self.after_failure_route(settings) } else { self.conclude(settings) };
        (decision != Decision::Store).then_some(decision)
    }

    /// Suspends the script of a reply in its onreply_route: the reply is kept on the branch, undecided, for `fr_timer`.
    pub fn suspend_reply(&mut self, now: Time, index: usize, reply: &Message) -> bool {
        let bound = self.bounded(now, self.timers.final_response);
        let Some(branch) = self.branches.get_mut(index) else {
            return false;
        };
        if branch.flags.reply_suspended {
            return false;
        }
        branch.flags.reply_suspended = true;
        branch.reply = Some(Box::new(reply.clone()));
        branch.bound = bound;
        true
    }

    /// The branch whose reply is kept while its script waits.
    pub fn suspended_reply(&self) -> Option<usize> {
        self.branches.iter().position(|branch| branch.flags.reply_suspended)
    }

    /// Takes the kept reply back, once: continue with `decide`.
    pub fn resume_reply(&mut self, now: Time, index: usize) -> Option<Box<Message>> {
        let bound = self.bounded(now, self.timers.final_response_invite);
        let branch = self.branches.get_mut(index)?;
        if !std::mem::take(&mut branch.flags.reply_suspended) {
            return None;
        }
        branch.stop_request_timers();
        if branch.is_underway() {
            branch.bound = bound;
        }
        branch.reply.take()
    }
}

#[cfg(test)]
mod tests;
