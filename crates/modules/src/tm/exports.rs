//! The export table of `tm`.

use crate::registry::Module;

/// Everything `tm` declares.
pub static MODULE: Module = Module {
    name: "tm",
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
