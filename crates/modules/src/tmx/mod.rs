//! The `tmx` module: looking into transactions, acting on them from elsewhere, waiting and going on (spec proxy-core 8).

mod branches;
mod exports;
mod functions;
mod precheck;
mod remote;
mod statistics;
mod suspend;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;

pub use exports::MODULE;
pub use precheck::{Claim, Processing};

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// Requests that some worker is processing; None when `precheck_trans` is 0.
    pub processing: Option<Arc<Processing>>,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let is_on = settings.integer("tmx", "precheck_trans") != 0;
        Ok(State { processing: is_on.then(Arc::default) })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// The request is published as being processed as long as this is held.
    pub claim: Option<Claim>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.claim = None;
    }
}

/// The request of the run was processed to its end: other workers may process its like.
pub fn request_ended(worker: &mut Worker) {
    worker.run.tmx.clear();
}
