//! Settings of the transaction layer, named and preset as spec proxy-core 7.4 and 7.12 say.

use crate::limits;

/// What a branch cancel does while the branch has not answered yet (`cancel_b_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelUnanswered {
    /// 0: stop the retransmission and count the branch as answered with 487.
    Fake,
    /// 1: keep retransmitting, send the CANCEL when a provisional reply arrives (RFC 3261 §9.1).
    Wait,
    /// 2: send the CANCEL at once.
    SendNow,
}

/// Which earlier replies a failure route takes out of the choice (`failure_reply_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReplies {
    /// 0: all replies stay.
    Keep,
    /// 1: all earlier replies are dropped when a failure route runs.
    DropAll,
    /// 2: only those of the last serial step are dropped.
    DropLastStep,
    /// 3: all earlier replies are dropped if the failure route added branches.
    DropIfBranchesAdded,
}

/// Timer values of one transaction, milliseconds. Preset from `Settings`, changed by `t_set_fr` and its relatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerValues {
    /// `fr_timer`: until the first reply; for a non-INVITE until the final one; also the wait for an ACK.
    pub final_response: u32,
    /// `fr_inv_timer`: until the final reply once a provisional one came.
    pub final_response_invite: u32,
    /// `retr_timer1`: first retransmission interval (T1).
    pub retransmit_first: u32,
    /// `retr_timer2`: longest retransmission interval (T2).
    pub retransmit_longest: u32,
    /// `max_inv_lifetime`
    pub lifetime_invite: u32,
    /// `max_noninv_lifetime`
    pub lifetime_other: u32,
}

impl Default for TimerValues {
    fn default() -> Self {
        TimerValues {
            final_response: 30_000,
            final_response_invite: 120_000,
            retransmit_first: 500,
            retransmit_longest: 4_000,
            lifetime_invite: 180_000,
            lifetime_other: 32_000,
        }
    }
}

/// Settings shared by all transactions of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub timers: TimerValues,
    /// `wt_timer`, milliseconds: how long a completed transaction stays to absorb what comes late.
    pub wait: u32,
    /// `restart_fr_on_each_reply`
    pub restart_final_response_on_each_reply: bool,
    /// `noisy_ctimer`: a timed out INVITE is always answered.
    pub noisy_timeout: bool,
    /// `ruri_matching`: pre-3261 keys include the Request-URI.
    pub match_request_uri: bool,
    /// `via1_matching`: pre-3261 keys include the top Via.
    pub match_top_via: bool,
    /// `aggregate_challenges`
    pub aggregate_challenges: bool,
    /// `cancel_b_method`
    pub cancel_unanswered: CancelUnanswered,
    /// `failure_reply_mode`
    pub failure_replies: FailureReplies,
    /// `failure_exec_mode`: a branch that could not be sent still fails by timer, so that the failure route runs.
    pub failure_route_on_send_error: bool,
    /// `faked_reply_prio`: added to the priority of locally made replies, may be negative.
    pub faked_reply_priority: i32,
    /// `remap_503_500`
    pub remap_503: bool,
    /// `relay_100`
    pub relay_100: bool,
    /// `disable_6xx_block`: a 6xx does not stop the other branches; it still wins by class, as in Kamailio.
    pub disable_6xx_block: bool,
    /// `pass_provisional_replies`: local requests report provisional replies too.
    pub pass_provisional_replies: bool,
    /// `reply_408_code` and `reply_408_reason`
    pub timeout_code: u16,
    pub timeout_reason: Box<str>,
    /// `default_code` and `default_reason`
    pub default_code: u16,
    pub default_reason: Box<str>,
    /// `max_branches` of the core, at most `limits::BRANCHES_MAX`.
    pub branches_max: usize,
    /// `local_cancel_reason`: put a Reason header into CANCELs the proxy starts itself.
    pub local_cancel_reason: bool,
    /// `e2e_cancel_reason`: copy the Reason headers of a received CANCEL.
    pub copy_cancel_reason: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timers: TimerValues::default(),
            wait: 5_000,
            restart_final_response_on_each_reply: true,
            noisy_timeout: true,
            match_request_uri: true,
            match_top_via: true,
            aggregate_challenges: true,
            cancel_unanswered: CancelUnanswered::Wait,
            failure_replies: FailureReplies::DropIfBranchesAdded,
            failure_route_on_send_error: false,
            faked_reply_priority: 0,
            remap_503: true,
            relay_100: false,
            disable_6xx_block: false,
            pass_provisional_replies: false,
            timeout_code: 408,
            timeout_reason: "Request Timeout".into(),
            default_code: 500,
            default_reason: "Server Internal Error".into(),
            branches_max: 12,
            local_cancel_reason: true,
            copy_cancel_reason: true,
        }
    }
}

impl Settings {
    /// Largest number of branches in force.
    pub fn branches_bound(&self) -> usize {
        self.branches_max.min(limits::BRANCHES_MAX)
    }
}
