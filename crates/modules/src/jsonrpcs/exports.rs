//! The export table of `jsonrpcs`.

use script::exports::{Default as ParameterDefault, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{functions, rpc};
use crate::registry::Module;
use crate::rpc::Command;

const fn integer(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: ParameterDefault::Integer(default), note: "" }
}

const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: ParameterDefault::Text(default), note: "" }
}

const fn owner(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Any, default: ParameterDefault::Unset, note: "" }
}

const fn noted(parameter: Parameter, note: &'static str) -> Parameter {
    Parameter { note, ..parameter }
}

/// The fields of `$jsonrpl`, in the order [`functions::reply_field`] knows them.
const REPLY_FIELDS: &[&str] = &["code", "text", "body"];

/// Everything `jsonrpcs` declares.
pub static MODULE: Module = Module {
    name: "jsonrpcs",
    checks: &[],
    functions: &[
        Function {
            name: "jsonrpc_dispatch",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::REQUEST,
            call: functions::dispatch,
            note: "answers -1: HTTP is served on `http_address`, not from a route",
        },
        Function {
            name: "jsonrpc_exec",
            arity: (1, 1),
            arguments: &[Kind::Format],
            routes: Routes::ANY,
            call: functions::execute,
            note: "",
        },
    ],
    variables: &[Variable {
        name: "jsonrpl",
        inner: InnerKind::OneOf(REPLY_FIELDS),
        indexed: false,
        read: functions::reply_field,
        write: None,
        note: "",
    }],
    parameters: &[
        integer("pretty_format", 1),
        integer("transport", 6),
        text("fifo_name", "kamailio_rpc.fifo"),
        integer("fifo_mode", 0o660),
        owner("fifo_group"),
        owner("fifo_user"),
        text("fifo_reply_dir", "/tmp/"),
        text("dgram_socket", "kamailio_rpc.sock"),
        integer("dgram_workers", 1),
        integer("dgram_timeout", 2000),
        integer("dgram_mode", 0o660),
        owner("dgram_group"),
        owner("dgram_user"),
        text("tcp_socket", ""),
        noted(text("http_address", ""), "our own: serve JSON-RPC over HTTP on this address:port"),
    ],
    commands: &[Command { name: "jsonrpc.echo", help: "Returns its parameters.", is_array: true, run: rpc::echo }],
    statistics: &[],
    events: &[],
};
