//! The export table of `statistics`.

use script::exports::{Kind, Parameter, ParameterKind, Routes};

use super::functions;
use super::literals;
use crate::registry::{Function, Module};

/// Everything `statistics` declares.
pub static MODULE: Module = Module {
    name: "statistics",
    checks: literals::CHECKS,
    functions: &[
        Function::new("update_stat", 2..=2, &[Kind::Format], functions::update),
        Function::new("reset_stat", 1..=1, &[Kind::Format], functions::reset)
            .routes(Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE).or(Routes::ONREPLY).or(Routes::LOCAL)),
    ],
    variables: &[],
    parameters: &[Parameter::unset("variable", ParameterKind::Texts)],
    commands: &[],
    statistics: &[],
    events: &[],
};
