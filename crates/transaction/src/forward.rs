//! Adding client branches and sending on them (spec proxy-core 7.5).

use crate::branch::{Branch, BranchStart};
use crate::endpoint::Endpoint;
use crate::machine::{ClientEvent, ClientState, Row, effect};
use crate::settings::Settings;
use crate::transaction::Transaction;
use crate::{client_invite, client_other};
use sip::Time;

/// Why a branch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddBranchError {
    /// A CANCEL came for this transaction (answer 487).
    Canceled,
    /// A final reply went upstream already.
    Final,
    /// `max_branches` reached.
    TooMany,
}

impl<D> Transaction<D> {
    /// Adds a branch that is not sent yet and returns its index, which goes into its Via. The first branch added
    /// after a failure begins a new serial step.
    pub fn add_branch(&mut self, start: BranchStart, settings: &Settings) -> Result<usize, AddBranchError> {
        if self.flags.canceled {
            return Err(AddBranchError::Canceled);
        }
        if !self.is_open() {
            return Err(AddBranchError::Final);
        }
        if self.branches.len() >= settings.branches_bound() {
            return Err(AddBranchError::TooMany);
        }
        let step_start = self.failed_step.map_or(0, |step| step.branches_before);
        let first_of_step = !self.branches.iter().skip(step_start).any(|branch| branch.flags.first_of_step);
        let index = self.branches.len();
        // Nearly every transaction has one branch.
        if self.branches.capacity() == 0 {
            self.branches.reserve_exact(1);
        }
        self.branches.push(Branch::new(start, first_of_step));
        Ok(index)
    }

    /// Takes back the branch just added, when its branch route dropped it or it could not be built.
    pub fn remove_last_branch(&mut self, index: usize) -> bool {
        let removable = index + 1 == self.branches.len() && self.branches.last().is_some_and(|branch| branch.state == ClientState::Idle);
        if removable {
            self.branches.pop();
        }
        removable
    }

    /// The request went out on a branch: keeps its bytes, starts T1 (unreliable transport) and `fr_timer`.
    pub fn branch_sent(&mut self, now: Time, index: usize, endpoint: Endpoint, bytes: impl Into<Vec<u8>>) -> bool {
        let invite = self.is_invite();
        let Some(branch) = self.branches.get_mut(index) else {
            return false;
        };
        let row = client_row(invite, branch.state, ClientEvent::Sent);
        if row.has(effect::REFUSE) {
            return false;
        }
        branch.endpoint = Some(endpoint);
        branch.sent = bytes.into();
        self.apply_client(now, index, row);
        true
    }

    /// Sending failed. The branch never wins (spec 7.5.3); with `failure_route_on_send_error` it counts as sent instead
    /// and its timer produces the 408.
    pub fn branch_not_sent(&mut self, now: Time, index: usize, settings: &Settings) {
        let invite = self.is_invite();
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        if settings.failure_route_on_send_error && branch.state == ClientState::Idle {
            let row = client_row(invite, branch.state, ClientEvent::Sent);
            self.apply_client(now, index, row);
            return;
        }
        let row = client_row(invite, branch.state, ClientEvent::TransportError);
        branch.last_status = 408;
        branch.flags.faked = true;
        branch.flags.dropped = true;
        self.apply_client(now, index, row);
    }

    /// Moves a branch and sets its timers.
    pub(crate) fn apply_client(&mut self, now: Time, index: usize, row: Row<ClientState>) {
        let timers = self.timers;
        let invite = self.is_invite();
        let answered = invite && row.next == ClientState::Proceeding;
        let bound = if answered { timers.final_response_invite } else { timers.final_response };
        let bound = self.bounded(now, bound);
        let Some(branch) = self.branches.get_mut(index) else {
            return;
        };
        branch.state = row.next;
        if row.has(effect::QUIET) {
            branch.retransmission.stop();
        }
        if row.has(effect::STOP) {
            branch.stop_request_timers();
        }
        if row.has(effect::RETRANSMIT) && !branch.is_reliable() {
            branch.retransmission.start(now, timers.retransmit_first);
        }
        if row.has(effect::BACK_OFF) {
            branch.retransmission.back_off(now, timers.retransmit_longest);
        }
        if row.has(effect::SLOW_DOWN) {
            branch.retransmission.slow_down(now, timers.retransmit_longest);
        }
        if row.has(effect::BOUND) {
            branch.bound = bound;
        }
    }
}

/// Table of the branch's method.
pub(crate) fn client_row(invite: bool, state: ClientState, event: ClientEvent) -> Row<ClientState> {
    if invite { client_invite::step(state, event) } else { client_other::step(state, event) }
}
