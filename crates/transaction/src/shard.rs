//! One shard of the table: slots, index by call, timing wheel. Always behind its lock.

use crate::event::Event;
use crate::key::Key;
use crate::limits::{EVENTS_QUEUED_MAX, SAME_CALL_MAX};
use crate::table::{Checkout, Queued};
use crate::timer::Wheel;
use crate::transaction::Transaction;
use hashbrown::HashTable;
use sip::{Method, Time};
use std::collections::VecDeque;

/// Largest slot index: with the shard number in the low bits a slot number has to fit `u32`.
const SLOTS_MAX: usize = 1 << 24;

enum Content<D> {
    Free { next: Option<u32> },
    Present(Box<Transaction<D>>),
    Out(VecDeque<Event>),
}

struct Slot<D> {
    generation: u32,
    call: u64,
    /// When the transaction that is present wants to be woken; the wheel may fire earlier, never later.
    deadline: u64,
    content: Content<D>,
}

struct IndexEntry {
    call: u64,
    /// `None` for a local transaction, which no received request may match.
    identity: Option<u128>,
    method: Method,
    index: u32,
}

pub(crate) enum Insertion {
    New { index: u32, generation: u32, canceled: bool },
    Exists { index: u32, generation: u32 },
    Full,
}

pub(crate) enum Returned<D> {
    Back,
    Events(Box<Transaction<D>>, VecDeque<Event>),
    Freed(Box<Transaction<D>>, VecDeque<Event>),
}

pub(crate) struct Shard<D> {
    slots: Vec<Slot<D>>,
    free: Option<u32>,
    index: HashTable<IndexEntry>,
    wheel: Wheel,
    due: Vec<u32>,
}

impl<D> Shard<D> {
    pub(crate) fn new(now: Time) -> Shard<D> {
        Shard { slots: Vec::new(), free: None, index: HashTable::new(), wheel: Wheel::new(now.0), due: Vec::new() }
    }

    fn entries(&self, call: u64) -> impl Iterator<Item = &IndexEntry> {
        self.index.iter_hash(call).filter(move |entry| entry.call == call)
    }

    fn generation(&self, index: u32) -> u32 {
        self.slots.get(index as usize).map_or(0, |slot| slot.generation)
    }

    pub(crate) fn insert(&mut self, key: &Key) -> Insertion {
        let (mut same_call, mut canceled, mut existing) = (0, false, None);
        for entry in self.entries(key.call) {
            same_call += 1;
            if entry.identity == Some(key.identity) {
                if entry.method == key.method {
                    existing = Some(entry.index);
                }
                canceled |= entry.method == Method::Cancel;
            }
        }
        if let Some(index) = existing {
            return Insertion::Exists { index, generation: self.generation(index) };
        }
        if same_call >= SAME_CALL_MAX {
            return Insertion::Full;
        }
        match self.occupy(key.call, Some(key.identity), key.method) {
            Some((index, generation)) => Insertion::New { index, generation, canceled },
            None => Insertion::Full,
        }
    }

    pub(crate) fn insert_local(&mut self, call: u64, method: Method) -> Option<(u32, u32)> {
        if self.entries(call).count() >= SAME_CALL_MAX {
            return None;
        }
        self.occupy(call, None, method)
    }

    fn occupy(&mut self, call: u64, identity: Option<u128>, method: Method) -> Option<(u32, u32)> {
        let index = match self.free {
            Some(index) => index,
            None if self.slots.len() < SLOTS_MAX => {
                self.slots.push(Slot { generation: 1, call: 0, deadline: u64::MAX, content: Content::Free { next: None } });
                self.slots.len() as u32 - 1
            }
            None => return None,
        };
        let slot = self.slots.get_mut(index as usize)?;
        if let Content::Free { next } = slot.content {
            self.free = next;
        }
        slot.call = call;
        slot.deadline = u64::MAX;
        slot.content = Content::Out(VecDeque::new());
        let generation = slot.generation;
        self.index.insert_unique(call, IndexEntry { call, identity, method, index }, |entry| entry.call);
        Some((index, generation))
    }

    fn vacate(&mut self, index: u32) -> Option<Content<D>> {
        let slot = self.slots.get_mut(index as usize)?;
        let content = std::mem::replace(&mut slot.content, Content::Free { next: self.free });
        // Zero is never a generation, so an id made of zeros names nothing.
        slot.generation = slot.generation.wrapping_add(1).max(1);
        let call = slot.call;
        self.free = Some(index);
        self.wheel.cancel(index);
        if let Ok(entry) = self.index.find_entry(call, |entry| entry.index == index) {
            entry.remove();
        }
        Some(content)
    }

    pub(crate) fn find(&self, key: &Key) -> Option<(u32, u32)> {
        let matches = |entry: &&IndexEntry| entry.identity == Some(key.identity) && entry.method == key.method;
        let index = self.entries(key.call).find(matches)?.index;
        Some((index, self.generation(index)))
    }

    pub(crate) fn find_cancelled(&self, key: &Key) -> Option<(u32, u32)> {
        let matches = |entry: &&IndexEntry| entry.identity == Some(key.identity) && entry.method != Method::Cancel;
        let index = self.entries(key.call).find(matches)?.index;
        Some((index, self.generation(index)))
    }

    pub(crate) fn find_by_call(&self, call: u64, method: Method, mut found: impl FnMut(u32, u32)) {
        for entry in self.entries(call).filter(|entry| entry.method == method) {
            found(entry.index, self.generation(entry.index));
        }
    }

    fn slot(&mut self, index: u32, generation: u32) -> Option<&mut Slot<D>> {
        let slot = self.slots.get_mut(index as usize)?;
        let live = slot.generation == generation && !matches!(slot.content, Content::Free { .. });
        live.then_some(slot)
    }

    pub(crate) fn checkout(&mut self, index: u32, generation: u32) -> Checkout<D> {
        let Some(slot) = self.slot(index, generation) else {
            return Checkout::Gone;
        };
        match std::mem::replace(&mut slot.content, Content::Out(VecDeque::new())) {
            Content::Present(transaction) => Checkout::Taken(transaction),
            other => {
                slot.content = other;
                Checkout::Busy
            }
        }
    }

    pub(crate) fn queue(&mut self, index: u32, generation: u32, event: Event) -> Queued {
        let Some(slot) = self.slot(index, generation) else {
            return Queued::Gone(event);
        };
        match &mut slot.content {
            Content::Out(events) if events.len() < EVENTS_QUEUED_MAX => {
                events.push_back(event);
                Queued::Waiting
            }
            Content::Out(_) => Queued::Dropped,
            _ => Queued::Free(event),
        }
    }

    pub(crate) fn check_in(&mut self, index: u32, transaction: Box<Transaction<D>>) -> Returned<D> {
        let generation = transaction.id.generation;
        let Some(slot) = self.slot(index, generation) else {
            return Returned::Freed(transaction, VecDeque::new());
        };
        let Content::Out(events) = &mut slot.content else {
            return Returned::Freed(transaction, VecDeque::new());
        };
        let events = std::mem::take(events);
        if transaction.is_ended() {
            self.vacate(index);
            return Returned::Freed(transaction, events);
        }
        if !events.is_empty() {
            return Returned::Events(transaction, events);
        }
        let deadline = transaction.wake_at();
        slot.deadline = deadline.raw();
        slot.content = Content::Present(transaction);
        // A timer that moved to later stays where it is and is set again when it fires: most of them move often.
        if deadline.is_set() && self.wheel.deadline(index).is_none_or(|armed| armed > deadline.raw()) {
            self.wheel.arm(index, deadline.raw());
        }
        Returned::Back
    }

    pub(crate) fn abandon(&mut self, index: u32, generation: u32) -> bool {
        let out = self.slot(index, generation).is_some_and(|slot| matches!(slot.content, Content::Out(_)));
        if out {
            self.vacate(index);
        }
        out
    }

    pub(crate) fn due(&mut self, now: Time, due_max: usize, mut found: impl FnMut(u32, u32)) {
        let mut due = std::mem::take(&mut self.due);
        due.clear();
        self.wheel.advance(now.0, &mut due, due_max);
        for &index in &due {
            let Some(slot) = self.slots.get(index as usize) else {
                continue;
            };
            if !matches!(slot.content, Content::Present(_)) {
                continue;
            }
            if slot.deadline <= now.0 {
                found(index, slot.generation);
            } else if slot.deadline != u64::MAX {
                self.wheel.arm(index, slot.deadline);
            }
        }
        self.due = due;
    }

    pub(crate) fn earliest(&self) -> Option<u64> {
        self.wheel.next_deadline()
    }

    pub(crate) fn for_each(&self, look: &mut impl FnMut(&Transaction<D>)) {
        for slot in &self.slots {
            if let Content::Present(transaction) = &slot.content {
                look(transaction);
            }
        }
    }
}
