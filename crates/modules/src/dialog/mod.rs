//! The `dialog` module: what a configuration sees of it.

mod exports;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// Reads the module's parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State {})
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {}
}

/// Called when `loose_route()` has consumed an own Route with parameters.
pub fn on_routed(_worker: &mut Worker) {}

// TEMPORARY until the room is filled: the doors tm, rr and proxy knock at.

#[derive(Debug, Default)]
pub struct TransactionPart {}
pub fn transaction_created(_worker: &mut Worker) {}
pub fn reply_ready(_worker: &mut Worker, _code: u16, _reply: Option<&sip::Message>, _branch: Option<usize>) {}
pub fn enter_reply(_worker: &mut Worker) {}
pub fn leave_reply(_worker: &mut Worker) {}
pub fn transaction_ended(_worker: &mut Worker, _data: &mut crate::tm::TransactionData) {}
pub fn local_completed(_worker: &mut Worker, _purpose: &crate::tm::Purpose, _code: u16) {}
pub fn request_ended(_worker: &mut Worker) {}
pub fn on_timer(_worker: &mut Worker) {}
pub fn engine(_settings: &Settings, _process: &crate::node::Process, now: sip::time::Now) -> Result<::dialog::Engine, String> {
    Ok(::dialog::Engine::new(now, ::dialog::Settings::default()))
}
