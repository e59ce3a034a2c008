//! The `sl` module: stateless replies and the filter for their ACKs (spec proxy-core 5, 10).

mod acknowledgement;
mod contact;
mod endpoint;
mod error_reply;
mod exports;
mod forward;
mod functions;
mod refusal;
mod reply;
mod statistics;
mod tag;
#[cfg(test)]
mod tests;

pub use acknowledgement::{is_filtered_ack, is_filtered_ack_unparsed};
pub use contact::{Rich, redirect_contacts};
pub use endpoint::{reply_destination, reply_endpoint};
pub use error_reply::error_reply;
pub use exports::MODULE;
pub use functions::is_reason;
pub use refusal::refuse;
pub use reply::reply;
pub use tag::{TAG_BYTES, to_tag};

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use script::value::Text;

use crate::settings::Settings;
use crate::worker::Worker;

/// How long after a stateless final reply to an INVITE its ACK is awaited, milliseconds.
pub const ACK_WAIT_MILLISECONDS: u64 = 2_000;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    pub default_code: u16,
    pub default_reason: Text,
    /// `rich_redirect`
    pub rich_redirect: Rich,
    /// `send_reply` replies through the transaction when there is one.
    pub uses_transactions: bool,
    statistics: statistics::Counters,
    /// Monotonic milliseconds until which ACKs are looked at; 0 never.
    ack_expected_until: AtomicU64,
    /// The part of to-tags that all share, made once.
    tag_seed: OnceLock<tag::Seed>,
    filtered_ack_route: Option<script::RouteId>,
    local_response_route: Option<script::RouteId>,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let code = settings.integer("sl", "default_code");
        let default_code = u16::try_from(code)
            .ok()
            .filter(|code| (100..=699).contains(code))
            .ok_or_else(|| format!("sl: default_code {code} is not a status code"))?;
        let event = |name: &str| program.route(script::syntax::ast::RouteKind::Event, name.as_bytes());
        Ok(State {
            default_code,
            default_reason: settings.text("sl", "default_reason").unwrap_or_default(),
            rich_redirect: Rich::from_bits(settings.integer("sl", "rich_redirect")),
            uses_transactions: settings.integer("sl", "bind_tm") != 0 && settings.is_loaded("tm"),
            filtered_ack_route: event("sl:filtered-ack"),
            local_response_route: event("sl:local-response"),
            ..State::default()
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
