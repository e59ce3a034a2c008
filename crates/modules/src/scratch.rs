//! Memory that a worker uses for one step after the other: whoever needs some takes it, and puts it back when the step is done.

use transaction::TransactionId;

use crate::run::Target;
use crate::tm::Prepared;

/// Lists come empty; a text is cleared by whoever takes it. What is taken a second time meanwhile, by a run within the run, is
/// simply a new one. Nothing here outgrows one message, the branches of one relay, or the timers of one tick.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A short text: a parameter, a tag, digits.
    pub text: Vec<u8>,
    /// The Contact of a request within a dialog.
    pub contact: Vec<u8>,
    /// The branch value of our Via.
    pub branch: Vec<u8>,
    /// Transactions of one call, and those with due timers.
    pub transactions: Vec<TransactionId>,
    pub due: Vec<TransactionId>,
    /// Where the branches of a relay go, and the branches.
    pub targets: Vec<Target>,
    pub prepared: Vec<Prepared>,
}
