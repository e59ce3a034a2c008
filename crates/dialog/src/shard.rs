//! One lock group: the records of neighbouring hash slots with their indexes, deadlines and probes.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::ended_calls::EndedCalls;
use crate::engine::DialogId;
use crate::keepalive::Keepalives;
use crate::leg::Direction;
use crate::matching::{self, Identity, Tags};
use crate::record::{Field, Record};
use crate::slab::Slab;
use crate::wheel::Wheel;

pub(crate) struct Shard {
    pub(crate) records: Slab,
    by_call: HashTable<u32>,
    by_id: HashTable<u32>,
    pub(crate) wheel: Wheel,
    pub(crate) keepalives: Keepalives,
    /// The last audit of profiles that looked at the records here.
    pub(crate) audited: u32,
    pub(crate) ended_calls: EndedCalls,
    /// Slot number of the first slot here.
    first_slot: u32,
    /// The next number of each slot.
    next_ids: Box<[u32]>,
    serial: u32,
    hasher: FixedState,
}

/// How slots number their dialogs (spec dialog 1.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbering {
    pub(crate) start: u32,
    pub(crate) step: u32,
}

/// What a search by identifiers found.
pub(crate) struct Search {
    pub(crate) found: Option<(u32, Direction)>,
    /// Dialogs with that Call-ID.
    pub(crate) of_call_id: usize,
}

impl Shard {
    pub(crate) fn new(first_slot: u32, next_ids: Box<[u32]>, hasher: FixedState) -> Shard {
        Shard {
            records: Slab::default(),
            by_call: HashTable::new(),
            by_id: HashTable::new(),
            wheel: Wheel::new(),
            keepalives: Keepalives::default(),
            audited: 0,
            ended_calls: EndedCalls::default(),
            first_slot,
            next_ids,
            serial: 0,
            hasher,
        }
    }

    pub(crate) fn index_of(&self, id: DialogId) -> Option<u32> {
        let matches = |index: &u32| self.records.get(*index).is_some_and(|record| record.id == id);
        self.by_id.find(hash_id(&self.hasher, id), matches).copied()
    }

    /// The record that belongs to the identifiers: the oldest whose callee tag is known, else the newest still open.
    pub(crate) fn search(&self, call_id: &[u8], tags: Tags<'_>, wanted: Direction) -> Search {
        let mut search = Search { found: None, of_call_id: 0 };
        let mut best: Option<(bool, u32)> = None;
        for index in self.by_call.iter_hash(self.hasher.hash_one(call_id)).copied() {
            let Some(record) = self.records.get(index).filter(|record| record.field(Field::CallId) == call_id) else {
                continue;
            };
            search.of_call_id += 1;
            let identity =
                Identity { caller_tag: record.field(Field::CallerTag), callee_tag: record.field(Field::CalleeTag), state: record.state };
            let Some(direction) = matching::direction(identity, tags, wanted) else {
                continue;
            };
            let known = !identity.callee_tag.is_empty();
            let better = match best {
                None => true,
                Some((best_known, serial)) if best_known == known => (record.serial < serial) == known,
                Some(_) => known,
            };
            if better {
                best = Some((known, record.serial));
                search.found = Some((index, direction));
            }
        }
        search
    }

    /// All records with the Call-ID, oldest first.
    pub(crate) fn of_call_id(&self, call_id: &[u8]) -> Vec<DialogId> {
        let mut found: Vec<(u32, DialogId)> = Vec::new();
        for index in self.by_call.iter_hash(self.hasher.hash_one(call_id)).copied() {
            if let Some(record) = self.records.get(index).filter(|record| record.field(Field::CallId) == call_id) {
                found.push((record.serial, record.id));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Takes the next free number of the slot.
    pub(crate) fn allocate_id(&mut self, entry: u32, numbering: Numbering) -> u32 {
        // A number can only be taken after a full turn of the 32-bit counter or by loaded records; skip those.
        loop {
            let number = self.next_number(entry, numbering);
            if self.index_of(DialogId { entry, id: number }).is_none() {
                return number;
            }
        }
    }

    fn next_number(&mut self, entry: u32, numbering: Numbering) -> u32 {
        let Some(next) = self.next_ids.get_mut(entry.wrapping_sub(self.first_slot) as usize) else {
            return 1;
        };
        if numbering.step <= 1 {
            *next = next.wrapping_add(1);
            if *next == 0 {
                *next = 1;
            }
            return *next;
        }
        if *next == 0 || next.checked_add(numbering.step).is_none() {
            *next = numbering.start.saturating_add(numbering.step);
        }
        let number = *next;
        *next = next.wrapping_add(numbering.step);
        number
    }

    /// Numbers given out from now on lie above a loaded one (spec dialog 1.3).
    pub(crate) fn raise_next_id(&mut self, id: DialogId, numbering: Numbering) {
        let Some(next) = self.next_ids.get_mut(id.entry.wrapping_sub(self.first_slot) as usize) else {
            return;
        };
        if numbering.step <= 1 {
            *next = (*next).max(id.id);
        } else if id.id.wrapping_sub(numbering.start).is_multiple_of(numbering.step) {
            *next = (*next).max(id.id.saturating_add(numbering.step));
        }
    }

    /// Stores the record under both indexes; its `serial` is set here.
    pub(crate) fn insert(&mut self, mut record: Record) -> Option<u32> {
        self.serial = self.serial.wrapping_add(1);
        record.serial = self.serial;
        let call_hash = self.hasher.hash_one(record.field(Field::CallId));
        let id_hash = hash_id(&self.hasher, record.id);
        let index = self.records.insert(record)?;
        let Shard { records, by_call, by_id, hasher, .. } = self;
        by_call
            .insert_unique(call_hash, index, |index| records.get(*index).map_or(0, |record| hasher.hash_one(record.field(Field::CallId))));
        by_id.insert_unique(id_hash, index, |index| records.get(*index).map_or(0, |record| hash_id(hasher, record.id)));
        Some(index)
    }

    /// Takes the record out of everything.
    pub(crate) fn remove(&mut self, index: u32) -> Option<Record> {
        self.wheel.disarm(&mut self.records, index);
        let record = self.records.remove(index)?;
        let call_hash = self.hasher.hash_one(record.field(Field::CallId));
        if let Ok(entry) = self.by_call.find_entry(call_hash, |found| *found == index) {
            entry.remove();
        }
        if let Ok(entry) = self.by_id.find_entry(hash_id(&self.hasher, record.id), |found| *found == index) {
            entry.remove();
        }
        self.keepalives.stop(record.id);
        Some(record)
    }
}

fn hash_id(hasher: &FixedState, id: DialogId) -> u64 {
    hasher.hash_one((u64::from(id.entry) << 32) | u64::from(id.id))
}
