//! The export table of `cfgutils`.

use crate::registry::Module;

/// Everything `cfgutils` declares.
pub static MODULE: Module = Module {
    name: "cfgutils",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
