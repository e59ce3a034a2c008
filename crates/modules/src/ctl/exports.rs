//! The export table of `ctl`.

use script::exports::{Default as ParameterDefault, Parameter, ParameterKind};

use super::rpc;
use crate::registry::Module;
use crate::rpc::Command;

const fn parameter(name: &'static str, kind: ParameterKind, default: ParameterDefault, note: &'static str) -> Parameter {
    Parameter { name, kind, default, note }
}

const NO_BUFFER: &str = "accepted, no effect: pieces of an answer have no limit of their own";

/// Everything `ctl` declares.
pub static MODULE: Module = Module {
    name: "ctl",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[
        parameter("binrpc", ParameterKind::Texts, ParameterDefault::Unset, ""),
        parameter(
            "fifo",
            ParameterKind::Texts,
            ParameterDefault::Unset,
            "accepted, no effect: the text FIFO is not offered; that of 5.6.3 answers with freed memory, so nobody can use it",
        ),
        parameter("mode", ParameterKind::Integer, ParameterDefault::Integer(0o600), ""),
        parameter("user", ParameterKind::Any, ParameterDefault::Unset, ""),
        parameter("group", ParameterKind::Any, ParameterDefault::Unset, ""),
        parameter("autoconversion", ParameterKind::Integer, ParameterDefault::Integer(0), ""),
        parameter(
            "binrpc_max_body_size",
            ParameterKind::Integer,
            ParameterDefault::Integer(32),
            "KB; a longer answer is a fault only when the parameter is set, Kamailio cuts at 32 KB",
        ),
        parameter("binrpc_struct_max_body_size", ParameterKind::Integer, ParameterDefault::Integer(8), NO_BUFFER),
        parameter("binrpc_buffer_size", ParameterKind::Integer, ParameterDefault::Integer(1024), NO_BUFFER),
        parameter(
            "allow_remote",
            ParameterKind::Integer,
            ParameterDefault::Integer(0),
            "our own: 1 lets `binrpc` listen on addresses that are not loopback",
        ),
    ],
    commands: &[
        Command { name: "ctl.who", help: "Lists the open connections of the control sockets.", is_array: false, run: rpc::who },
        Command {
            name: "ctl.connections",
            help: "Counts the open connections of the control sockets.",
            is_array: false,
            run: rpc::connections,
        },
        Command { name: "ctl.listen", help: "Lists the control sockets.", is_array: false, run: rpc::listen },
    ],
    statistics: &[],
    events: &[],
};
