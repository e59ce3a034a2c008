//! The `db_postgres` module: lets URLs that begin with `postgres://` be used.

use script::exports::{Parameter, ParameterKind};

use crate::registry::Module;

const OWN_BOUNDS: &str = "accepted without effect: each call has its deadline (db_timeout of dialog, query_timeout of sqlops)";

/// Everything `db_postgres` declares.
pub static MODULE: Module = Module {
    name: "db_postgres",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[
        Parameter::integer("retries", 2).note("accepted without effect: a lost connection is made anew before the next statement"),
        Parameter::integer("lockset", 4).note("accepted without effect"),
        Parameter::integer("timeout", 0).note(OWN_BOUNDS),
        Parameter::integer("tcp_keepalive", 0).note(OWN_BOUNDS),
        Parameter::integer("bytea_output_escape", 1).note("accepted without effect: bytea is read as PostgreSQL writes it"),
        Parameter::unset("con_param", ParameterKind::Texts).note("accepted without effect: options stand behind the URL"),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
