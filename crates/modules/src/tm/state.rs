//! What tm keeps for the node and for one run.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

use script::RouteId;
use script::syntax::ast::RouteKind;
use transaction::settings::{CancelUnanswered, FailureReplies};
use transaction::{ArmedRoutes, Settings as TransactionSettings, TimerValues, Transaction};

use super::data::TransactionData;
use super::relay::Pending;
use crate::live::Live;
use crate::outgoing::Scratch;
use crate::settings::Settings;
use crate::worker::Worker;

/// Bits of `evlreq_mode`.
const EVENT_ROUTE_FOR_CANCEL: i64 = 1;
const EVENT_ROUTE_FOR_ACK: i64 = 2;

/// Where the ACK to a 2xx of an INVITE made here goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AckDestination {
    /// As RFC 3261 §13.2.2.4 says: by the route set and the Contact.
    #[default]
    Target,
    AsInvite,
    ReplySource,
}

/// Node-wide state of tm.
#[derive(Debug, Default)]
pub struct State {
    pub settings: Live<TransactionSettings>,
    pub auto_inv_100: AtomicBool,
    pub auto_inv_100_reason: Live<Box<[u8]>>,
    /// `unmatched_cancel`: 0 stateful, 1 stateless, 2 drop.
    pub unmatched_cancel: AtomicI64,
    pub additional_cancel_headers: Live<Option<script::value::Text>>,
    pub local_request_route: Option<RouteId>,
    pub local_response_route: Option<RouteId>,
    /// Route for replies that belong to no transaction.
    pub stateless_reply_route: Option<RouteId>,
    /// `delayed_reply`: the reply to a failed relay waits for the end of the script.
    pub delayed_reply: bool,
    /// `local_ack_mode`
    pub local_ack_destination: AckDestination,
    /// `local_ack_branch_mode`: 0 the INVITE's branch value, 1 the one after it, 2 one of its own.
    pub local_ack_branch_mode: i64,
    /// `e2e_cancel_hop_by_hop`: a CANCEL is answered here; else each is relayed and its replies come from the callee.
    pub cancels_hop_by_hop: bool,
    /// `reparse_invite`: CANCEL and ACK take their headers from the INVITE as it was sent, else as it was received.
    pub follows_sent_invite: bool,
    /// `fr_timer_avp` and `fr_inv_timer_avp`: names of variables with seconds.
    pub final_response_variable: Option<script::value::Text>,
    pub final_response_invite_variable: Option<script::value::Text>,
    /// `rich_redirect`
    pub rich_redirect: crate::sl::Rich,
    /// `enable_uac_fr`: failure routes run for requests made here too.
    pub local_failure_routes: bool,
    /// `evlreq_mode`: the route of local requests runs for CANCEL, and for ACK, that are made for one hop.
    pub routes_cancel: bool,
    pub routes_ack: bool,
    /// `event_route[tm:local-ack-sent]`
    pub local_ack_route: Option<RouteId>,
    /// `xavp_contact` or `contacts_avp`: the list that `t_load_contacts` fills.
    pub contacts_list: Option<script::value::Text>,
    /// `contact_flows_avp`
    pub contact_flows_list: Option<script::value::Text>,
    /// `reparse_on_dns_failover`
    pub repeats_sent_request: bool,
    /// `dns_reuse_rcv_socket`
    pub reuses_receiving_socket: bool,
    /// `blst_*`
    pub blocklist: super::failover::Listing,
    /// `failover_reply_codes`
    pub failover_codes: super::failover::ReplyCodes,
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
            settings: Live::new(values),
            auto_inv_100: AtomicBool::new(integer("auto_inv_100") != 0),
            auto_inv_100_reason: Live::new(
                text("auto_inv_100_reason").map_or_else(Default::default, |reason| reason.to_vec().into_boxed_slice()),
            ),
            unmatched_cancel: AtomicI64::new(integer("unmatched_cancel")),
            additional_cancel_headers: Live::new(text("ac_extra_hdrs").filter(|prefix| !prefix.is_empty())),
            local_request_route: program.route(RouteKind::Event, b"tm:local-request"),
            local_response_route: program.route(RouteKind::Event, b"tm:local-response"),
            stateless_reply_route: named("on_sl_reply"),
            delayed_reply: integer("delayed_reply") != 0,
            local_ack_destination: match integer("local_ack_mode") {
                1 => AckDestination::AsInvite,
                2 => AckDestination::ReplySource,
                _ => AckDestination::Target,
            },
            local_ack_branch_mode: integer("local_ack_branch_mode"),
            cancels_hop_by_hop: integer("e2e_cancel_hop_by_hop") != 0,
            follows_sent_invite: integer("reparse_invite") != 0,
            final_response_variable: list("fr_timer_avp"),
            final_response_invite_variable: list("fr_inv_timer_avp"),
            rich_redirect: crate::sl::Rich::from_bits(integer("rich_redirect")),
            local_failure_routes: integer("enable_uac_fr") != 0,
            routes_cancel: integer("evlreq_mode") & EVENT_ROUTE_FOR_CANCEL != 0,
            routes_ack: integer("evlreq_mode") & EVENT_ROUTE_FOR_ACK != 0,
            local_ack_route: program.route(RouteKind::Event, b"tm:local-ack-sent"),
            contacts_list: list("xavp_contact").or_else(|| list("contacts_avp")),
            contact_flows_list: list("contact_flows_avp"),
            blocklist: super::failover::Listing {
                after_503: integer("blst_503") != 0,
                default_seconds: u64::try_from(integer("blst_503_def_timeout")).unwrap_or(0),
                min_seconds: u64::try_from(integer("blst_503_min_timeout")).unwrap_or(0),
                max_seconds: u64::try_from(integer("blst_503_max_timeout")).unwrap_or(0),
                methods_add: integer("blst_methods_add"),
                methods_lookup: integer("blst_methods_lookup"),
            },
            repeats_sent_request: integer("reparse_on_dns_failover") != 0,
            reuses_receiving_socket: integer("dns_reuse_rcv_socket") != 0,
            failover_codes: super::failover::ReplyCodes::parse(
                &text("failover_reply_codes").map_or_else(String::new, |text| text.to_string()),
            )?,
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
    /// The run is that of the transaction's own request: its flags are the transaction's as they were when it was relayed
    /// (`t_flush_flags` takes them over later).
    pub is_request_run: bool,
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
    pub uses_sent_headers: bool,
    /// Error of a failed relay, answered at the end of the script (spec proxy-core 7.3.6).
    pub delayed_error: i32,
    /// In reply, failure and branch routes: which branch or winner it is about.
    pub reply: ReplyView,
    /// Branches waiting for addresses.
    pub pending: Option<Pending>,
    /// In a branch route: edits of the failure route that adds the branch.
    pub step_edits: Option<sip::Edits>,
    /// In a branch route after `t_msg_apply_changes`: the message of the request, while the run has that of the branch.
    pub request_message: Option<Box<sip::Message>>,
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
        self.is_request_run = false;
        self.key = None;
        self.armed = ArmedRoutes::default();
        self.timers = PendingTimers::default();
        self.auto_100 = None;
        self.disable_6xx = None;
        self.disable_internal_reply = None;
        self.no_cancel_reason = None;
        self.disable_failover = None;
        self.no_auto_ack = None;
        self.uses_sent_headers = false;
        self.delayed_error = 0;
        self.reply = ReplyView::default();
        self.pending = None;
        self.step_edits = None;
        self.request_message = None;
        self.is_branch_dropped = false;
        self.winner = None;
    }
}
