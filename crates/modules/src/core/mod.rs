//! The core: what every configuration can use without loading a module.

pub mod branches;
mod connection;
mod exports;
pub mod flags;
pub mod forward;
mod local_send;
mod log;
pub mod memory;
mod rpc;
pub mod rpc_process;
pub mod rpc_sockets;
pub mod selects;
mod socket_choice;
pub mod statistics;
mod statistics_table;
pub mod uri_edit;
pub mod uri_functions;
mod variables;
pub mod words;

pub use connection::Hints;
pub use exports::MODULE;
pub use local_send::send_to_uri;
pub use variables::symbol_of_method;

use std::sync::atomic::AtomicI32;

use crate::settings::Settings;
use crate::worker::Worker;

/// What the core keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub counters: statistics::Counters,
    pub memory: memory::Memory,
    /// Asked to stop, and with which signal: `core.kill`.
    pub stop_signal: AtomicI32,
}

impl State {
    /// The core's parameters are in [`crate::core_settings::CoreSettings`]; nothing to read here.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State::default())
    }
}

/// What the core keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// Connection reuse and close hints, and the MTU switch of this message.
    pub hints: Hints,
    /// A stateless forward that waits for addresses.
    pub pending_forward: Option<forward::Pending>,
    /// What is being sent, inside onsend_route: read by `$snd`, `$sndfrom`, `snd_ip`, `to_ip`.
    pub sending: Option<Sending>,
}

/// A message about to leave, as the onsend route sees it.
#[derive(Debug, Clone)]
pub struct Sending {
    pub to: transaction::Endpoint,
    pub bytes: Vec<u8>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.hints = Hints::default();
        self.pending_forward = None;
        self.sending = None;
    }
}

#[cfg(test)]
mod tests;
