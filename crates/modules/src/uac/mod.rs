//! The `uac` module: what this proxy does as a client of its peers, on behalf of callers (spec proxy-core 11.13).

mod authentication;
mod challenge;
mod credentials;
mod described;
mod digest;
mod exports;
pub mod limits;
mod replacement;
mod restore;
mod sending;
mod stored_uri;

pub use exports::MODULE;
pub use restore::{keep_for_replies, on_routed, restore_in_reply};
pub use sending::{Sent, completed};

use script::syntax::ast::RouteKind;

use crate::settings::Settings;
use crate::worker::Worker;
use replacement::Party;

/// Who puts replaced headers right in the requests of a call (`restore_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestoreMode {
    /// Nobody, nor in replies.
    #[default]
    Never,
    /// The script.
    Manual,
    /// `loose_route()`.
    Automatic,
}

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    credentials: credentials::Credentials,
    /// [`RestoreMode::Never`] while the module is not loaded.
    pub restore_mode: RestoreMode,
    /// The URIs are kept in the dialog where there is one.
    restores_by_dialog: bool,
    restore_password: Vec<u8>,
    from_parameter: Vec<u8>,
    to_parameter: Vec<u8>,
    /// `event_route[uac:reply]`
    reply_route: Option<script::RouteId>,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        if !settings.is_loaded("uac") {
            return Ok(State::default());
        }
        let text = |name: &str| settings.text("uac", name).map(|text| text.to_vec()).unwrap_or_default();
        let restore_mode = match &text("restore_mode")[..] {
            b"none" => RestoreMode::Never,
            b"manual" => RestoreMode::Manual,
            b"auto" => RestoreMode::Automatic,
            other => return Err(format!("uac: restore_mode is none, manual or auto, not {}", String::from_utf8_lossy(other))),
        };
        let restores_by_dialog = settings.integer("uac", "restore_dlg") != 0;
        if restores_by_dialog && !settings.is_loaded("dialog") {
            return Err(String::from("uac: restore_dlg needs the module dialog"));
        }
        let lacks_direction = settings.is_loaded("rr") && settings.integer("rr", "append_fromtag") == 0;
        if restore_mode == RestoreMode::Automatic && lacks_direction {
            return Err(String::from("uac: restore_mode auto needs append_fromtag of rr, which tells which way a request goes"));
        }
        let names = [text("rr_from_store_param"), text("rr_to_store_param")];
        if names.iter().any(|name| name.is_empty() || !name.iter().all(u8::is_ascii_alphanumeric)) || names[0] == names[1] {
            return Err(String::from("uac: rr_from_store_param and rr_to_store_param are two names of letters and digits"));
        }
        let [from_parameter, to_parameter] = names;
        Ok(State {
            credentials: credentials::Credentials::of(settings, program)?,
            restore_mode,
            restores_by_dialog,
            restore_password: text("restore_passwd"),
            from_parameter,
            to_parameter,
            reply_route: program.route(RouteKind::Event, b"uac:reply"),
        })
    }

    /// The name of the Record-Route parameter about a header.
    fn parameter(&self, party: Party) -> &[u8] {
        match party {
            Party::From => &self.from_parameter,
            Party::To => &self.to_parameter,
        }
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// Headers of the request that leave with another URI: 1 From, 2 To.
    replaced: u8,
    /// `$uac_req(...)`
    described: Option<Box<described::Described>>,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.replaced = 0;
        self.described = None;
    }
}
