//! The export table of `cfg_rpc`.

use crate::registry::Module;

/// Everything `cfg_rpc` declares.
pub static MODULE: Module = Module {
    name: "cfg_rpc",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
