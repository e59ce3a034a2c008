//! The export table of `ctl`.

use script::exports::{Parameter, ParameterKind};

use super::rpc;
use crate::registry::Module;
use crate::rpc::Command;

const NO_BUFFER: &str = "accepted, no effect: pieces of an answer have no limit of their own";

/// Everything `ctl` declares.
pub static MODULE: Module = Module {
    name: "ctl",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[
        Parameter::unset("binrpc", ParameterKind::Texts),
        Parameter::unset("fifo", ParameterKind::Texts)
            .note("accepted, no effect: the text FIFO is not offered; that of 5.6.3 answers with freed memory, so nobody can use it"),
        Parameter::integer("mode", 0o600),
        Parameter::unset("user", ParameterKind::Any),
        Parameter::unset("group", ParameterKind::Any),
        Parameter::integer("autoconversion", 0),
        Parameter::integer("binrpc_max_body_size", 32)
            .note("KB; a longer answer is a fault only when the parameter is set, Kamailio cuts at 32 KB"),
        Parameter::integer("binrpc_struct_max_body_size", 8).note(NO_BUFFER),
        Parameter::integer("binrpc_buffer_size", 1024).note(NO_BUFFER),
        Parameter::integer("allow_remote", 0).note("our own: 1 lets `binrpc` listen on addresses that are not loopback"),
    ],
    commands: &[
        Command::new("ctl.who", "Lists the open connections of the control sockets.", rpc::who),
        Command::new("ctl.connections", "Counts the open connections of the control sockets.", rpc::connections),
        Command::new("ctl.listen", "Lists the control sockets.", rpc::listen),
    ],
    statistics: &[],
    events: &[],
};
