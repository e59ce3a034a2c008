//! The `maxfwd` module: loop protection by Max-Forwards (RFC 3261 §16.3, §16.6 step 3; spec proxy-core 11.1).

mod exports;
mod hop_limit;

pub use exports::MODULE;

use std::sync::atomic::AtomicU64;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// Received values above this are clipped so that the forwarded value is exactly this.
    pub limit: AtomicU64,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let limit = settings.integer("maxfwd", "max_limit");
        match u64::try_from(limit) {
            Ok(limit) if (1..=255).contains(&limit) => Ok(State { limit: AtomicU64::new(limit) }),
            _ => Err(format!("maxfwd: max_limit {limit} is outside 1..255")),
        }
    }
}
