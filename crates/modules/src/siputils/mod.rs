//! The `siputils` module: predicates and converters on URIs, headers and message types (spec proxy-core 11.2).

mod charging_vector;
mod contact_encoding;
mod contact_parameter;
mod date;
mod exports;
mod identity;
mod message_tests;
mod options;
mod telephone;
mod text_tests;
mod uri_parameters;
mod uri_tests;

pub use exports::MODULE;

use script::format::Format;
use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node: its parameters.
#[derive(Debug, Default)]
pub struct State {
    pub options_accept: Text,
    pub options_accept_encoding: Text,
    pub options_accept_language: Text,
    pub options_supported: Text,
    /// Separates the fields of an encoded contact.
    pub contact_separator: u8,
    pub identity_prefix: Text,
    pub identity_suffix: Text,
    /// Where `append_rpid_hf()` takes the identity from.
    pub identity_source: Option<Format>,
    /// Longest E.164 number with its plus sign.
    pub number_length_max: usize,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let text = |name: &str| settings.text("siputils", name).unwrap_or_default();
        let identity_source = match text("rpid_avp") {
            name if name.is_empty() => None,
            name if settings.is_loaded("siputils") => {
                Some(program.compile_format(&name).map_err(|error| format!("siputils: rpid_avp: {error}"))?)
            }
            _ => None,
        };
        Ok(State {
            options_accept: text("options_accept"),
            options_accept_encoding: text("options_accept_encoding"),
            options_accept_language: text("options_accept_language"),
            options_supported: text("options_support"),
            contact_separator: text("contact_flds_separator").first().copied().unwrap_or(b'*'),
            identity_prefix: text("rpid_prefix"),
            identity_suffix: text("rpid_suffix"),
            identity_source,
            number_length_max: usize::try_from(settings.integer("siputils", "e164_max_len")).unwrap_or(16),
        })
    }
}
