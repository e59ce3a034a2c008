//! One slot of a profile: its values, each with the number of its members and the limit that was used on it.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::admission::{Limit, Limited, Limits, NO_LIMIT, Place};
use super::audit::Changes;
use super::remote::RemoteMembers;
use super::{NO_VALUE, PROFILE_SLOTS, ProfileError};
use crate::limits::VALUES_PAGE;

/// Values whose hash falls in one slot.
#[derive(Default)]
pub(super) struct Slot {
    index: HashTable<u32>,
    values: Vec<Value>,
    free: Vec<u32>,
    members: u64,
    limits: Limits,
    pub(super) remote: RemoteMembers,
    /// Places of each value that wait for their dialog.
    reserved: BTreeMap<u32, u32>,
    changes: Option<Box<Changes>>,
}

struct Value {
    text: Box<[u8]>,
    members: u32,
    /// See [`Limits`].
    limit: u32,
}

#[cfg(test)]
pub(super) fn value_bytes() -> usize {
    std::mem::size_of::<Value>()
}

/// What a count stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// A membership in a record of a lock group that was last looked at by this audit.
    Record {
        audited: u32,
    },
    /// A place that waits for its dialog.
    Reserved,
    Remote,
}

/// A value that is in use, as listings look at it.
pub(super) struct Listed<'a> {
    pub(super) text: &'a [u8],
    pub(super) members: u32,
    pub(super) limited: Option<&'a mut Limited>,
}

impl Slot {
    /// The slot of a profile without values: its one value is there from the start and never goes.
    pub(super) fn of_no_value() -> Slot {
        Slot { values: vec![Value { text: Box::default(), members: 0, limit: NO_LIMIT }], ..Slot::default() }
    }

    pub(super) fn members(&self) -> u64 {
        self.members
    }

    pub(super) fn find(&self, hasher: &FixedState, text: &[u8]) -> Option<u32> {
        if text.is_empty() {
            return self.values.first().filter(|value| value.text.is_empty()).map(|_| 0);
        }
        let matches = |number: &u32| self.values.get(*number as usize).is_some_and(|value| *value.text == *text);
        self.index.find(hasher.hash_one(text), matches).copied()
    }

    pub(super) fn text(&self, number: u32) -> Option<&[u8]> {
        self.values.get(number as usize).map(|value| &*value.text)
    }

    pub(super) fn members_of(&self, number: u32) -> u32 {
        self.values.get(number as usize).map_or(0, |value| value.members)
    }

    /// One member more, if the limit allows it.
    pub(super) fn join(
        &mut self,
        hasher: &FixedState,
        text: &[u8],
        limit: Option<Limit>,
        account: Account,
    ) -> Result<(u32, Place), ProfileError> {
        let number = match self.find(hasher, text) {
            Some(number) => number,
            None => self.insert(hasher, text)?,
        };
        let value = self.values.get_mut(number as usize).ok_or(ProfileError::Refused)?;
        let members = value.members.checked_add(1).ok_or(ProfileError::Refused)?;
        let admitted = match limit {
            None => Some(Place::Ordinary),
            Some(limit) => self.limits.admit(&mut value.limit, value.members, limit),
        };
        let Some(place) = admitted else {
            if value.members == 0 {
                self.emptied(hasher, number);
            }
            return Err(ProfileError::Full);
        };
        value.members = members;
        if value.limit != NO_LIMIT {
            self.limits.joined(value.limit, members);
        }
        self.members += 1;
        self.note(number, account, 1);
        Ok((number, place))
    }

    /// One member less.
    pub(super) fn leave(&mut self, hasher: &FixedState, number: u32, place: Place, account: Account) {
        let Some(value) = self.values.get_mut(number as usize).filter(|value| value.members > 0) else {
            return;
        };
        value.members -= 1;
        let is_empty = value.members == 0;
        if place == Place::Priority {
            self.limits.priority_left(value.limit);
        }
        self.members = self.members.saturating_sub(1);
        self.note(number, account, -1);
        if is_empty {
            self.emptied(hasher, number);
        }
    }

    /// A place that waited for its dialog is a membership of it now.
    pub(super) fn adopt(&mut self, number: u32, audited: u32) {
        self.note(number, Account::Reserved, -1);
        self.note(number, Account::Record { audited }, 1);
    }

    fn note(&mut self, number: u32, account: Account, by: i64) {
        if account == Account::Reserved {
            let waiting = self.reserved.entry(number).or_default();
            *waiting = waiting.saturating_add_signed(by as i32);
            if *waiting == 0 {
                self.reserved.remove(&number);
            }
        }
        if let Some(changes) = &mut self.changes {
            changes.note(number, account, by);
        }
    }

    fn insert(&mut self, hasher: &FixedState, text: &[u8]) -> Result<u32, ProfileError> {
        let value = Value { text: text.into(), members: 0, limit: NO_LIMIT };
        let number = match self.free.pop() {
            Some(number) => {
                *self.values.get_mut(number as usize).ok_or(ProfileError::Refused)? = value;
                number
            }
            None => {
                let next = u32::try_from(self.values.len()).ok().filter(|number| *number < NO_VALUE / PROFILE_SLOTS);
                let number = next.ok_or(ProfileError::Refused)?;
                self.values.push(value);
                number
            }
        };
        let Slot { index, values, .. } = self;
        index.insert_unique(hasher.hash_one(text), number, |number| {
            values.get(*number as usize).map_or(0, |value| hasher.hash_one(&*value.text))
        });
        Ok(number)
    }

    /// The value has no members; it stays while its limit is remembered.
    fn emptied(&mut self, hasher: &FixedState, number: u32) {
        let limit = self.values.get(number as usize).map_or(NO_LIMIT, |value| value.limit);
        let gone = if limit == NO_LIMIT { Some(number) } else { self.limits.rest(limit, number) };
        if let Some(gone) = gone {
            self.forget(hasher, gone);
        }
    }

    /// Takes a value without members out, with its limit.
    fn forget(&mut self, hasher: &FixedState, number: u32) {
        let Some(value) = self.values.get_mut(number as usize).filter(|value| !value.text.is_empty()) else {
            return;
        };
        let text = std::mem::take(&mut value.text);
        let limit = std::mem::replace(&mut value.limit, NO_LIMIT);
        if limit != NO_LIMIT {
            self.limits.close(limit);
        }
        if let Ok(entry) = self.index.find_entry(hasher.hash_one(&*text), |found| *found == number) {
            entry.remove();
            self.free.push(number);
        }
    }

    /// Shows one value, if it is in use.
    pub(super) fn look_at(&mut self, number: u32, look: &mut impl FnMut(Listed<'_>)) {
        let Some(value) = self.values.get(number as usize) else {
            return;
        };
        let limited = self.limits.get_mut(value.limit);
        if value.members > 0 || limited.is_some() {
            look(Listed { text: &value.text, members: value.members, limited });
        }
    }

    /// Shows a page of values from this number on; gives where the next page begins.
    pub(super) fn page(&mut self, from: u32, look: &mut impl FnMut(Listed<'_>)) -> Option<u32> {
        let end = from.saturating_add(VALUES_PAGE as u32);
        (from..end).for_each(|number| self.look_at(number, look));
        ((end as usize) < self.values.len()).then_some(end)
    }

    /// Begins to note changes for an audit; what is no membership of a record is noted at once.
    pub(super) fn begin_audit(&mut self, audit: u32) {
        let mut changes = Changes::new(audit);
        self.remote.values().for_each(|number| changes.note(number, Account::Remote, 1));
        self.reserved.iter().for_each(|(number, waiting)| changes.note(*number, Account::Reserved, i64::from(*waiting)));
        self.changes = Some(Box::new(changes));
    }

    /// Values used so far: numbers are below this.
    pub(super) fn numbers(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// Members by other means than the records that the audit has seen.
    pub(super) fn noted(&self, number: u32) -> i64 {
        self.changes.as_ref().map_or(0, |changes| changes.of(number))
    }

    pub(super) fn end_audit(&mut self) {
        self.changes = None;
    }
}
