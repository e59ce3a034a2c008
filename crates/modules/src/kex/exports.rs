//! The export table of `kex`.

use crate::registry::Module;

/// Everything `kex` declares.
pub static MODULE: Module = Module {
    name: "kex",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
