//! The export table of `xlog`.

use script::exports::{Argument, Default, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{colors, functions, literals};
use crate::registry::Module;
use crate::worker::Worker;

/// Everything `xlog` declares.
pub static MODULE: Module = Module {
    name: "xlog",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: &[Variable { name: "C", inner: InnerKind::Word, indexed: false, read: colors::color, write: None, note: "" }],
    parameters: PARAMETERS,
    commands: &[],
    statistics: &[],
    events: &[],
};

const fn function(name: &'static str, arity: (u8, u8), call: fn(&mut Worker, &[Argument]) -> Flow, note: &'static str) -> Function<Worker> {
    Function { name, arity, arguments: &[Kind::Format], routes: Routes::ANY, call, note }
}

static FUNCTIONS: &[Function<Worker>] = &[
    function("xlog", (1, 3), functions::xlog, ""),
    function("xdbg", (1, 1), |worker, arguments| functions::at_level(worker, arguments, 3), ""),
    function("xinfo", (1, 1), |worker, arguments| functions::at_level(worker, arguments, 2), ""),
    function("xnotice", (1, 1), |worker, arguments| functions::at_level(worker, arguments, 1), ""),
    function("xwarn", (1, 1), |worker, arguments| functions::at_level(worker, arguments, 0), ""),
    function("xerr", (1, 1), |worker, arguments| functions::at_level(worker, arguments, -1), ""),
    function("xcrit", (1, 1), |worker, arguments| functions::at_level(worker, arguments, -2), ""),
    function("xbug", (1, 1), |worker, arguments| functions::at_level(worker, arguments, -4), ""),
    function("xalert", (1, 1), |worker, arguments| functions::at_level(worker, arguments, -5), ""),
    function("xlogl", (1, 3), functions::with_place, ""),
    function("xdbgl", (1, 1), functions::debug_with_place, ""),
    function("xlogm", (2, 2), functions::unless_filtered, ""),
];

const fn integer(name: &'static str, default: i64, note: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: Default::Integer(default), note }
}

static PARAMETERS: &[Parameter] = &[
    integer("buf_size", 4096, "longer lines are cut, as in 6.x"),
    integer("force_color", 0, ""),
    integer("long_format", 0, ""),
    Parameter { name: "prefix", kind: ParameterKind::Text, default: Default::Text("<script>: "), note: "" },
    Parameter { name: "log_facility", kind: ParameterKind::Text, default: Default::Unset, note: "" },
    Parameter { name: "log_colors", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    integer("methods_filter", -1, ""),
    integer("prefix_mode", 0, ""),
    integer("auto_newline", 0, "no effect: each call is one line, with or without"),
];
