//! The export table of `dialog`.

use ::dialog::statistics::Resettable;
use script::exports::{Argument, Default, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{bridge, create, flags, functions, literals, profiles, rpc, sequential, variables};
use crate::registry::{Module, Statistic};
use crate::worker::Worker;

/// Everything `dialog` declares.
pub static MODULE: Module = Module {
    name: "dialog",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    commands: rpc::COMMANDS,
    statistics: STATISTICS,
    events: &["dialog:start", "dialog:end", "dialog:failed"],
};

type Call = fn(&mut Worker, &[Argument]) -> Flow;

const REQUEST_TO_BRANCH: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::ONREPLY).or(Routes::BRANCH);
const NO_STORAGE: &str = "not available: there is no database";
const REFER_NOTE: &str = "To and From name the right parties; the BYE after the REFER ends the dialog";

const fn function(name: &'static str, arity: u8, arguments: &'static [Kind], call: Call) -> Function<Worker> {
    Function { name, arity: (arity, arity), arguments, routes: Routes::ANY, call, note: "" }
}

const fn noted(name: &'static str, arity: (u8, u8), arguments: &'static [Kind], call: Call, note: &'static str) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note }
}

static FUNCTIONS: &[Function<Worker>] = &[
    Function { name: "dlg_manage", arity: (0, 0), arguments: &[], routes: Routes::REQUEST, call: create::manage, note: "" },
    function("dlg_set_state", 1, &[Kind::Format], functions::set_state),
    Function {
        name: "dlg_update_state",
        arity: (0, 0),
        arguments: &[],
        routes: REQUEST_TO_BRANCH,
        call: functions::update_state,
        note: "returns 1, so that the script goes on; only replies to INVITE count",
    },
    noted("set_dlg_profile", (1, 2), &[Kind::Plain, Kind::Format], profiles::set, ""),
    Function {
        name: "unset_dlg_profile",
        arity: (1, 2),
        arguments: &[Kind::Plain, Kind::Format],
        routes: REQUEST_TO_BRANCH,
        call: profiles::unset,
        note: "",
    },
    noted("is_in_profile", (1, 2), &[Kind::Plain, Kind::Format], profiles::is_in, ""),
    function("get_profile_size", 2, &[Kind::Plain, Kind::Variable], profiles::size),
    function("get_profile_size", 3, &[Kind::Plain, Kind::Format, Kind::Variable], profiles::size),
    function("dlg_setflag", 1, &[Kind::Integer], flags::set),
    function("dlg_resetflag", 1, &[Kind::Integer], flags::reset),
    function("dlg_isflagset", 1, &[Kind::Integer], flags::is_set),
    noted("dlg_bye", (1, 1), &[Kind::Plain], functions::bye, "the end route runs once in the life of a dialog; works in early states too"),
    noted("dlg_refer", (2, 2), &[Kind::Plain, Kind::Format], sequential::refer, REFER_NOTE),
    noted("dlg_refer_did", (4, 4), &[Kind::Integer, Kind::Integer, Kind::Format, Kind::Format], sequential::refer_numbered, REFER_NOTE),
    noted("dlg_refer_cid", (3, 3), &[Kind::Format], sequential::refer_of_call_id, REFER_NOTE),
    noted("dlg_bridge", (3, 3), &[Kind::Format], bridge::bridge, ""),
    function("dlg_get", 3, &[Kind::Format], functions::get),
    function("is_known_dlg", 0, &[], functions::is_known),
    noted("dlg_remove_dialogs_from_node", (1, 1), &[Kind::Format], functions::unavailable, "not available: there is no replication"),
    function("dlg_set_timeout", 1, &[Kind::Integer], functions::set_timeout),
    function("dlg_set_timeout", 3, &[Kind::Integer], functions::set_timeout),
    function("dlg_set_timeout_by_profile", 2, &[Kind::Plain, Kind::Integer], profiles::set_timeout),
    function("dlg_set_timeout_by_profile", 3, &[Kind::Plain, Kind::Format, Kind::Integer], profiles::set_timeout),
    function("dlg_set_property", 1, &[Kind::Format], flags::set_property),
    function("dlg_reset_property", 1, &[Kind::Format], flags::reset_property),
    function("dlg_remote_profile", 5, &[Kind::Format, Kind::Format, Kind::Format, Kind::Format, Kind::Integer], profiles::remote),
    function("dlg_set_ruri", 0, &[], functions::set_request_uri),
    function("dlg_update_contact", 0, &[], functions::update_contact),
    function("dlg_update_socket", 0, &[], functions::update_socket),
    noted("dlg_db_load_callid", (1, 1), &[Kind::Format], functions::unavailable, NO_STORAGE),
    noted("dlg_db_load_extra", (0, 0), &[], functions::unavailable, NO_STORAGE),
    function("dlg_get_var", 5, &[Kind::Format, Kind::Format, Kind::Format, Kind::Format, Kind::Variable], functions::get_variable),
    function("dlg_set_var", 5, &[Kind::Format], functions::set_variable),
    noted(
        "dlg_req_within",
        (2, 5),
        &[Kind::Format],
        sequential::request_within,
        "to a callee that has not answered in a reply route only, with the right parties in To and From",
    ),
];

const fn reading(
    name: &'static str,
    read: fn(&mut Worker, &script::exports::Inner, Option<script::exports::Index>) -> script::value::Value,
) -> Variable<Worker> {
    Variable { name, inner: InnerKind::None, indexed: false, read, write: None, note: "" }
}

static VARIABLES: &[Variable<Worker>] = &[
    reading("DLG_count", variables::count),
    Variable { note: "0 before the answer", ..reading("DLG_lifetime", variables::lifetime) },
    reading("DLG_status", variables::status),
    Variable {
        name: "dlg_ctx",
        inner: InnerKind::OneOf(variables::CONTEXT_NAMES),
        indexed: false,
        read: variables::context_field,
        write: Some(variables::set_context_field),
        note: "set, dir and timeout_route_id refuse to be written; flags can be used",
    },
    Variable { inner: InnerKind::OneOf(variables::NAMES), ..reading("dlg", variables::field) },
    Variable {
        name: "dlg_var",
        inner: InnerKind::Word,
        indexed: false,
        read: variables::variable,
        write: Some(variables::set_variable),
        note: "",
    },
];

const fn number(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: Default::Integer(default), note: "" }
}

const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: Default::Text(default), note: "" }
}

const fn unset(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: Default::Unset, note: "" }
}

const fn idle_number(name: &'static str, default: i64, note: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: Default::Integer(default), note }
}

const fn column(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: Default::Text(default), note: "no effect: there is no database" }
}

const NO_DATABASE: &str = "no effect: there is no database";
const NO_REPLICATION: &str = "no effect: there is no replication";

static PARAMETERS: &[Parameter] = &[
    number("enable_stats", 1),
    number("hash_size", 4096),
    text("rr_param", "did"),
    unset("timeout_avp"),
    number("default_timeout", 43_200),
    unset("dlg_extra_hdrs"),
    number("dlg_match_mode", 0),
    number("detect_spirals", 1),
    Parameter { name: "db_url", kind: ParameterKind::Text, default: Default::Unset, note: NO_DATABASE },
    idle_number("db_mode", 0, "other values than 0 are complained about at start: there is no database"),
    column("table_name", "dialog"),
    column("call_id_column", "callid"),
    column("from_uri_column", "from_uri"),
    column("from_tag_column", "from_tag"),
    column("to_uri_column", "to_uri"),
    column("to_tag_column", "to_tag"),
    column("h_id_column", "hash_id"),
    column("h_entry_column", "hash_entry"),
    column("state_column", "state"),
    column("start_time_column", "start_time"),
    column("timeout_column", "timeout"),
    column("to_cseq_column", "callee_cseq"),
    column("from_cseq_column", "caller_cseq"),
    column("to_route_column", "callee_route_set"),
    column("from_route_column", "caller_route_set"),
    column("to_contact_column", "callee_contact"),
    column("from_contact_column", "caller_contact"),
    column("to_sock_column", "callee_sock"),
    column("from_sock_column", "caller_sock"),
    column("sflags_column", "sflags"),
    column("toroute_name_column", "toroute_name"),
    column("vars_table_name", "dialog_vars"),
    column("vars_h_id_column", "hash_id"),
    column("vars_h_entry_column", "hash_entry"),
    column("vars_key_column", "dialog_key"),
    column("vars_value_column", "dialog_value"),
    idle_number("db_update_period", 60, NO_DATABASE),
    idle_number("db_fetch_rows", 200, NO_DATABASE),
    unset("profiles_with_value"),
    unset("profiles_no_value"),
    Parameter { name: "bridge_controller", kind: ParameterKind::Text, default: Default::Text("sip:controller@kamailio.org"), note: "" },
    Parameter { name: "bridge_contact", kind: ParameterKind::Text, default: Default::Text("sip:controller@kamailio.org:5060"), note: "" },
    text("ruri_pvar", "$ru"),
    idle_number("initial_cbs_inscript", 1, "no effect: nothing hangs on the moment"),
    number("send_bye", 0),
    number("wait_ack", 1),
    Parameter { name: "xavp_cfg", kind: ParameterKind::Text, default: Default::Unset, note: "no effect, as in Kamailio" },
    number("ka_timer", 0),
    number("ka_interval", 0),
    number("timeout_noreset", 0),
    idle_number("timer_procs", 0, "no effect: timers need no processes"),
    idle_number("track_cseq_updates", 0, "complained about at start: CSeq is not rewritten"),
    unset("lreq_callee_headers"),
    idle_number("db_skip_load", 0, NO_DATABASE),
    number("ka_failed_limit", 1),
    idle_number("enable_dmq", 0, "complained about at start: there is no replication"),
    idle_number("enable_dmq_ka_iflags_sync", 0, NO_REPLICATION),
    Parameter {
        name: "event_callback",
        kind: ParameterKind::Text,
        default: Default::Unset,
        note: "complained about at start: no embedded languages",
    },
    number("early_timeout", 300),
    number("noack_timeout", 60),
    number("end_timeout", 300),
    number("h_id_start", 0),
    number("h_id_step", 1),
    number("keep_proxy_rr", 0),
    number("dlg_filter_mode", 0),
    number("bye_early_code", 480),
    text("bye_early_reason", "Temporarily Unavailable"),
    number("dlg_ctxiuid_mode", 0),
    idle_number("debug_variables", 0, "no effect"),
    idle_number("dlg_mode", 0, "no effect: every mode gets full processing"),
    Parameter { name: "dmq_peer_id", kind: ParameterKind::Text, default: Default::Text("dialog"), note: NO_REPLICATION },
    Parameter { name: "dlg_flag", kind: ParameterKind::Integer, default: Default::Integer(-1), note: "as in 5.6" },
];

static STATISTICS: &[Statistic] = &[
    Statistic { group: "dialog", name: "active_dialogs", read: |node| count(node.dialogs.statistics().active), reset: None },
    Statistic { group: "dialog", name: "early_dialogs", read: |node| count(node.dialogs.statistics().early), reset: None },
    Statistic {
        group: "dialog",
        name: "expired_dialogs",
        read: |node| count(node.dialogs.statistics().expired),
        reset: Some(|node| node.dialogs.reset_statistic(Resettable::Expired)),
    },
    Statistic {
        group: "dialog",
        name: "failed_dialogs",
        read: |node| count(node.dialogs.statistics().failed),
        reset: Some(|node| node.dialogs.reset_statistic(Resettable::Failed)),
    },
    Statistic {
        group: "dialog",
        name: "processed_dialogs",
        read: |node| count(node.dialogs.statistics().processed),
        reset: Some(|node| node.dialogs.reset_statistic(Resettable::Processed)),
    },
];

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
