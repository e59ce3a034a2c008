//! The export table of `tmx`.

use crate::registry::Module;

/// Everything `tmx` declares.
pub static MODULE: Module = Module {
    name: "tmx",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
