//! The invariants D, P, T and M as functions over what was seen and over snapshots of a proxy's tables.
//!
//! One [`Checker`] a family. The table in the crate's documentation says which file holds which invariant.

mod byes;
mod copies;
mod counts;
mod forks;
mod lifetimes;
mod lives;
mod matching;
mod profiles;
mod reasons;
mod rows;
mod sequences;
mod snapshot;
mod suspension;
mod transactions;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use dialog::{DialogId, DialogView, Occurrence};
use sip::message::Message;

pub use byes::Byes;
pub use copies::Copies;
pub use counts::Counts;
pub use forks::Forks;
pub use lifetimes::Lifetimes;
pub use lives::Lives;
pub use matching::Matching;
pub use profiles::Profiles;
pub use reasons::Reasons;
pub use rows::{Promise, Rows};
pub use sequences::Sequences;
pub use snapshot::{Probe, ProfileSize, Question, Snapshot, TransactionSight};
pub use suspension::Suspension;
pub use transactions::Transactions;

use crate::limits::VIOLATIONS_MAX;

/// Something that happened at one proxy. `cause`: the message whose step this is; None for timers and answers.
#[derive(Debug)]
pub enum Sight<'a> {
    /// A message that parses came in.
    Received { message: &'a Message, from: SocketAddr },
    /// A message went out.
    Sent { message: &'a Message, to: SocketAddr, cause: Option<&'a Message> },
    /// A log line of the configuration's own.
    Line(&'a str),
    /// A dialog reported.
    Dialog { dialog: &'a DialogView, occurrence: Occurrence, cause: Option<&'a Message> },
    /// An operator is about to give a command that names this dialog.
    Commanded { dialog: &'a DialogView, name: &'a str },
    /// What came in is put aside until the dialogs of its slot are loaded.
    Awaits,
    /// All effects of one input were seen.
    StepOver,
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
    /// Dialogs an operator forced into a state: their lives follow no table any more, everything counted still holds.
    pub forced: BTreeSet<(usize, DialogId)>,
    /// Some proxy lost its memory: it may forward one INVITE as two.
    pub has_crashed: bool,
    /// A checker wants to see the tables before anything else happens.
    pub wants_look: bool,
}

impl Verdicts {
    /// Is this a call of the world's own parties alone?
    pub fn is_honest(&self, call_id: &[u8]) -> bool {
        call_id.is_ascii() && call_id.ends_with(b"@simulation") && !self.tainted.contains(call_id)
    }

    /// Did nobody force this dialog of a proxy into a state?
    pub fn is_unforced(&self, proxy: usize, dialog: DialogId) -> bool {
        !self.forced.contains(&(proxy, dialog))
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
    fn inspect(&mut self, _: &Snapshot, _: &mut Verdicts) {}
    /// Looks at the tables after everything ended.
    fn settled(&mut self, _: &Snapshot, _: &mut Verdicts) {}
}

/// All families for one proxy at `address`.
pub fn all(proxy: usize, address: SocketAddr, promises: Promises) -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Lives::new(proxy, promises)),
        Box::new(Matching::new(proxy)),
        Box::new(Lifetimes::new(proxy, promises)),
        Box::new(Byes::new(proxy, address)),
        Box::new(Counts::new(proxy)),
        Box::new(Reasons::new(proxy)),
        Box::new(Sequences::new(proxy)),
        Box::new(Profiles::new(proxy, promises)),
        Box::new(Transactions::new(proxy)),
        Box::new(Forks::new(proxy)),
        Box::new(Suspension::new(proxy)),
        Box::new(Copies::new(proxy)),
    ]
}

/// The words of a line the configuration wrote for the checkers: `MARK kind name ...`.
fn mark(line: &str) -> Option<impl Iterator<Item = &str>> {
    line.split("MARK ").nth(1).map(str::split_whitespace)
}

/// The branch of the Via a line carries.
fn branch_in(line: &str) -> Option<&[u8]> {
    let rest = line.split("branch=").nth(1)?;
    rest.split(|character: char| character == ';' || character.is_whitespace()).next().map(str::as_bytes)
}

/// `entry:id`
fn identity(name: &str) -> Option<DialogId> {
    let (entry, id) = name.split_once(':')?;
    Some(DialogId { entry: entry.parse().ok()?, id: id.parse().ok()? })
}

/// Bytes for a reader.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The branch of the Via at this place, 0 on top; empty when there is none.
fn branch_at(message: &Message, place: usize) -> Vec<u8> {
    message.vias().nth(place).map(|via| via.branch.to_vec()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
