//! The export table of `counters`.

use script::exports::{Kind, Parameter, ParameterKind, Routes};

use super::{functions, literals, rpc};
use crate::registry::{Function, Module};
use crate::rpc::Command;

const COUNTING: Routes = Routes::REQUEST.or(Routes::ONREPLY).or(Routes::FAILURE).or(Routes::ONSEND);

/// Everything `counters` declares.
pub static MODULE: Module = Module {
    name: "counters",
    checks: literals::CHECKS,
    functions: &[
        Function::new("cnt_inc", 1..=1, &[Kind::Plain], functions::increment).routes(COUNTING),
        Function::new("cnt_add", 2..=2, &[Kind::Plain, Kind::Integer], functions::add).routes(COUNTING),
        Function::new("cnt_reset", 1..=1, &[Kind::Plain], functions::reset).routes(COUNTING),
    ],
    variables: &[],
    parameters: &[Parameter::text("script_cnt_grp_name", "script"), Parameter::unset("script_counter", ParameterKind::Texts)],
    commands: &[
        Command::new("cnt.get", "Value of a counter: group, name.", rpc::get),
        Command::new("cnt.get_raw", "Value of a counter: group, name.", rpc::get_raw),
        Command::new("cnt.reset", "Sets a counter to 0: group, name.", rpc::reset),
        Command::new("cnt.list_groups", "Groups of counters.", rpc::groups).array(),
        Command::new("cnt.grps_list", "Groups of counters.", rpc::groups).array(),
        Command::new("cnt.list_vars", "Names of the counters of a group.", rpc::names).array(),
        Command::new("cnt.var_list", "Names of the counters of a group.", rpc::names).array(),
        Command::new("cnt.get_vars", "Names and values of a group.", rpc::values),
        Command::new("cnt.grp_get_all", "Names and values of a group.", rpc::values),
        Command::new("cnt.help", "Description of a counter: group, name.", rpc::help),
    ],
    statistics: &[],
    events: &[],
};
