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

const NO_DNS_FAILOVER: &str = "accepted, no effect: DNS failover is not done yet";
const NO_BLOCKLIST: &str = "accepted, no effect: there is no destination blocklist";
const LEGACY: &str = "accepted, no effect: removed or legacy feature";
const KEMI: &str = "accepted, no effect: KEMI is not supported";

/// Every parameter.
pub static PARAMETERS: &[Parameter] = &[
    accepted(
        "reply_matching",
        ParameterKind::Integer,
        Default::Integer(1),
        "accepted, no effect: replies are matched by branch, in the wait state too",
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
    accepted("fr_timer_avp", ParameterKind::Text, Default::Unset, LEGACY),
    accepted("fr_inv_timer_avp", ParameterKind::Text, Default::Unset, LEGACY),
    accepted("tw_append", ParameterKind::Texts, Default::Unset, LEGACY),
    number("pass_provisional_replies", 0),
    number("aggregate_challenges", 1),
    number("unmatched_cancel", 0),
    number("default_code", 500),
    word("default_reason", "Server Internal Error"),
    accepted(
        "reparse_invite",
        ParameterKind::Integer,
        Default::Integer(1),
        "accepted, no effect: CANCEL and ACK follow the request as sent",
    ),
    word("ac_extra_hdrs", ""),
    accepted("blst_503", ParameterKind::Integer, Default::Integer(0), NO_BLOCKLIST),
    accepted("blst_503_def_timeout", ParameterKind::Integer, Default::Integer(0), NO_BLOCKLIST),
    accepted("blst_503_min_timeout", ParameterKind::Integer, Default::Integer(0), NO_BLOCKLIST),
    accepted("blst_503_max_timeout", ParameterKind::Integer, Default::Integer(3_600), NO_BLOCKLIST),
    accepted("blst_methods_add", ParameterKind::Integer, Default::Integer(1), NO_BLOCKLIST),
    accepted("blst_methods_lookup", ParameterKind::Integer, Default::Integer(0), NO_BLOCKLIST),
    number("cancel_b_method", 1),
    accepted("reparse_on_dns_failover", ParameterKind::Integer, Default::Integer(1), NO_DNS_FAILOVER),
    unset("on_sl_reply"),
    unset("contacts_avp"),
    unset("contact_flows_avp"),
    number("disable_6xx_block", 0),
    accepted("local_ack_mode", ParameterKind::Integer, Default::Integer(0), "2 does as 0"),
    accepted("local_ack_branch_mode", ParameterKind::Integer, Default::Integer(0), "accepted, no effect: the branch of the INVITE"),
    number("failure_reply_mode", 3),
    number("faked_reply_prio", 0),
    number("remap_503_500", 1),
    number("failure_exec_mode", 0),
    accepted("dns_reuse_rcv_socket", ParameterKind::Integer, Default::Integer(0), NO_DNS_FAILOVER),
    number("local_cancel_reason", 1),
    number("e2e_cancel_reason", 1),
    accepted("e2e_cancel_hop_by_hop", ParameterKind::Integer, Default::Integer(1), "always hop by hop"),
    accepted("headers_mode", ParameterKind::Integer, Default::Integer(0), LEGACY),
    unset("xavp_contact"),
    accepted("event_callback", ParameterKind::Text, Default::Unset, KEMI),
    accepted("evcb_local_ack_sent", ParameterKind::Text, Default::Unset, KEMI),
    number("relay_100", 0),
    accepted("rich_redirect", ParameterKind::Integer, Default::Integer(0), "accepted, no effect: q is always written, flags never"),
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
        "accepted, no effect: a further 2xx is relayed once and not kept",
    ),
    accepted(
        "enable_uac_fr",
        ParameterKind::Integer,
        Default::Integer(0),
        "accepted, no effect: failure routes run for received requests only",
    ),
    accepted("failover_reply_codes", ParameterKind::Text, Default::Text(""), NO_DNS_FAILOVER),
    number("reply_408_code", 408),
    word("reply_408_reason", "Request Timeout"),
    number("delayed_reply", 1),
    accepted(
        "evlreq_mode",
        ParameterKind::Integer,
        Default::Integer(0),
        "accepted, no effect: the route runs for requests made here, not for ACK and CANCEL hop by hop",
    ),
    accepted("delete_timer", ParameterKind::Integer, Default::Integer(200), LEGACY),
    accepted("fr_inv_timer_next", ParameterKind::Integer, Default::Integer(30_000), LEGACY),
    accepted("cell_slots", ParameterKind::Integer, Default::Integer(0), LEGACY),
];
