//! The export table of `core`: functions of the grammar, variables, RPC commands and statistics that are always there.

use script::exports::{Argument, Flow, Function, Kind, Routes};
use transaction::Protocol;

use super::{
    attribute_flags, branches, connection, flags, forward, groups, log, rpc, rpc_process, rpc_parameters, rpc_sockets, rpc_streams, socket_choice,
    statistics_table, uri_functions, variables,
};
use crate::blocklist::rpc as blocklist;
use crate::dns::rpc as dns;
use crate::registry::Module;
use crate::rpc::Command;
use crate::worker::Worker;

/// Everything `core` declares.
pub static MODULE: Module = Module {
    name: "core",
    checks: &[],
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

const ATTRIBUTES: &str = "the attribute is written in quotes; its newest value is meant (5.6.3 finds none when there are several)";
const OWN_GROUPS: &str = "groups of the configuration; those of core and modules have one instance";

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
    noted("setavpflag", (2, 2), &[Kind::Plain, Kind::AttributeFlag], attribute_flags::set, ATTRIBUTES),
    noted("resetavpflag", (2, 2), &[Kind::Plain, Kind::AttributeFlag], attribute_flags::reset, ATTRIBUTES),
    noted("isavpflagset", (2, 2), &[Kind::Plain, Kind::AttributeFlag], attribute_flags::is_set, ATTRIBUTES),
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
    noted("cfg_select", (2, 2), &[Kind::Plain, Kind::Integer], groups::select, OWN_GROUPS),
    noted("cfg_reset", (1, 1), &[Kind::Plain], groups::reset, OWN_GROUPS),
    function("forward", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, None)),
    function("forward_udp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Udp))),
    function("forward_tcp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Tcp))),
    function("forward_tls", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Tls))),
    function("forward_sctp", (0, 2), &[Kind::Plain], |worker, arguments| forward::call(worker, arguments, Some(Protocol::Sctp))),
];

static COMMANDS: &[Command] = &[
    command("dst_blocklist.add", "Lists a destination: address, port, protocol (1 UDP, 2 TCP, 3 TLS, 4 SCTP), flags.", false, blocklist::add),
    command("dst_blocklist.debug", "Listed destinations as flat values.", false, blocklist::debug),
    command("dst_blocklist.delete_all", "Frees all destinations but permanent ones.", false, blocklist::delete_all),
    command("dst_blocklist.mem_info", "Bytes the list uses and may use.", false, blocklist::memory),
    command("dst_blocklist.view", "Listed destinations.", false, blocklist::view),
    command("dns.add_a", "Adds an A record to the DNS cache.", false, dns::add_a),
    command("dns.add_aaaa", "Adds an AAAA record to the DNS cache.", false, dns::add_aaaa),
    command("dns.add_srv", "Adds an SRV record to the DNS cache.", false, dns::add_srv),
    command("dns.debug", "Entries of the DNS cache as flat values.", false, dns::debug),
    command("dns.debug_all", "Records of the DNS cache as flat values.", false, dns::debug_all),
    command("dns.delete_a", "Deletes the A records of a name from the DNS cache.", false, dns::delete_a),
    command("dns.delete_aaaa", "Deletes the AAAA records of a name from the DNS cache.", false, dns::delete_aaaa),
    command("dns.delete_srv", "Deletes the SRV records of a name from the DNS cache.", false, dns::delete_srv),
    command("dns.delete_naptr", "Deletes the NAPTR records of a name from the DNS cache.", false, dns::delete_naptr),
    command("dns.delete_cname", "Deletes the CNAME records of a name from the DNS cache.", false, dns::delete_cname),
    command("dns.delete_txt", "Deletes the TXT records of a name from the DNS cache.", false, dns::delete_txt),
    command("dns.delete_ebl", "Deletes the EBL records of a name from the DNS cache.", false, dns::delete_ebl),
    command("dns.delete_ptr", "Deletes the PTR records of a name from the DNS cache.", false, dns::delete_ptr),
    command("dns.delete_all", "Deletes all but permanent entries of the DNS cache.", false, dns::delete_all),
    command("dns.delete_all_force", "Deletes all entries of the DNS cache.", false, dns::delete_all_by_force),
    command("dns.get_server_state", "Are the name servers taken to be up?", false, dns::get_server_state),
    command("dns.lookup", "Looks a name up: type, name.", false, dns::lookup),
    command("dns.mem_info", "Bytes the DNS cache uses and may use.", false, dns::memory),
    command("dns.set_server_state", "With 0 nothing is asked and what is known counts for ever.", false, dns::set_server_state),
    command("dns.view", "Entries of the DNS cache.", true, dns::view),
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
    command("core.tcp_info", "Limits and use of stream connections.", false, rpc_streams::information),
    command("core.tcp_list", "Open stream connections.", true, rpc_streams::list),
    command("core.tcp_options", "Settings of stream connections.", false, rpc_streams::options),
    command("core.udp4_raw_info", "Raw UDP sockets, never used here.", false, rpc_process::raw_udp_info),
    command("core.sockets_list", "Listening sockets.", false, rpc_sockets::sockets),
    command("core.aliases_list", "Names that count as this proxy.", false, rpc_sockets::aliases),
    command("core.modules", "Loaded modules, last loaded first.", true, rpc::modules),
    command("core.ppdefines", "Names of preprocessor defines.", true, rpc::defines),
    command("core.ppdefines_full", "Preprocessor defines with values.", true, rpc::defines_full),
    command("core.echo", "Returns its parameters.", true, rpc::echo),
    command("core.prints", "Returns its parameters as text.", true, rpc::print_texts),
    command("core.printi", "Returns its parameters as integers.", true, rpc::print_integers),
    command("modparam.list", "Parameters of modules, or of one module.", true, rpc_parameters::list),
    command("modparam.getn", "An integer parameter: module, name.", false, rpc_parameters::integer),
    command("modparam.gets", "A text parameter: module, name.", false, rpc_parameters::text),
    command("modparam.setn", "Sets an integer parameter that can change: module, name, value.", false, rpc_parameters::set_integer),
    command("core.kill", "Stops the proxy; optional signal number.", false, rpc::kill),
];
