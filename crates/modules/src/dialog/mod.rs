//! The `dialog` module: what a configuration sees of the dialog engine, and the doors through which `tm`, `rr` and the proxy drive it.
//!
//! The engine ([`::dialog`]) keeps the records and decides; this module reads messages for it, runs the event routes it asks
//! for, and sends what it wants sent.

mod bridge;
mod bye_retry;
mod context;
mod create;
pub mod cseq;
mod ending;
mod event_route;
mod exports;
mod flags;
mod functions;
mod literals;
mod observers;
mod profiles;
pub mod quirks;
mod reason;
mod replies;
mod rpc;
mod rpc_explain;
mod rpc_fields;
mod rpc_listing;
mod rpc_profiles;
mod rpc_storage;
mod sequential;
mod state;
mod statistics;
mod storage_health;
mod storage_settings;
mod stored;
#[cfg(test)]
mod tests;
mod timer;
mod variables;
mod within;

pub use context::{RunState, TransactionPart, enter_reply, leave_reply, message_dialog, request_within};
pub use create::request_ended;
pub use ending::{keepalive_answered_late, local_completed};
pub use exports::MODULE;
pub use observers::{carry_out_wishes, watch_observers};
pub use reason::{cancel_received, cancel_relayed};
pub use replies::{reply_ready, transaction_ended};
pub use state::{State, engine};
pub use storage_health::{Condition, StorageHealth};
pub use storage_settings::StorageSettings;
pub use stored::timeout_route_number;
pub use timer::on_timer;
pub use within::{on_routed, transaction_created, transaction_exists};
