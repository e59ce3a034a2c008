//! Stored dialogs taken up by the real program: served from the first moment, whole, and nothing that is over comes back.

#[path = "../support/mod.rs"]
mod support;
mod tables;

mod damaged;
mod hash_size;
mod on_demand;
mod start;
