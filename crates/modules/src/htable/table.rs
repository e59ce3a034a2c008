//! One table: items behind short locks, one for each slot.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use script::value::{Text, Value};
use sip::time::Time;

use super::definition::Definition;
use super::locks::Locks;
use super::{KEY_BYTES_MAX, SLOTS_MAX, TABLE_ITEMS_MAX};

/// A value with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub value: Value,
    /// Monotonic milliseconds; None never.
    pub expires: Option<Time>,
}

impl Item {
    fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|end| end.0 <= now.0)
    }
}

type Slot = HashMap<Text, Item, foldhash::fast::FixedState>;

/// A named table.
#[derive(Debug)]
pub struct Table {
    pub name: Text,
    pub definition: Definition,
    pub(super) expired_route: Option<script::RouteId>,
    /// `event_route[htable:reloaded:NAME]`.
    pub(super) reloaded_route: Option<script::RouteId>,
    pub(super) locks: Arc<Locks>,
    slots: Vec<Mutex<Slot>>,
    items: AtomicUsize,
}

impl Table {
    /// An empty table.
    pub fn new(definition: Definition, expired_route: Option<script::RouteId>) -> Table {
        let count = definition.slots.clamp(1, SLOTS_MAX);
        Table {
            name: definition.name.clone(),
            expired_route,
            reloaded_route: None,
            locks: Arc::default(),
            slots: (0..count).map(|_| Mutex::default()).collect(),
            items: AtomicUsize::new(0),
            definition,
        }
    }

    /// Number of slots.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Number of items, expired ones that still wait for their end included.
    pub fn len(&self) -> usize {
        self.items.load(Ordering::Relaxed)
    }

    /// Has it no items?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot a key lies in.
    pub fn slot_of(&self, key: &[u8]) -> usize {
        let hash = foldhash::fast::FixedState::default().hash_one(key);
        usize::try_from(hash % (self.slots.len() as u64)).unwrap_or(0)
    }

    /// A panic while a slot was locked leaves whole items, so the lock is taken over.
    fn slot(&self, index: usize) -> Option<MutexGuard<'_, Slot>> {
        self.slots.get(index).map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn slot_for(&self, key: &[u8]) -> Option<MutexGuard<'_, Slot>> {
        self.slot(self.slot_of(key))
    }

    /// The end that a script gives an item. None: items of this table never expire, or the table's own time holds.
    fn given_end(&self, now: Time, seconds: u64) -> Option<Time> {
        (seconds > 0 && self.definition.expire > 0).then(|| now.plus(seconds.saturating_mul(1000)))
    }

    fn end_from(&self, now: Time) -> Option<Time> {
        (self.definition.expire > 0).then(|| now.plus(self.definition.expire.saturating_mul(1000)))
    }

    /// The item of a key, unless it has expired.
    pub fn item(&self, now: Time, key: &[u8]) -> Option<Item> {
        self.slot_for(key)?.get(key).filter(|item| !item.is_expired(now)).cloned()
    }

    /// The value of a key: the initial value when there is no item.
    pub fn value(&self, now: Time, key: &[u8]) -> Value {
        self.item(now, key).map_or_else(|| self.definition.initial.clone(), |item| item.value)
    }

    /// Sets a value, and its end if given (None or 0: as the table says; without `autoexpire` nothing ever expires). False: the table is full or the key too long.
    pub fn set(&self, now: Time, key: &[u8], value: Value, expire_seconds: Option<u64>) -> bool {
        let given = expire_seconds.and_then(|seconds| self.given_end(now, seconds));
        let Some(mut slot) = self.slot_for(key) else { return false };
        if let Some(item) = slot.get_mut(key) {
            let is_new = item.is_expired(now);
            item.value = value;
            if given.is_some() {
                item.expires = given;
            } else if self.definition.renews_expiry || is_new {
                item.expires = self.end_from(now);
            }
            return true;
        }
        if key.len() > KEY_BYTES_MAX || self.items.load(Ordering::Relaxed) >= TABLE_ITEMS_MAX {
            return false;
        }
        slot.insert(Text::from(key), Item { value, expires: given.or_else(|| self.end_from(now)) });
        self.items.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Adds to an integer item and gives the new value. None: it is no integer, or absent without an initial integer.
    pub fn add(&self, now: Time, key: &[u8], difference: i64) -> Option<i64> {
        let mut slot = self.slot_for(key)?;
        if let Some(item) = slot.get_mut(key).filter(|item| !item.is_expired(now)) {
            let Value::Integer(old) = item.value else { return None };
            let sum = old.wrapping_add(difference);
            item.value = Value::Integer(sum);
            if self.definition.renews_expiry {
                item.expires = self.end_from(now);
            }
            return Some(sum);
        }
        drop(slot);
        let Value::Integer(initial) = self.definition.initial else { return None };
        self.add_to_initial(now, key, initial, difference)
    }

    fn add_to_initial(&self, now: Time, key: &[u8], initial: i64, difference: i64) -> Option<i64> {
        if key.len() > KEY_BYTES_MAX || self.items.load(Ordering::Relaxed) >= TABLE_ITEMS_MAX {
            return None;
        }
        let end = self.end_from(now);
        let mut slot = self.slot_for(key)?;
        let is_new = !slot.contains_key(key);
        let item = slot.entry(Text::from(key)).or_insert(Item { value: Value::Integer(initial), expires: end });
        if item.is_expired(now) {
            *item = Item { value: Value::Integer(initial), expires: end };
        }
        if is_new {
            self.items.fetch_add(1, Ordering::Relaxed);
        }
        // Another worker may have come in between: its value counts.
        let Value::Integer(old) = item.value else { return None };
        let sum = old.wrapping_add(difference);
        item.value = Value::Integer(sum);
        Some(sum)
    }

    /// Sets when an item expires, in seconds from now; 0 never. A table without `autoexpire` keeps its items. False: there is no
    /// such item.
    pub fn set_expire(&self, now: Time, key: &[u8], seconds: u64) -> bool {
        let Some(mut slot) = self.slot_for(key) else { return false };
        match slot.get_mut(key).filter(|item| !item.is_expired(now)) {
            Some(item) => {
                item.expires = self.given_end(now, seconds);
                true
            }
            None => false,
        }
    }

    /// Removes an item; true when there was one.
    pub fn remove(&self, key: &[u8]) -> bool {
        let is_removed = self.slot_for(key).is_some_and(|mut slot| slot.remove(key).is_some());
        if is_removed {
            self.items.fetch_sub(1, Ordering::Relaxed);
        }
        is_removed
    }

    /// Removes what is chosen; the number of items removed.
    pub fn remove_where(&self, mut is_chosen: impl FnMut(&[u8], &Value) -> bool) -> usize {
        let mut removed = 0;
        for index in 0..self.slots.len() {
            let Some(mut slot) = self.slot(index) else { continue };
            let before = slot.len();
            slot.retain(|key, item| !is_chosen(key, &item.value));
            removed += before - slot.len();
        }
        self.items.fetch_sub(removed, Ordering::Relaxed);
        removed
    }

    /// Has these items and no others afterwards. Err: there are more than may be, or a key is too long; nothing is changed then.
    pub fn replace(&self, items: Vec<(Text, Item)>) -> Result<usize, String> {
        if items.len() > TABLE_ITEMS_MAX {
            return Err(format!("more than {TABLE_ITEMS_MAX} items"));
        }
        if items.iter().any(|(key, _)| key.len() > KEY_BYTES_MAX) {
            return Err(format!("a key is longer than {KEY_BYTES_MAX} bytes"));
        }
        let mut slots: Vec<Slot> = (0..self.slots.len()).map(|_| Slot::default()).collect();
        for (key, item) in items {
            if let Some(slot) = slots.get_mut(self.slot_of(&key)) {
                slot.insert(key, item);
            }
        }
        let mut count = 0;
        for (index, new) in slots.into_iter().enumerate() {
            let Some(mut slot) = self.slot(index) else { continue };
            count += new.len();
            self.items.fetch_add(new.len(), Ordering::Relaxed);
            self.items.fetch_sub(slot.len(), Ordering::Relaxed);
            *slot = new;
        }
        Ok(count)
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.remove_where(|_, _| true);
    }

    /// How many items that have not expired are chosen.
    pub fn count(&self, now: Time, mut is_chosen: impl FnMut(&[u8], &Value) -> bool) -> usize {
        (0..self.slots.len())
            .filter_map(|index| self.slot(index))
            .map(|slot| slot.iter().filter(|(key, item)| !item.is_expired(now) && is_chosen(key, &item.value)).count())
            .sum()
    }

    /// The items of one slot that have not expired, sorted by key.
    pub fn slot_items(&self, now: Time, index: usize) -> Vec<(Text, Item)> {
        let mut items: Vec<(Text, Item)> = self.slot(index).map_or_else(Vec::new, |slot| {
            slot.iter().filter(|(_, item)| !item.is_expired(now)).map(|(key, item)| (key.clone(), item.clone())).collect()
        });
        items.sort_by(|left, right| left.0.cmp(&right.0));
        items
    }

    /// Items in each slot: smallest and largest number.
    pub fn slot_extremes(&self) -> (usize, usize) {
        let sizes = (0..self.slots.len()).filter_map(|index| self.slot(index)).map(|slot| slot.len());
        sizes.fold((usize::MAX, 0), |(least, most), size| (least.min(size), most.max(size)))
    }

    /// Takes out at most `limit` expired items.
    pub fn take_expired(&self, now: Time, limit: usize) -> Vec<(Text, Value)> {
        let mut taken = Vec::new();
        for index in 0..self.slots.len() {
            if taken.len() >= limit {
                break;
            }
            let Some(mut slot) = self.slot(index) else { continue };
            if slot.is_empty() {
                continue;
            }
            let room = limit - taken.len();
            let keys: Vec<Text> = slot.iter().filter(|(_, item)| item.is_expired(now)).map(|(key, _)| key.clone()).take(room).collect();
            for key in keys {
                if let Some(item) = slot.remove(&key) {
                    taken.push((key, item.value));
                }
            }
        }
        self.items.fetch_sub(taken.len(), Ordering::Relaxed);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::new(super::super::definition::parse(text.as_bytes()).expect("a definition"), None)
    }

    #[test]
    fn items_are_set_read_and_removed() {
        let table = table("a=>size=4");
        assert_eq!(table.value(Time(0), b"k"), Value::Null);
        assert!(table.set(Time(0), b"k", Value::Integer(1), None));
        assert!(table.set(Time(0), b"k", Value::text("x"), None));
        assert_eq!((table.value(Time(0), b"k"), table.len()), (Value::text("x"), 1));
        assert!(table.remove(b"k"));
        assert!(!table.remove(b"k"));
        assert!(table.is_empty());
    }

    #[test]
    fn an_expired_item_is_absent_at_once_and_taken_out_later() {
        let table = table("a=>autoexpire=2;initval=7");
        table.set(Time(0), b"k", Value::Integer(1), None);
        assert_eq!(table.value(Time(1_999), b"k"), Value::Integer(1));
        assert_eq!(table.value(Time(2_000), b"k"), Value::Integer(7));
        assert_eq!(table.take_expired(Time(2_000), 10), vec![(Text::from("k"), Value::Integer(1))]);
        assert!(table.is_empty());
    }

    #[test]
    fn a_write_starts_the_expiry_anew_unless_told_otherwise() {
        let renewing = table("a=>autoexpire=2");
        let keeping = table("a=>autoexpire=2;updateexpire=0");
        for table in [&renewing, &keeping] {
            table.set(Time(0), b"k", Value::Integer(1), None);
            table.set(Time(1_000), b"k", Value::Integer(2), None);
        }
        assert_eq!(renewing.value(Time(2_500), b"k"), Value::Integer(2));
        assert_eq!(keeping.value(Time(2_500), b"k"), Value::Null);
    }

    #[test]
    fn counting_needs_an_integer_to_start_from() {
        let without = table("a=>size=4");
        assert_eq!(without.add(Time(0), b"k", 1), None);
        let with = table("a=>initval=0");
        assert_eq!(with.add(Time(0), b"k", 1), Some(1));
        assert_eq!(with.add(Time(0), b"k", 1), Some(2));
        assert_eq!(with.add(Time(0), b"k", -1), Some(1));
        with.set(Time(0), b"t", Value::text("x"), None);
        assert_eq!(with.add(Time(0), b"t", 1), None);
    }

    #[test]
    fn a_key_beyond_the_bound_is_refused() {
        let table = table("a");
        assert!(!table.set(Time(0), &vec![b'k'; KEY_BYTES_MAX + 1], Value::Integer(1), None));
    }
}
