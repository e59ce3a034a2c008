//! The `xlog` module: formatted log lines from the script (spec proxy-core 11.7).

mod colors;
mod exports;
mod functions;
pub mod level;
mod literals;

pub use exports::MODULE;

use std::sync::atomic::AtomicI64;

use script::format::Format;
use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// Written before each line.
    prefix: Text,
    /// The prefix as a format, with `prefix_mode` 1.
    prefix_format: Option<Format>,
    /// Longest line in bytes; longer ones are cut.
    line_bytes_max: usize,
    facility: Option<u8>,
    /// `xlogl` shows the file, too.
    has_long_format: bool,
    /// `$C` prints colours: on standard error, or by `force_color`.
    is_color_forced: bool,
    /// `log_colors`: level and terminal sequence.
    pub colors: Vec<(i32, String)>,
    /// Methods that `xlogm` is silent for, as Kamailio numbers them; -1 all.
    pub silent_methods: AtomicI64,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let prefix = settings.text("xlog", "prefix").unwrap_or_default();
        let prefix_format = match settings.integer("xlog", "prefix_mode") {
            0 => None,
            _ => Some(program.compile_format(&prefix).map_err(|error| format!("xlog: prefix: {error}"))?),
        };
        let facility = match settings.text("xlog", "log_facility") {
            Some(name) => Some(level::facility(&name).ok_or_else(|| format!("xlog: unknown log_facility {name}"))?),
            None => None,
        };
        let line_bytes_max = usize::try_from(settings.integer("xlog", "buf_size")).ok().filter(|size| *size > 0);
        Ok(State {
            prefix,
            prefix_format,
            line_bytes_max: line_bytes_max.ok_or("xlog: buf_size must be above 0")?,
            facility,
            has_long_format: settings.integer("xlog", "long_format") != 0,
            is_color_forced: settings.integer("xlog", "force_color") != 0,
            colors: colors::of_levels(&settings.texts("xlog", "log_colors"))?,
            silent_methods: AtomicI64::new(settings.integer("xlog", "methods_filter")),
        })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {}
}
