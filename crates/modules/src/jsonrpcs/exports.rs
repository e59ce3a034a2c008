//! The export table of `jsonrpcs`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::{functions, rpc};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

/// The fields of `$jsonrpl`, in the order [`functions::reply_field`] knows them.
const REPLY_FIELDS: &[&str] = &["code", "text", "body"];

/// Everything `jsonrpcs` declares.
pub static MODULE: Module = Module {
    name: "jsonrpcs",
    checks: &[],
    functions: &[
        Function::new("jsonrpc_dispatch", 0..=0, &[], functions::dispatch)
            .routes(Routes::REQUEST)
            .note("answers -1: HTTP is served on `http_address`, not from a route"),
        Function::new("jsonrpc_exec", 1..=1, &[Kind::Format], functions::execute),
    ],
    variables: &[Variable::new("jsonrpl", functions::reply_field).inner(InnerKind::OneOf(REPLY_FIELDS))],
    parameters: &[
        Parameter::integer("pretty_format", 1),
        Parameter::integer("transport", 6),
        Parameter::text("fifo_name", "kamailio_rpc.fifo"),
        Parameter::integer("fifo_mode", 0o660),
        Parameter::unset("fifo_group", ParameterKind::Any),
        Parameter::unset("fifo_user", ParameterKind::Any),
        Parameter::text("fifo_reply_dir", "/tmp/"),
        Parameter::text("dgram_socket", "kamailio_rpc.sock"),
        Parameter::integer("dgram_workers", 1),
        Parameter::integer("dgram_timeout", 2000),
        Parameter::integer("dgram_mode", 0o660),
        Parameter::unset("dgram_group", ParameterKind::Any),
        Parameter::unset("dgram_user", ParameterKind::Any),
        Parameter::text("tcp_socket", ""),
        Parameter::text("http_address", "").note("our own: serve JSON-RPC over HTTP on this address:port"),
    ],
    commands: &[Command::new("jsonrpc.echo", "Returns its parameters.", rpc::echo).array()],
    statistics: &[],
    events: &[],
};
