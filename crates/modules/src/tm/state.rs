//! What tm keeps for the node and for one run.

use std::sync::atomic::AtomicU64;

use script::RouteId;
use script::syntax::ast::RouteKind;
use transaction::settings::{CancelUnanswered, FailureReplies};
use transaction::{ArmedRoutes, Settings as TransactionSettings, TimerValues, Transaction};

use super::data::TransactionData;
use super::relay::Pending;
use crate::outgoing::Scratch;
use crate::settings::Settings;
use crate::worker::Worker;

/// Node-wide state of tm.
#[derive(Debug, Default)]
pub struct State {
    pub settings: TransactionSettings,
    pub auto_inv_100: bool,
    pub auto_inv_100_reason: Box<[u8]>,
    /// `unmatched_cancel`: 0 stateful, 1 stateless, 2 drop.
    pub unmatched_cancel: i64,
    pub additional_cancel_headers: Option<script::value::Text>,
    pub local_request_route: Option<RouteId>,
    pub local_response_route: Option<RouteId>,
    /// Route for replies that belong to no transaction.
    pub stateless_reply_route: Option<RouteId>,
    /// `delayed_reply`: the reply to a failed relay waits for the end of the script.
    pub delayed_reply: bool,
    /// `local_ack_mode`: where the ACK to a 2xx of a local INVITE goes. 0: RFC 3261, 1: as the INVITE, 2: to the reply's source.
    pub local_ack_mode: i64,
    /// `xavp_contact` or `contacts_avp`: the list that `t_load_contacts` fills.
    pub contacts_list: Option<script::value::Text>,
    /// `contact_flows_avp`
    pub contact_flows_list: Option<script::value::Text>,
    /// Next hops looked up while no script waits.
    pub lookups: super::lookup::Lookups,
    /// Counter behind Call-IDs made here.
    pub call_ids: AtomicU64,
}

/// The bare name in `$avp(s:name)`, `$xavp(name)` or `name`.
fn list_name(text: &[u8]) -> script::value::Text {
    let inner = match (text.iter().position(|byte| *byte == b'('), text.iter().rposition(|byte| *byte == b')')) {
        (Some(start), Some(end)) => text.get(start + 1..end).unwrap_or(text),
        _ => text,
    };
    script::value::Text::from(inner.strip_prefix(b"s:").unwrap_or(inner))
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let integer = |name: &str| settings.integer("tm", name);
        let milliseconds = |name: &str| u32::try_from(integer(name)).unwrap_or(0);
        let text = |name: &str| settings.text("tm", name);
        let wording = |name: &str| text(name).map_or_else(String::new, |text| text.to_string()).into_boxed_str();
        let values = TransactionSettings {
            timers: TimerValues {
                final_response: milliseconds("fr_timer"),
                final_response_invite: milliseconds("fr_inv_timer"),
                retransmit_first: milliseconds("retr_timer1"),
                retransmit_longest: milliseconds("retr_timer2"),
                lifetime_invite: milliseconds("max_inv_lifetime"),
                lifetime_other: milliseconds("max_noninv_lifetime"),
            },
            wait: milliseconds("wt_timer"),
            restart_final_response_on_each_reply: integer("restart_fr_on_each_reply") != 0,
            noisy_timeout: integer("noisy_ctimer") != 0,
            match_request_uri: integer("ruri_matching") != 0,
            match_top_via: integer("via1_matching") != 0,
            aggregate_challenges: integer("aggregate_challenges") != 0,
            cancel_unanswered: match integer("cancel_b_method") {
                0 => CancelUnanswered::Fake,
                2 => CancelUnanswered::SendNow,
                _ => CancelUnanswered::Wait,
            },
            failure_replies: match integer("failure_reply_mode") {
                0 => FailureReplies::Keep,
                1 => FailureReplies::DropAll,
                2 => FailureReplies::DropLastStep,
                _ => FailureReplies::DropIfBranchesAdded,
            },
            failure_route_on_send_error: integer("failure_exec_mode") != 0,
            faked_reply_priority: i32::try_from(integer("faked_reply_prio")).unwrap_or(0),
            remap_503: integer("remap_503_500") != 0,
            relay_100: integer("relay_100") != 0,
            disable_6xx_block: integer("disable_6xx_block") != 0,
            pass_provisional_replies: integer("pass_provisional_replies") != 0,
            timeout_code: u16::try_from(integer("reply_408_code")).unwrap_or(408),
            timeout_reason: wording("reply_408_reason"),
            default_code: u16::try_from(integer("default_code")).unwrap_or(500),
            default_reason: wording("default_reason"),
            local_cancel_reason: integer("local_cancel_reason") != 0,
            copy_cancel_reason: integer("e2e_cancel_reason") != 0,
            // `max_branches` of the core is looked at when a branch is added.
            branches_max: transaction::limits::BRANCHES_MAX,
        };
        let list = |name: &str| text(name).filter(|name| !name.is_empty()).map(|name| list_name(&name));
        let named = |name: &str| text(name).and_then(|route| program.route(RouteKind::OnReply, &route));
        Ok(State {
            settings: values,
            auto_inv_100: integer("auto_inv_100") != 0,
            auto_inv_100_reason: text("auto_inv_100_reason").map_or_else(Default::default, |reason| reason.to_vec().into_boxed_slice()),
            unmatched_cancel: integer("unmatched_cancel"),
            additional_cancel_headers: text("ac_extra_hdrs").filter(|prefix| !prefix.is_empty()),
            local_request_route: program.route(RouteKind::Event, b"tm:local-request"),
            local_response_route: program.route(RouteKind::Event, b"tm:local-response"),
            stateless_reply_route: named("on_sl_reply"),
            delayed_reply: integer("delayed_reply") != 0,
            local_ack_mode: integer("local_ack_mode"),
            contacts_list: list("xavp_contact").or_else(|| list("contacts_avp")),
            contact_flows_list: list("contact_flows_avp"),
            lookups: super::lookup::Lookups::default(),
            call_ids: AtomicU64::new(0),
        })
    }
}

/// What tm keeps for one run.
#[derive(Debug, Default)]
pub struct RunState {
    /// The transaction this run works for, checked out of the table.
    pub transaction: Option<Box<Transaction<TransactionData>>>,
    /// Transaction key of the run's request, kept since it was looked up before the script; None after the message changed.
    pub key: Option<transaction::Key>,
    /// Routes armed before the transaction exists, or changed on it.
    pub armed: ArmedRoutes,
    /// Timer values set before the transaction exists; 0: unchanged.
    pub timers: PendingTimers,
    /// Flags set before the transaction exists.
    pub auto_100: Option<bool>,
    pub disable_6xx: Option<bool>,
    pub disable_internal_reply: Option<bool>,
    pub no_cancel_reason: Option<bool>,
    pub disable_failover: Option<bool>,
    pub no_auto_ack: Option<bool>,
    /// Error of a failed relay, answered at the end of the script (spec proxy-core 7.3.6).
    pub delayed_error: i32,
    /// In reply, failure and branch routes: which branch or winner it is about.
    pub reply: ReplyView,
    /// Branches waiting for addresses.
    pub pending: Option<Pending>,
    /// `t_drop`, `drop` in a branch route.
    pub is_branch_dropped: bool,
    /// The picked winner's message while a failure route runs.
    pub winner: Option<Box<sip::Message>>,
    /// Memory for outgoing lines.
    pub scratch: Scratch,
}

/// Timer values set by the script before the transaction exists.
#[derive(Debug, Default, Clone, Copy)]
pub struct PendingTimers {
    pub final_response_invite: u32,
    pub final_response: u32,
    pub retransmit_first: u32,
    pub retransmit_longest: u32,
    pub lifetime_invite: u32,
    pub lifetime_other: u32,
}

/// What `$T_*` variables and `t_check_status` look at.
#[derive(Debug, Default, Clone)]
pub struct ReplyView {
    /// Branch the current reply or branch route is about.
    pub branch: Option<usize>,
    /// Code of the picked winner in a failure route.
    pub code: u16,
    pub reason: Vec<u8>,
    /// The winner was made here (timeout).
    pub is_faked: bool,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.transaction = None;
        self.key = None;
        self.armed = ArmedRoutes::default();
        self.timers = PendingTimers::default();
        self.auto_100 = None;
        self.disable_6xx = None;
        self.disable_internal_reply = None;
        self.no_cancel_reason = None;
        self.disable_failover = None;
        self.no_auto_ack = None;
        self.delayed_error = 0;
        self.reply = ReplyView::default();
        self.pending = None;
        self.is_branch_dropped = false;
        self.winner = None;
    }
}
