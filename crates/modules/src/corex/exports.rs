//! The export table of `corex`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::message_flags::{self, Action};
use super::{files, functions, rpc, send, socket_lookup, via};
use crate::core::{branches, rpc_sockets};
use crate::literals::{self, Check};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

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

const REQUEST_FAILURE: Routes = Routes::REQUEST.or(Routes::FAILURE);

static FUNCTIONS: &[Function] = &[
    Function::new("append_branch", 0..=2, &[Kind::Format], branches::append_branch).routes(REQUEST_FAILURE),
    Function::new("send_udp", 0..=1, &[Kind::Format], |worker, arguments| send::message(worker, arguments, "udp")).routes(REQUEST_FAILURE),
    Function::new("send_tcp", 0..=1, &[Kind::Format], |worker, arguments| send::message(worker, arguments, "tcp")).routes(REQUEST_FAILURE),
    Function::new("send_data", 2..=2, &[Kind::Format], send::data),
    Function::new("sendx", 3..=3, &[Kind::Format], send::data_from),
    Function::new("forward_reply", 0..=0, &[], send::forward_reply).routes(Routes::CORE_ONREPLY),
    Function::new("forward_uac", 0..=1, &[Kind::Integer], send::forward_as_client).routes(Routes::REQUEST),
    Function::new("forward_uac_uri", 1..=2, &[Kind::Format, Kind::Integer], send::forward_as_client_to).routes(Routes::REQUEST),
    Function::new("is_incoming", 0..=0, &[], functions::is_incoming),
    Function::new("is_faked_msg", 0..=0, &[], functions::is_faked),
    Function::new("is_socket_name", 1..=1, &[Kind::Format], functions::is_socket_name),
    Function::new("msg_iflag_set", 1..=1, &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Set)),
    Function::new("msg_iflag_reset", 1..=1, &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Reset)),
    Function::new("msg_iflag_is_set", 1..=1, &[Kind::Format], |worker, arguments| message_flags::internal(worker, arguments, Action::Test)),
    Function::new("setxflag", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Set)),
    Function::new("resetxflag", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Reset)),
    Function::new("isxflagset", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::extended(worker, arguments, Action::Test)),
    Function::new("msg_vbflag_set", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Set)),
    Function::new("msg_vbflag_reset", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Reset)),
    Function::new("msg_vbflag_is_set", 1..=1, &[Kind::Integer], |worker, arguments| message_flags::via(worker, arguments, Action::Test)),
    Function::new("msg_vbflag_parse", 0..=1, &[Kind::Plain], message_flags::read_via),
    Function::new("set_send_socket", 1..=1, &[Kind::Format], functions::set_send_socket),
    Function::new("set_send_socket_name", 1..=1, &[Kind::Format], functions::set_send_socket_name),
    Function::new("set_recv_socket", 1..=1, &[Kind::Format], functions::set_receive_socket),
    Function::new("set_recv_socket_name", 1..=1, &[Kind::Format], functions::set_receive_socket_name),
    Function::new("set_source_address", 1..=1, &[Kind::Format], functions::set_source_address),
    Function::new("file_read", 2..=2, &[Kind::Format, Kind::Variable], files::read).note("in a request route only; up to 1 MB"),
    Function::new("file_write", 2..=2, &[Kind::Format], files::write).note("answers before the file is written where a script cannot wait"),
    Function::new("via_add_srvid", 1..=1, &[Kind::Integer], via::add_server_identifier),
    Function::new("via_add_xavp_params", 1..=1, &[Kind::Integer], via::add_parameters),
    Function::new("via_use_xavp_fields", 1..=1, &[Kind::Integer], via::use_fields),
    Function::new("via_reply_add_xavp_params", 1..=1, &[Kind::Integer], via::add_reply_parameters),
];

static VARIABLES: &[Variable] = &[
    Variable::new("cfg", socket_lookup::place).inner(InnerKind::OneOf(socket_lookup::PLACE_KEYS)),
    Variable::new("lsock", socket_lookup::socket).inner(InnerKind::Format).note("5.6.3 takes every i/N for the first socket"),
    Variable::new("atkv", socket_lookup::task).inner(InnerKind::Word).note("null: nothing here emits the event core:tkv"),
];

static PARAMETERS: &[Parameter] = &[
    Parameter::unset("alias_subdomains", ParameterKind::Texts),
    Parameter::unset("dns_cache", ParameterKind::Texts),
    Parameter::unset("dns_file", ParameterKind::Texts),
    Parameter::integer("nio_intercept", 0),
    Parameter::integer("nio_min_msg_len", 0),
    Parameter::unset("nio_msg_avp", ParameterKind::Text),
    Parameter::unset("evcb_reply_out", ParameterKind::Text)
        .note("no effect: names a KEMI function; event_route[corex:reply-out] runs without it"),
];

static COMMANDS: &[Command] = &[
    Command::new("corex.list_sockets", "Listening sockets.", rpc_sockets::sockets_of_corex).array(),
    Command::new("corex.list_aliases", "Names that count as this proxy.", rpc_sockets::aliases_of_corex).array(),
    Command::new("corex.shm_status", "Writes the memory to the log.", rpc::log_memory),
    Command::new("corex.shm_summary", "Writes the memory to the log.", rpc::log_memory),
    Command::new("corex.pkg_summary", "Writes the memory to the log: pid or idx, number.", rpc::log_memory_of),
    Command::new("corex.debug", "Shows or sets the log threshold.", rpc::debug),
    Command::new("shm.info", "The allocator.", rpc::information),
    Command::new("shm.report", "Not available.", rpc::no_report),
    Command::new("shm.stats", "Memory of the process.", rpc::memory),
    Command::new("shm.rprint", "Writes the memory to the log.", rpc::log_memory),
];
