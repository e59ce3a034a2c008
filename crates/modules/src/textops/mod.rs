//! The `textops` module: searching and editing headers and body (spec proxy-core 4, 11.4).

mod body;
mod date;
mod exports;
mod headers;
mod hold;
mod literals;
mod message_tests;
pub(crate) mod multipart;
mod parts;
mod replace;
mod search;
mod substitute;
mod text_tests;
mod via;

pub use exports::MODULE;
pub(crate) use headers::Comparison;

use crate::settings::Settings;
use crate::worker::Worker;

/// Most matches one `*_all` function edits in a message.
pub const MATCHES_MAX: usize = 1024;
/// Most elements `in_list()` looks at.
pub const LIST_ELEMENTS_MAX: usize = 16_384;
/// Most parts of a multipart body.
pub const BODY_PARTS_MAX: usize = 64;

/// Queues a header line behind the last header.
pub fn append_header_line(run: &mut crate::run::Run, line: &[u8]) {
    headers::append_line(run, line, None);
}

/// Queues a header line before the first header.
pub fn insert_header_line(run: &mut crate::run::Run, line: &[u8]) {
    headers::insert_line(run, line, None);
}

/// What this module keeps for the whole node: nothing.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// The module has no parameters.
    pub fn start(_settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        Ok(State {})
    }
}

/// What this module keeps for one run of a script: nothing beside the run's edits.
#[derive(Debug, Default)]
pub struct RunState {}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {}
}
