//! The `statistics` module: counters that scripts define; and reading any statistic of the node (spec proxy-core 11.25, 14.1).

mod exports;
mod functions;
mod literals;
mod registry;
mod store;

pub use exports::MODULE;
pub use registry::{Entry, Selection, entries, read, select};
pub use store::{Store, Variable};

use crate::settings::Settings;
use crate::worker::Worker;

/// Group of script statistics.
pub const GROUP: &str = "script";

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub variables: Store,
}

impl State {
    /// Reads the module's parameters: `variable` is `name[/no_reset]`.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let mut variables = Store::default();
        for text in settings.texts("statistics", "variable") {
            let text = String::from_utf8_lossy(&text).into_owned();
            let (name, flag) = text.split_once('/').unwrap_or((&text, ""));
            if name.is_empty() || !matches!(flag, "" | "no_reset") {
                return Err(format!("statistics: variable {text} is not name[/no_reset]"));
            }
            variables.add(GROUP, name, "", flag.is_empty());
        }
        Ok(State { variables })
    }
}
