//! The export table of `sanity`.

use crate::registry::Module;

/// Everything `sanity` declares.
pub static MODULE: Module = Module {
    name: "sanity",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
