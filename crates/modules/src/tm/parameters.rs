//! Module parameters of tm with their defaults (spec proxy-core 7.4).

use script::exports::{Default, Parameter, ParameterKind};

const fn number(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: Default::Integer(default), note: "" }
}

const fn word(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: Default::Text(default), note: "" }
}

const fn unset(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: Default::Unset, note: "" }
}

const fn accepted(name: &'static str, kind: ParameterKind, default: Default, note: &'static str) -> Parameter {
    Parameter { name, kind, default, note }
}

const LEGACY: &str = "accepted, no effect: removed or legacy feature";
const KEMI: &str = "accepted, no effect: KEMI is not supported";

/// Every parameter.
pub static PARAMETERS: &[Parameter] = &[
    accepted(
        "reply_matching",
        ParameterKind::Integer,
        Default::Integer(1),
        "accepted, no effect: a reply to a transaction on wait is still matched, absorbed and acknowledged",
    ),
    number("ruri_matching", 1),
    number("via1_matching", 1),
    accepted("callid_matching", ParameterKind::Integer, Default::Integer(0), "accepted, no effect: Call-ID is always part of the key"),
    accepted(
        "callid_cseq_matching",
        ParameterKind::Integer,
        Default::Integer(0),
        "accepted, no effect: branches are matched by their signed identifier",
    ),
    number("fr_timer", 30_000),
    number("fr_inv_timer", 120_000),
    number("wt_timer", 5_000),
    number("retr_timer1", 500),
    number("retr_timer2", 4_000),
    number("max_inv_lifetime", 180_000),
    number("max_noninv_lifetime", 32_000),
    number("noisy_ctimer", 1),
    number("auto_inv_100", 1),
    word("auto_inv_100_reason", "trying -- your call is important to us"),
    accepted("unix_tx_timeout", ParameterKind::Integer, Default::Integer(500), LEGACY),
    number("restart_fr_on_each_reply", 1),
    unset("fr_timer_avp"),
    unset("fr_inv_timer_avp"),
    accepted("tw_append", ParameterKind::Texts, Default::Unset, LEGACY),
    number("pass_provisional_replies", 0),
    number("aggregate_challenges", 1),
    number("unmatched_cancel", 0),
    number("default_code", 500),
    word("default_reason", "Server Internal Error"),
    number("reparse_invite", 1),
    word("ac_extra_hdrs", ""),
    number("blst_503", 0),
    number("blst_503_def_timeout", 0),
    number("blst_503_min_timeout", 0),
    number("blst_503_max_timeout", 3_600),
    number("blst_methods_add", 1),
    number("blst_methods_lookup", -1),
    number("cancel_b_method", 1),
    number("reparse_on_dns_failover", 1),
    unset("on_sl_reply"),
    unset("contacts_avp"),
    unset("contact_flows_avp"),
    number("disable_6xx_block", 0),
    number("local_ack_mode", 0),
    number("local_ack_branch_mode", 0),
    number("failure_reply_mode", 3),
    number("faked_reply_prio", 0),
    number("remap_503_500", 1),
    number("failure_exec_mode", 0),
    number("dns_reuse_rcv_socket", 0),
    number("local_cancel_reason", 1),
    number("e2e_cancel_reason", 1),
    number("e2e_cancel_hop_by_hop", 1),
    accepted("headers_mode", ParameterKind::Integer, Default::Integer(0), LEGACY),
    unset("xavp_contact"),
    accepted("event_callback", ParameterKind::Text, Default::Unset, KEMI),
    accepted("evcb_local_ack_sent", ParameterKind::Text, Default::Unset, KEMI),
    number("relay_100", 0),
    number("rich_redirect", 0),
    accepted("event_callback_lres_sent", ParameterKind::Text, Default::Unset, KEMI),
    accepted(
        "exec_time_check",
        ParameterKind::Integer,
        Default::Integer(5_000),
        "accepted, no effect: a transaction cannot vanish while a script holds it",
    ),
    accepted(
        "reply_relay_mode",
        ParameterKind::Integer,
        Default::Integer(1),
        "0 does as 1: a further 2xx is relayed once and does not replace the reply that was sent",
    ),
    number("enable_uac_fr", 0),
    word("failover_reply_codes", ""),
    number("reply_408_code", 408),
    word("reply_408_reason", "Request Timeout"),
    number("delayed_reply", 1),
    number("evlreq_mode", 0),
    accepted("delete_timer", ParameterKind::Integer, Default::Integer(200), LEGACY),
    accepted("fr_inv_timer_next", ParameterKind::Integer, Default::Integer(30_000), LEGACY),
    accepted("cell_slots", ParameterKind::Integer, Default::Integer(0), LEGACY),
];
