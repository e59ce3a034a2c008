//! The export table of `xlog`.

use script::exports::{Argument, InnerKind, Kind, Parameter, ParameterKind};

use super::{colors, functions, literals};
use crate::registry::{Function, Module, Variable};
use crate::worker::Worker;

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
    Function::new("xlog", 1..=3, &[Kind::Format], functions::xlog).unless(functions::is_level_silent),
    at_level::<3>("xdbg"),
    at_level::<2>("xinfo"),
    at_level::<1>("xnotice"),
    at_level::<0>("xwarn"),
    at_level::<-1>("xerr"),
    at_level::<-2>("xcrit"),
    at_level::<-4>("xbug"),
    at_level::<-5>("xalert"),
    Function::new("xlogl", 1..=3, &[Kind::Format], functions::with_place).unless(functions::is_level_silent),
    Function::new("xdbgl", 1..=1, &[Kind::Format], functions::debug_with_place)
        .unless(|worker, _| functions::is_silent(worker, functions::LEVEL_DEBUG)),
    Function::new("xlogm", 2..=2, &[Kind::Format], functions::unless_filtered).unless(functions::is_level_silent),
];

/// A function with its level in its name.
const fn at_level<const LEVEL: i32>(name: &'static str) -> Function {
    let call = |worker: &mut Worker, arguments: &[Argument]| functions::at_level(worker, arguments, LEVEL);
    Function::new(name, 1..=1, &[Kind::Format], call).unless(|worker, _| functions::is_silent(worker, LEVEL))
}

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
