//! The export table of `counters`.

use crate::registry::Module;

/// Everything `counters` declares.
pub static MODULE: Module = Module {
    name: "counters",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
