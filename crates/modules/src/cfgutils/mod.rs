//! The `cfgutils` module: chance, sleeping, global flags, named locks, routes by name (spec proxy-core 11.10).

mod exports;
mod functions;
mod global_flags;
pub mod hashed_file;
mod literals;
mod locks;
mod rpc;
mod sleep;

pub use exports::MODULE;
pub use hashed_file::HASHED_FILE_BYTES_MAX;
pub use locks::Locks;

use std::sync::atomic::{AtomicI64, AtomicU32};

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// Percent.
    initial_probability: i64,
    probability: AtomicI64,
    flags: AtomicU32,
    pub locks: Locks,
    pub hashed_file: hashed_file::HashedFile,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let probability = settings.integer("cfgutils", "initial_probability");
        if !(0..=100).contains(&probability) {
            return Err(format!("cfgutils: initial_probability {probability} is not a percentage"));
        }
        let flags = settings.integer("cfgutils", "initial_gflags");
        let flags = u32::try_from(flags).map_err(|_| format!("cfgutils: initial_gflags {flags} is not a set of 32 flags"))?;
        // A larger set is not refused: it has the greatest size.
        let size = u32::try_from(settings.integer("cfgutils", "lock_set_size")).unwrap_or(0).min(locks::SIZE_MAX);
        Ok(State {
            initial_probability: probability,
            probability: AtomicI64::new(probability),
            flags: AtomicU32::new(flags),
            locks: Locks::new(size),
            hashed_file: hashed_file::HashedFile::new(settings.text("cfgutils", "hash_file").map(|path| path.to_string())),
        })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// The lock a parked run waits for, and how often it has tried.
    awaited: Option<(u32, u32)>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.awaited = None;
    }
}

#[cfg(test)]
mod tests;
