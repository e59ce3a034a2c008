//! The export table of `textopsx`.

use crate::registry::Module;

/// Everything `textopsx` declares.
pub static MODULE: Module = Module {
    name: "textopsx",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
