//! The export table of `jsonrpcs`.

use crate::registry::Module;

/// Everything `jsonrpcs` declares.
pub static MODULE: Module = Module {
    name: "jsonrpcs",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
