//! The export table of `cfg_rpc`.

use super::rpc;
use crate::registry::Module;
use crate::rpc::{Command, Fault, Parameters, Reply};
use crate::worker::Worker;

/// Everything `cfg_rpc` declares.
pub static MODULE: Module = Module {
    name: "cfg_rpc",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[],
    commands: COMMANDS,
    statistics: &[],
    events: &[],
};

const fn command(
    name: &'static str,
    help: &'static str,
    is_array: bool,
    run: fn(&mut Worker, &mut Parameters) -> Result<Reply, Fault>,
) -> Command {
    Command { name, help, is_array, run }
}

static COMMANDS: &[Command] = &[
    command("cfg.set", "Sets a variable: group, name, value.", false, rpc::set_any),
    command("cfg.set_now_int", "Sets an integer at once: group, name, value.", false, rpc::set_integer),
    command("cfg.seti", "Sets an integer at once: group, name, value.", false, rpc::set_integer),
    command("cfg.set_now_string", "Sets a text at once: group, name, value.", false, rpc::set_text),
    command("cfg.sets", "Sets a text at once: group, name, value.", false, rpc::set_text),
    command("cfg.set_delayed", "Prepares a change: group, name, value.", false, rpc::delay_any),
    command("cfg.set_delayed_int", "Prepares a change of an integer.", false, rpc::delay_integer),
    command("cfg.set_delayed_string", "Prepares a change of a text.", false, rpc::delay_text),
    command("cfg.commit", "Makes the prepared changes.", false, rpc::commit),
    command("cfg.rollback", "Forgets the prepared changes.", false, rpc::rollback),
    command("cfg.get", "A variable or a whole group.", false, rpc::get),
    command("cfg.list", "All variables, or those of a group.", true, rpc::list),
    command("cfg.help", "Description of a variable: group, name.", false, rpc::help),
    command("cfg.diff", "Prepared changes.", true, rpc::difference),
    command("cfg.del", "Takes the own value of an instance away: group[id], name.", false, rpc::delete),
    command("cfg.del_delayed", "Prepares to take it away.", false, rpc::delay_deletion),
    command("cfg.reset", "Values of the configuration file again: group, optional name.", false, rpc::reset),
    command("cfg.add_group_inst", "Adds an instance of a group: group[id].", false, rpc::add_instance),
    command("cfg.del_group_inst", "Removes an instance of a group: group[id].", false, rpc::delete_instance),
];
