//! The `textopsx` module: committing edits, editing single header values, iterating headers and body lines (spec proxy-core 11.5).

mod apply;
mod body_lines;
mod exports;
mod glob;
mod header_name;
mod header_values;
mod headers;
mod keep;
mod literals;
mod status;
#[cfg(test)]
mod tests;

pub use apply::{apply_changes, changed_message, changed_message_with, commit_status, replace_message};
pub use exports::MODULE;
pub use glob::glob;
pub use status::{changed_status, status_line};

use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// Most iterators of one kind at a time.
pub const ITERATORS_MAX: usize = 8;

/// What this module keeps for the whole node: nothing.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// The module has no parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State {})
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// The status a script gave to the reply.
    status: Option<(u16, Text)>,
    headers: Vec<headers::Iterator>,
    lines: Vec<body_lines::Iterator>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.status = None;
        self.headers.clear();
        self.lines.clear();
    }

    /// Iterators point into a message that is no more.
    fn forget_positions(&mut self) {
        self.headers.iter_mut().for_each(headers::Iterator::reset);
        self.lines.iter_mut().for_each(body_lines::Iterator::reset);
    }
}
