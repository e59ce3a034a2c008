//! Invariants D, P, T, M as functions over what was seen and over snapshots of a proxy's tables.

mod dialogs;
mod messages;
mod profiles;
mod snapshot;
mod transactions;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use dialog::{DialogView, Occurrence};
use sip::message::Message;

pub use dialogs::Dialogs;
pub use messages::Messages;
pub use profiles::Profiles;
pub use snapshot::{ProfileSize, Snapshot, TransactionSight};
pub use transactions::Transactions;

use crate::limits::VIOLATIONS_MAX;

/// Something that happened at one proxy.
#[derive(Debug)]
pub enum Sight<'a> {
    /// A datagram that parses came in.
    Received { message: &'a Message, from: SocketAddr },
    /// A datagram went out.
    Sent { message: &'a Message, to: SocketAddr },
    /// A log line of the configuration's own.
    Line(&'a str),
    /// A dialog reported.
    Dialog { dialog: &'a DialogView, occurrence: Occurrence },
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `D3`
    pub invariant: &'static str,
    /// Virtual milliseconds.
    pub at: u64,
    pub proxy: usize,
    pub text: String,
}

/// The violations found so far.
#[derive(Debug, Default)]
pub struct Verdicts {
    pub list: Vec<Violation>,
    /// Call-IDs a liar spoke for: what it adds to a call is a call of its own.
    pub tainted: BTreeSet<Vec<u8>>,
}

impl Verdicts {
    /// Is this a call of the world's own parties alone?
    pub fn is_honest(&self, call_id: &[u8]) -> bool {
        call_id.ends_with(b"@simulation") && !self.tainted.contains(call_id)
    }

    /// Notes a broken invariant.
    pub fn add(&mut self, invariant: &'static str, at: u64, proxy: usize, text: String) {
        if self.list.len() < VIOLATIONS_MAX {
            self.list.push(Violation { invariant, at, proxy, text });
        }
    }
}

/// What a configuration promises, so that checkers know what to expect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promises {
    /// The MARK lines of workload.cfg are written.
    pub marks: bool,
    /// Calls an account may have at once.
    pub call_limit: Option<u64>,
    /// Names of the profiles to recount.
    pub profiles: &'static [&'static str],
    /// Seconds.
    pub call_seconds_max: u64,
    pub early_seconds_max: u64,
}

/// One family of invariants at one proxy.
pub trait Checker {
    /// Looks at one happening.
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts);
    /// Looks at the tables between two events.
    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts);
    /// Looks at the tables after everything ended.
    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts);
}

/// All families for one proxy.
pub fn all(proxy: usize, promises: Promises) -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Dialogs::new(proxy, promises)),
        Box::new(Profiles::new(proxy, promises)),
        Box::new(Transactions::new(proxy)),
        Box::new(Messages::new(proxy)),
    ]
}

#[cfg(test)]
pub(crate) mod tests;
