//! The export table of `dialog`.

use crate::registry::Module;

/// Everything `dialog` declares.
pub static MODULE: Module = Module {
    name: "dialog",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
