//! The export table of `tmx`.

use script::exports::{
    Argument, Default as ParameterDefault, Flow, Function, Index, Inner, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable,
};
use script::value::Value;

use super::{branches, functions, precheck, remote, statistics, suspend, variables};
use crate::registry::Module;
use crate::worker::Worker;

const fn function(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    routes: Routes,
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

const fn noted(function: Function<Worker>, note: &'static str) -> Function<Worker> {
    Function { note, ..function }
}

const fn variable(name: &'static str, inner: InnerKind, read: fn(&mut Worker, &Inner, Option<Index>) -> Value) -> Variable<Worker> {
    Variable { name, inner, indexed: false, read, write: None, note: "" }
}

const ANY: Routes = Routes::ANY;
const CALL: &[Kind] = &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer];
const ANSWER: &[Kind] = &[Kind::Format, Kind::Format, Kind::Integer, Kind::Format];
const NUMBERED: &[Kind] = &[Kind::Integer, Kind::Integer, Kind::Integer];
const RESUMED: &[Kind] = &[Kind::Integer, Kind::Integer, Kind::Format];
const VIA_FLAGS: &str = "the flags are kept for each branch; no flag changes how its Via is written";

static FUNCTIONS: &[Function<Worker>] = &[
    function("t_uac_ack_local", (2, 4), &[Kind::Format], ANY, remote::t_uac_ack_local),
    function("t_cancel_branches", (1, 1), &[Kind::Plain], Routes::ONREPLY, functions::t_cancel_branches),
    function("t_cancel_callid", (3, 4), CALL, ANY, remote::t_cancel_callid),
    function("t_cancel_branch_idx", (3, 3), NUMBERED, ANY, remote::t_cancel_branch_idx),
    function("t_reply_callid", (4, 4), ANSWER, ANY, remote::t_reply_callid),
    function("t_flush_flags", (0, 0), &[], ANY, functions::t_flush_flags),
    function("t_flush_xflags", (0, 0), &[], ANY, functions::t_flush_xflags),
    function("t_is_failure_route", (0, 0), &[], ANY, functions::t_is_failure_route),
    function("t_is_branch_route", (0, 0), &[], ANY, functions::t_is_branch_route),
    function("t_is_reply_route", (0, 0), &[], ANY, functions::t_is_reply_route),
    function("t_is_request_route", (0, 0), &[], ANY, functions::t_is_request_route),
    function("t_suspend", (0, 0), &[], ANY, suspend::t_suspend),
    function("t_continue", (3, 3), RESUMED, ANY, suspend::t_continue),
    function("t_reuse_branch", (0, 0), &[], Routes::EVENT_ROUTE.or(Routes::BRANCH_FAILURE), branches::t_reuse_branch),
    noted(
        function("t_precheck_trans", (0, 0), &[], Routes::REQUEST, precheck::t_precheck_trans),
        "a request is published when the function is called, not before the route",
    ),
    function("t_drop", (0, 1), &[Kind::Integer], ANY, functions::t_drop),
    noted(function("t_vbflag_set", (1, 1), &[Kind::Integer], ANY, branches::t_vbflag_set), VIA_FLAGS),
    noted(function("t_vbflag_reset", (1, 1), &[Kind::Integer], ANY, branches::t_vbflag_reset), VIA_FLAGS),
    noted(function("t_vbflag_is_set", (1, 1), &[Kind::Integer], ANY, branches::t_vbflag_is_set), VIA_FLAGS),
];

static VARIABLES: &[Variable<Worker>] = &[
    variable("T_branch_idx", InnerKind::None, variables::branch_index),
    variable("T_reply_ruid", InnerKind::None, variables::reply_ruid),
    variable("T_reply_code", InnerKind::None, variables::reply_code),
    variable("T_reply_reason", InnerKind::None, variables::reply_reason),
    variable("T_reply_last", InnerKind::None, variables::reply_last),
    variable("T_inv", InnerKind::Variable, variables::on_invite),
    variable("T_req", InnerKind::Variable, variables::on_request),
    variable("T_rpl", InnerKind::Variable, variables::on_reply),
    variable("T", InnerKind::OneOf(variables::TRANSACTION_FIELDS), variables::transaction_field),
    variable("T_branch", InnerKind::OneOf(variables::BRANCH_FIELDS), variables::branch_field),
];

/// Everything `tmx` declares.
pub static MODULE: Module = Module {
    name: "tmx",
    checks: &[],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: &[Parameter { name: "precheck_trans", kind: ParameterKind::Integer, default: ParameterDefault::Integer(1), note: "" }],
    commands: &[],
    statistics: statistics::STATISTICS,
    events: &[],
};
