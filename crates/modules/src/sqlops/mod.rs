//! The `sqlops` module: statements of scripts and their results (spec proxy-core 11.31).

mod exports;
mod functions;
mod literals;
mod results;
#[cfg(test)]
mod tests;
mod variables;

pub use exports::MODULE;

use script::value::Text;

use crate::database::Rows;
use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// `results_maxsize`: most results one run keeps.
    results_max: usize,
    /// `log_buf_size`: how much of a statement stands in a log line.
    logged_bytes_max: usize,
}

impl State {
    /// Reads the module's parameters; the connections are read with those of all modules.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let size = |name: &str| usize::try_from(settings.integer("sqlops", name)).map_err(|_| format!("sqlops: {name} is negative"));
        Ok(State { results_max: size("results_maxsize")?, logged_bytes_max: size("log_buf_size")? })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// Results by name.
    results: Vec<(Text, Rows)>,
    /// Rows of the last statement on each connection, by its place.
    affected: Vec<(usize, u64)>,
    waiting: Option<functions::Waiting>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.results.clear();
        self.affected.clear();
        self.waiting = None;
    }
}
