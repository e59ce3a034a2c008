//! The `ctl` module: parameters of the BINRPC sockets that `control` serves, and RPC about them (spec proxy-core 12).

mod exports;
mod rpc;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node: nothing, its sockets belong to the server.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// Reads the module's parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State {})
    }
}
