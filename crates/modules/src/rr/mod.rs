//! The `rr` module: record routing and loose routing (RFC 3261 §16.4, §16.6 step 4, §16.12; spec proxy-core 9).

mod direction;
mod exports;
mod loose;
mod record;
mod variables;

#[cfg(test)]
mod tests;

pub use direction::{Direction, direction};
pub use exports::MODULE;
pub use loose::own_route_parameters;
pub use record::{Plan, add_parameter, render};

use script::format::Format;
use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// Most bytes of all `add_rr_param()` texts of one message.
pub const ADDED_PARAMETER_BYTES_MAX: usize = 512;
/// Most Record-Route insertions one message can plan (main route, branch route, two presets).
pub const RECORDINGS_MAX: usize = 8;

/// When two Record-Route headers are written (`enable_double_rr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoubleRecord {
    Never,
    /// When the receiving and the sending socket differ.
    #[default]
    OnDifference,
    Always,
}

/// What this module keeps for the whole node: its parameters.
#[derive(Debug, Default)]
pub struct State {
    pub append_from_tag: bool,
    pub double_record: DoubleRecord,
    /// `;lr=on` instead of `;lr`.
    pub full_loose_parameter: bool,
    pub add_user: bool,
    /// Evaluated for the user part; None: the user of the request URI.
    pub user_source: Option<Format>,
    pub force_send_socket: bool,
    pub ignore_sips: bool,
    pub with_socket_name: bool,
    pub warn_of_socket_mismatch: bool,
    /// Bit 1: never strict routing; bit 2: no flow tokens.
    pub mode: i64,
    /// Is the dialog module loaded, which wants to know of consumed Routes?
    pub has_dialog: bool,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let is_on = |name: &str| settings.integer("rr", name) != 0;
        let user_source = match settings.text("rr", "custom_user_avp") {
            Some(text) if !text.is_empty() => Some(program.compile_format(&text).map_err(|error| format!("rr: custom_user_avp: {error}"))?),
            _ => None,
        };
        Ok(State {
            append_from_tag: is_on("append_fromtag"),
            double_record: match settings.integer("rr", "enable_double_rr") {
                0 => DoubleRecord::Never,
                2 => DoubleRecord::Always,
                _ => DoubleRecord::OnDifference,
            },
            full_loose_parameter: is_on("enable_full_lr"),
            add_user: is_on("add_username"),
            user_source,
            force_send_socket: is_on("force_send_socket"),
            ignore_sips: is_on("ignore_sips"),
            with_socket_name: is_on("sockname_mode"),
            warn_of_socket_mismatch: is_on("enable_socket_mismatch_warning"),
            mode: settings.integer("rr", "loose_route_mode"),
            has_dialog: settings.is_loaded("dialog"),
        })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default, Clone)]
pub struct RunState {
    /// The Record-Route headers to write when the request leaves.
    pub plan: Plan,
    /// Parameters of the consumed own Route, without the leading `;`.
    route_parameters: Vec<u8>,
    /// An own Route was consumed by `loose_route()`.
    is_own_route: bool,
    /// A loose Route is left for the next hop.
    has_next_route: bool,
    /// The last result of `loose_route()`; 0 when it did not run.
    last_result: i32,
    /// Entries of the Route headers, kept for reuse.
    entries: Vec<loose::Entry>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.plan.clear();
        self.route_parameters.clear();
        self.is_own_route = false;
        self.has_next_route = false;
        self.last_result = 0;
        self.entries.clear();
    }

    /// Did `loose_route()` consume an own Route?
    pub fn consumed_own_route(&self) -> bool {
        self.is_own_route
    }
}

/// A text without one leading `;`.
pub(crate) fn without_semicolon(text: &[u8]) -> &[u8] {
    text.strip_prefix(b";").unwrap_or(text)
}

/// An owned text of a slice, for fields of the run.
fn owned(text: &[u8]) -> Text {
    Text::from(text)
}
