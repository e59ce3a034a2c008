//! SIP transactions: RFC 3261 §16-17 and RFC 6026, with Kamailio's rules for choosing replies, cancelling and timing.
//!
//! A transaction is taken out of the [`Table`] by one worker, which runs steps on it ([`Transaction`]) and puts it
//! back; what happens meanwhile is queued and handed to that worker in order. Steps say what to send ([`Action`]) and
//! what to do next ([`Decision`], [`ReplyStep`], [`TimerStep`]).
//!
//! This crate does **not** read clocks, sockets or random numbers, does not run scripts, knows no dialogs, resolves no
//! names and builds no messages: the caller passes the time in, builds bytes with `sip`, and sends them.
//! `LIFECYCLE.md` beside the sources walks through one INVITE.

pub mod ack;
pub mod action;
pub mod branch;
pub mod branch_id;
pub mod cancel;
pub mod client_invite;
pub mod client_other;
pub mod deadline;
pub mod decision;
pub mod endpoint;
pub mod event;
pub mod expiry;
pub mod forward;
pub mod key;
pub mod limits;
pub mod machine;
pub mod pick_reply;
pub mod reply;
#[cfg(test)]
mod sample;
pub mod seen_tags;
pub mod server;
pub mod server_invite;
pub mod server_other;
pub mod settings;
mod shard;
mod siphash;
pub mod spares;
pub mod statistics;
pub mod suspend;
pub mod table;
pub mod timer;
pub mod transaction;

pub use ack::AckStep;
pub use action::{Action, Actions, Buffer, CancelReason};
pub use branch::{ArmedRoutes, Branch, BranchStart, CancelStage};
pub use branch_id::BranchId;
pub use cancel::{CancelAnswer, CancelStep, Which};
pub use decision::{Decision, DropReplies, RoutedReply};
pub use endpoint::{Endpoint, Protocol};
pub use event::Event;
pub use expiry::TimerStep;
pub use forward::AddBranchError;
pub use key::Key;
pub use machine::{ClientState, ServerState};
pub use reply::ReplyStep;
pub use server::{Origin, SentReply};
pub use settings::{Settings, TimerValues};
pub use siphash::SecretKey;
pub use spares::Spares;
pub use statistics::Statistics;
pub use suspend::{ResumeStep, SuspendError};
pub use table::{CheckIn, Checkout, Creation, Delivery, Queued, Table, TimerEvent, TransactionId};
pub use transaction::{Flags, Transaction};
