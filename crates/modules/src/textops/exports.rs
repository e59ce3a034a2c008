//! The export table of `textops`.

use crate::registry::Module;

/// Everything `textops` declares.
pub static MODULE: Module = Module {
    name: "textops",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
