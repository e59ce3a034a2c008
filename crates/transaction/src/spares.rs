//! Memory of transactions that ended, kept for those to come. Each worker has its own, so nothing here is locked.

use crate::branch::BranchStart;
use crate::limits::{
    KEPT_BRANCHES_MAX, KEPT_BYTES_MAX, KEPT_REQUEST_BYTES_MAX, SPARE_BUFFERS_MAX, SPARE_STARTS_MAX, SPARE_TIME, SPARE_TRANSACTIONS_MAX,
};
use crate::transaction::{Beginning, Transaction};
use sip::{Edits, Message, Time};

/// What most URIs need.
const USUAL_URI_BYTES: usize = 48;

/// Things that wait for use. What was used last is used next: its memory is still in the cache.
#[derive(Debug)]
struct Pool<T> {
    things: Vec<T>,
    max: usize,
    /// The fewest there were since unused ones were let go last.
    fewest: usize,
}

impl<T> Pool<T> {
    fn new(max: usize) -> Pool<T> {
        Pool { things: Vec::new(), max, fewest: 0 }
    }

    fn has_room(&self) -> bool {
        self.things.len() < self.max
    }

    /// A thing there is no room for is let go.
    fn put(&mut self, thing: T) {
        if self.has_room() {
            self.things.push(thing);
        }
    }

    fn take(&mut self) -> Option<T> {
        let thing = self.things.pop();
        self.fewest = self.fewest.min(self.things.len());
        thing
    }

    /// Lets half of those go that nobody needed all the time.
    fn let_go_unused(&mut self) {
        self.things.drain(..self.fewest.div_ceil(2));
        self.fewest = self.things.len();
    }
}

/// Spare transactions, buffers for requests that are sent, and texts of branches. What is not needed is let go, slowly.
#[derive(Debug)]
pub struct Spares<D> {
    /// Boxed, because they move into the table as they are.
    transactions: Pool<Box<Transaction<D>>>,
    buffers: Pool<Vec<u8>>,
    starts: Pool<BranchStart>,
    let_go_at: Time,
}

impl<D> Default for Spares<D> {
    fn default() -> Spares<D> {
        Spares {
            transactions: Pool::new(SPARE_TRANSACTIONS_MAX),
            buffers: Pool::new(SPARE_BUFFERS_MAX),
            starts: Pool::new(SPARE_STARTS_MAX),
            let_go_at: Time(0),
        }
    }
}

impl<D> Spares<D> {
    /// Transactions that wait for use.
    pub fn len(&self) -> usize {
        self.transactions.things.len()
    }

    pub fn is_empty(&self) -> bool {
        self.transactions.things.is_empty()
    }

    /// Every [`SPARE_TIME`], half of what was not needed in all that time is let go: after a busy hour the memory comes back.
    pub fn let_go_unused(&mut self, now: Time) {
        if now >= self.let_go_at {
            self.let_go_at = Time(now.0.saturating_add(SPARE_TIME));
            self.transactions.let_go_unused();
            self.buffers.let_go_unused();
            self.starts.let_go_unused();
        }
    }

    /// Takes in a transaction that is out of the table. `renew` makes what the proxy hung on it as new; buffers of a size that
    /// few requests need are let go.
    pub fn keep(&mut self, mut transaction: Box<Transaction<D>>, renew: impl FnOnce(&mut D)) {
        for branch in transaction.branches.drain(..) {
            self.keep_buffer(branch.sent);
            self.keep_start(branch.start);
        }
        if !self.transactions.has_room() {
            return;
        }
        if transaction.branches.capacity() > KEPT_BRANCHES_MAX {
            transaction.branches = Vec::new();
        }
        if transaction.request.heap_bytes() > KEPT_REQUEST_BYTES_MAX {
            transaction.request = Message::new();
        }
        if transaction.edits.heap_bytes() > KEPT_BYTES_MAX {
            transaction.edits = Edits::default();
        }
        let server = &mut transaction.server;
        for buffer in [&mut server.reply, &mut server.to_tag] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
        renew(&mut transaction.data);
        self.transactions.put(transaction);
    }

    /// A transaction that begins with a copy of the request.
    pub(crate) fn transaction(&mut self, beginning: &Beginning<'_>, request: &Message) -> Box<Transaction<D>>
    where
        D: Default,
    {
        let mut transaction = match self.transactions.take() {
            Some(mut spare) => {
                spare.begin(beginning);
                spare
            }
            None => {
                let mut transaction = Box::new(Transaction::new(beginning));
                transaction.make_room(request);
                transaction
            }
        };
        transaction.request.clone_from(request);
        transaction
    }

    /// Takes the buffers of requests that the transaction needs no more, before it waits for its end.
    pub fn collect(&mut self, transaction: &mut Transaction<D>) {
        for branch in &mut transaction.branches {
            if branch.sent.is_empty() && branch.sent.capacity() > 0 {
                self.keep_buffer(std::mem::take(&mut branch.sent));
            }
        }
    }

    fn keep_buffer(&mut self, mut buffer: Vec<u8>) {
        if (1..=KEPT_BYTES_MAX).contains(&buffer.capacity()) {
            buffer.clear();
            self.buffers.put(buffer);
        }
    }

    /// A buffer with these bytes, for `Transaction::branch_sent`.
    pub fn buffer_with(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = self.buffers.take().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        buffer
    }

    fn keep_start(&mut self, mut start: BranchStart) {
        if start.clear() <= KEPT_BYTES_MAX {
            self.starts.put(start);
        }
    }

    /// An empty one, to be filled for `Transaction::add_branch`.
    pub fn start(&mut self) -> BranchStart {
        self.starts.take().unwrap_or_else(|| BranchStart {
            request_uri: Vec::with_capacity(USUAL_URI_BYTES),
            destination_uri: Vec::with_capacity(USUAL_URI_BYTES),
            ..BranchStart::default()
        })
    }
}

#[cfg(test)]
mod tests;
