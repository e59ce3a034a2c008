//! Profiles: named sets of calls, counted in constant time per value and in all (spec dialog 6).

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::hash::core_hash;
use crate::limits::{PROFILE_VALUE_BYTES_MAX, REMOTE_MEMBERS_OF_SLOT_MAX};
use crate::settings::ProfileDefinition;

/// Slots of one profile; the order of listings follows them (spec dialog 6.3).
pub const PROFILE_SLOTS: u32 = 16;
/// The value number of memberships without value.
pub(crate) const NO_VALUE: u32 = u32::MAX;

/// Which profile; valid for the engine that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(pub u16);

/// Why a membership was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileError {
    UnknownProfile,
    UnknownDialog,
    /// A profile with values was used without one, or with an empty one.
    ValueMissing,
    ValueTooLong,
    /// The dialog is over, or has too many memberships.
    Refused,
    /// As many members as the given limit.
    Full,
}

/// All profiles of an engine. The set is fixed at start.
pub struct Profiles {
    list: Vec<Profile>,
    hasher: FixedState,
    serial: AtomicU64,
    unique_prefix: String,
}

struct Profile {
    name: Arc<str>,
    has_value: bool,
    total: AtomicU64,
    slots: [Mutex<Slot>; PROFILE_SLOTS as usize],
}

/// Values whose hash falls in one slot.
#[derive(Default)]
struct Slot {
    index: HashTable<u32>,
    values: Vec<Value>,
    free: Vec<u32>,
    remote: BTreeMap<RemoteKey, u64>,
    /// No remote member ends before this.
    remote_end: u64,
    remote_serial: u64,
}

struct Value {
    text: Box<[u8]>,
    members: u32,
}

/// Remote members sort by who they are, then by when they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct RemoteKey {
    unique: Box<[u8]>,
    value: u32,
    serial: u64,
}

impl Profiles {
    pub(crate) fn new(definitions: &[ProfileDefinition], seed: u64, unique_prefix: &str) -> Profiles {
        let list = definitions.iter().map(|definition| Profile {
            name: Arc::from(definition.name.as_str()),
            has_value: definition.has_value,
            total: AtomicU64::new(0),
            slots: std::array::from_fn(|_| Mutex::new(Slot::default())),
        });
        Profiles {
            list: list.collect(),
            hasher: FixedState::with_seed(seed),
            serial: AtomicU64::new(0),
            unique_prefix: unique_prefix.to_string(),
        }
    }

    /// The profile with this name; names are case sensitive.
    pub fn find(&self, name: &str) -> Option<ProfileId> {
        let number = self.list.iter().position(|profile| &*profile.name == name)?;
        u16::try_from(number).ok().map(ProfileId)
    }

    pub fn name(&self, id: ProfileId) -> Option<Arc<str>> {
        self.profile(id).map(|profile| Arc::clone(&profile.name))
    }

    pub fn has_value(&self, id: ProfileId) -> Option<bool> {
        self.profile(id).map(|profile| profile.has_value)
    }

    /// All profiles, in the order of definition.
    pub fn all(&self) -> impl Iterator<Item = ProfileId> + use<> {
        (0..self.list.len()).filter_map(|number| u16::try_from(number).ok().map(ProfileId))
    }

    /// Members with this value, or in all when no value is given or the profile has none; remote members count.
    pub fn size(&self, id: ProfileId, value: Option<&[u8]>) -> Option<u64> {
        let profile = self.profile(id)?;
        let Some(value) = value.filter(|_| profile.has_value) else {
            return Some(profile.total.load(Relaxed));
        };
        let slot = profile.slot(slot_of(value))?;
        Some(slot.find(&self.hasher, value).and_then(|found| slot.members(found)).map_or(0, u64::from))
    }

    /// Adds a member that lives on another node (spec dialog 6.6). `expires` in unix seconds, 0 = never.
    /// Adding an equal one again counts again.
    pub fn add_remote(&self, id: ProfileId, value: Option<&[u8]>, unique: &[u8], expires: u64) -> Result<(), ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let value = profile.checked(value)?;
        let mut slot = profile.slot(slot_of(value.unwrap_or(unique))).ok_or(ProfileError::UnknownProfile)?;
        if slot.remote.len() >= REMOTE_MEMBERS_OF_SLOT_MAX {
            return Err(ProfileError::Refused);
        }
        let value = match value {
            Some(value) => slot.join(&self.hasher, value, None)?,
            None => NO_VALUE,
        };
        slot.remote_serial += 1;
        let key = RemoteKey { unique: unique.into(), value, serial: slot.remote_serial };
        if expires > 0 {
            slot.remote_end = if slot.remote_end == 0 { expires } else { slot.remote_end.min(expires) };
        }
        slot.remote.insert(key, expires);
        profile.total.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Removes the first remote member with this value and unique text; says whether there was one.
    pub fn remove_remote(&self, id: ProfileId, value: Option<&[u8]>, unique: &[u8]) -> Result<bool, ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let value = profile.checked(value)?;
        let mut slot = profile.slot(slot_of(value.unwrap_or(unique))).ok_or(ProfileError::UnknownProfile)?;
        let number = match value {
            Some(value) => match slot.find(&self.hasher, value) {
                Some(found) => found,
                None => return Ok(false),
            },
            None => NO_VALUE,
        };
        let from = RemoteKey { unique: unique.into(), value: number, serial: 0 };
        let found = slot.remote.range(from..).next().map(|(key, _)| key);
        let Some(serial) = found.filter(|key| *key.unique == *unique && key.value == number).map(|key| key.serial) else {
            return Ok(false);
        };
        slot.remote.remove(&RemoteKey { unique: unique.into(), value: number, serial });
        slot.leave(&self.hasher, number);
        profile.left();
        Ok(true)
    }

    /// Removes remote members whose time is over; gives how many.
    pub fn expire_remote(&self, now_seconds: u64) -> usize {
        let mut removed = 0;
        for profile in &self.list {
            for number in 0..PROFILE_SLOTS {
                let Some(mut slot) = profile.slot(number) else {
                    continue;
                };
                if slot.remote_end == 0 || slot.remote_end > now_seconds {
                    continue;
                }
                let mut over = Vec::new();
                let mut next = 0;
                slot.remote.retain(|key, expires| {
                    let stays = *expires == 0 || *expires > now_seconds;
                    if !stays {
                        over.push(key.value);
                    } else if *expires > 0 && (next == 0 || *expires < next) {
                        next = *expires;
                    }
                    stays
                });
                slot.remote_end = next;
                removed += over.len();
                for value in over {
                    slot.leave(&self.hasher, value);
                    profile.left();
                }
            }
        }
        removed
    }

    /// Counts one more member; with `limit` only while there are fewer, checked and taken in one step (invariant P6).
    pub(crate) fn join(&self, id: ProfileId, value: Option<&[u8]>, limit: Option<u64>) -> Result<u32, ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let Some(value) = profile.checked(value)? else {
            let limit = limit.unwrap_or(u64::MAX);
            let taken = profile.total.fetch_update(Relaxed, Relaxed, |count| (count < limit).then_some(count + 1));
            return taken.map(|_| NO_VALUE).map_err(|_| ProfileError::Full);
        };
        let mut slot = profile.slot(slot_of(value)).ok_or(ProfileError::UnknownProfile)?;
        let number = slot.join(&self.hasher, value, limit)?;
        profile.total.fetch_add(1, Relaxed);
        // The slot is part of the number, so that leaving needs no value.
        Ok(number * PROFILE_SLOTS + slot_of(value))
    }

    /// One member less.
    pub(crate) fn leave(&self, id: ProfileId, value: u32) {
        let Some(profile) = self.profile(id) else {
            return;
        };
        if value != NO_VALUE {
            let Some(mut slot) = profile.slot(value % PROFILE_SLOTS) else {
                return;
            };
            slot.leave(&self.hasher, value / PROFILE_SLOTS);
        }
        profile.left();
    }

    /// The number under which a value is known now; `None` when it has no members.
    pub(crate) fn value_number(&self, id: ProfileId, value: &[u8]) -> Option<u32> {
        let slot_number = slot_of(value);
        let found = self.profile(id)?.slot(slot_number)?.find(&self.hasher, value)?;
        Some(found * PROFILE_SLOTS + slot_number)
    }

    /// The text of a value number.
    pub(crate) fn value_text(&self, id: ProfileId, value: u32) -> Option<Vec<u8>> {
        if value == NO_VALUE {
            return None;
        }
        let slot = self.profile(id)?.slot(value % PROFILE_SLOTS)?;
        slot.values.get((value / PROFILE_SLOTS) as usize).map(|value| value.text.to_vec())
    }

    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed) + 1
    }

    /// The unique text of a membership (spec dialog 6.1).
    pub(crate) fn unique_text(&self, serial: u64) -> String {
        let mut text = self.unique_prefix.clone().into_bytes();
        crate::cookie::write_reversed_hex(&mut text, serial);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.list.get(usize::from(id.0))
    }
}

impl Profile {
    fn slot(&self, number: u32) -> Option<MutexGuard<'_, Slot>> {
        let slot = self.slots.get(number as usize)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value to use: none for profiles without, a proper one for the others.
    fn checked<'a>(&self, value: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, ProfileError> {
        match value.filter(|_| self.has_value) {
            None if self.has_value => Err(ProfileError::ValueMissing),
            Some([]) => Err(ProfileError::ValueMissing),
            Some(value) if value.len() > PROFILE_VALUE_BYTES_MAX => Err(ProfileError::ValueTooLong),
            value => Ok(value),
        }
    }

    fn left(&self) {
        let _ = self.total.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(1)));
    }
}

impl Slot {
    fn find(&self, hasher: &FixedState, text: &[u8]) -> Option<u32> {
        let matches = |number: &u32| self.values.get(*number as usize).is_some_and(|value| *value.text == *text);
        self.index.find(hasher.hash_one(text), matches).copied()
    }

    fn members(&self, number: u32) -> Option<u32> {
        self.values.get(number as usize).map(|value| value.members)
    }

    fn join(&mut self, hasher: &FixedState, text: &[u8], limit: Option<u64>) -> Result<u32, ProfileError> {
        let found = self.find(hasher, text);
        let members = found.and_then(|found| self.members(found)).unwrap_or(0);
        if limit.is_some_and(|limit| u64::from(members) >= limit) {
            return Err(ProfileError::Full);
        }
        if let Some(number) = found {
            let value = self.values.get_mut(number as usize).ok_or(ProfileError::Refused)?;
            value.members = value.members.checked_add(1).ok_or(ProfileError::Refused)?;
            return Ok(number);
        }
        let value = Value { text: text.into(), members: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                *self.values.get_mut(number as usize).ok_or(ProfileError::Refused)? = value;
                number
            }
            None => {
                let number = u32::try_from(self.values.len()).ok().filter(|number| *number < NO_VALUE / PROFILE_SLOTS);
                self.values.push(value);
                number.ok_or(ProfileError::Refused)?
            }
        };
        let Slot { index, values, .. } = self;
        index.insert_unique(hasher.hash_one(text), number, |number| {
            values.get(*number as usize).map_or(0, |value| hasher.hash_one(&*value.text))
        });
        Ok(number)
    }

    fn leave(&mut self, hasher: &FixedState, number: u32) {
        let Some(value) = self.values.get_mut(number as usize) else {
            return;
        };
        value.members = value.members.saturating_sub(1);
        if value.members > 0 {
            return;
        }
        let text = std::mem::take(&mut value.text);
        if let Ok(entry) = self.index.find_entry(hasher.hash_one(&*text), |found| *found == number) {
            entry.remove();
            self.free.push(number);
        }
    }
}

/// The slot of a value; members without value lie by their Call-ID.
pub(crate) fn slot_of(text: &[u8]) -> u32 {
    core_hash(text) % PROFILE_SLOTS
}

#[cfg(test)]
mod tests;
