//! Remote calls whose answer comes later: who waits under which ticket, and for how long.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use modules::rpc::{Fault, Reply};

/// Most calls that wait at one time; each holds one thread of its door.
pub const WAITING_MAX: usize = 64;
/// Longest wait. Transactions end by themselves long before; this is for one that was given up after a fault.
pub const WAIT_MAX: Duration = Duration::from_secs(600);

type Answer = Result<Reply, Fault>;
type Senders = Mutex<BTreeMap<u64, SyncSender<Answer>>>;

/// Calls that wait, by ticket; clones are the same.
#[derive(Clone, Default)]
pub struct WaitingCalls {
    senders: Arc<Senders>,
}

/// One call that waits. Dropping it ends the wait.
pub struct Awaited {
    ticket: u64,
    receiver: Receiver<Answer>,
    senders: Arc<Senders>,
}

impl WaitingCalls {
    /// May one more call wait?
    pub fn has_room(&self) -> bool {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).len() < WAITING_MAX
    }

    /// Begins to wait for the answer with this ticket.
    pub fn expect(&self, ticket: u64) -> Awaited {
        let (sender, receiver) = sync_channel(1);
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, sender);
        Awaited { ticket, receiver, senders: Arc::clone(&self.senders) }
    }

    /// Brings an answer to whoever waits for it; one that nobody waits for any more is dropped.
    pub fn answer(&self, ticket: u64, answer: Answer) {
        let sender = self.senders.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
        if let Some(sender) = sender {
            let _ = sender.try_send(answer);
        }
    }
}

impl Awaited {
    /// Waits for the answer; blocks this thread, never a worker.
    pub fn wait(self) -> Answer {
        self.wait_for(WAIT_MAX)
    }

    fn wait_for(self, longest: Duration) -> Answer {
        self.receiver.recv_timeout(longest).unwrap_or_else(|_| Err(Fault::new(408, "no answer within the time a call may wait")))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use modules::rpc::Item;

    use super::*;

    #[test]
    fn an_answer_finds_its_call_once() {
        let calls = WaitingCalls::default();
        let awaited = calls.expect(7);
        calls.answer(8, Ok(Reply::empty()));
        calls.answer(7, Ok(Reply::one(Item::Integer(200))));
        calls.answer(7, Ok(Reply::empty()));
        assert_eq!(awaited.wait(), Ok(Reply::one(Item::Integer(200))));
    }

    #[test]
    fn a_call_that_nobody_answers_ends_with_a_fault_and_gives_its_place_back() {
        let calls = WaitingCalls::default();
        let awaited = calls.expect(7);
        assert_eq!(awaited.wait_for(Duration::ZERO).map_err(|fault| fault.code), Err(408));
        assert!(calls.senders.lock().expect("the lock").is_empty());
    }

    #[test]
    fn the_number_of_waiting_calls_is_bounded() {
        let calls = WaitingCalls::default();
        let held: Vec<Awaited> = (0..WAITING_MAX as u64).map(|ticket| calls.expect(ticket)).collect();
        assert!(!calls.has_room());
        drop(held);
        assert!(calls.has_room());
    }
}
