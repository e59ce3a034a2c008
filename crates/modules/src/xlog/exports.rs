//! The export table of `xlog`.

use crate::registry::Module;

/// Everything `xlog` declares.
pub static MODULE: Module = Module {
    name: "xlog",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
