//! The export table of `core`: functions of the grammar, variables, RPC commands and statistics that are always there.

use script::exports::{Argument, Flow, Function, Kind, Routes};
use transaction::Protocol;

use super::{
    branches, connection, flags, forward, log, rpc, rpc_process, rpc_sockets, socket_choice, statistics_table, uri_functions, variables,
};
use crate::registry::Module;
use crate::rpc::Command;
use crate::worker::Worker;

/// Everything `core` declares.
pub static MODULE: Module = Module {
    name: "core",
    functions: FUNCTIONS,
    variables: variables::TABLE,
    parameters: &[],
    commands: COMMANDS,
    statistics: statistics_table::TABLE,
    events: &["core:msg-received", "core:pre-routing", "core:receive-parse-error", "core:tkv", "core:worker-one-init"],
};

const fn function(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note: "" }
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

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut crate::rpc::Parameters) -> Result<crate::rpc::Reply, crate::rpc::Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

static FUNCTIONS: &[Function<Worker>] = &[
    function("rewritehost", (1, 1), &[Kind::Plain], uri_functions::host),
    function("sethost", (1, 1), &[Kind::Plain], uri_functions::host),
    function("seth", (1, 1), &[Kind::Plain], uri_functions::host),
    function("rewritehostport", (1, 1), &[Kind::Plain], uri_functions::host_port),
    function("sethostport", (1, 1), &[Kind::Plain], uri_functions::host_port),
    function("sethp", (1, 1), &[Kind::Plain], uri_functions::host_port),
    function("rewritehostporttrans", (1, 1), &[Kind::Plain], uri_functions::host_port_transport),
    function("sethostporttrans", (1, 1), &[Kind::Plain], uri_functions::host_port_transport),
    function("sethpt", (1, 1), &[Kind::Plain], uri_functions::host_port_transport),
    function("rewriteuser", (1, 1), &[Kind::Plain], uri_functions::user),
    function("setuser", (1, 1), &[Kind::Plain], uri_functions::user),
    function("setu", (1, 1), &[Kind::Plain], uri_functions::user),
    function("rewriteuserpass", (1, 1), &[Kind::Plain], uri_functions::user_password),
    function("setuserpass", (1, 1), &[Kind::Plain], uri_functions::user_password),
    function("setup", (1, 1), &[Kind::Plain], uri_functions::user_password),
    function("rewriteport", (1, 1), &[Kind::Plain], uri_functions::port),
    function("setport", (1, 1), &[Kind::Plain], uri_functions::port),
    function("setp", (1, 1), &[Kind::Plain], uri_functions::port),
    function("rewriteuri", (1, 1), &[Kind::Plain], uri_functions::whole),
    function("seturi", (1, 1), &[Kind::Plain], uri_functions::whole),
    function("revert_uri", (0, 0), &[], uri_functions::revert),
    function("prefix", (1, 1), &[Kind::Plain], uri_functions::prefix),
    function("strip", (1, 1), &[Kind::Integer], uri_functions::strip),
    function("strip_tail", (1, 1), &[Kind::Integer], uri_functions::strip_tail),
    function("userphone", (0, 0), &[], uri_functions::userphone),
    function("setflag", (1, 1), &[Kind::Flag], flags::set),
    function("resetflag", (1, 1), &[Kind::Flag], flags::reset),
    function("isflagset", (1, 1), &[Kind::Flag], flags::is_set),
    noted("setavpflag", (2, 2), &[Kind::Plain], flags::attribute_flag, "SER attribute flags are refused"),
    noted("resetavpflag", (2, 2), &[Kind::Plain], flags::attribute_flag, "SER attribute flags are refused"),
    noted("isavpflagset", (2, 2), &[Kind::Plain], flags::attribute_flag, "SER attribute flags are refused"),
    function("force_rport", (0, 0), &[], connection::force_rport),
    function("add_rport", (0, 0), &[], connection::force_rport),
    function("add_local_rport", (0, 0), &[], connection::local_rport),
    function("force_tcp_alias", (0, 1), &[Kind::Integer], connection::alias),
    function("add_tcp_alias", (0, 1), &[Kind::Integer], connection::alias),
    function("udp_mtu_try_proto", (1, 1), &[Kind::Plain], connection::mtu_protocol),
    function("set_forward_no_connect", (0, 0), &[], connection::forward_no_connect),
    function("set_reply_no_connect", (0, 0), &[], connection::reply_no_connect),
    function("set_forward_close", (0, 0), &[], connection::forward_close),
    function("set_reply_close", (0, 0), &[], connection::reply_close),
    function("force_send_socket", (1, 1), &[Kind::Plain], socket_choice::force_send_socket),
    function("set_advertised_address", (1, 1), &[Kind::Plain], socket_choice::advertised_address),
    function("set_advertised_port", (1, 1), &[Kind::Integer], socket_choice::advertised_port),
    function("append_branch", (0, 2), &[Kind::Format], branches::append_branch),
    function("remove_branch", (0, 1), &[Kind::Integer], branches::remove),
    function("clear_branches", (0, 0), &[], branches::clear),
    function("log", (1, 1), &[Kind::Plain], log::log),
    function("log", (2, 2), &[Kind::Integer, Kind::Plain], log::log_at),
    function("error", (0, 2), &[Kind::Plain], log::error),
    noted("exec", (1, 1), &[Kind::Plain], log::exec, "refused: the proxy runs no shell commands"),
    noted("cfg_select", (2, 2), &[Kind::Plain, Kind::Integer], log::group_instance, "groups have one instance"),
    noted("cfg_reset", (1, 1), &[Kind::Plain], log::group_instance, "groups have one instance"),
    function("forward", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, None)),
    function("forward_udp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Udp))),
    function("forward_tcp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Tcp))),
    function("forward_tls", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Tls))),
    function("forward_sctp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Sctp))),
];

static COMMANDS: &[Command] = &[
    command("system.listMethods", "Lists all RPC commands.", true, rpc::list_methods),
    command("system.methodHelp", "Prints the help text of a command.", false, rpc::method_help),
    command("system.methodSignature", "Not available.", false, rpc::method_signature),
    command("core.version", "Name and version of the proxy.", false, rpc::version),
    command("core.flags", "Compile time features.", false, rpc::flags),
    command("core.info", "Version and compile time information.", false, rpc::info),
    command("core.runinfo", "Version, start time and run time.", false, rpc_process::run_info),
    command("core.uptime", "Run time in seconds.", false, rpc_process::uptime),
    command("core.ps", "Threads: id and description in turn.", true, rpc_process::threads_flat),
    command("core.psx", "Threads with index, id and description.", true, rpc_process::threads_short),
    command("core.psa", "Threads with all attributes.", true, rpc_process::threads_full),
    command("core.pwd", "Working directory.", true, rpc_process::working_directory),
    command("core.arg", "Command line arguments.", true, rpc_process::arguments),
    command("core.shmmem", "Memory; optional unit b, k, m or g.", false, rpc_process::memory),
    command("core.tcp_info", "Limits and use of stream connections.", false, rpc_process::tcp_info),
    command("core.tcp_options", "Settings of stream connections.", false, rpc_process::tcp_options),
    command("core.udp4_raw_info", "Raw UDP sockets, never used here.", false, rpc_process::raw_udp_info),
    command("core.sockets_list", "Listening sockets.", true, rpc_sockets::sockets),
    command("core.aliases_list", "Names that count as this proxy.", false, rpc_sockets::aliases),
    command("core.modules", "Loaded modules, last loaded first.", true, rpc::modules),
    command("core.ppdefines", "Names of preprocessor defines.", true, rpc::defines),
    command("core.ppdefines_full", "Preprocessor defines with values.", true, rpc::defines_full),
    command("core.echo", "Returns its parameters.", true, rpc::echo),
    command("core.prints", "Returns its parameters as text.", true, rpc::print_texts),
    command("core.printi", "Returns its parameters as integers.", true, rpc::print_integers),
    command("core.kill", "Stops the proxy; optional signal number.", false, rpc::kill),
];
