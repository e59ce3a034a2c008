//! Requests within dialogs whose hash slot is not loaded yet: kept as bytes until it is (spec dialog 8.5).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dialog::{Direction, State};
use modules::Worker;
use modules::outbox::{Effect, StoredDialogs};
use modules::run::Answer;
use sip::time::Time;
use transaction::Endpoint;

use crate::Proxy;

/// Most requests that wait for dialogs to be loaded; one more is handled at once.
pub const WAITING_REQUESTS_MAX: usize = 10_000;
/// Most bytes they may have together.
pub const WAITING_BYTES_MAX: usize = 32 << 20;

/// Longest wait where `db_timeout` does not say another one.
const WAIT_MILLISECONDS: u64 = 5_000;

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingRequest {
    bytes: Vec<u8>,
    from: Endpoint,
}

/// The requests that wait for one slot, in the order in which they came.
#[derive(Debug)]
struct Slot {
    entry: u32,
    /// When the first one came.
    since: Time,
    requests: Vec<WaitingRequest>,
}

#[derive(Debug, Default)]
struct Slots {
    by_ticket: BTreeMap<u64, Slot>,
    tickets: BTreeMap<u32, u64>,
    requests: usize,
    bytes: usize,
}

impl Slots {
    fn take(&mut self, ticket: u64) -> Vec<WaitingRequest> {
        let Some(slot) = self.by_ticket.remove(&ticket) else { return Vec::new() };
        self.tickets.remove(&slot.entry);
        self.requests -= slot.requests.len();
        self.bytes -= slot.requests.iter().map(|request| request.bytes.len()).sum::<usize>();
        slot.requests
    }
}

/// What became of a request that was to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is the first for its slot: the slot is to be loaded under the ticket.
    First,
    /// It waits with others.
    Behind,
    /// Nobody waits for the slot and it is loaded meanwhile.
    NotNeeded,
    /// As much waits as may.
    Full,
}

/// All requests that wait, by slot.
#[derive(Debug, Default)]
pub(crate) struct AwaitedSlots {
    slots: Mutex<Slots>,
    /// Slots awaited, readable without the lock.
    count: AtomicUsize,
}

impl AwaitedSlots {
    /// Does no request wait? One load.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Lets a request wait, under the ticket if it is the first for its slot. `is_loaded` is asked under the lock, so that
    /// none waits for a slot whose answer has come.
    pub(crate) fn put(
        &self,
        now: Time,
        entry: u32,
        (bytes, from): (&[u8], Endpoint),
        is_loaded: impl FnOnce() -> bool,
        ticket: u64,
    ) -> Put {
        let mut slots = self.lock();
        let known = slots.tickets.get(&entry).copied();
        if known.is_none() && is_loaded() {
            return Put::NotNeeded;
        }
        if slots.requests >= WAITING_REQUESTS_MAX || slots.bytes.saturating_add(bytes.len()) > WAITING_BYTES_MAX {
            return Put::Full;
        }
        let request = WaitingRequest { bytes: bytes.to_vec(), from };
        slots.requests += 1;
        slots.bytes += bytes.len();
        if let Some(slot) = known.and_then(|ticket| slots.by_ticket.get_mut(&ticket)) {
            slot.requests.push(request);
            return Put::Behind;
        }
        slots.tickets.insert(entry, ticket);
        slots.by_ticket.insert(ticket, Slot { entry, since: now, requests: vec![request] });
        self.count.store(slots.by_ticket.len(), Ordering::Release);
        Put::First
    }

    /// Those that wait under the ticket, in their order.
    pub(crate) fn take(&self, ticket: u64) -> Vec<WaitingRequest> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut slots = self.lock();
        let requests = slots.take(ticket);
        self.count.store(slots.by_ticket.len(), Ordering::Release);
        requests
    }

    /// Those of slots awaited since before `limit`.
    pub(crate) fn take_older(&self, limit: Time) -> Vec<WaitingRequest> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut slots = self.lock();
        let old: Vec<u64> = slots.by_ticket.iter().filter(|(_, slot)| slot.since < limit).map(|(ticket, _)| *ticket).collect();
        let requests = old.into_iter().flat_map(|ticket| slots.take(ticket)).collect();
        self.count.store(slots.by_ticket.len(), Ordering::Release);
        requests
    }

    /// How many requests wait.
    pub(crate) fn len(&self) -> usize {
        if self.is_empty() { 0 } else { self.lock().requests }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Lets the request in the run wait if its dialog may be one that is not loaded yet. True: it waits.
    pub(crate) fn awaits_its_slot(&self, worker: &mut Worker, bytes: &[u8], from: Endpoint) -> bool {
        let dialogs = &self.node.dialogs;
        if !dialogs.is_loading() && self.awaited.is_empty() {
            return false;
        }
        let message = &worker.run.message;
        if !message.is_request() || message.to_tag().is_empty() {
            return false;
        }
        let entry = dialogs.slot_of(message.call_id());
        // Its dialog may be there although its slot is not complete.
        let is_found = !dialogs.slot_is_loaded(entry) && {
            let found = dialogs.find_by_identifiers(message.call_id(), message.from_tag(), message.to_tag(), Direction::None);
            // One that was never answered has no callee, so it answers for every To tag, those of the stored dialog too.
            found.and_then(|(id, _)| dialogs.state(id)).is_some_and(State::is_answered)
        };
        let ticket = worker.take_ticket();
        let is_loaded = || is_found || self.node.dialogs.slot_is_loaded(entry);
        match self.awaited.put(worker.now.time, entry, (bytes, from), is_loaded, ticket) {
            Put::First => {
                worker.outbox.effects.push(Effect::LoadDialogs { ticket, which: StoredDialogs::OfSlot(entry) });
                true
            }
            Put::Behind => true,
            Put::NotNeeded => false,
            Put::Full => {
                worker.log(0, "dialog", "too many requests wait for their dialogs to be loaded; one is handled without");
                false
            }
        }
    }

    /// Handles the requests that waited for the slot asked for under this ticket. False: it is not one of a slot.
    pub(crate) fn slot_answered(&self, worker: &mut Worker, ticket: u64, answer: &Answer) -> bool {
        let requests = self.awaited.take(ticket);
        if requests.is_empty() {
            return false;
        }
        if let Answer::DialogsLoaded(Err(reason)) = answer {
            let text = format!("{} requests are handled although their dialogs could not be loaded: {reason}", requests.len());
            worker.log(-1, "dialog", &text);
        }
        self.go_on_with(worker, requests);
        true
    }

    /// Handles requests that have waited as long as the database may take; called once a second.
    pub(crate) fn give_up_late_slots(&self, worker: &mut Worker) {
        let storage = self.node.states.dialog.storage.as_ref();
        let longest = storage.map_or(WAIT_MILLISECONDS, |storage| u64::try_from(storage.call_timeout.as_millis()).unwrap_or(u64::MAX));
        let requests = self.awaited.take_older(Time(worker.now.time.0.saturating_sub(longest)));
        if !requests.is_empty() {
            let text = format!("{} requests are handled although their dialogs are not loaded after {longest} ms", requests.len());
            worker.log(-1, "dialog", &text);
        }
        self.go_on_with(worker, requests);
    }

    fn go_on_with(&self, worker: &mut Worker, requests: Vec<WaitingRequest>) {
        for request in requests {
            worker.run.clear();
            self.take(worker, &request.bytes, request.from, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slots: &AwaitedSlots, at: u64, entry: u32, text: &str, ticket: u64) -> Put {
        slots.put(Time(at), entry, (text.as_bytes(), modules::run::nowhere()), || false, ticket)
    }

    fn texts(requests: Vec<WaitingRequest>) -> Vec<String> {
        requests.into_iter().map(|request| String::from_utf8(request.bytes).unwrap()).collect()
    }

    #[test]
    fn one_load_of_a_slot_serves_all_that_wait_for_it_in_their_order() {
        let slots = AwaitedSlots::default();
        assert!(slots.is_empty());
        assert_eq!(put(&slots, 0, 7, "a", 1), Put::First);
        assert_eq!(put(&slots, 0, 8, "b", 2), Put::First);
        assert_eq!(put(&slots, 0, 7, "c", 3), Put::Behind);
        assert_eq!((slots.len(), texts(slots.take(3))), (3, Vec::<String>::new()));
        assert_eq!(texts(slots.take(1)), ["a", "c"]);
        assert_eq!(texts(slots.take(1)), Vec::<String>::new());
        assert_eq!(texts(slots.take(2)), ["b"]);
        assert!(slots.is_empty());
        assert_eq!(slots.len(), 0);
    }

    #[test]
    fn a_slot_that_was_loaded_meanwhile_is_not_waited_for() {
        let slots = AwaitedSlots::default();
        let request = (&b"a"[..], modules::run::nowhere());
        assert_eq!(slots.put(Time(0), 7, request, || true, 1), Put::NotNeeded);
        assert!(slots.is_empty());
        assert_eq!(put(&slots, 0, 7, "a", 1), Put::First);
        assert_eq!(slots.put(Time(0), 7, request, || true, 2), Put::Behind, "nobody overtakes those that wait");
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_bytes_and_time() {
        let slots = AwaitedSlots::default();
        for number in 0..WAITING_REQUESTS_MAX {
            let entry = u32::try_from(number % 100).unwrap();
            assert_ne!(put(&slots, u64::from(entry), entry, "a", u64::from(entry) + 1), Put::Full);
        }
        assert_eq!(put(&slots, 0, 5, "a", 1_000), Put::Full);
        assert_eq!(texts(slots.take_older(Time(50))).len(), WAITING_REQUESTS_MAX / 2);
        assert_eq!(texts(slots.take_older(Time(100))).len(), WAITING_REQUESTS_MAX / 2);
        assert!(slots.is_empty());
        let long = "x".repeat(WAITING_BYTES_MAX / 2);
        assert_eq!(put(&slots, 0, 1, &long, 1), Put::First);
        assert_eq!(put(&slots, 0, 2, &long, 2), Put::First);
        assert_eq!(put(&slots, 0, 3, "x", 3), Put::Full);
        slots.take(1);
        assert_eq!(put(&slots, 0, 3, "x", 3), Put::First);
    }
}
