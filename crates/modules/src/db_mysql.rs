//! The `db_mysql` module: lets URLs that begin with `mysql://` be used.

use script::exports::{Parameter, ParameterKind};

use crate::registry::Module;

const OWN_BOUNDS: &str = "accepted without effect: each call has its deadline (db_timeout of dialog, query_timeout of sqlops)";
const RECONNECTS: &str = "accepted without effect: a lost connection is made anew before the next statement";

/// Everything `db_mysql` declares.
pub static MODULE: Module = Module {
    name: "db_mysql",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[
        Parameter::integer("ping_interval", 300).note(RECONNECTS),
        Parameter::integer("connect_timeout", 0).note(OWN_BOUNDS),
        Parameter::integer("send_timeout", 0).note(OWN_BOUNDS),
        Parameter::integer("receive_timeout", 0).note(OWN_BOUNDS),
        Parameter::integer("retries", 1).note(RECONNECTS),
        Parameter::integer("server_timezone", 0).note("accepted without effect: times are read as MySQL writes them"),
        Parameter::integer("timeout_interval", 2).note(OWN_BOUNDS),
        Parameter::integer("auto_reconnect", 1).note(RECONNECTS),
        Parameter::integer("insert_delayed", 0).note("accepted without effect: MySQL knows it no more"),
        Parameter::integer("update_affected_found", 0).note("accepted without effect: rows that are changed are counted"),
        Parameter::integer("unsigned_type", 0).note("accepted without effect: numbers have 64 bits and a sign"),
        Parameter::unset("opt_ssl_ca", ParameterKind::Text).note("accepted without effect"),
        Parameter::integer("opt_ssl_mode", 0).note("accepted without effect"),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
