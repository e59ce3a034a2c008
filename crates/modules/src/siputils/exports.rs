//! The export table of `siputils`.

use crate::registry::Module;

/// Everything `siputils` declares.
pub static MODULE: Module = Module {
    name: "siputils",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
