//! The core: what every configuration can use without loading a module.

mod attribute_flags;
pub mod branches;
mod connection;
pub mod events;
mod exports;
pub mod flags;
pub mod forward;
pub mod groups;
mod literals;
mod local_send;
mod log;
pub mod log_prefix;
pub mod made_up;
pub mod memory;
pub mod overload;
mod rpc;
mod rpc_parameters;
pub mod rpc_process;
pub mod rpc_sockets;
mod rpc_streams;
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

use std::sync::OnceLock;
use std::sync::atomic::AtomicI32;

use crate::connections::{Connections, StreamCounters};
use crate::settings::Settings;
use crate::worker::Worker;

/// What the core keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub counters: statistics::Counters,
    pub memory: memory::Memory,
    pub dns: crate::dns::State,
    pub blocklist: crate::blocklist::State,
    /// Asked to stop, and with which signal: `core.kill`.
    pub stop_signal: AtomicI32,
    /// `log_prefix`, compiled by the first line that shows it.
    pub log_prefix: log_prefix::Compiled,
    pub events: events::EventRoutes,
    pub overload: overload::Overload,
    /// Instances of groups that were added without values: group and number.
    pub added_instances: std::sync::Mutex<Vec<(String, u32)>>,
    /// Who knows the connections; nobody where there are no sockets.
    pub connections: OnceLock<Box<dyn Connections>>,
}

impl State {
    /// The core's parameters are in [`crate::core_settings::CoreSettings`]; its event routes are looked up here.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let dns = crate::dns::State::start(settings)?;
        Ok(State { events: events::EventRoutes::new(program), dns, ..State::default() })
    }

    /// Counters of streams; zeros where there are none.
    pub fn stream_counters(&self) -> StreamCounters {
        self.connections.get().map_or_else(StreamCounters::default, |connections| connections.stream_counters())
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
    /// Instances of groups that `cfg_select` chose for this message.
    pub selected_instances: Vec<(script::value::Text, u32)>,
    /// What was received, in `event_route[core:msg-received]`.
    pub received: Option<events::ReceivedBytes>,
    /// `log_prefix` for this message.
    pub prefix: log_prefix::RunPrefix,
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
        self.selected_instances.clear();
        self.received = None;
        self.prefix = log_prefix::RunPrefix::default();
    }
}

#[cfg(test)]
mod tests;
