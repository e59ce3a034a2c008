//! The engine: all dialogs of one proxy, found by number or identifiers, changed in short locked steps.

mod audit;
mod begin;
mod copying;
mod ending;
mod expiry;
mod explain;
mod finding;
mod listing;
mod membership;
mod properties;
mod race;
mod reply;
mod request;
mod restore;
mod sequence;
mod storing;
mod termination;
#[cfg(test)]
mod tests;
mod work;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use foldhash::quality::FixedState;
use sip::time::{Now, Time};

use crate::ended_calls::EndedBounds;
use crate::limits::{DIALOGS_MAX, HASH_SIZE_MAX, LISTING_FIELDS_MAX, SHARDS_MAX, SOCKETS_MAX};
use crate::observer::{Cause, Notice, Observer, Occurrence};
use crate::observers::Observers;
use crate::profiles::Profiles;
use crate::record::NO_SOCKET;
use crate::settings::Settings;
use crate::shard::{Numbering, Shard};
use crate::statistics::{Counts, Resettable, Statistics};
use crate::view::{AttributeValue, DialogView};
use crate::wish::{Wish, WishRefused, Wishes};
use work::Work;

pub use explain::Explanation;
pub use listing::{StateCounts, Walk};
pub use reply::{InviteReply, ReplyKind};
pub use sequence::NUMBER_BOUND;
pub use storing::{StoredChange, Taken};
pub use termination::SequenceStep;

/// The pair that names a dialog: its hash slot and its number there. A number alone is not unique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId {
    /// `h_entry`, below `hash_size` (spec dialog 1.2).
    pub entry: u32,
    /// `h_id`, counted in its slot (spec dialog 1.3).
    pub id: u32,
}

impl std::fmt::Display for DialogId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.entry, self.id)
    }
}

/// All dialogs of a proxy. Shared by all workers; every method takes `&self` and holds at most one lock at a time
/// (plus, inside it, that of one profile slot). Dialogs whose step was begun but not finished are kept until their deadline.
pub struct Engine {
    settings: Settings,
    cells: Box<[Cell]>,
    /// Slots of one cell, as a shift.
    slots_shift: u32,
    ended_bounds: EndedBounds,
    /// Monotonic milliseconds of the next look at ended calls.
    forget_next: AtomicU64,
    /// Monotonic milliseconds at which ticks start.
    origin: u64,
    live: AtomicU64,
    profiles: Arc<Profiles>,
    /// Held while profiles are audited.
    auditing: Mutex<()>,
    statistics: Statistics,
    sockets: RwLock<Vec<Box<[u8]>>>,
    observers: Observers,
    wishes: Wishes,
    journal: storing::Journal,
}

/// One lock group on cache lines of its own.
#[repr(align(128))]
struct Cell {
    /// Monotonic milliseconds before which nothing is due here.
    next: AtomicU64,
    shard: Mutex<Shard>,
}

impl Engine {
    /// An engine without dialogs. Memory grows with the dialogs held, up to `settings.dialogs_max`.
    pub fn new(now: Now, mut settings: Settings) -> Engine {
        settings.hash_size = 1 << settings.hash_size.clamp(1, HASH_SIZE_MAX).ilog2();
        settings.h_id_step = settings.h_id_step.max(1);
        settings.dialogs_max = settings.dialogs_max.clamp(1, DIALOGS_MAX.saturating_mul(1000));
        let count = settings.hash_size.min(SHARDS_MAX);
        let slots = settings.hash_size / count;
        let mut random = settings.random_seed;
        let hasher = FixedState::with_seed(next_random(&mut random));
        let cells = (0..count).map(|number| {
            let next_ids = (0..slots).map(|_| first_number(&settings, &mut random)).collect();
            Cell { next: AtomicU64::new(u64::MAX), shard: Mutex::new(Shard::new(number * slots, next_ids, hasher.clone())) }
        });
        Engine {
            cells: cells.collect(),
            slots_shift: slots.ilog2(),
            ended_bounds: EndedBounds::share(settings.explain_time, settings.explain_calls, count),
            forget_next: AtomicU64::new(0),
            origin: now.time.0,
            live: AtomicU64::new(0),
            profiles: Arc::new(Profiles::new(&settings.profiles, settings.random_seed, &settings.unique_prefix)),
            auditing: Mutex::new(()),
            statistics: Statistics::default(),
            sockets: RwLock::new(Vec::new()),
            observers: Observers::default(),
            wishes: Wishes::default(),
            journal: storing::Journal::default(),
            settings,
        }
    }

    /// The settings as they hold: powers of two, bounds.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn profiles(&self) -> &Arc<Profiles> {
        &self.profiles
    }

    /// The counters; equal to a recount of the records at any moment without a running step.
    pub fn statistics(&self) -> Counts {
        self.statistics.counts()
    }

    /// Sets a counter back to 0, as `stats.reset_statistics` asks; gauges have no such door.
    pub fn reset_statistic(&self, counter: Resettable) {
        self.statistics.reset(counter);
    }

    /// Records in memory, finished ones included.
    pub fn len(&self) -> u64 {
        self.live.load(Relaxed)
    }

    /// No record is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an observer of all dialogs; later ones are called first, as Kamailio does. False: there are
    /// [`crate::limits::OBSERVERS_MAX`] already.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> bool {
        self.observers.add(observer)
    }

    /// The observer of this type, so that a command can ask it.
    pub fn observer<T: Observer>(&self) -> Option<Arc<T>> {
        self.observers.find()
    }

    /// How often an observer panicked. Each time the occurrence was lost to it and nothing else happened.
    pub fn observer_panics(&self) -> u64 {
        self.observers.panics()
    }

    /// Tells observers something only the caller can see, such as a forwarded reply.
    pub fn report(&self, now: Now, id: DialogId, occurrence: Occurrence, cause: Cause<'_>) {
        if self.observers.want(occurrence.kind)
            && let Some(view) = self.view(now, id)
        {
            self.tell(now, cause, &[(view, occurrence)]);
        }
    }

    /// What observers add to a listing with context, those added last first.
    pub fn listing_context(&self, dialog: &DialogView) -> Vec<(Cow<'static, str>, AttributeValue)> {
        let parts = self.observers.ask(|observer| observer.listing_context(dialog));
        parts.into_iter().flat_map(|fields| fields.into_iter().take(LISTING_FIELDS_MAX)).collect()
    }

    /// Queues something a worker has to send. It is done when the input that is being handled is done, or within a second
    /// when it is wished on a thread that is no worker's.
    pub fn wish(&self, wish: Wish) -> Result<(), WishRefused> {
        self.wishes.put(wish)
    }

    /// Does a wish wait for a worker? One load.
    pub fn has_wishes(&self) -> bool {
        !self.wishes.is_empty()
    }

    /// The oldest wish, for the worker that carries it out.
    pub fn take_wish(&self) -> Option<Wish> {
        self.wishes.take()
    }

    /// Keeps the record while a transaction refers to it. Pair with [`Engine::release`].
    pub fn hold(&self, id: DialogId) -> bool {
        let Some(mut shard) = self.lock(id.entry) else {
            return false;
        };
        let Some(record) = shard.index_of(id).and_then(|index| shard.records.get_mut(index)) else {
            return false;
        };
        let more = record.holds.checked_add(1);
        record.holds = more.unwrap_or(record.holds);
        more.is_some()
    }

    /// Gives back one hold; the record goes away when nothing else refers to it. Says whether it did.
    pub fn release(&self, now: Now, id: DialogId) -> bool {
        self.step(now, id, |work, index| {
            if let Some(record) = work.record_mut(index) {
                record.holds = record.holds.saturating_sub(1);
            }
            work.destroy_if_free(index)
        })
        .unwrap_or(false)
    }

    /// A moment before which no deadline is due; `None` when no dialog exists. May be early, never late.
    pub fn next_deadline(&self) -> Option<Time> {
        let next = self.cells.iter().map(|cell| cell.next.load(Relaxed)).min()?;
        (next != u64::MAX).then_some(Time(next))
    }

    fn numbering(&self) -> Numbering {
        Numbering { start: self.settings.h_id_start, step: self.settings.h_id_step }
    }

    fn cell(&self, entry: u32) -> Option<&Cell> {
        (entry < self.settings.hash_size).then(|| self.cells.get((entry >> self.slots_shift) as usize)).flatten()
    }

    fn lock(&self, entry: u32) -> Option<MutexGuard<'_, Shard>> {
        self.cell(entry).map(|cell| cell.shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one locked step on a cell, then tells observers what it noted.
    fn locked<R>(&self, now: Now, cell: &Cell, cause: Cause<'_>, act: impl FnOnce(&mut Work<'_>) -> R) -> R {
        let mut shard = cell.shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = Work { engine: self, shard: &mut shard, now, notices: Vec::new() };
        let result = act(&mut work);
        let notices = work.notices;
        cell.next.store(self.next_of(&shard), Relaxed);
        drop(shard);
        self.tell(now, cause, &notices);
        result
    }

    /// Runs one locked step on a record that no message causes; `None` when it does not exist.
    fn step<R>(&self, now: Now, id: DialogId, act: impl FnOnce(&mut Work<'_>, u32) -> R) -> Option<R> {
        self.step_of(now, id, Cause::HERE, act)
    }

    /// The same for what a message causes.
    fn step_of<R>(&self, now: Now, id: DialogId, cause: Cause<'_>, act: impl FnOnce(&mut Work<'_>, u32) -> R) -> Option<R> {
        let cell = self.cell(id.entry)?;
        self.locked(now, cell, cause, |work| {
            let index = work.shard.index_of(id)?;
            // Should the record go away and its place be taken, the note is about the new one, which does no harm.
            let result = act(work, index);
            work.note_change(index);
            Some(result)
        })
    }

    fn next_of(&self, shard: &Shard) -> u64 {
        let tick = shard.wheel.next_tick();
        let wheel = tick.map(|tick| self.origin.saturating_add(u64::from(tick) * crate::wheel::TICK_MILLISECONDS));
        wheel.into_iter().chain(shard.keepalives.next()).min().unwrap_or(u64::MAX)
    }

    fn tell(&self, now: Now, cause: Cause<'_>, notices: &[(DialogView, Occurrence)]) {
        for (dialog, occurrence) in notices {
            self.observers.tell(&Notice { engine: self, now, dialog, occurrence: *occurrence, cause });
        }
    }

    /// The number of a local socket's name. Few exist, so a short list is searched.
    fn socket_number(&self, name: &[u8]) -> u16 {
        if name.is_empty() {
            return NO_SOCKET;
        }
        let position = |list: &Vec<Box<[u8]>>| list.iter().position(|known| **known == *name);
        let known = position(&self.sockets.read().unwrap_or_else(PoisonError::into_inner));
        let number = known.or_else(|| {
            let mut list = self.sockets.write().unwrap_or_else(PoisonError::into_inner);
            position(&list).or_else(|| {
                (list.len() < SOCKETS_MAX).then(|| {
                    list.push(name.into());
                    list.len() - 1
                })
            })
        });
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(NO_SOCKET)
    }

    fn socket_name(&self, number: u16) -> Vec<u8> {
        let mut name = Vec::new();
        self.write_socket_name(number, &mut name);
        name
    }

    fn write_socket_name(&self, number: u16, out: &mut Vec<u8>) {
        let list = self.sockets.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = list.get(usize::from(number)) {
            out.extend_from_slice(name);
        }
    }
}

/// Where the numbers of a slot begin (spec dialog 1.3).
fn first_number(settings: &Settings, random: &mut u64) -> u32 {
    let range = u64::from(settings.hash_size) * 3;
    let drawn = u32::try_from(next_random(random) % range).unwrap_or(0);
    if settings.h_id_step <= 1 {
        return drawn;
    }
    settings.h_id_start.wrapping_add(settings.h_id_step.wrapping_mul(drawn + 1))
}

/// SplitMix64: the seed comes in with the settings, so that the same seed gives the same numbers.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
