//! The export table of `dialog`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::{bridge, create, flags, functions, literals, profiles, rpc, sequential, statistics, stored, variables};
use crate::registry::{Function, Module, Variable};

/// Everything `dialog` declares.
pub static MODULE: Module = Module {
    name: "dialog",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    commands: rpc::COMMANDS,
    statistics: statistics::STATISTICS,
    events: &["dialog:start", "dialog:end", "dialog:failed"],
};

const REQUEST_TO_BRANCH: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::ONREPLY).or(Routes::BRANCH);
const WAITS_FOR_DATABASE: &str = "the script waits for the database, so it works in request routes only";
const REFER_NOTE: &str = "To and From name the right parties; the BYE after the REFER ends the dialog";

const ACQUIRE_NOTE: &str = "extension: joins only while a limit has a place, in one step (docs/call-limits.md)";

static FUNCTIONS: &[Function] = &[
    Function::new("dlg_manage", 0..=0, &[], create::manage).routes(Routes::REQUEST),
    Function::new("dlg_set_state", 1..=1, &[Kind::Format], functions::set_state),
    Function::new("dlg_update_state", 0..=0, &[], functions::update_state)
        .routes(REQUEST_TO_BRANCH)
        .note("returns 1, so that the script goes on; only replies to INVITE count"),
    Function::new("set_dlg_profile", 1..=2, &[Kind::Plain, Kind::Format], profiles::set),
    Function::new("dlg_profile_acquire", 2..=2, &[Kind::Plain, Kind::Integer], profiles::acquire).note(ACQUIRE_NOTE),
    Function::new("dlg_profile_acquire", 3..=3, &[Kind::Plain, Kind::Format, Kind::Integer], profiles::acquire).note(ACQUIRE_NOTE),
    Function::new("dlg_profile_acquire", 4..=4, &[Kind::Plain, Kind::Format, Kind::Integer, Kind::Integer], profiles::acquire)
        .note(ACQUIRE_NOTE),
    Function::new("unset_dlg_profile", 1..=2, &[Kind::Plain, Kind::Format], profiles::unset).routes(REQUEST_TO_BRANCH),
    Function::new("is_in_profile", 1..=2, &[Kind::Plain, Kind::Format], profiles::is_in),
    Function::new("get_profile_size", 2..=2, &[Kind::Plain, Kind::Variable], profiles::size),
    Function::new("get_profile_size", 3..=3, &[Kind::Plain, Kind::Format, Kind::Variable], profiles::size),
    Function::new("dlg_setflag", 1..=1, &[Kind::Integer], flags::set),
    Function::new("dlg_resetflag", 1..=1, &[Kind::Integer], flags::reset),
    Function::new("dlg_isflagset", 1..=1, &[Kind::Integer], flags::is_set),
    Function::new("dlg_bye", 1..=1, &[Kind::Plain], functions::bye)
        .note("the end route runs once in the life of a dialog; works in early states too"),
    Function::new("dlg_refer", 2..=2, &[Kind::Plain, Kind::Format], sequential::refer).note(REFER_NOTE),
    Function::new("dlg_refer_did", 4..=4, &[Kind::Integer, Kind::Integer, Kind::Format, Kind::Format], sequential::refer_numbered)
        .note(REFER_NOTE),
    Function::new("dlg_refer_cid", 3..=3, &[Kind::Format], sequential::refer_of_call_id).note(REFER_NOTE),
    Function::new("dlg_bridge", 3..=3, &[Kind::Format], bridge::bridge),
    Function::new("dlg_get", 3..=3, &[Kind::Format], functions::get),
    Function::new("is_known_dlg", 0..=0, &[], functions::is_known),
    Function::new("dlg_remove_dialogs_from_node", 1..=1, &[Kind::Format], functions::unavailable)
        .note("not available: there is no replication"),
    Function::new("dlg_set_timeout", 1..=1, &[Kind::Integer], functions::set_timeout),
    Function::new("dlg_set_timeout", 3..=3, &[Kind::Integer], functions::set_timeout),
    Function::new("dlg_set_timeout_by_profile", 2..=2, &[Kind::Plain, Kind::Integer], profiles::set_timeout),
    Function::new("dlg_set_timeout_by_profile", 3..=3, &[Kind::Plain, Kind::Format, Kind::Integer], profiles::set_timeout),
    Function::new("dlg_set_property", 1..=1, &[Kind::Format], flags::set_property),
    Function::new("dlg_reset_property", 1..=1, &[Kind::Format], flags::reset_property),
    Function::new("dlg_remote_profile", 5..=5, &[Kind::Format, Kind::Format, Kind::Format, Kind::Format, Kind::Integer], profiles::remote),
    Function::new("dlg_set_ruri", 0..=0, &[], functions::set_request_uri),
    Function::new("dlg_update_contact", 0..=0, &[], functions::update_contact),
    Function::new("dlg_update_socket", 0..=0, &[], functions::update_socket),
    Function::new("dlg_db_load_callid", 1..=1, &[Kind::Format], stored::load_call_id).note(WAITS_FOR_DATABASE),
    Function::new("dlg_db_load_extra", 0..=0, &[], stored::load_extra).note(WAITS_FOR_DATABASE),
    Function::new("dlg_get_var", 5..=5, &[Kind::Format, Kind::Format, Kind::Format, Kind::Format, Kind::Variable], functions::get_variable),
    Function::new("dlg_set_var", 5..=5, &[Kind::Format], functions::set_variable),
    Function::new("dlg_req_within", 2..=5, &[Kind::Format], sequential::request_within)
        .note("to a callee that has not answered in a reply route only, with the right parties in To and From"),
];

static VARIABLES: &[Variable] = &[
    Variable::new("DLG_count", variables::count),
    Variable::new("DLG_lifetime", variables::lifetime).note("0 before the answer"),
    Variable::new("DLG_status", variables::status),
    Variable::new("dlg_ctx", variables::context_field)
        .inner(InnerKind::OneOf(variables::CONTEXT_NAMES))
        .writable(variables::set_context_field)
        .fixed(variables::CONTEXT_NAMES_FIXED)
        .note("assigning set, dir or timeout_route_id is refused at start; flags can be used"),
    Variable::new("dlg", variables::field)
        .inner(InnerKind::OneOf(variables::NAMES))
        .note("extension: end_reason, end_code and end_text tell why the call ended"),
    Variable::new("dlg_var", variables::variable).inner(InnerKind::Word).writable(variables::set_variable),
];

const ROW_NOTE: &str = "1: committed before the message that tells of it leaves; a row goes when the call ends (docs/storing-calls.md)";
const SEQUENCE_NOTE: &str = "towards both parties, also after requests made here; another carrier starts with the caller's number again";
const NO_REPLICATION: &str = "no effect: there is no replication";

static PARAMETERS: &[Parameter] = &[
    Parameter::integer("enable_stats", 1),
    Parameter::integer("hash_size", 4096),
    Parameter::text("rr_param", "did"),
    Parameter::unset("timeout_avp", ParameterKind::Text),
    Parameter::integer("default_timeout", 43_200),
    Parameter::unset("dlg_extra_hdrs", ParameterKind::Text),
    Parameter::integer("dlg_match_mode", 0),
    Parameter::integer("detect_spirals", 1),
    Parameter::unset("db_url", ParameterKind::Text),
    Parameter::integer("db_mode", 0).note(ROW_NOTE),
    Parameter::text("table_name", "dialog"),
    Parameter::text("call_id_column", "callid"),
    Parameter::text("from_uri_column", "from_uri"),
    Parameter::text("from_tag_column", "from_tag"),
    Parameter::text("to_uri_column", "to_uri"),
    Parameter::text("to_tag_column", "to_tag"),
    Parameter::text("h_id_column", "hash_id"),
    Parameter::text("h_entry_column", "hash_entry"),
    Parameter::text("state_column", "state"),
    Parameter::text("start_time_column", "start_time"),
    Parameter::text("timeout_column", "timeout"),
    Parameter::text("to_cseq_column", "callee_cseq"),
    Parameter::text("from_cseq_column", "caller_cseq"),
    Parameter::text("to_route_column", "callee_route_set"),
    Parameter::text("from_route_column", "caller_route_set"),
    Parameter::text("to_contact_column", "callee_contact"),
    Parameter::text("from_contact_column", "caller_contact"),
    Parameter::text("to_sock_column", "callee_sock"),
    Parameter::text("from_sock_column", "caller_sock"),
    Parameter::text("sflags_column", "sflags"),
    Parameter::text("toroute_name_column", "toroute_name"),
    Parameter::text("vars_table_name", "dialog_vars"),
    Parameter::text("vars_h_id_column", "hash_id"),
    Parameter::text("vars_h_entry_column", "hash_entry"),
    Parameter::text("vars_key_column", "dialog_key"),
    Parameter::text("vars_value_column", "dialog_value"),
    Parameter::integer("db_update_period", 60),
    Parameter::integer("db_fetch_rows", 200),
    Parameter::unset("profiles_with_value", ParameterKind::Text),
    Parameter::unset("profiles_no_value", ParameterKind::Text),
    Parameter::integer("profile_join_once", 0).note("extension: joining a profile with the same value again does not count again"),
    Parameter::integer("unset_profile_in_request", 0).note("extension: unset_dlg_profile() works in request_route once there is a dialog"),
    Parameter::text("bridge_controller", "sip:controller@kamailio.org"),
    Parameter::text("bridge_contact", "sip:controller@kamailio.org:5060"),
    Parameter::text("ruri_pvar", "$ru"),
    Parameter::integer("initial_cbs_inscript", 1),
    Parameter::integer("send_bye", 0),
    Parameter::integer("wait_ack", 1),
    Parameter::unset("xavp_cfg", ParameterKind::Text).note("no effect, as in Kamailio"),
    Parameter::integer("ka_timer", 0),
    Parameter::integer("ka_interval", 0),
    Parameter::integer("timeout_noreset", 0),
    Parameter::integer("timer_procs", 0).note("no effect: timers need no processes"),
    Parameter::integer("track_cseq_updates", 0).note(SEQUENCE_NOTE),
    Parameter::unset("lreq_callee_headers", ParameterKind::Text),
    Parameter::integer("db_skip_load", 0),
    Parameter::integer("db_commit_interval", 15).note("extension: least milliseconds between two commits under load"),
    Parameter::integer("db_hold_time", 2000).note("extension: longest milliseconds a message waits for its commit"),
    Parameter::integer("db_failure_mode", 0)
        .note("extension: 1 = an answer that cannot be stored in time becomes 500; 0 = it is sent and stored when the database is back"),
    Parameter::integer("db_timeout", 5000).note("extension: longest milliseconds the database may take for one call"),
    Parameter::integer("db_rehash", 0).note("extension: dialogs stored with another hash_size are taken; Kamailio refuses to start"),
    Parameter::integer("ka_failed_limit", 1),
    Parameter::integer("enable_dmq", 0).note("complained about at start: there is no replication"),
    Parameter::integer("enable_dmq_ka_iflags_sync", 0).note(NO_REPLICATION),
    Parameter::unset("event_callback", ParameterKind::Text).note("complained about at start: no embedded languages"),
    Parameter::integer("early_timeout", 300),
    Parameter::integer("noack_timeout", 60),
    Parameter::integer("end_timeout", 300),
    Parameter::integer("h_id_start", 0),
    Parameter::integer("h_id_step", 1),
    Parameter::integer("keep_proxy_rr", 0),
    Parameter::integer("dlg_filter_mode", 0),
    Parameter::integer("bye_early_code", 480),
    Parameter::text("bye_early_reason", "Temporarily Unavailable"),
    Parameter::integer("race_condition_timeout", 5)
        .note("extension: seconds left to a call answered after its caller had hung up, then BYEs; 0 = its whole lifetime"),
    Parameter::integer("noack_send_bye", 0).note("extension: a call whose ACK never came gets BYEs when it ends"),
    Parameter::integer("ka_live", 0).note("extension: probing begins and ends with ka-src and ka-dst, not with the ACK alone"),
    Parameter::integer("bye_cseq_step", 101).note("extension: how far the CSeq of a BYE made here lies above the last one; 1 as in 5.6"),
    Parameter::integer("early_timeout_event", 0).note("extension: event_route[dialog:failed] runs for calls removed by early_timeout"),
    Parameter::integer("start_route_sees_callee", 0)
        .note("extension: event_route[dialog:start] knows the callee's tag, contact and routes"),
    Parameter::integer("ctx_timeout", 0).note("extension: $dlg_ctx(timeout) is the lifetime of the dialog made next"),
    Parameter::integer("ctx_direction", 0).note("extension: $dlg_ctx(dir) tells the direction of requests within a dialog"),
    Parameter::integer("dlg_ctxiuid_mode", 0),
    Parameter::integer("debug_variables", 0).note("no effect"),
    Parameter::integer("dlg_mode", 0).note("no effect: every mode gets full processing"),
    Parameter::text("dmq_peer_id", "dialog").note(NO_REPLICATION),
    Parameter::integer("explain_time", 600).note("extension: seconds an ended call can be explained"),
    Parameter::integer("explain_calls", 100_000).note("extension: most ended calls kept for that"),
    Parameter::integer("dlg_flag", -1).note("as in 5.6"),
    Parameter::text("dump_directory", "").note("extension: the only folder into which dlg.dump_file writes; empty: nowhere"),
];
