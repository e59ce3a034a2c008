//! The `sanity` module: syntactic and semantic checks of requests with precise replies (spec proxy-core 11.3).

mod checks;
mod credentials;
mod exports;
mod functions;
mod sizes;

pub use exports::MODULE;

use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node: its parameters.
#[derive(Debug, Default)]
pub struct State {
    /// Which checks `sanity_check()` makes (bits of [`checks`]).
    pub default_checks: i64,
    /// Which URIs are parsed: 1 request URI, 2 From, 4 To, 8 Contact.
    pub uri_checks: i64,
    pub sizes: sizes::Sizes,
    /// Option tags a Proxy-Require may name, lower case.
    pub proxy_require: Vec<Text>,
    /// A failed check ends the script.
    pub ends_script: bool,
    /// A failed check sends no reply; `sanity_reply()` does.
    pub holds_reply: bool,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let allowed = settings.text("sanity", "proxy_require").unwrap_or_default();
        let proxy_require = allowed
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .filter(|tag| !tag.is_empty())
            .map(|tag| Text::from(tag.to_ascii_lowercase()))
            .collect();
        Ok(State {
            default_checks: settings.integer("sanity", "default_checks"),
            uri_checks: settings.integer("sanity", "uri_checks"),
            sizes: sizes::Sizes::new(settings),
            proxy_require,
            ends_script: settings.integer("sanity", "autodrop") != 0,
            holds_reply: settings.integer("sanity", "noreply") != 0,
        })
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// The reply that a failed check held back.
    held: Option<checks::Refusal>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.held = None;
    }
}
