//! SIP messages as bytes plus an index: parse without allocating, edit by list, serialise once.
//!
//! This crate does **not** open sockets, read clocks, keep transactions or dialogs, resolve names, run scripts or judge
//! policy. It accepts what a proxy must be able to forward, so untouched bytes leave exactly as they came, and says
//! no where forwarding would be dangerous ([`framing`], [`serialise::has_forbidden_octets`], [`limits`]).
//!
//! Start with [`message::Message`], then [`edit::Edits`] and [`serialise::write_request`].
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

pub mod authorization;
pub mod call_id;
mod core_fields;
pub mod edit;
pub mod error;
pub mod fields;
pub mod framing;
pub mod header;
pub mod hop_request;
pub mod limits;
pub mod message;
pub mod method;
pub mod name_address;
pub mod outline;
pub mod params;
pub mod reply;
pub mod required;
pub mod scan;
pub mod serialise;
pub mod span;
pub mod start_line;
pub mod time;
pub mod uri;
pub mod via;
mod via_mark;

pub use edit::Edits;
pub use error::ParseError;
pub use fields::CSeq;
pub use framing::{Frame, FrameError, Framer};
pub use header::{Header, HeaderId};
pub use hop_request::{FromReceived, write_ack, write_ack_from_received, write_cancel, write_cancel_copying, write_cancel_from_received};
pub use limits::Limits;
pub use message::Message;
pub use method::Method;
pub use name_address::{NameAddress, RouteEntry};
pub use outline::Outline;
pub use params::{Param, Params};
pub use reply::{ReplyParts, write_reply};
pub use serialise::{Received, ReplyHead, RequestHead, has_forbidden_octets, write_reply_relay, write_reply_relay_with, write_request};
pub use span::Span;
pub use time::{Date, Now, Time};
pub use uri::{Uri, UriError};
pub use via::Via;
