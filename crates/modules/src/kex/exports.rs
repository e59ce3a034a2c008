//! The export table of `kex`.

use script::exports::Kind;
use script::value::Value;

use super::flags::{self, Action};
use super::{functions, rpc, rpc_memory};
use crate::literals::{self, Check};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

/// Everything `kex` declares.
pub static MODULE: Module = Module {
    name: "kex",
    checks: &[Check { function: "pv_printf", examine: literals::destination::<0> }],
    functions: FUNCTIONS,
    variables: &[Variable::new("sruid", |worker, _, _| {
        let started = worker.node.process.started.seconds();
        Value::text(format!("srid-{started:x}-{:x}-{:x}", worker.node.process.pid, worker.random.next_u64()))
    })],
    parameters: &[],
    commands: COMMANDS,
    statistics: &[],
    events: &[],
};

static FUNCTIONS: &[Function] = &[
    Function::new("setsflag", 1..=1, &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Set)),
    Function::new("resetsflag", 1..=1, &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Reset)),
    Function::new("issflagset", 1..=1, &[Kind::Flag], |worker, arguments| flags::script(worker, arguments, Action::Test)),
    Function::new("setbflag", 1..=2, &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Set)),
    Function::new("resetbflag", 1..=2, &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Reset)),
    Function::new("isbflagset", 1..=2, &[Kind::Flag, Kind::Integer], |worker, arguments| flags::branch(worker, arguments, Action::Test)),
    Function::new("setdsturi", 1..=1, &[Kind::Format], functions::set_next_hop),
    Function::new("resetdsturi", 0..=0, &[], functions::reset_next_hop),
    Function::new("isdsturiset", 0..=0, &[], functions::has_next_hop),
    Function::new("pv_printf", 2..=2, &[Kind::Variable, Kind::Format], functions::print_to),
    Function::new("avp_printf", 2..=2, &[Kind::Variable, Kind::Format], functions::print_to),
    Function::new("is_myself", 1..=1, &[Kind::Format], functions::is_myself),
    Function::new("is_myhost", 1..=1, &[Kind::Format], functions::is_my_host),
    Function::new("setdebug", 1..=1, &[Kind::Integer], functions::set_debug),
    Function::new("resetdebug", 0..=0, &[], functions::reset_debug),
];

static COMMANDS: &[Command] = &[
    Command::new("stats.get_statistics", "Statistics as texts: all, group: or name.", rpc::texts).array(),
    Command::new("stats.fetch", "Statistics as one structure of texts.", rpc::fetch),
    Command::new("stats.fetchn", "Statistics as one structure of numbers.", rpc::fetch_numbers),
    Command::new("stats.reset_statistics", "Sets statistics to 0.", rpc::reset),
    Command::new("stats.clear_statistics", "Sets statistics to 0 and tells what they were.", rpc::clear),
    Command::new("mod.stats", "Memory by module: not told apart here.", rpc_memory::modules).array(),
    Command::new("mod.mem_stats", "Memory by module: not told apart here.", rpc_memory::modules).array(),
    Command::new("mod.mem_statsx", "Memory by module: not told apart here.", rpc_memory::modules).array(),
    Command::new("pkg.stats", "Memory by thread: all share that of the process.", rpc_memory::threads).array(),
    Command::new("pkg.info", "The allocator.", rpc_memory::information),
];
