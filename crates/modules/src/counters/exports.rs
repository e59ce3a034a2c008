//! The export table of `counters`.

use script::exports::{Argument, Default, Flow, Function, Kind, Parameter, ParameterKind, Routes};

use super::{functions, literals, rpc};
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

const fn function(name: &'static str, arguments: &'static [Kind], call: fn(&mut Worker, &[Argument]) -> Flow) -> Function<Worker> {
    let count = arguments.len() as u8;
    let routes = Routes::REQUEST.or(Routes::ONREPLY).or(Routes::FAILURE).or(Routes::ONSEND);
    Function { name, arity: (count, count), arguments, routes, call, note: "" }
}

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

/// Everything `counters` declares.
pub static MODULE: Module = Module {
    name: "counters",
    checks: literals::CHECKS,
    functions: &[
        function("cnt_inc", &[Kind::Plain], functions::increment),
        function("cnt_add", &[Kind::Plain, Kind::Integer], functions::add),
        function("cnt_reset", &[Kind::Plain], functions::reset),
    ],
    variables: &[],
    parameters: &[
        Parameter { name: "script_cnt_grp_name", kind: ParameterKind::Text, default: Default::Text("script"), note: "" },
        Parameter { name: "script_counter", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    ],
    commands: &[
        command("cnt.get", "Value of a counter: group, name.", false, rpc::get),
        command("cnt.get_raw", "Value of a counter: group, name.", false, rpc::get_raw),
        command("cnt.reset", "Sets a counter to 0: group, name.", false, rpc::reset),
        command("cnt.list_groups", "Groups of counters.", true, rpc::groups),
        command("cnt.grps_list", "Groups of counters.", true, rpc::groups),
        command("cnt.list_vars", "Names of the counters of a group.", true, rpc::names),
        command("cnt.var_list", "Names of the counters of a group.", true, rpc::names),
        command("cnt.get_vars", "Names and values of a group.", false, rpc::values),
        command("cnt.grp_get_all", "Names and values of a group.", false, rpc::values),
        command("cnt.help", "Description of a counter: group, name.", false, rpc::help),
    ],
    statistics: &[],
    events: &[],
};
