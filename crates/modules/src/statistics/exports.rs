//! The export table of `statistics`.

use crate::registry::Module;

/// Everything `statistics` declares.
pub static MODULE: Module = Module {
    name: "statistics",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
