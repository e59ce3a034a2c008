//! The export table of `maxfwd`.

use script::exports::{Default as ParameterDefault, Function, Kind, Parameter, ParameterKind, Routes};

use super::hop_limit;
use crate::registry::Module;
use crate::worker::Worker;

const COMPARING: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::BRANCH);

const fn process(name: &'static str) -> Function<Worker> {
    Function { name, arity: (1, 1), arguments: &[Kind::Integer], routes: Routes::REQUEST, call: hop_limit::process, note: "" }
}

const fn is_below(name: &'static str) -> Function<Worker> {
    Function { name, arity: (1, 1), arguments: &[Kind::Integer], routes: COMPARING, call: hop_limit::is_below, note: "" }
}

/// Everything `maxfwd` declares.
pub static MODULE: Module = Module {
    name: "maxfwd",
    checks: &[],
    functions: &[
        process("mf_process_maxfwd_header"),
        process("maxfwd_process"),
        process("process_maxfwd"),
        is_below("is_maxfwd_lt"),
        is_below("maxfwd_at_least"),
        is_below("mf_lowlimit"),
    ],
    variables: &[],
    parameters: &[Parameter { name: "max_limit", kind: ParameterKind::Integer, default: ParameterDefault::Integer(70), note: "" }],
    commands: &[],
    statistics: &[],
    events: &[],
};
