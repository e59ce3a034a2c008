//! The export table of `core`.

use crate::registry::Module;

/// Everything `core` declares.
pub static MODULE: Module = Module {
    name: "core",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
