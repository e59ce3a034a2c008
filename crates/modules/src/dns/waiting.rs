//! What waits for an answer apart from scripts and transactions: messages without either, and remote calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::{WAITING_BYTES_MAX, WAITING_MAX};
use super::posted::{self, Posted};
use super::record::Question;
use crate::outbox::Effect;
use crate::rpc::{Fault, Reply};
use crate::run::Answer;
use crate::worker::Worker;

/// Who waits, by ticket.
#[derive(Debug, Default)]
pub struct Waiting {
    by_ticket: Mutex<BTreeMap<u64, Waiter>>,
}

/// One that waits.
#[derive(Debug)]
pub enum Waiter {
    /// A message that leaves once its address is known.
    Message(Box<Posted>),
    /// `dns.lookup`.
    Call(Question),
}

impl Waiting {
    /// Keeps a waiter for a ticket; it is given back when too many wait.
    pub fn put(&self, ticket: u64, waiter: Waiter) -> Result<(), Waiter> {
        let mut by_ticket = self.by_ticket.lock().unwrap_or_else(PoisonError::into_inner);
        if !has_room(&by_ticket, waiter.bytes()) {
            return Err(waiter);
        }
        by_ticket.insert(ticket, waiter);
        Ok(())
    }

    /// May one more wait, with so many bytes? Looked at before a question goes out that nobody could wait for.
    pub fn has_room(&self, bytes: usize) -> bool {
        has_room(&self.by_ticket.lock().unwrap_or_else(PoisonError::into_inner), bytes)
    }

    fn take(&self, ticket: u64) -> Option<Waiter> {
        self.by_ticket.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket)
    }
}

fn has_room(waiting: &BTreeMap<u64, Waiter>, more: usize) -> bool {
    let bytes: usize = waiting.values().map(Waiter::bytes).sum();
    waiting.len() < WAITING_MAX && bytes.saturating_add(more) <= WAITING_BYTES_MAX
}

impl Waiter {
    fn bytes(&self) -> usize {
        match self {
            Waiter::Message(posted) => posted.bytes.len(),
            Waiter::Call(_) => 0,
        }
    }
}

/// An answer that neither a script nor a transaction waits for. False: nobody does.
pub fn answered(worker: &mut Worker, ticket: u64, answer: Answer) -> bool {
    let node = Arc::clone(&worker.node);
    match node.states.core.dns.waiting.take(ticket) {
        None => return false,
        Some(Waiter::Message(posted)) => posted::proceed(worker, *posted, answer),
        Some(Waiter::Call(question)) => {
            let entry = super::learn(worker, &question, answer);
            let answer = if entry.is_negative() {
                Err(Fault::new(400, "Not found"))
            } else {
                Ok(Reply::one(super::view::entry(&entry, 2, worker.now.time)))
            };
            worker.outbox.effects.push(Effect::Answer { ticket, answer });
        }
    }
    true
}
