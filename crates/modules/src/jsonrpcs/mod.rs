//! The `jsonrpcs` module: parameters of the JSON-RPC sockets that `control` serves, and calls from scripts (spec proxy-core 13).

mod exports;
mod functions;
mod rpc;
#[cfg(test)]
mod tests;

pub use exports::MODULE;
pub use functions::ExecutedCall;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// `pretty_format`: answers to scripts are written over several lines.
    pub is_pretty: bool,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State { is_pretty: settings.integer("jsonrpcs", "pretty_format") != 0 })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// The outcome of the last `jsonrpc_exec`: what `$jsonrpl` reads.
    pub executed: Option<ExecutedCall>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.executed = None;
    }
}
