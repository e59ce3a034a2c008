//! The export table of `tm`.

use script::exports::{Kind, Routes};
use script::syntax::ast::RouteKind;

use super::parameters::PARAMETERS;
use super::{contacts, forwarding, functions as f, literals, switches};
use crate::registry::{Function, Module};

const REQUEST: Routes = Routes::REQUEST;
const REQUEST_FAILURE: Routes = Routes::REQUEST.or(Routes::FAILURE);
const REPLIES: Routes = Routes::REQUEST.or(Routes::ONREPLY).or(Routes::FAILURE);
const SETTINGS: Routes = Routes::REQUEST.or(Routes::TM_ONREPLY).or(Routes::FAILURE).or(Routes::BRANCH);
const FAILURE_EVENT: Routes = Routes::FAILURE.or(Routes::BRANCH_FAILURE).or(Routes::EVENT_ROUTE);

const HOST_PORT: &[Kind] = &[Kind::Format, Kind::Integer];
const PROTOCOL_PROXY: &[Kind] = &[Kind::Format, Kind::Format];

static FUNCTIONS: &[Function] = &[
    Function::new("t_newtran", 0..=0, &[], f::t_newtran).routes(REQUEST),
    Function::new("t_lookup_request", 0..=0, &[], f::t_lookup_request).routes(REQUEST),
    Function::new("t_lookup_cancel", 0..=1, &[Kind::Integer], f::t_lookup_cancel).routes(REQUEST),
    Function::new("t_reply", 2..=2, &[Kind::Format, Kind::Format], f::t_reply).routes(REPLIES),
    Function::new("t_reply_error", 0..=0, &[], f::t_reply_error).routes(REPLIES),
    Function::new("t_send_reply", 2..=2, &[Kind::Format, Kind::Format], f::t_send_reply).routes(REPLIES),
    Function::new("t_retransmit_reply", 0..=0, &[], f::t_retransmit_reply).routes(REQUEST),
    Function::new("t_release", 0..=0, &[], f::t_release).routes(REQUEST),
    Function::new("t_relay", 0..=2, HOST_PORT, forwarding::t_relay).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_udp", 0..=2, HOST_PORT, forwarding::t_relay_to_udp).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_tcp", 0..=2, HOST_PORT, forwarding::t_relay_to_tcp).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_tls", 0..=2, HOST_PORT, forwarding::t_relay_to_tls).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_sctp", 0..=2, HOST_PORT, forwarding::t_relay_to_sctp).routes(REQUEST_FAILURE),
    Function::new("t_relay_to", 0..=2, &[Kind::Format, Kind::Integer], forwarding::t_relay_to).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_proxy", 1..=2, &[Kind::Format, Kind::Integer], forwarding::t_relay_to).routes(REQUEST_FAILURE),
    Function::new("t_relay_to_avp", 2..=2, PROTOCOL_PROXY, forwarding::t_relay_to_protocol).routes(REQUEST),
    Function::new("t_replicate", 0..=2, HOST_PORT, forwarding::t_replicate).routes(REQUEST),
    Function::new("t_replicate_udp", 2..=2, HOST_PORT, forwarding::t_replicate).routes(REQUEST),
    Function::new("t_replicate_tcp", 2..=2, HOST_PORT, forwarding::t_replicate_tcp).routes(REQUEST),
    Function::new("t_replicate_tls", 2..=2, HOST_PORT, forwarding::t_replicate_tls).routes(REQUEST),
    Function::new("t_replicate_sctp", 2..=2, &[Kind::Format], f::not_offered)
        .routes(REQUEST)
        .note("declared, answers -1: SCTP is not offered"),
    Function::new("t_replicate_to", 2..=2, PROTOCOL_PROXY, forwarding::t_replicate_to).routes(REQUEST),
    Function::new("t_forward_nonack", 2..=2, HOST_PORT, forwarding::t_relay_to_udp).routes(REQUEST),
    Function::new("t_forward_nonack_uri", 0..=0, &[], forwarding::t_relay).routes(REQUEST),
    Function::new("t_forward_nonack_udp", 2..=2, HOST_PORT, forwarding::t_relay_to_udp).routes(REQUEST),
    Function::new("t_forward_nonack_tcp", 2..=2, HOST_PORT, forwarding::t_relay_to_tcp).routes(REQUEST),
    Function::new("t_forward_nonack_tls", 2..=2, HOST_PORT, forwarding::t_relay_to_tls).routes(REQUEST),
    Function::new("t_forward_nonack_sctp", 2..=2, HOST_PORT, forwarding::t_relay_to_sctp).routes(REQUEST),
    Function::new("t_forward_nonack_to", 2..=2, PROTOCOL_PROXY, forwarding::t_relay_to_protocol).routes(REQUEST),
    Function::new("t_relay_cancel", 0..=0, &[], f::t_relay_cancel).routes(REQUEST),
    Function::new("t_on_failure", 1..=1, &[Kind::Route(RouteKind::Failure)], f::t_on_failure).routes(SETTINGS),
    Function::new("t_on_branch_failure", 1..=1, &[Kind::Plain], f::t_on_branch_failure).routes(SETTINGS),
    Function::new("t_on_reply", 1..=1, &[Kind::Route(RouteKind::OnReply)], f::t_on_reply).routes(SETTINGS),
    Function::new("t_on_branch", 1..=1, &[Kind::Route(RouteKind::Branch)], f::t_on_branch).routes(REQUEST_FAILURE),
    Function::new("t_check_status", 1..=1, &[Kind::Regex], f::t_check_status).routes(REPLIES.or(Routes::BRANCH_FAILURE)),
    Function::new("t_write_req", 2..=2, &[Kind::Format], f::not_offered)
        .routes(REQUEST_FAILURE)
        .note("declared, answers -1: FIFO application servers are not offered"),
    Function::new("t_write_unix", 2..=2, &[Kind::Format], f::not_offered)
        .routes(REQUEST_FAILURE)
        .note("declared, answers -1: FIFO application servers are not offered"),
    Function::new("t_set_fr", 1..=2, &[Kind::Integer], switches::t_set_fr).routes(SETTINGS),
    Function::new("t_reset_fr", 0..=0, &[], switches::t_reset_fr).routes(SETTINGS),
    Function::new("t_set_retr", 2..=2, &[Kind::Integer], switches::t_set_retr).routes(SETTINGS),
    Function::new("t_reset_retr", 0..=0, &[], switches::t_reset_retr).routes(SETTINGS),
    Function::new("t_set_max_lifetime", 2..=2, &[Kind::Integer], switches::t_set_max_lifetime).routes(SETTINGS),
    Function::new("t_reset_max_lifetime", 0..=0, &[], switches::t_reset_max_lifetime).routes(SETTINGS),
    Function::new("t_set_auto_inv_100", 1..=1, &[Kind::Integer], switches::t_set_auto_inv_100).routes(REQUEST),
    Function::new("t_set_disable_6xx", 1..=1, &[Kind::Integer], switches::t_set_disable_6xx).routes(SETTINGS),
    Function::new("t_set_no_auto_ack", 1..=1, &[Kind::Integer], switches::t_set_no_auto_ack).routes(SETTINGS),
    Function::new("t_set_disable_failover", 1..=1, &[Kind::Integer], switches::t_set_disable_failover).routes(SETTINGS),
    Function::new("t_set_no_e2e_cancel_reason", 1..=1, &[Kind::Integer], switches::t_set_no_cancel_reason).routes(SETTINGS),
    Function::new("t_disable_e2e_cancel_reason", 1..=1, &[Kind::Integer], switches::t_set_no_cancel_reason).routes(SETTINGS),
    Function::new("t_set_disable_internal_reply", 1..=1, &[Kind::Integer], switches::t_set_disable_internal_reply).routes(SETTINGS),
    Function::new("t_branch_timeout", 0..=0, &[], f::t_branch_timeout).routes(FAILURE_EVENT),
    Function::new("t_branch_replied", 0..=0, &[], f::t_branch_replied).routes(FAILURE_EVENT),
    Function::new("t_any_timeout", 0..=0, &[], f::t_any_timeout).routes(SETTINGS),
    Function::new("t_any_replied", 0..=0, &[], f::t_any_replied).routes(SETTINGS),
    Function::new("t_is_canceled", 0..=0, &[], f::t_is_canceled).routes(SETTINGS),
    Function::new("t_is_retr_async_reply", 0..=0, &[], f::t_is_retr_async_reply).routes(Routes::TM_ONREPLY),
    Function::new("t_is_expired", 0..=0, &[], f::t_is_expired).routes(SETTINGS),
    Function::new("t_grep_status", 1..=1, &[Kind::Integer], f::t_grep_status).routes(SETTINGS),
    Function::new("t_drop_replies", 0..=1, &[Kind::Plain], f::t_drop_replies).routes(Routes::FAILURE),
    Function::new("t_save_lumps", 0..=0, &[], f::t_save_lumps).routes(REQUEST),
    Function::new("t_check_trans", 0..=0, &[], f::t_check_trans).routes(REPLIES.or(Routes::BRANCH)),
    Function::new("t_is_set", 1..=1, &[Kind::Plain], f::t_is_set),
    Function::new("t_use_uac_headers", 0..=0, &[], f::t_use_uac_headers),
    Function::new("t_uac_send", 6..=6, &[Kind::Format], super::outside::t_uac_send),
    Function::new("t_get_status_code", 0..=0, &[], f::t_get_status_code).routes(REPLIES.or(Routes::BRANCH)),
    Function::new("t_load_contacts", 0..=1, &[Kind::Format], contacts::t_load_contacts).routes(REQUEST_FAILURE),
    Function::new("t_next_contacts", 0..=0, &[], contacts::t_next_contacts).routes(REQUEST_FAILURE),
    Function::new("t_next_contact_flow", 0..=0, &[], contacts::t_next_contact_flow).routes(REQUEST_FAILURE.or(Routes::BRANCH_FAILURE)),
    Function::new("t_clean", 0..=0, &[], f::t_clean),
    Function::new("t_exists", 0..=0, &[], f::t_exists),
    Function::new("t_msg_apply_changes", 0..=0, &[], super::branch_changes::t_msg_apply_changes).routes(Routes::BRANCH),
    Function::new("t_cell_append_branches", 2..=2, &[Kind::Integer], f::t_cell_append_branches),
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
