//! The `kex` module: branch and script flags, next hop, `is_myself`, and the RPC commands on statistics (spec proxy-core 11.9).

mod exports;
mod flags;
mod functions;
mod rpc;
mod rpc_memory;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// The log threshold before the first `setdebug`.
    threshold: std::sync::OnceLock<i32>,
}

impl State {
    /// The module has no parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State::default())
    }
}

#[cfg(test)]
mod tests;
