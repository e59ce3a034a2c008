//! The export table of `tmx`.

use script::exports::{InnerKind, Kind, Parameter, Routes};

use super::{branches, functions, precheck, remote, statistics, suspend, variables};
use crate::registry::{Function, Module, Variable};

const CALL: &[Kind] = &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer];
const ANSWER: &[Kind] = &[Kind::Format, Kind::Format, Kind::Integer, Kind::Format];
const NUMBERED: &[Kind] = &[Kind::Integer, Kind::Integer, Kind::Integer];
const RESUMED: &[Kind] = &[Kind::Integer, Kind::Integer, Kind::Format];
const VIA_FLAGS: &str = "the flags are kept for each branch; no flag changes how its Via is written";

static FUNCTIONS: &[Function] = &[
    Function::new("t_uac_ack_local", 2..=4, &[Kind::Format], remote::t_uac_ack_local),
    Function::new("t_cancel_branches", 1..=1, &[Kind::Plain], functions::t_cancel_branches).routes(Routes::ONREPLY),
    Function::new("t_cancel_callid", 3..=4, CALL, remote::t_cancel_callid),
    Function::new("t_cancel_branch_idx", 3..=3, NUMBERED, remote::t_cancel_branch_idx),
    Function::new("t_reply_callid", 4..=4, ANSWER, remote::t_reply_callid),
    Function::new("t_flush_flags", 0..=0, &[], functions::t_flush_flags),
    Function::new("t_flush_xflags", 0..=0, &[], functions::t_flush_xflags),
    Function::new("t_is_failure_route", 0..=0, &[], functions::t_is_failure_route),
    Function::new("t_is_branch_route", 0..=0, &[], functions::t_is_branch_route),
    Function::new("t_is_reply_route", 0..=0, &[], functions::t_is_reply_route),
    Function::new("t_is_request_route", 0..=0, &[], functions::t_is_request_route),
    Function::new("t_suspend", 0..=0, &[], suspend::t_suspend),
    Function::new("t_continue", 3..=3, RESUMED, suspend::t_continue),
    Function::new("t_reuse_branch", 0..=0, &[], branches::t_reuse_branch).routes(Routes::EVENT_ROUTE.or(Routes::BRANCH_FAILURE)),
    Function::new("t_precheck_trans", 0..=0, &[], precheck::t_precheck_trans)
        .routes(Routes::REQUEST)
        .note("a request is published when the function is called, not before the route"),
    Function::new("t_drop", 0..=1, &[Kind::Integer], functions::t_drop),
    Function::new("t_vbflag_set", 1..=1, &[Kind::Integer], branches::t_vbflag_set).note(VIA_FLAGS),
    Function::new("t_vbflag_reset", 1..=1, &[Kind::Integer], branches::t_vbflag_reset).note(VIA_FLAGS),
    Function::new("t_vbflag_is_set", 1..=1, &[Kind::Integer], branches::t_vbflag_is_set).note(VIA_FLAGS),
];

static VARIABLES: &[Variable] = &[
    Variable::new("T_branch_idx", variables::branch_index),
    Variable::new("T_reply_ruid", variables::reply_ruid),
    Variable::new("T_reply_code", variables::reply_code),
    Variable::new("T_reply_reason", variables::reply_reason),
    Variable::new("T_reply_last", variables::reply_last),
    Variable::new("T_inv", variables::on_invite).inner(InnerKind::Variable),
    Variable::new("T_req", variables::on_request).inner(InnerKind::Variable),
    Variable::new("T_rpl", variables::on_reply).inner(InnerKind::Variable),
    Variable::new("T", variables::transaction_field).inner(InnerKind::OneOf(variables::TRANSACTION_FIELDS)),
    Variable::new("T_branch", variables::branch_field).inner(InnerKind::OneOf(variables::BRANCH_FIELDS)),
];

/// Everything `tmx` declares.
pub static MODULE: Module = Module {
    name: "tmx",
    checks: &[],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: &[Parameter::integer("precheck_trans", 1)],
    commands: &[],
    statistics: statistics::STATISTICS,
    events: &[],
};
