//! The export table of `statistics`.

use script::exports::{Default, Function, Kind, Parameter, ParameterKind, Routes};

use super::functions;
use super::literals;
use crate::registry::Module;

/// Everything `statistics` declares.
pub static MODULE: Module = Module {
    name: "statistics",
    checks: literals::CHECKS,
    functions: &[
        Function { name: "update_stat", arity: (2, 2), arguments: &[Kind::Format], routes: Routes::ANY, call: functions::update, note: "" },
        Function {
            name: "reset_stat",
            arity: (1, 1),
            arguments: &[Kind::Format],
            routes: Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE).or(Routes::ONREPLY).or(Routes::LOCAL),
            call: functions::reset,
            note: "",
        },
    ],
    variables: &[],
    parameters: &[Parameter { name: "variable", kind: ParameterKind::Texts, default: Default::Unset, note: "" }],
    commands: &[],
    statistics: &[],
    events: &[],
};
