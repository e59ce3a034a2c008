//! The export table of `cfg_rpc`.

use super::rpc;
use crate::registry::Module;
use crate::rpc::Command;

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

static COMMANDS: &[Command] = &[
    Command::new("cfg.set", "Sets a variable: group, name, value.", rpc::set_any),
    Command::new("cfg.set_now_int", "Sets an integer at once: group, name, value.", rpc::set_integer),
    Command::new("cfg.seti", "Sets an integer at once: group, name, value.", rpc::set_integer),
    Command::new("cfg.set_now_string", "Sets a text at once: group, name, value.", rpc::set_text),
    Command::new("cfg.sets", "Sets a text at once: group, name, value.", rpc::set_text),
    Command::new("cfg.set_delayed", "Prepares a change: group, name, value.", rpc::delay_any),
    Command::new("cfg.set_delayed_int", "Prepares a change of an integer.", rpc::delay_integer),
    Command::new("cfg.set_delayed_string", "Prepares a change of a text.", rpc::delay_text),
    Command::new("cfg.commit", "Makes the prepared changes.", rpc::commit),
    Command::new("cfg.rollback", "Forgets the prepared changes.", rpc::rollback),
    Command::new("cfg.get", "A variable or a whole group.", rpc::get),
    Command::new("cfg.list", "All variables, or those of a group.", rpc::list).array(),
    Command::new("cfg.help", "Description of a variable: group, name.", rpc::help),
    Command::new("cfg.diff", "Prepared changes.", rpc::difference).array(),
    Command::new("cfg.del", "Takes the own value of an instance away: group[id], name.", rpc::delete),
    Command::new("cfg.del_delayed", "Prepares to take it away.", rpc::delay_deletion),
    Command::new("cfg.reset", "Values of the configuration file again: group, optional name.", rpc::reset),
    Command::new("cfg.add_group_inst", "Adds an instance of a group: group[id].", rpc::add_instance),
    Command::new("cfg.del_group_inst", "Removes an instance of a group: group[id].", rpc::delete_instance),
];
