//! The export table of `corex`.

use script::exports::{Argument, Default, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::message_flags::{self, Action};
use super::{files, functions, rpc, send, socket_lookup, via};
use crate::core::{branches, rpc_sockets};
use crate::literals::{self, Check};
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

/// Everything `corex` declares.
pub static MODULE: Module = Module {
    name: "corex",
    checks: &[Check { function: "file_read", examine: literals::destination::<1> }],
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

const fn noted(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    call: fn(&mut Worker, &[Argument]) -> Flow,
    note: &'static str,
) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note }
}

const REQUEST_FAILURE: Routes = Routes::REQUEST.or(Routes::FAILURE);

static FUNCTIONS: &[Function<Worker>] = &[
    within("append_branch", (0, 2), &[Kind::Format], REQUEST_FAILURE, branches::append_branch),
    within("send_udp", (0, 1), &[Kind::Format], REQUEST_FAILURE, |worker, arguments| send::message(worker, arguments, "udp")),
    within("send_tcp", (0, 1), &[Kind::Format], REQUEST_FAILURE, |worker, arguments| send::message(worker, arguments, "tcp")),
    function("send_data", (2, 2), &[Kind::Format], send::data),
    function("sendx", (3, 3), &[Kind::Format], send::data_from),
    within("forward_reply", (0, 0), &[], Routes::CORE_ONREPLY, send::forward_reply),
    within("forward_uac", (0, 1), &[Kind::Integer], Routes::REQUEST, send::forward_as_client),
    within("forward_uac_uri", (1, 2), &[Kind::Format, Kind::Integer], Routes::REQUEST, send::forward_as_client_to),
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
    function("msg_vbflag_parse", (0, 1), &[Kind::Plain], message_flags::read_via),
    function("set_send_socket", (1, 1), &[Kind::Format], functions::set_send_socket),
    function("set_send_socket_name", (1, 1), &[Kind::Format], functions::set_send_socket_name),
    function("set_recv_socket", (1, 1), &[Kind::Format], functions::set_receive_socket),
    function("set_recv_socket_name", (1, 1), &[Kind::Format], functions::set_receive_socket_name),
    function("set_source_address", (1, 1), &[Kind::Format], functions::set_source_address),
    noted("file_read", (2, 2), &[Kind::Format, Kind::Variable], files::read, "in a request route only; up to 1 MB"),
    noted("file_write", (2, 2), &[Kind::Format], files::write, "answers before the file is written where a script cannot wait"),
    function("via_add_srvid", (1, 1), &[Kind::Integer], via::add_server_identifier),
    function("via_add_xavp_params", (1, 1), &[Kind::Integer], via::add_parameters),
    function("via_use_xavp_fields", (1, 1), &[Kind::Integer], via::use_fields),
    function("via_reply_add_xavp_params", (1, 1), &[Kind::Integer], via::add_reply_parameters),
];

static VARIABLES: &[Variable<Worker>] = &[
    Variable {
        name: "cfg",
        inner: InnerKind::OneOf(socket_lookup::PLACE_KEYS),
        indexed: false,
        read: socket_lookup::place,
        write: None,
        note: "",
    },
    Variable {
        name: "lsock",
        inner: InnerKind::Format,
        indexed: false,
        read: socket_lookup::socket,
        write: None,
        note: "5.6.3 takes every i/N for the first socket",
    },
    Variable {
        name: "atkv",
        inner: InnerKind::Word,
        indexed: false,
        read: socket_lookup::task,
        write: None,
        note: "null: nothing here emits the event core:tkv",
    },
];

static PARAMETERS: &[Parameter] = &[
    Parameter { name: "alias_subdomains", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "dns_cache", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "dns_file", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "nio_intercept", kind: ParameterKind::Integer, default: Default::Integer(0), note: "" },
    Parameter { name: "nio_min_msg_len", kind: ParameterKind::Integer, default: Default::Integer(0), note: "" },
    Parameter { name: "nio_msg_avp", kind: ParameterKind::Text, default: Default::Unset, note: "" },
    Parameter {
        name: "evcb_reply_out",
        kind: ParameterKind::Text,
        default: Default::Unset,
        note: "no effect: names a KEMI function; event_route[corex:reply-out] runs without it",
    },
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
    command("corex.pkg_summary", "Writes the memory to the log: pid or idx, number.", false, rpc::log_memory_of),
    command("corex.debug", "Shows or sets the log threshold.", false, rpc::debug),
    command("shm.info", "The allocator.", false, rpc::information),
    command("shm.report", "Not available.", false, rpc::no_report),
    command("shm.stats", "Memory of the process.", false, rpc::memory),
    command("shm.rprint", "Writes the memory to the log.", false, rpc::log_memory),
];
