//! The export table of `cfgutils`.

use script::exports::{Kind, Parameter, ParameterKind};

use super::{functions, global_flags, hashed_file, literals, locks, rpc, sleep};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

/// Everything `cfgutils` declares.
pub static MODULE: Module = Module {
    name: "cfgutils",
    checks: literals::CHECKS,
    functions: FUNCTIONS,
    variables: &[Variable::new("RANDOM", functions::random)],
    parameters: &[
        Parameter::integer("initial_probability", 10),
        Parameter::integer("initial_gflags", 0),
        Parameter::unset("hash_file", ParameterKind::Text),
        Parameter::integer("lock_set_size", 0),
    ],
    commands: COMMANDS,
    statistics: &[],
    events: &[],
};

static FUNCTIONS: &[Function] = &[
    Function::new("rand_set_prob", 1..=1, &[Kind::Integer], functions::set_probability),
    Function::new("rand_reset_prob", 0..=0, &[], functions::reset_probability),
    Function::new("rand_get_prob", 0..=0, &[], functions::probability),
    Function::new("rand_event", 0..=0, &[], functions::random_event),
    Function::new("sleep", 1..=1, &[Kind::Integer], sleep::seconds),
    Function::new("usleep", 1..=1, &[Kind::Integer], sleep::microseconds),
    Function::new("abort", 0..=0, &[], functions::abort),
    Function::new("pkg_status", 0..=0, &[], functions::memory_report),
    Function::new("shm_status", 0..=0, &[], functions::memory_report),
    Function::new("pkg_summary", 0..=0, &[], functions::memory_report),
    Function::new("shm_summary", 0..=0, &[], functions::memory_report),
    Function::new("set_gflag", 1..=1, &[Kind::Integer], global_flags::set),
    Function::new("reset_gflag", 1..=1, &[Kind::Integer], global_flags::reset),
    Function::new("is_gflag", 1..=1, &[Kind::Integer], global_flags::is_set),
    Function::new("lock", 1..=2, &[Kind::Format], locks::lock),
    Function::new("unlock", 1..=2, &[Kind::Format], locks::unlock),
    Function::new("trylock", 1..=2, &[Kind::Format], locks::try_lock),
    Function::new("core_hash", 3..=3, &[Kind::Format, Kind::Format, Kind::Integer], functions::hash),
    Function::new("check_route_exists", 1..=1, &[Kind::Format], functions::route_exists),
    Function::new("route_if_exists", 1..=1, &[Kind::Format], functions::run_route_if_exists),
];

static COMMANDS: &[Command] = &[
    Command::new("cfgutils.is_gflag", "Are all flags of a mask set?", rpc::is_flag),
    Command::new("cfgutils.set_gflag", "Sets the flags of a mask.", rpc::set_flag),
    Command::new("cfgutils.get_gflags", "All global flags.", rpc::flags),
    Command::new("cfgutils.reset_gflag", "Clears the flags of a mask.", rpc::reset_flag),
    Command::new("cfgutils.rand_set_prob", "Sets the probability in percent.", rpc::set_probability),
    Command::new("cfgutils.rand_reset_prob", "Sets the probability back.", rpc::reset_probability),
    Command::new("cfgutils.rand_get_prob", "The probability.", rpc::probability),
    Command::new("cfgutils.get_config_hash", "The digest of the hashed file at the start.", hashed_file::at_start),
    Command::new("cfgutils.check_config_hash", "Has the hashed file changed since the start?", hashed_file::check),
];
