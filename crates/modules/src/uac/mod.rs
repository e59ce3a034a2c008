//! The `uac` module: what this proxy does as a client of its peers, on behalf of callers (spec proxy-core 11.13).

mod authentication;
mod challenge;
mod credentials;
mod digest;
mod exports;
pub mod limits;

pub use exports::MODULE;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    credentials: credentials::Credentials,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State { credentials: credentials::Credentials::of(settings, program)? })
    }
}
