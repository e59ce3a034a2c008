//! Sockets of the proxy: UDP workers that receive and send in batches, TCP connections, and the address resolver.
//!
//! The room moves bytes. It does NOT parse SIP beyond finding where a message ends on a stream, keeps no transactions or
//! dialogs, decides no routing and reads no configuration. What happens with a message is decided by a driver
//! ([`udp::Driver`], [`tcp::StreamDriver`]) that the `server` room supplies.
//!
//! Not here yet: TLS and WebSocket.
//!
//! `unsafe` exists in one file, `batch.rs`, which wraps the system calls that the standard library does not offer.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod batch;
pub mod crew;
pub mod error;
pub mod gather;
pub mod interfaces;
pub mod limits;
pub mod order;
pub mod outbox;
pub mod resolver;
pub mod socket;
pub mod tcp;
pub mod udp;
pub mod waker;

pub use error::TransportError;
pub use waker::Waker;
