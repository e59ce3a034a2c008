//! All transactions: found by key or by slot, checked out by one worker at a time, woken by their timers.

use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::key::Key;
use crate::limits::{DUE_BATCH_MAX, SHARDS_MAX, TRANSACTIONS_MAX_DEFAULT};
use crate::settings::Settings;
use crate::shard::{Insertion, Returned, Shard};
use crate::siphash::SecretKey;
use crate::spares::Spares;
use crate::statistics::Statistics;
use crate::transaction::{Beginning, Transaction};
use sip::{Message, Method, Time};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names a transaction for as long as it lives; scripts see it as `$T(id_index)` and `$T(id_label)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId {
    /// Place in the table.
    pub slot: u32,
    /// Which of the transactions that used the place one after the other.
    pub generation: u32,
}

/// A due timer: check the transaction out and call `on_timer`. `Busy` may be ignored, checking in arms it again.
pub type TimerEvent = TransactionId;

/// Result of `checkout`.
#[derive(Debug)]
pub enum Checkout<D> {
    /// It is yours until you check it in.
    Taken(Box<Transaction<D>>),
    /// Another worker holds it: `queue` the event.
    Busy,
    /// It is over.
    Gone,
}

/// Result of `queue`.
#[derive(Debug)]
pub enum Queued {
    /// The holder will get it.
    Waiting,
    /// Nobody holds it any more: check it out and do it yourself.
    Free(Event),
    /// `EVENTS_QUEUED_MAX` are waiting; dropped and counted.
    Dropped,
    /// It is over.
    Gone(Event),
}

/// Result of `deliver`.
#[derive(Debug)]
pub enum Delivery<D> {
    /// It is yours, and so is the event.
    Taken(Box<Transaction<D>>, Event),
    /// The holder will get the event.
    Queued,
    /// Too many are waiting; dropped and counted.
    Dropped,
    /// The transaction is over.
    Gone(Event),
}

/// Result of `check_in`.
#[derive(Debug)]
pub enum CheckIn<D> {
    /// It is back in the table.
    Done,
    /// Events came meanwhile: do them in this order, then check in again.
    Events(Box<Transaction<D>>, VecDeque<Event>),
    /// It was over and is out of the table now; the last look at it, with the events nobody will do.
    Freed(Box<Transaction<D>>, VecDeque<Event>),
}

/// Result of `create`.
#[derive(Debug)]
pub enum Creation<D> {
    /// A new transaction, checked out to you. It is marked canceled if its CANCEL came first (spec 7.2.4).
    New(Box<Transaction<D>>),
    /// The request is a retransmission for this one.
    Exists(TransactionId),
    /// A bound of the table is reached: answer 503 statelessly.
    Full,
}

/// The transaction table, shared by all workers. Locks are per shard and held for a few map operations only.
pub struct Table<D> {
    secret: SecretKey,
    places: Box<[Mutex<Shard<D>>]>,
    /// No timer of that shard is due before; read without its lock, all of them in one go, so they lie side by side.
    earliest_of: Box<[AtomicU64]>,
    shard_bits: u32,
    /// No timer of the table is due before.
    earliest: AtomicU64,
    transactions_max: usize,
    statistics: Statistics,
}

impl<D: Default + Send> Table<D> {
    /// A table with `shards` shards (rounded up to a power of two). `secret` keys the lookups and the Via branches.
    pub fn new(secret: SecretKey, shards: usize, now: Time) -> Table<D> {
        Table::with_bound(secret, shards, now, TRANSACTIONS_MAX_DEFAULT)
    }

    /// Same with its own bound on live transactions.
    pub fn with_bound(secret: SecretKey, shards: usize, now: Time, transactions_max: usize) -> Table<D> {
        let count = shards.clamp(1, SHARDS_MAX).next_power_of_two();
        Table {
            secret,
            places: (0..count).map(|_| Mutex::new(Shard::new(now))).collect(),
            earliest_of: (0..count).map(|_| AtomicU64::new(u64::MAX)).collect(),
            shard_bits: count.trailing_zeros(),
            earliest: AtomicU64::new(u64::MAX),
            transactions_max,
            statistics: Statistics::default(),
        }
    }

    /// Key of this table's lookups and branches.
    pub fn secret(&self) -> SecretKey {
        self.secret
    }

    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Live transactions.
    pub fn len(&self) -> usize {
        let live = self.statistics.created.value().saturating_sub(self.statistics.freed.value());
        usize::try_from(live).unwrap_or(usize::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of shards, for `due_in`.
    pub fn shards(&self) -> usize {
        self.places.len()
    }

    /// Finds or makes the server transaction of a request, in one step: of two workers with the same request one gets
    /// `New`, with a copy of the request. The memory comes from `spares` if there is any.
    pub fn create(
        &self,
        key: &Key,
        now: Time,
        reply_route: Endpoint,
        settings: &Settings,
        request: &Message,
        spares: &mut Spares<D>,
    ) -> Creation<D> {
        let Some(place) = self.place_of_call(key.call) else {
            return Creation::Full;
        };
        if self.len() >= self.transactions_max {
            // A retransmission is still recognised.
            return match self.find(key) {
                Some(id) => Creation::Exists(id),
                None => self.refuse(),
            };
        }
        let insertion = lock(&self.places, place).map(|mut shard| shard.insert(key));
        let (index, generation, canceled) = match insertion {
            Some(Insertion::New { index, generation, canceled }) => (index, generation, canceled),
            Some(Insertion::Exists { index, generation }) => {
                return Creation::Exists(self.id(place, index, generation));
            }
            Some(Insertion::Full) | None => return self.refuse(),
        };
        let id = self.id(place, index, generation);
        let beginning = Beginning { id, call: key.call, method: key.method, now, reply_route: Some(reply_route), settings };
        let mut transaction = spares.transaction(&beginning, request);
        transaction.flags.canceled = canceled && key.method == Method::Invite;
        self.statistics.created.add(1);
        Creation::New(transaction)
    }

    /// Makes the transaction of a local request, checked out to the caller, who fills in `request` once the branch
    /// (which needs the id) is written. `call`: `call_hash_of` its Call-ID and CSeq number. `None`: a bound is reached.
    pub fn create_local(&self, call: u64, method: Method, now: Time, settings: &Settings) -> Option<Box<Transaction<D>>> {
        let place = self.place_of_call(call)?;
        let room = self.len() < self.transactions_max;
        let inserted = room.then(|| lock(&self.places, place)?.insert_local(call, method)).flatten();
        let Some((index, generation)) = inserted else {
            self.statistics.refused.add(1);
            return None;
        };
        let id = self.id(place, index, generation);
        self.statistics.created.add(1);
        self.statistics.total_local.add(1);
        Some(Box::new(Transaction::new(&Beginning { id, call, method, now, reply_route: None, settings })))
    }

    /// The transaction a request with this key belongs to: of an ACK its INVITE, else its earlier copy.
    pub fn find(&self, key: &Key) -> Option<TransactionId> {
        let place = self.place_of_call(key.call)?;
        let found = lock(&self.places, place)?.find(key)?;
        Some(self.id(place, found.0, found.1))
    }

    /// What a CANCEL with this key (`cancelled_key`) cancels: the INVITE, or any other request with the same branch.
    pub fn find_cancelled(&self, key: &Key) -> Option<TransactionId> {
        let place = self.place_of_call(key.call)?;
        let found = lock(&self.places, place)?.find_cancelled(key)?;
        Some(self.id(place, found.0, found.1))
    }

    /// Appends the transactions with this call hash and method, local ones too: the candidates for an ACK to a 2xx
    /// (`ack_received` decides) and for `t_cancel_callid`. At most `SAME_CALL_MAX`.
    pub fn find_by_call(&self, call: u64, method: Method, out: &mut Vec<TransactionId>) {
        let Some(place) = self.place_of_call(call) else {
            return;
        };
        if let Some(shard) = lock(&self.places, place) {
            shard.find_by_call(call, method, |index, generation| out.push(self.id(place, index, generation)));
        }
    }

    /// Takes a transaction out, exclusively.
    pub fn checkout(&self, id: TransactionId) -> Checkout<D> {
        let (place, index) = self.position(id);
        lock(&self.places, place).map_or(Checkout::Gone, |mut shard| shard.checkout(index, id.generation))
    }

    /// Leaves an event for the worker that holds the transaction.
    pub fn queue(&self, id: TransactionId, event: Event) -> Queued {
        let (place, index) = self.position(id);
        let queued = match lock(&self.places, place) {
            Some(mut shard) => shard.queue(index, id.generation, event),
            None => Queued::Gone(event),
        };
        if matches!(queued, Queued::Dropped) {
            self.statistics.events_dropped.add(1);
        }
        queued
    }

    /// Takes a transaction out, or leaves the event for the worker that holds it, in one step.
    pub fn deliver(&self, id: TransactionId, event: Event) -> Delivery<D> {
        let (place, index) = self.position(id);
        let Some(mut shard) = lock(&self.places, place) else {
            return Delivery::Gone(event);
        };
        match shard.checkout(index, id.generation) {
            Checkout::Taken(transaction) => Delivery::Taken(transaction, event),
            Checkout::Gone => Delivery::Gone(event),
            Checkout::Busy => match shard.queue(index, id.generation, event) {
                Queued::Waiting => Delivery::Queued,
                Queued::Free(event) | Queued::Gone(event) => Delivery::Gone(event),
                Queued::Dropped => {
                    self.statistics.events_dropped.add(1);
                    Delivery::Dropped
                }
            },
        }
    }

    /// Puts a transaction back and arms its timer, hands out what was queued meanwhile, or frees it if it is over.
    pub fn check_in(&self, mut transaction: Box<Transaction<D>>) -> CheckIn<D> {
        self.count(&mut transaction);
        let id = transaction.id;
        let (place, index) = self.position(id);
        let Some(mut shard) = lock(&self.places, place) else {
            return CheckIn::Freed(transaction, VecDeque::new());
        };
        let returned = shard.check_in(index, transaction);
        self.publish_earliest(place, &shard);
        drop(shard);
        match returned {
            Returned::Back => CheckIn::Done,
            Returned::Events(transaction, events) => CheckIn::Events(transaction, events),
            Returned::Freed(transaction, events) => {
                self.statistics.freed.add(1);
                self.statistics.left_wait.add(u64::from(transaction.counted.waiting));
                self.statistics.delayed_free.add(u64::from(transaction.counted.delayed));
                CheckIn::Freed(transaction, events)
            }
        }
    }

    /// Frees the slot of a checked-out transaction that was lost with its worker. Returns whether there was one.
    pub fn abandon(&self, id: TransactionId) -> bool {
        let (place, index) = self.position(id);
        let abandoned = lock(&self.places, place).is_some_and(|mut shard| shard.abandon(index, id.generation));
        if abandoned {
            self.statistics.freed.add(1);
        }
        abandoned
    }

    /// Appends the transactions with a due timer, over all shards. Nothing due anywhere costs one load.
    pub fn due(&self, now: Time, out: &mut Vec<TimerEvent>) {
        if self.earliest.load(Ordering::Acquire) > now.0 {
            return;
        }
        // A timer armed from here on lowers the bound again; one armed before is seen below.
        self.earliest.swap(u64::MAX, Ordering::AcqRel);
        let mut earliest = u64::MAX;
        for (place, earliest_there) in self.earliest_of.iter().enumerate() {
            let bound = earliest_there.load(Ordering::Acquire);
            earliest = earliest.min(if bound > now.0 { bound } else { self.due_and_next(place, now, out) });
        }
        self.earliest.fetch_min(earliest, Ordering::AcqRel);
    }

    /// Same for one shard in which something is due; the next moment of it. Apart, so that the loop over all shards stays short.
    #[inline(never)]
    fn due_and_next(&self, place: usize, now: Time, out: &mut Vec<TimerEvent>) -> u64 {
        self.due_in(place, now, out);
        self.earliest_of.get(place).map_or(u64::MAX, |earliest| earliest.load(Ordering::Acquire))
    }

    /// Same for one shard, at most `DUE_BATCH_MAX`. A shard with nothing due costs one load.
    pub fn due_in(&self, place: usize, now: Time, out: &mut Vec<TimerEvent>) {
        if self.earliest_of.get(place).is_none_or(|earliest| earliest.load(Ordering::Acquire) > now.0) {
            return;
        }
        let Some(mut shard) = lock(&self.places, place) else {
            return;
        };
        shard.due(now, DUE_BATCH_MAX, |index, generation| out.push(self.id(place, index, generation)));
        self.publish_earliest(place, &shard);
    }

    /// A moment not later than the next due timer.
    pub fn next_deadline(&self) -> Option<Time> {
        let mut earliest = self.earliest.load(Ordering::Acquire);
        if earliest == u64::MAX {
            // Nothing is armed, or another worker is in `due` just now: the shards know.
            earliest = self.earliest_of.iter().map(|earliest| earliest.load(Ordering::Acquire)).min()?;
        }
        (earliest != u64::MAX).then_some(Time(earliest))
    }

    /// Shows each transaction that is not checked out, under the lock of its shard: for listings, keep it short.
    pub fn for_each(&self, mut look: impl FnMut(&Transaction<D>)) {
        for place in 0..self.places.len() {
            if let Some(shard) = lock(&self.places, place) {
                shard.for_each(&mut look);
            }
        }
    }

    fn count(&self, transaction: &mut Transaction<D>) {
        if transaction.flags.waiting && !transaction.counted.waiting {
            transaction.counted.waiting = true;
            self.statistics.entered_wait.add(1);
        }
        if !transaction.is_open() && !transaction.counted.completed {
            transaction.counted.completed = true;
            self.statistics.completed_with(transaction.server.status);
        }
    }

    fn publish_earliest(&self, place: usize, shard: &Shard<D>) {
        let earliest = shard.earliest().unwrap_or(Deadline::NEVER.raw());
        if let Some(bound) = self.earliest_of.get(place) {
            bound.store(earliest, Ordering::Release);
        }
        // Unconditionally: looking first could miss a `due` that is just forgetting the old bound.
        self.earliest.fetch_min(earliest, Ordering::AcqRel);
    }

    fn refuse(&self) -> Creation<D> {
        self.statistics.refused.add(1);
        Creation::Full
    }

    fn place_of_call(&self, call: u64) -> Option<usize> {
        let place = (call >> 32) as usize & (self.places.len() - 1);
        (place < self.places.len()).then_some(place)
    }

    fn position(&self, id: TransactionId) -> (usize, u32) {
        (id.slot as usize & (self.places.len() - 1), id.slot >> self.shard_bits)
    }

    fn id(&self, place: usize, index: u32, generation: u32) -> TransactionId {
        TransactionId { slot: (index << self.shard_bits) | place as u32, generation }
    }
}

fn lock<D>(places: &[Mutex<Shard<D>>], place: usize) -> Option<MutexGuard<'_, Shard<D>>> {
    Some(places.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests;
