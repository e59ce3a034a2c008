//! The export table of `cfgutils`.

use script::exports::{Argument, Default, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{functions, global_flags, hashed_file, literals, locks, rpc, sleep};
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

/// Everything `cfgutils` declares.
pub static MODULE: Module = Module {
    name: "cfgutils",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: &[Variable { name: "RANDOM", inner: InnerKind::None, indexed: false, read: functions::random, write: None, note: "" }],
    parameters: &[
        Parameter { name: "initial_probability", kind: ParameterKind::Integer, default: Default::Integer(10), note: "" },
        Parameter { name: "initial_gflags", kind: ParameterKind::Integer, default: Default::Integer(0), note: "" },
        Parameter { name: "hash_file", kind: ParameterKind::Text, default: Default::Unset, note: "" },
        Parameter { name: "lock_set_size", kind: ParameterKind::Integer, default: Default::Integer(0), note: "" },
    ],
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

const fn command(name: &'static str, help: &'static str, run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>) -> Command {
    Command { name, help, is_array: false, run }
}

static FUNCTIONS: &[Function<Worker>] = &[
    function("rand_set_prob", (1, 1), &[Kind::Integer], functions::set_probability),
    function("rand_reset_prob", (0, 0), &[], functions::reset_probability),
    function("rand_get_prob", (0, 0), &[], functions::probability),
    function("rand_event", (0, 0), &[], functions::random_event),
    function("sleep", (1, 1), &[Kind::Integer], sleep::seconds),
    function("usleep", (1, 1), &[Kind::Integer], sleep::microseconds),
    function("abort", (0, 0), &[], functions::abort),
    function("pkg_status", (0, 0), &[], functions::memory_report),
    function("shm_status", (0, 0), &[], functions::memory_report),
    function("pkg_summary", (0, 0), &[], functions::memory_report),
    function("shm_summary", (0, 0), &[], functions::memory_report),
    function("set_gflag", (1, 1), &[Kind::Integer], global_flags::set),
    function("reset_gflag", (1, 1), &[Kind::Integer], global_flags::reset),
    function("is_gflag", (1, 1), &[Kind::Integer], global_flags::is_set),
    function("lock", (1, 2), &[Kind::Format], locks::lock),
    function("unlock", (1, 2), &[Kind::Format], locks::unlock),
    function("trylock", (1, 2), &[Kind::Format], locks::try_lock),
    function("core_hash", (3, 3), &[Kind::Format, Kind::Format, Kind::Integer], functions::hash),
    function("check_route_exists", (1, 1), &[Kind::Format], functions::route_exists),
    function("route_if_exists", (1, 1), &[Kind::Format], functions::run_route_if_exists),
];

static COMMANDS: &[Command] = &[
    command("cfgutils.is_gflag", "Are all flags of a mask set?", rpc::is_flag),
    command("cfgutils.set_gflag", "Sets the flags of a mask.", rpc::set_flag),
    command("cfgutils.get_gflags", "All global flags.", rpc::flags),
    command("cfgutils.reset_gflag", "Clears the flags of a mask.", rpc::reset_flag),
    command("cfgutils.rand_set_prob", "Sets the probability in percent.", rpc::set_probability),
    command("cfgutils.rand_reset_prob", "Sets the probability back.", rpc::reset_probability),
    command("cfgutils.rand_get_prob", "The probability.", rpc::probability),
    command("cfgutils.get_config_hash", "The digest of the hashed file at the start.", hashed_file::at_start),
    command("cfgutils.check_config_hash", "Has the hashed file changed since the start?", hashed_file::check),
];
