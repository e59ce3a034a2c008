//! How many instructions the hot parts take, counted by callgrind and held against a baseline.
//!
//! A time depends on who else uses the machine; a count does not: two runs of one binary differ by nothing. So a count can be a
//! gate, and a time cannot. `docs/performance.md` tells how to read and renew the baseline.
//!
//! Each [`Case`] prepares what it needs, then does its operation so many times. Only the operations run inside
//! [`meter::counted_work`], which is where callgrind is told to count; making messages is not counted.
//!
//! A library for this (gungraun) would need its runner installed in exactly the version of the crate, on every machine that runs
//! the tests. What it does for a gate is one valgrind command and one number in its output ([`callgrind`]).

pub mod baseline;
pub mod call;
pub mod callgrind;
pub mod case;
pub mod meter;
pub mod surroundings;
pub mod threads;

mod dialogs;
mod messages;
mod scripts;
mod transactions;

pub use case::Case;
