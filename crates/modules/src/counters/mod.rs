//! The `counters` module: script counters in groups, and the `cnt.*` RPC commands (spec proxy-core 11.25).

mod exports;
mod functions;
mod literals;
mod rpc;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::statistics::Store;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub variables: Store,
    /// Group of names written without one.
    group: String,
}

impl State {
    /// Reads the module's parameters: `script_counter` is `[group.]name [description]`.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        State::read(settings)
    }

    fn read(settings: &Settings) -> Result<State, String> {
        let group = settings.text("counters", "script_cnt_grp_name").unwrap_or_default().to_string();
        let mut variables = Store::default();
        for text in settings.texts("counters", "script_counter") {
            let text = text.to_string();
            let (name, description) = text.trim().split_once([' ', '\t', ':']).unwrap_or((text.trim(), ""));
            let (own_group, name) = name.split_once('.').unwrap_or((&group, name));
            if own_group.is_empty() || name.is_empty() {
                return Err(format!("counters: script_counter {text} is not [group.]name [description]"));
            }
            variables.add(own_group, name, description.trim(), true);
        }
        Ok(State { variables, group })
    }
}
