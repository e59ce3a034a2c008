//! The export table of `ctl`.

use crate::registry::Module;

/// Everything `ctl` declares.
pub static MODULE: Module = Module {
    name: "ctl",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
