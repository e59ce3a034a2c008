//! The export table of `corex`.

use script::exports::{Argument, Default, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::message_flags::{self, Action};
use super::{functions, rpc, send, socket_lookup};
use crate::core::{branches, rpc_sockets};
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

/// Everything `corex` declares.
pub static MODULE: Module = Module {
    name: "corex",
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    commands: COMMANDS,
    statistics: &[],
    events: &["corex:reply-out", "network:msg"],
};

const fn function(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note: "" }
}

const fn within(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    routes: Routes,
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

const fn refused(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    call: fn(&mut Worker, &[Argument]) -> Flow,
    note: &'static str,
) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note }
}

const REQUEST_FAILURE: Routes = Routes::REQUEST.or(Routes::FAILURE);
const NO_FILES: &str = "refused: scripts cannot touch files";
const NO_VIA: &str = "refused: the Via cannot be extended";
const NO_CLIENT: &str = "refused: not available";

static FUNCTIONS: &[Function<Worker>] = &[
    within("append_branch", (0, 2), &[Kind::Format], REQUEST_FAILURE, branches::append_branch),
    within("send_udp", (0, 1), &[Kind::Format], REQUEST_FAILURE, |worker, arguments| send::message(worker, arguments, "udp")),
    within("send_tcp", (0, 1), &[Kind::Format], REQUEST_FAILURE, |worker, arguments| send::message(worker, arguments, "tcp")),
    function("send_data", (2, 2), &[Kind::Format], send::data),
    function("sendx", (3, 3), &[Kind::Format], send::data_from),
    within("forward_reply", (0, 0), &[], Routes::CORE_ONREPLY, send::forward_reply),
    refused("forward_uac", (0, 1), &[Kind::Integer], send::no_forward_as_client, NO_CLIENT),
    refused("forward_uac_uri", (1, 2), &[Kind::Format, Kind::Integer], send::no_forward_as_client, NO_CLIENT),
    function("is_incoming", (0, 0), &[], functions::is_incoming),
    function("is_faked_msg", (0, 0), &[], functions::is_faked),
    function("is_socket_name", (1, 1), &[Kind::Format], functions::is_socket_name),
    function("msg_iflag_set", (1, 1), &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Set)),
    function("msg_iflag_reset", (1, 1), &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Reset)),
    function("msg_iflag_is_set", (1, 1), &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Test)),
    function("setxflag", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Set)),
    function("resetxflag", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Reset)),
    function("isxflagset", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Test)),
    function("msg_vbflag_set", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Set)),
    function("msg_vbflag_reset", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Reset)),
    function("msg_vbflag_is_set", (1, 1), &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Test)),
    refused("msg_vbflag_parse", (0, 1), &[Kind::Plain], functions::no_via_parameters, NO_VIA),
    function("set_send_socket", (1, 1), &[Kind::Format], functions::set_send_socket),
    function("set_send_socket_name", (1, 1), &[Kind::Format], functions::set_send_socket_name),
    function("set_recv_socket", (1, 1), &[Kind::Format], functions::set_receive_socket),
    function("set_recv_socket_name", (1, 1), &[Kind::Format], functions::set_receive_socket_name),
    function("set_source_address", (1, 1), &[Kind::Format], functions::set_source_address),
    refused("file_read", (2, 2), &[Kind::Format, Kind::Variable], functions::no_files, NO_FILES),
    refused("file_write", (2, 2), &[Kind::Format], functions::no_files, NO_FILES),
    refused("via_add_srvid", (1, 1), &[Kind::Integer], functions::no_via_parameters, NO_VIA),
    refused("via_add_xavp_params", (1, 1), &[Kind::Integer], functions::no_via_parameters, NO_VIA),
    refused("via_use_xavp_fields", (1, 1), &[Kind::Integer], functions::no_via_parameters, NO_VIA),
    refused("via_reply_add_xavp_params", (1, 1), &[Kind::Integer], functions::no_via_parameters, NO_VIA),
];

static VARIABLES: &[Variable<Worker>] = &[
    Variable {
        name: "cfg",
        inner: InnerKind::OneOf(socket_lookup::PLACE_KEYS),
        indexed: false,
        read: socket_lookup::place,
        write: None,
        note: "line and route are null",
    },
    Variable { name: "lsock", inner: InnerKind::Format, indexed: false, read: socket_lookup::socket, write: None, note: "" },
    Variable { name: "atkv", inner: InnerKind::Word, indexed: false, read: socket_lookup::task, write: None, note: "always null" },
];

static PARAMETERS: &[Parameter] = &[
    Parameter { name: "alias_subdomains", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "dns_cache", kind: ParameterKind::Texts, default: Default::Unset, note: "no effect" },
    Parameter { name: "dns_file", kind: ParameterKind::Texts, default: Default::Unset, note: "no effect" },
    Parameter { name: "nio_intercept", kind: ParameterKind::Integer, default: Default::Integer(0), note: "no effect" },
    Parameter { name: "nio_min_msg_len", kind: ParameterKind::Integer, default: Default::Integer(0), note: "no effect" },
    Parameter { name: "nio_msg_avp", kind: ParameterKind::Text, default: Default::Unset, note: "no effect" },
    Parameter { name: "evcb_reply_out", kind: ParameterKind::Text, default: Default::Unset, note: "no effect" },
];

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

static COMMANDS: &[Command] = &[
    command("corex.list_sockets", "Listening sockets.", true, rpc_sockets::sockets_of_corex),
    command("corex.list_aliases", "Names that count as this proxy.", true, rpc_sockets::aliases_of_corex),
    command("corex.shm_status", "Writes the memory to the log.", false, rpc::log_memory),
    command("corex.shm_summary", "Writes the memory to the log.", false, rpc::log_memory),
    command("corex.pkg_summary", "Writes the memory to the log.", false, rpc::log_memory),
    command("corex.debug", "Shows or sets the log threshold.", false, rpc::debug),
    command("shm.info", "The allocator.", false, rpc::information),
    command("shm.report", "Writes the memory to the log.", false, rpc::log_memory),
    command("shm.stats", "Memory of the process.", false, rpc::memory),
    command("shm.rprint", "Writes the memory to the log.", false, rpc::log_memory),
];
