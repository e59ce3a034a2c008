//! What a run came to, in counts and times.

use std::collections::BTreeMap;

use super::histogram::Histogram;
use super::message::Method;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub begun: u32,
    pub answered: u32,
    pub ended: u32,
    /// Re-INVITEs answered with 200.
    pub updated: u32,
    /// Requests and answers sent again.
    pub repeated: u32,
    /// Refusals by request and status; 408 also when no answer came at all.
    pub refused: BTreeMap<(Method, u16), u32>,
    /// Calls that neither side ended: a BYE came from elsewhere.
    pub cut: u32,
    /// Messages that belong to none of the calls.
    pub strays: u32,
    /// A 180 came to the caller behind the 200 of the same INVITE.
    pub reordered: u32,
    /// INVITE to 200 without the ringing time, INVITE to the first 180, BYE to 200; microseconds.
    pub invites: Histogram,
    pub ringing: Histogram,
    pub byes: Histogram,
    /// The generator itself was late by this much at most, milliseconds.
    pub lateness: f64,
}

impl Totals {
    /// Requests that were refused or never answered, and calls cut.
    pub fn failures(&self) -> u32 {
        self.refused.values().sum::<u32>() + self.cut
    }
}
