//! The export table of `sqlops`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind};

use super::{functions, literals, variables};
use crate::registry::{Function, Module, Variable};

const STATEMENT: &[Kind] = &[Kind::Plain, Kind::Format, Kind::Plain];
const WAITS: &str = "the script waits for the database meanwhile; in routes that cannot wait (all but request routes) a statement that \
    gives no rows is handed over and answered with 2 at once, one that gives rows fails";
const RUN: &str = "results last as long as the run of the script; decimal numbers are texts, in 5.6 they are null";

/// Everything `sqlops` declares.
pub static MODULE: Module = Module {
    name: "sqlops",
    checks: literals::CHECKS,
    functions: &[
        Function::new("sql_query", 2..=3, STATEMENT, functions::query).note(WAITS),
        Function::new("sql_query_async", 2..=2, STATEMENT, functions::query_async).note("with every database, not MySQL alone"),
        Function::new("sql_xquery", 3..=3, STATEMENT, functions::query_into_attributes).note(WAITS),
        Function::new("sql_pvquery", 3..=3, STATEMENT, functions::query_into_variables).note(WAITS),
        Function::new("sql_result_free", 1..=1, &[Kind::Plain], functions::free),
    ],
    variables: &[
        Variable::new("dbr", variables::result).inner(InnerKind::Format).note(RUN),
        Variable::new("sqlrows", variables::affected).inner(InnerKind::Word).note("with every database, of statements in the same run"),
    ],
    parameters: &[
        Parameter::unset("sqlcon", ParameterKind::Texts),
        Parameter::unset("sqlres", ParameterKind::Texts).note("accepted without effect: a result needs no declaration"),
        Parameter::integer("tr_buf_size", 2048).note("accepted without effect: texts have no buffer to be too small"),
        Parameter::integer("log_buf_size", 128),
        Parameter::integer("connect_mode", 0),
        Parameter::integer("results_maxsize", 32),
        Parameter::integer("connections", 4).note("extension: statements that one database carries out at a time"),
        Parameter::integer("query_timeout", 5000).note("extension: longest milliseconds of one statement, and of the wait for its turn"),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
