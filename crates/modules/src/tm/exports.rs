//! The export table of `tm`.

use script::exports::{Argument, Flow, Function, Kind, Routes};
use script::syntax::ast::RouteKind;

use super::parameters::PARAMETERS;
use super::{contacts, forwarding, functions as f, literals, switches};
use crate::registry::Module;
use crate::worker::Worker;

const REQUEST: Routes = Routes::REQUEST;
const REQUEST_FAILURE: Routes = Routes::REQUEST.or(Routes::FAILURE);
const REPLIES: Routes = Routes::REQUEST.or(Routes::ONREPLY).or(Routes::FAILURE);
const SETTINGS: Routes = Routes::REQUEST.or(Routes::TM_ONREPLY).or(Routes::FAILURE).or(Routes::BRANCH);
const FAILURE_EVENT: Routes = Routes::FAILURE.or(Routes::BRANCH_FAILURE).or(Routes::EVENT_ROUTE);

const fn function(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    routes: Routes,
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

const fn missing(name: &'static str, arity: (u8, u8), routes: Routes, note: &'static str) -> Function<Worker> {
    Function { name, arity, arguments: &[Kind::Format], routes, call: f::not_offered, note }
}

const HOST_PORT: &[Kind] = &[Kind::Format, Kind::Integer];
const PROTOCOL_PROXY: &[Kind] = &[Kind::Format, Kind::Format];

static FUNCTIONS: &[Function<Worker>] = &[
    function("t_newtran", (0, 0), &[], REQUEST, f::t_newtran),
    function("t_lookup_request", (0, 0), &[], REQUEST, f::t_lookup_request),
    function("t_lookup_cancel", (0, 1), &[Kind::Integer], REQUEST, f::t_lookup_cancel),
    function("t_reply", (2, 2), &[Kind::Format, Kind::Format], REPLIES, f::t_reply),
    function("t_reply_error", (0, 0), &[], REPLIES, f::t_reply_error),
    function("t_send_reply", (2, 2), &[Kind::Format, Kind::Format], REPLIES, f::t_send_reply),
    function("t_retransmit_reply", (0, 0), &[], REQUEST, f::t_retransmit_reply),
    function("t_release", (0, 0), &[], REQUEST, f::t_release),
    function("t_relay", (0, 2), HOST_PORT, REQUEST_FAILURE, forwarding::t_relay),
    function("t_relay_to_udp", (0, 2), HOST_PORT, REQUEST_FAILURE, forwarding::t_relay_to_udp),
    function("t_relay_to_tcp", (0, 2), HOST_PORT, REQUEST_FAILURE, forwarding::t_relay_to_tcp),
    function("t_relay_to_tls", (0, 2), HOST_PORT, REQUEST_FAILURE, forwarding::t_relay_to_tls),
    function("t_relay_to_sctp", (0, 2), HOST_PORT, REQUEST_FAILURE, forwarding::t_relay_to_sctp),
    function("t_relay_to", (0, 2), &[Kind::Format, Kind::Integer], REQUEST_FAILURE, forwarding::t_relay_to),
    function("t_relay_to_proxy", (1, 2), &[Kind::Format, Kind::Integer], REQUEST_FAILURE, forwarding::t_relay_to),
    function("t_relay_to_avp", (2, 2), PROTOCOL_PROXY, REQUEST, forwarding::t_relay_to_protocol),
    function("t_replicate", (0, 2), HOST_PORT, REQUEST, forwarding::t_replicate),
    function("t_replicate_udp", (2, 2), HOST_PORT, REQUEST, forwarding::t_replicate),
    function("t_replicate_tcp", (2, 2), HOST_PORT, REQUEST, forwarding::t_replicate_tcp),
    function("t_replicate_tls", (2, 2), HOST_PORT, REQUEST, forwarding::t_replicate_tls),
    missing("t_replicate_sctp", (2, 2), REQUEST, "declared, answers -1: SCTP is not offered"),
    function("t_replicate_to", (2, 2), PROTOCOL_PROXY, REQUEST, forwarding::t_replicate_to),
    function("t_forward_nonack", (2, 2), HOST_PORT, REQUEST, forwarding::t_relay_to_udp),
    function("t_forward_nonack_uri", (0, 0), &[], REQUEST, forwarding::t_relay),
    function("t_forward_nonack_udp", (2, 2), HOST_PORT, REQUEST, forwarding::t_relay_to_udp),
    function("t_forward_nonack_tcp", (2, 2), HOST_PORT, REQUEST, forwarding::t_relay_to_tcp),
    function("t_forward_nonack_tls", (2, 2), HOST_PORT, REQUEST, forwarding::t_relay_to_tls),
    function("t_forward_nonack_sctp", (2, 2), HOST_PORT, REQUEST, forwarding::t_relay_to_sctp),
    function("t_forward_nonack_to", (2, 2), PROTOCOL_PROXY, REQUEST, forwarding::t_relay_to_protocol),
    function("t_relay_cancel", (0, 0), &[], REQUEST, f::t_relay_cancel),
    function("t_on_failure", (1, 1), &[Kind::Route(RouteKind::Failure)], SETTINGS, f::t_on_failure),
    function("t_on_branch_failure", (1, 1), &[Kind::Plain], SETTINGS, f::t_on_branch_failure),
    function("t_on_reply", (1, 1), &[Kind::Route(RouteKind::OnReply)], SETTINGS, f::t_on_reply),
    function("t_on_branch", (1, 1), &[Kind::Route(RouteKind::Branch)], REQUEST_FAILURE, f::t_on_branch),
    function("t_check_status", (1, 1), &[Kind::Regex], REPLIES.or(Routes::BRANCH_FAILURE), f::t_check_status),
    missing("t_write_req", (2, 2), REQUEST_FAILURE, "declared, answers -1: FIFO application servers are not offered"),
    missing("t_write_unix", (2, 2), REQUEST_FAILURE, "declared, answers -1: FIFO application servers are not offered"),
    function("t_set_fr", (1, 2), &[Kind::Integer], SETTINGS, switches::t_set_fr),
    function("t_reset_fr", (0, 0), &[], SETTINGS, switches::t_reset_fr),
    function("t_set_retr", (2, 2), &[Kind::Integer], SETTINGS, switches::t_set_retr),
    function("t_reset_retr", (0, 0), &[], SETTINGS, switches::t_reset_retr),
    function("t_set_max_lifetime", (2, 2), &[Kind::Integer], SETTINGS, switches::t_set_max_lifetime),
    function("t_reset_max_lifetime", (0, 0), &[], SETTINGS, switches::t_reset_max_lifetime),
    function("t_set_auto_inv_100", (1, 1), &[Kind::Integer], REQUEST, switches::t_set_auto_inv_100),
    function("t_set_disable_6xx", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_disable_6xx),
    function("t_set_no_auto_ack", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_no_auto_ack),
    function("t_set_disable_failover", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_disable_failover),
    function("t_set_no_e2e_cancel_reason", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_no_cancel_reason),
    function("t_disable_e2e_cancel_reason", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_no_cancel_reason),
    function("t_set_disable_internal_reply", (1, 1), &[Kind::Integer], SETTINGS, switches::t_set_disable_internal_reply),
    function("t_branch_timeout", (0, 0), &[], FAILURE_EVENT, f::t_branch_timeout),
    function("t_branch_replied", (0, 0), &[], FAILURE_EVENT, f::t_branch_replied),
    function("t_any_timeout", (0, 0), &[], SETTINGS, f::t_any_timeout),
    function("t_any_replied", (0, 0), &[], SETTINGS, f::t_any_replied),
    function("t_is_canceled", (0, 0), &[], SETTINGS, f::t_is_canceled),
    function("t_is_retr_async_reply", (0, 0), &[], Routes::TM_ONREPLY, f::t_is_retr_async_reply),
    function("t_is_expired", (0, 0), &[], SETTINGS, f::t_is_expired),
    function("t_grep_status", (1, 1), &[Kind::Integer], SETTINGS, f::t_grep_status),
    function("t_drop_replies", (0, 1), &[Kind::Plain], Routes::FAILURE, f::t_drop_replies),
    function("t_save_lumps", (0, 0), &[], REQUEST, f::t_save_lumps),
    function("t_check_trans", (0, 0), &[], REPLIES.or(Routes::BRANCH), f::t_check_trans),
    function("t_is_set", (1, 1), &[Kind::Plain], Routes::ANY, f::t_is_set),
    function("t_use_uac_headers", (0, 0), &[], Routes::ANY, f::t_use_uac_headers),
    function("t_uac_send", (6, 6), &[Kind::Format], Routes::ANY, super::outside::t_uac_send),
    function("t_get_status_code", (0, 0), &[], REPLIES.or(Routes::BRANCH), f::t_get_status_code),
    function("t_load_contacts", (0, 1), &[Kind::Format], REQUEST_FAILURE, contacts::t_load_contacts),
    function("t_next_contacts", (0, 0), &[], REQUEST_FAILURE, contacts::t_next_contacts),
    function("t_next_contact_flow", (0, 0), &[], REQUEST_FAILURE.or(Routes::BRANCH_FAILURE), contacts::t_next_contact_flow),
    function("t_clean", (0, 0), &[], Routes::ANY, f::t_clean),
    function("t_exists", (0, 0), &[], Routes::ANY, f::t_exists),
    function("t_msg_apply_changes", (0, 0), &[], Routes::BRANCH, super::branch_changes::t_msg_apply_changes),
    function("t_cell_append_branches", (2, 2), &[Kind::Integer], Routes::ANY, f::t_cell_append_branches),
];

/// Everything `tm` declares.
pub static MODULE: Module = Module {
    name: "tm",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    commands: super::rpc::COMMANDS,
    statistics: &[],
    events: &["tm:local-request", "tm:local-response", "tm:local-ack-sent", "tm:branch-failure"],
};
