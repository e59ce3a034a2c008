//! What storage has to write: every change is noted once, and a copy of the dialog is taken when the writer asks.
//!
//! A dialog has a row exactly while it is answered and not over. So many changes of a dialog become one write, a call that
//! begins and ends while nobody asks costs nothing, and what waits is bounded by the number of dialogs.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sip::time::Now;

use super::copying::view_into;
use super::work::Work;
use super::{DialogId, Engine};
use crate::flags::{dialog_flag, mark};
use crate::limits::ENDED_WHILE_LOADING_MAX;
use crate::record::Record;
use crate::settings::Storing;
use crate::state::State;
use crate::view::DialogView;

/// The flags that ask for a write.
pub(super) const UNSAVED: u16 = dialog_flag::NEW
    | dialog_flag::CHANGED
    | dialog_flag::CHANGED_VARIABLES
    | dialog_flag::CHANGED_PROFILES
    | dialog_flag::CHANGED_SCRIPT_FLAGS;

/// One thing for storage to do.
#[derive(Debug, PartialEq, Eq)]
pub enum StoredChange<'a> {
    /// The dialog as it is now; the texts may be taken, others may be left in their place. `has_variables`: they changed
    /// too, or the row is new.
    Put { dialog: &'a mut DialogView, is_new: bool, has_variables: bool },
    /// It is over: no row is left.
    Remove(DialogId),
}

impl StoredChange<'_> {
    /// The dialog it is about.
    pub fn id(&self) -> DialogId {
        match self {
            StoredChange::Put { dialog, .. } => dialog.id,
            StoredChange::Remove(id) => *id,
        }
    }
}

/// What was taken from the journal, and made of each change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken<T> {
    /// In the order to be written.
    pub changes: Vec<T>,
    /// Every change noted up to this number is among these, or was taken before.
    pub upto: u64,
}

/// Dialogs that changed since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Journal {
    noted: AtomicU64,
    waiting: Mutex<VecDeque<Waiting>>,
    /// Removals of the last take: they may be on their way to the database.
    removals_out: Mutex<Vec<DialogId>>,
    loading: Loading,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    id: DialogId,
    is_removal: bool,
}

/// While stored dialogs are being loaded.
#[derive(Debug, Default)]
struct Loading {
    is_active: AtomicBool,
    /// A bit for each slot that is complete.
    slots: Mutex<Vec<u64>>,
    /// Dialogs that ended meanwhile: a row read before must not bring them back.
    ended: Mutex<HashSet<DialogId, foldhash::fast::FixedState>>,
}

impl Journal {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers which removals were taken, while the lock that they were taken under is held: none is missing in between.
    fn taken_out(&self, _waiting: &MutexGuard<'_, VecDeque<Waiting>>, batch: &[Waiting]) {
        let mut out = self.removals_out();
        out.clear();
        out.extend(batch.iter().filter(|one| one.is_removal).map(|one| one.id));
    }

    fn removals_out(&self) -> MutexGuard<'_, Vec<DialogId>> {
        self.removals_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, id: DialogId, is_removal: bool) {
        let mut waiting = self.waiting();
        // Under the lock, so that numbers stand in order.
        let number = self.noted.fetch_add(1, Ordering::AcqRel) + 1;
        waiting.push_back(Waiting { number, id, is_removal });
    }
}

impl Engine {
    /// The number of the last change noted; one load. What a step changed is noted when the step returns.
    pub fn changes_noted(&self) -> u64 {
        self.journal.noted.load(Ordering::Acquire)
    }

    /// Changes that wait to be taken, those of dialogs that are over meanwhile included.
    pub fn unsaved(&self) -> usize {
        self.journal.waiting().len()
    }

    /// Takes the oldest changes, at most about `most`, each dialog as it is now, and makes something of each. To be called by
    /// one writer, who has written what he took before.
    pub fn take_changes<T>(&self, now: Now, most: usize, make: impl FnMut(StoredChange<'_>) -> T) -> Taken<T> {
        let (batch, upto) = {
            let mut waiting = self.journal.waiting();
            let count = most.min(waiting.len());
            let batch: Vec<Waiting> = waiting.drain(..count).collect();
            self.journal.taken_out(&waiting, &batch);
            let upto = waiting.front().map_or_else(|| self.changes_noted(), |first| first.number - 1);
            (batch, upto)
        };
        Taken { changes: self.take(now, &batch, make), upto }
    }

    /// Takes removals alone, at most `most` (`db_mode` 2 between its periods).
    pub fn take_removals<T>(&self, now: Now, most: usize, make: impl FnMut(StoredChange<'_>) -> T) -> Vec<T> {
        let mut batch = Vec::new();
        let mut waiting = self.journal.waiting();
        waiting.retain(|one| {
            let is_taken = one.is_removal && batch.len() < most;
            if is_taken {
                batch.push(*one);
            }
            !is_taken
        });
        self.journal.taken_out(&waiting, &batch);
        drop(waiting);
        self.take(now, &batch, make)
    }

    /// Forgets notes of dialogs that are over and have no row. Useful now and then while nothing can be written.
    pub fn forget_stale_changes(&self) {
        let noted: Vec<Waiting> = self.journal.waiting().iter().filter(|one| !one.is_removal).copied().collect();
        // Dialogs are looked at without the lock of the notes; in the order of their numbers, as the notes are.
        let forgotten: Vec<u64> = noted.into_iter().filter(|one| self.forget(one.id)).map(|one| one.number).collect();
        self.journal.waiting().retain(|one| forgotten.binary_search(&one.number).is_err());
    }

    /// Notes every answered dialog as new (`db_mode` 3 at the stop, when the tables are empty).
    pub fn note_all_answered(&self) {
        for cell in &self.cells {
            let mut shard = cell.shard.lock().unwrap_or_else(PoisonError::into_inner);
            let indexes: Vec<u32> =
                shard.records.iter().filter(|record| record.state.is_answered()).filter_map(|record| shard.index_of(record.id)).collect();
            for index in indexes {
                if let Some(record) = shard.records.get_mut(index) {
                    record.dialog_flags |= dialog_flag::NEW;
                    if !record.is_marked(mark::QUEUED) {
                        record.set_mark(mark::QUEUED, true);
                        self.journal.push(record.id, false);
                    }
                }
            }
        }
    }

    /// Forgets the note of a dialog that is over; should it live again, it is noted anew. False: it is not over.
    fn forget(&self, id: DialogId) -> bool {
        let Some(mut shard) = self.lock(id.entry) else { return true };
        let Some(record) = shard.index_of(id).and_then(|index| shard.records.get_mut(index)) else { return true };
        let is_over = record.state == State::Deleted;
        if is_over {
            record.set_mark(mark::QUEUED, false);
        }
        is_over
    }

    fn take<T>(&self, now: Now, batch: &[Waiting], mut make: impl FnMut(StoredChange<'_>) -> T) -> Vec<T> {
        // One for all of them, in memory used again for the next one.
        let mut copy = DialogView::default();
        let mut changes = Vec::with_capacity(batch.len());
        for one in batch {
            if one.is_removal {
                changes.push(make(StoredChange::Remove(one.id)));
            }
            if let Some((is_new, has_variables)) = self.take_one(now, *one, &mut copy) {
                changes.push(make(StoredChange::Put { dialog: &mut copy, is_new, has_variables }));
            }
        }
        changes
    }

    /// Copies the dialog if it has to be written: is it new, and did its variables change?
    fn take_one(&self, now: Now, one: Waiting, copy: &mut DialogView) -> Option<(bool, bool)> {
        let mut shard = self.lock(one.id.entry)?;
        let index = shard.index_of(one.id)?;
        let record = shard.records.get_mut(index)?;
        if one.is_removal {
            // It lives again and was written before its removal was: it has to be written once more.
            if !record.is_marked(mark::STORED) {
                return None;
            }
            record.dialog_flags |= dialog_flag::NEW;
        } else {
            record.set_mark(mark::QUEUED, false);
        }
        if record.state == State::Deleted || record.dialog_flags & UNSAVED == 0 {
            return None;
        }
        let has_variables = record.has_flag(dialog_flag::NEW | dialog_flag::CHANGED_VARIABLES);
        // One that an operator set back to its setup keeps its row, and is answered again.
        let is_new = record.has_flag(dialog_flag::NEW) && (one.is_removal || !record.is_marked(mark::STORED));
        record.dialog_flags &= !UNSAVED;
        record.set_mark(mark::STORED, true);
        view_into(self, record, now, copy);
        Some((is_new, has_variables))
    }
}

/// Loading while calls run: what is there already, and what must not come back.
impl Engine {
    /// Stored dialogs will be loaded from now on, while calls run.
    pub fn begin_loading(&self) {
        let slots = self.settings.hash_size.div_ceil(64) as usize;
        *self.loading_slots() = vec![0; slots];
        self.journal.loading.is_active.store(true, Ordering::Release);
    }

    /// More dialogs will be loaded although all of ours are in memory: nobody waits for a slot, but what ends meanwhile is
    /// not brought back by a row read before, nor is what ended already and still has its row.
    pub fn begin_loading_more(&self) {
        let slots = self.settings.hash_size.div_ceil(64) as usize;
        *self.loading_slots() = vec![u64::MAX; slots];
        self.journal.loading.is_active.store(true, Ordering::Release);
        // From here on ends are remembered; those of before are noted.
        let waiting = self.journal.waiting();
        let mut over: Vec<DialogId> = waiting.iter().filter(|one| one.is_removal).map(|one| one.id).collect();
        over.extend_from_slice(&self.journal.removals_out());
        drop(waiting);
        self.loading_ended().extend(over);
    }

    /// Are stored dialogs being loaded? One load.
    pub fn is_loading(&self) -> bool {
        self.journal.loading.is_active.load(Ordering::Acquire)
    }

    /// Is every stored dialog of the slot in memory? Always, when nothing is being loaded.
    pub fn slot_is_loaded(&self, entry: u32) -> bool {
        !self.is_loading() || self.loading_slots().get(entry as usize / 64).is_none_or(|word| word >> (entry % 64) & 1 == 1)
    }

    /// Every stored dialog of the slot is in memory.
    pub fn mark_slot_loaded(&self, entry: u32) {
        if let Some(word) = self.loading_slots().get_mut(entry as usize / 64) {
            *word |= 1 << (entry % 64);
        }
    }

    /// All are in memory, or loading was given up.
    pub fn finish_loading(&self) {
        self.journal.loading.is_active.store(false, Ordering::Release);
        *self.loading_slots() = Vec::new();
        *self.loading_ended() = HashSet::default();
    }

    /// Numbers given out in the slot from now on lie above this one (spec dialog 1.3): a stored dialog has it.
    pub fn raise_number(&self, id: DialogId) {
        if let Some(mut shard) = self.lock(id.entry) {
            shard.raise_next_id(id, self.numbering());
        }
    }

    pub(super) fn ended_while_loading(&self, id: DialogId) -> bool {
        if !self.is_loading() {
            return false;
        }
        let ended = self.loading_ended();
        ended.len() >= ENDED_WHILE_LOADING_MAX || ended.contains(&id)
    }

    fn loading_slots(&self) -> MutexGuard<'_, Vec<u64>> {
        self.journal.loading.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loading_ended(&self) -> MutexGuard<'_, HashSet<DialogId, foldhash::fast::FixedState>> {
        self.journal.loading.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work<'_> {
    /// The end of a step on a record: notes it, if it changed and has a row or is to get one.
    pub(super) fn note_change(&mut self, index: u32) {
        if !self.engine.settings.storing.notes_changes() {
            return;
        }
        let Some(record) = self.shard.records.get_mut(index).filter(|record| is_to_be_written(record)) else { return };
        record.set_mark(mark::QUEUED, true);
        self.engine.journal.push(record.id, false);
    }

    /// The record enters state 5 or goes away: its row goes too.
    pub(super) fn note_end(&mut self, index: u32) {
        let engine = self.engine;
        let Some(record) = self.shard.records.get_mut(index) else { return };
        if record.is_marked(mark::STORED) {
            record.set_mark(mark::STORED, false);
            if engine.settings.storing.notes_changes() {
                engine.journal.push(record.id, true);
            }
            // After the note: loading that begins meanwhile finds it there.
            if engine.is_loading() {
                let mut ended = engine.loading_ended();
                if ended.len() < ENDED_WHILE_LOADING_MAX {
                    ended.insert(record.id);
                }
            }
        }
    }
}

fn is_to_be_written(record: &Record) -> bool {
    let has_row = record.has_flag(dialog_flag::NEW) || record.is_marked(mark::STORED);
    record.dialog_flags & UNSAVED != 0 && has_row && !record.is_marked(mark::QUEUED) && record.state != State::Deleted
}

impl Storing {
    pub(super) fn notes_changes(self) -> bool {
        matches!(self, Storing::Realtime | Storing::Delayed)
    }
}
