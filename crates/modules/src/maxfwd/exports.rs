//! The export table of `maxfwd`.

use script::exports::{Kind, Parameter, Routes};

use super::hop_limit;
use crate::registry::{Function, Module};

const COMPARING: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::BRANCH);

/// Everything `maxfwd` declares.
pub static MODULE: Module = Module {
    name: "maxfwd",
    checks: &[],
    functions: &[
        Function::new("mf_process_maxfwd_header", 1..=1, &[Kind::Integer], hop_limit::process).routes(Routes::REQUEST),
        Function::new("maxfwd_process", 1..=1, &[Kind::Integer], hop_limit::process).routes(Routes::REQUEST),
        Function::new("process_maxfwd", 1..=1, &[Kind::Integer], hop_limit::process).routes(Routes::REQUEST),
        Function::new("is_maxfwd_lt", 1..=1, &[Kind::Integer], hop_limit::is_below).routes(COMPARING),
        Function::new("maxfwd_at_least", 1..=1, &[Kind::Integer], hop_limit::is_below).routes(COMPARING),
        Function::new("mf_lowlimit", 1..=1, &[Kind::Integer], hop_limit::is_below).routes(COMPARING),
    ],
    variables: &[],
    parameters: &[Parameter::integer("max_limit", 70)],
    commands: &[],
    statistics: &[],
    events: &[],
};
