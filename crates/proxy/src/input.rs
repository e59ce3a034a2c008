//! What can happen to a proxy from outside.

use modules::run::Answer;
use transaction::Endpoint;

/// One input.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// A datagram, or one framed message of a stream (`from.connection` is set then).
    Message { bytes: &'a [u8], from: Endpoint },
    /// What an effect with this ticket asked for.
    Answer { ticket: u64, answer: Answer },
    /// A message that an effect wanted sent did not leave: there is no connection, or no way to its destination.
    Unsent { bytes: &'a [u8] },
    /// Timers may be due.
    Tick,
}
