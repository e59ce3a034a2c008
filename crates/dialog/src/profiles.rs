//! Profiles: named sets of calls, counted in constant time per value (spec dialog 6).

mod admission;
mod audit;
mod ranking;
mod remote;
mod reservation;
mod slot;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::FixedState;

use crate::hash::core_hash;
use crate::limits::{PROFILE_VALUE_BYTES_MAX, REMOTE_MEMBERS_MAX};
use crate::record::Membership;
use crate::settings::ProfileDefinition;
pub use admission::{Limit, Place};
pub(crate) use audit::Recount;
pub use audit::{Audit, Difference};
pub use ranking::LimitView;
pub use reservation::Reservation;
use slot::{Account, Slot};

/// Slots of a profile with values; the order of listings follows them (spec dialog 6.3).
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
    /// The dialog is over, or a bound of `limits` is reached.
    Refused,
    /// Every place of the given limit is taken.
    Full,
}

/// All profiles of an engine. The set is fixed at start.
pub struct Profiles {
    list: Vec<Profile>,
    hasher: FixedState,
    serial: AtomicU64,
    unique_prefix: String,
    /// Audits begun so far.
    audits: AtomicU32,
    /// No remote member of any profile ends before this; `u64::MAX`: none ends.
    remote_end: AtomicU64,
}

/// A profile without values has one slot, and in it one value: the empty text.
struct Profile {
    name: Arc<str>,
    has_value: bool,
    slots: Box<[Mutex<Slot>]>,
}

/// What a membership took: the number of its value, and the kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) value: u32,
    pub(crate) place: Place,
}

impl Profiles {
    pub(crate) fn new(definitions: &[ProfileDefinition], seed: u64, unique_prefix: &str) -> Profiles {
        let list = definitions.iter().map(|definition| {
            let slot = |_| Mutex::new(if definition.has_value { Slot::default() } else { Slot::of_no_value() });
            let slots = if definition.has_value { PROFILE_SLOTS } else { 1 };
            Profile { name: Arc::from(definition.name.as_str()), has_value: definition.has_value, slots: (0..slots).map(slot).collect() }
        });
        Profiles {
            list: list.collect(),
            hasher: FixedState::with_seed(seed),
            serial: AtomicU64::new(0),
            unique_prefix: unique_prefix.to_string(),
            audits: AtomicU32::new(0),
            remote_end: AtomicU64::new(u64::MAX),
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

    /// Members with this value, or in all when no value is given or the profile has none. Remote members and places that
    /// wait for their dialog count.
    pub fn size(&self, id: ProfileId, value: Option<&[u8]>) -> Option<u64> {
        let profile = self.profile(id)?;
        let Some(value) = value.filter(|_| profile.has_value) else {
            return Some(profile.locked().map(|slot| slot.members()).sum());
        };
        let slot = profile.slot(slot_of(value))?;
        Some(slot.find(&self.hasher, value).map_or(0, |found| u64::from(slot.members_of(found))))
    }

    /// Adds a member that lives on another node (spec dialog 6.6). `expires` in unix seconds, 0 = never.
    /// Adding an equal one again counts again.
    pub fn add_remote(&self, id: ProfileId, value: Option<&[u8]>, unique: &[u8], expires: u64) -> Result<(), ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let value = profile.checked(value)?;
        let mut slot = profile.slot(slot_of(value)).ok_or(ProfileError::UnknownProfile)?;
        if slot.remote.len() >= REMOTE_MEMBERS_MAX / profile.slots.len().max(1) {
            return Err(ProfileError::Refused);
        }
        let (number, _) = slot.join(&self.hasher, value, None, Account::Remote)?;
        slot.remote.add(unique, number, expires);
        if expires > 0 {
            self.remote_end.fetch_min(expires, Relaxed);
        }
        Ok(())
    }

    /// Removes the first remote member with this value and unique text; says whether there was one.
    pub fn remove_remote(&self, id: ProfileId, value: Option<&[u8]>, unique: &[u8]) -> Result<bool, ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let value = profile.checked(value)?;
        let mut slot = profile.slot(slot_of(value)).ok_or(ProfileError::UnknownProfile)?;
        let Some(number) = slot.find(&self.hasher, value) else {
            return Ok(false);
        };
        let is_removed = slot.remote.remove_first(unique, number);
        if is_removed {
            slot.leave(&self.hasher, number, Place::Ordinary, Account::Remote);
        }
        Ok(is_removed)
    }

    /// Removes remote members whose time is over; gives how many. Costs nothing while nobody's is.
    pub fn expire_remote(&self, now_seconds: u64) -> usize {
        if self.remote_end.load(Relaxed) > now_seconds {
            return 0;
        }
        // Whoever is added meanwhile lowers it again.
        self.remote_end.store(u64::MAX, Relaxed);
        let mut removed = 0;
        for mut slot in self.list.iter().flat_map(Profile::locked) {
            let over = slot.remote.take_expired(now_seconds);
            if let Some(end) = slot.remote.first_end() {
                self.remote_end.fetch_min(end, Relaxed);
            }
            removed += over.len();
            for number in over {
                slot.leave(&self.hasher, number, Place::Ordinary, Account::Remote);
            }
        }
        removed
    }

    /// Counts one more membership of a record; with a limit only if that has a place, checked and taken in one step
    /// (invariant P6). `audited`: the last audit that looked at the record's lock group.
    pub(crate) fn join(&self, id: ProfileId, value: Option<&[u8]>, limit: Option<Limit>, audited: u32) -> Result<Seat, ProfileError> {
        self.take_seat(id, value, limit, Account::Record { audited })
    }

    /// One membership of a record less.
    pub(crate) fn leave(&self, membership: &Membership, audited: u32) {
        let seat = Seat { value: membership.value, place: membership.place };
        self.give_up(ProfileId(membership.profile), seat, Account::Record { audited });
    }

    fn take_seat(&self, id: ProfileId, value: Option<&[u8]>, limit: Option<Limit>, account: Account) -> Result<Seat, ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        let text = profile.checked(value)?;
        let number_of_slot = slot_of(text);
        let mut slot = profile.slot(number_of_slot).ok_or(ProfileError::UnknownProfile)?;
        let (number, place) = slot.join(&self.hasher, text, limit, account)?;
        // The slot is part of the number, so that leaving needs no value.
        let value = if profile.has_value { number * PROFILE_SLOTS + number_of_slot } else { NO_VALUE };
        Ok(Seat { value, place })
    }

    fn give_up(&self, id: ProfileId, seat: Seat, account: Account) {
        let (slot, number) = parts(seat.value);
        if let Some(mut slot) = self.profile(id).and_then(|profile| profile.slot(slot)) {
            slot.leave(&self.hasher, number, seat.place, account);
        }
    }

    /// The number under which a value is known now; `None` when nobody has it. It stays as long as somebody has it.
    pub(crate) fn value_number(&self, id: ProfileId, value: Option<&[u8]>) -> Result<Option<u32>, ProfileError> {
        let profile = self.profile(id).ok_or(ProfileError::UnknownProfile)?;
        if !profile.has_value {
            return Ok(Some(NO_VALUE));
        }
        let value = profile.checked(value)?;
        let number_of_slot = slot_of(value);
        let found = profile.slot(number_of_slot).and_then(|slot| slot.find(&self.hasher, value));
        Ok(found.map(|number| number * PROFILE_SLOTS + number_of_slot))
    }

    /// Appends the text of a membership's value number. False: it has none.
    pub(crate) fn write_value(&self, id: ProfileId, value: u32, out: &mut Vec<u8>) -> bool {
        if value == NO_VALUE {
            return false;
        }
        let (slot, number) = parts(value);
        let Some(slot) = self.profile(id).and_then(|profile| profile.slot(slot)) else { return false };
        slot.text(number).map(|text| out.extend_from_slice(text)).is_some()
    }

    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed) + 1
    }

    /// Appends the unique text of a membership (spec dialog 6.1).
    pub(crate) fn write_unique(&self, serial: u64, out: &mut String) {
        out.push_str(&self.unique_prefix);
        out.extend(crate::cookie::reversed_hex(serial).map(char::from));
    }

    fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.list.get(usize::from(id.0))
    }
}

impl Profile {
    fn slot(&self, number: u32) -> Option<MutexGuard<'_, Slot>> {
        // A profile without values has its only slot under every number.
        let slot = self.slots.get(number as usize).or_else(|| self.slots.first())?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The slots, each locked while it is looked at.
    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Slot>> {
        self.slots.iter().map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value to use: the empty text for profiles without, a proper one for the others.
    fn checked<'a>(&self, value: Option<&'a [u8]>) -> Result<&'a [u8], ProfileError> {
        match value {
            _ if !self.has_value => Ok(b""),
            None | Some([]) => Err(ProfileError::ValueMissing),
            Some(value) if value.len() > PROFILE_VALUE_BYTES_MAX => Err(ProfileError::ValueTooLong),
            Some(value) => Ok(value),
        }
    }
}

/// Slot and number within it of a value number.
fn parts(value: u32) -> (u32, u32) {
    if value == NO_VALUE { (0, 0) } else { (value % PROFILE_SLOTS, value / PROFILE_SLOTS) }
}

/// The slot of a value; members without value lie by their Call-ID.
pub(crate) fn slot_of(text: &[u8]) -> u32 {
    core_hash(text) % PROFILE_SLOTS
}

#[cfg(test)]
mod tests;
