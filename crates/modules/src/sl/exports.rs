//! The export table of `sl`.

use crate::registry::Module;

/// Everything `sl` declares.
pub static MODULE: Module = Module {
    name: "sl",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
