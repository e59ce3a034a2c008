//! The `cfg_rpc` module: reading and changing configuration at run time through `cfg.*` (spec proxy-core 14.1).

mod apply;
mod core_variables;
mod exports;
mod module_variables;
mod pending;
mod rpc;
mod values;
mod variable;

pub use exports::MODULE;
pub use values::knows_group;

use std::collections::BTreeMap;
use std::sync::Mutex;

use script::syntax::ast::{CustomParameter, Literal};

use crate::node::Node;
use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// Values of declared variables that were changed, by group and name.
    changed: Mutex<BTreeMap<(&'static str, &'static str), Literal>>,
    /// The custom parameters as the configuration has them.
    pub custom_presets: Vec<CustomParameter>,
    pending: pending::Pending,
}

impl State {
    /// The module has no parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State::default())
    }
}

/// Changes a variable of a group; false when there is none, or the value does not fit.
pub fn set(node: &Node, group: &str, name: &str, value: Literal) -> bool {
    values::set(node, &values::Address { group: group.to_owned(), instance: None, name: name.to_owned() }, value)
}

/// The value of an integer variable now; None: there is no such variable.
pub fn integer(node: &Node, group: &str, name: &str) -> Option<i64> {
    let address = values::Address { group: group.to_owned(), instance: None, name: name.to_owned() };
    values::value(node, &address).and_then(|value| variable::number(&value))
}
