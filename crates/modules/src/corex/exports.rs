//! The export table of `corex`.

use crate::registry::Module;

/// Everything `corex` declares.
pub static MODULE: Module = Module {
    name: "corex",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
