//! Deterministic simulation: proxies and user agents in one process, on a seeded network with a virtual clock.
//!
//! A seed makes a [`scenario::Scenario`]; [`world::World`] lets it happen through the proxies' one door and shows everything
//! to the [`checkers`]. The same seed gives the same bytes (invariant A2).
//!
//! This crate does not open sockets, starts no threads and reads no clock; it does not test transports or RPC wire formats.

pub mod checkers;
pub mod limits;
pub mod network;
pub mod outcome;
pub mod party;
pub mod plan;
pub mod proxy_node;
pub mod scenario;
pub mod trace;
pub mod world;

pub use outcome::{Outcome, run_seed, run_seed_in};
