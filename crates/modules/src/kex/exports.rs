//! The export table of `kex`.

use script::exports::{Argument, Flow, Function, InnerKind, Kind, Routes, Variable};
use script::value::Value;

use super::flags::{self, Action};
use super::{functions, rpc, rpc_memory};
use crate::literals::{self, Check};
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

/// Everything `kex` declares.
pub static MODULE: Module = Module {
    name: "kex",
    checks: &[Check { function: "pv_printf", examine: literals::destination::<0> }],
    functions: FUNCTIONS,
    variables: &[Variable {
        name: "sruid",
        inner: InnerKind::None,
        indexed: false,
        read: |worker, _, _| {
            let started = worker.node.process.started.seconds();
            Value::text(format!("srid-{started:x}-{:x}-{:x}", worker.node.process.pid, worker.random.next_u64()))
        },
        write: None,
        note: "",
    }],
    parameters: &[],
    commands: COMMANDS,
    statistics: &[],
    events: &[],
};

const fn function(
    name: &'static str,
    arity: (u8, u8),
    arguments: &'static [Kind],
    call: fn(&mut Worker, &[Argument]) -> Flow,
) -> Function<Worker> {
    Function { name, arity, arguments, routes: Routes::ANY, call, note: "" }
}

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

static FUNCTIONS: &[Function<Worker>] = &[
    function("setsflag", (1, 1), &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Set)),
    function("resetsflag", (1, 1), &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Reset)),
    function("issflagset", (1, 1), &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Test)),
    function("setbflag", (1, 2), &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Set)),
    function("resetbflag", (1, 2), &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Reset)),
    function("isbflagset", (1, 2), &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Test)),
    function("setdsturi", (1, 1), &[Kind::Format], functions::set_next_hop),
    function("resetdsturi", (0, 0), &[], functions::reset_next_hop),
    function("isdsturiset", (0, 0), &[], functions::has_next_hop),
    function("pv_printf", (2, 2), &[Kind::Variable, Kind::Format], functions::print_to),
    function("avp_printf", (2, 2), &[Kind::Variable, Kind::Format], functions::print_to),
    function("is_myself", (1, 1), &[Kind::Format], functions::is_myself),
    function("is_myhost", (1, 1), &[Kind::Format], functions::is_my_host),
    function("setdebug", (1, 1), &[Kind::Integer], functions::set_debug),
    function("resetdebug", (0, 0), &[], functions::reset_debug),
];

static COMMANDS: &[Command] = &[
    command("stats.get_statistics", "Statistics as texts: all, group: or name.", true, rpc::texts),
    command("stats.fetch", "Statistics as one structure of texts.", false, rpc::fetch),
    command("stats.fetchn", "Statistics as one structure of numbers.", false, rpc::fetch_numbers),
    command("stats.reset_statistics", "Sets statistics to 0.", false, rpc::reset),
    command("stats.clear_statistics", "Sets statistics to 0 and tells what they were.", false, rpc::clear),
    command("mod.stats", "Memory by module: not told apart here.", true, rpc_memory::modules),
    command("mod.mem_stats", "Memory by module: not told apart here.", true, rpc_memory::modules),
    command("mod.mem_statsx", "Memory by module: not told apart here.", true, rpc_memory::modules),
    command("pkg.stats", "Memory by thread: all share that of the process.", true, rpc_memory::threads),
    command("pkg.info", "The allocator.", false, rpc_memory::information),
];
