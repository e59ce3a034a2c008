//! The export table of `htable`.

use crate::registry::Module;

/// Everything `htable` declares.
pub static MODULE: Module = Module {
    name: "htable",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
