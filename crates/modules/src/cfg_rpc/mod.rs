//! The `cfg_rpc` module: reading and changing configuration at run time through `cfg.*` (spec proxy-core 14.1).

mod exports;
mod pending;
mod rpc;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pending: pending::Pending,
}

impl State {
    /// The module has no parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State::default())
    }
}
