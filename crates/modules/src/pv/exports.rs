//! The export table of `pv`.

use crate::registry::Module;

/// Everything `pv` declares.
pub static MODULE: Module = Module {
    name: "pv",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
