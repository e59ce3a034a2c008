//! The export table of `xlog`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind};

use super::{colors, functions, literals};
use crate::registry::{Function, Module, Variable};

/// Everything `xlog` declares.
pub static MODULE: Module = Module {
    name: "xlog",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: &[Variable::new("C", colors::color).inner(InnerKind::Word)],
    parameters: PARAMETERS,
    commands: &[],
    statistics: &[],
    events: &[],
};

static FUNCTIONS: &[Function] = &[
    Function::new("xlog", 1..=3, &[Kind::Format], functions::xlog),
    Function::new("xdbg", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, 3)),
    Function::new("xinfo", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, 2)),
    Function::new("xnotice", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, 1)),
    Function::new("xwarn", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, 0)),
    Function::new("xerr", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, -1)),
    Function::new("xcrit", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, -2)),
    Function::new("xbug", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, -4)),
    Function::new("xalert", 1..=1, &[Kind::Format], |worker, arguments| functions::at_level(worker, arguments, -5)),
    Function::new("xlogl", 1..=3, &[Kind::Format], functions::with_place),
    Function::new("xdbgl", 1..=1, &[Kind::Format], functions::debug_with_place),
    Function::new("xlogm", 2..=2, &[Kind::Format], functions::unless_filtered),
];

static PARAMETERS: &[Parameter] = &[
    Parameter::integer("buf_size", 4096).note("longer lines are cut, as in 6.x"),
    Parameter::integer("force_color", 0),
    Parameter::integer("long_format", 0),
    Parameter::text("prefix", "<script>: "),
    Parameter::unset("log_facility", ParameterKind::Text),
    Parameter::unset("log_colors", ParameterKind::Texts),
    Parameter::integer("methods_filter", -1),
    Parameter::integer("prefix_mode", 0),
    Parameter::integer("auto_newline", 0).note("no effect: each call is one line, with or without"),
];
