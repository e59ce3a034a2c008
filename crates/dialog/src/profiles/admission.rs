//! Who may join below a limit, and what is remembered of the limits that were used.

use std::collections::BTreeMap;

use crate::limits::IDLE_LIMITS_OF_SLOT_MAX;

/// How many members a value may have, or a profile without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Places for everybody.
    pub places: u32,
    /// Places beside those, for callers that name them; `None` = the caller may use none of them.
    pub headroom: Option<u32>,
}

impl Limit {
    /// Takes back a place in the headroom for a dialog out of storage: the limit itself is not known before it is used again.
    pub(crate) const PRIORITY_BACK: Limit = Limit { places: 0, headroom: Some(u32::MAX) };

    /// A limit for a caller without priority.
    pub fn of(places: u32) -> Limit {
        Limit { places, headroom: None }
    }
}

/// Which of the two kinds of places a membership takes. Each kind is counted apart, so that a priority call never takes the
/// place of another one for longer than it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Ordinary,
    /// In the headroom.
    Priority,
}

/// The number of a value's limit when it has none.
pub(super) const NO_LIMIT: u32 = u32::MAX;

/// A limit as it was last used, with its counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Limited {
    pub(super) places: u32,
    pub(super) headroom: u32,
    /// Members in the headroom.
    pub(super) priority: u32,
    /// Most members since the limit was first used.
    pub(super) peak: u32,
    pub(super) refused: u64,
    /// Order of falling idle, 0 while there are members.
    idle: u64,
}

/// The limits of one slot. Those of values with members are bounded by the members, the others by a bound of their own.
#[derive(Default)]
pub(super) struct Limits {
    list: Vec<Limited>,
    free: Vec<u32>,
    /// Values without members, those for the longest time first.
    idle: BTreeMap<u64, u32>,
    clock: u64,
}

impl Limits {
    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut Limited> {
        self.list.get_mut(key as usize)
    }

    /// Notes the limit under the value's key, which is made if need be, and decides where one more member goes; `None`: it is
    /// refused, and counted as that.
    pub(super) fn admit(&mut self, key: &mut u32, members: u32, limit: Limit) -> Option<Place> {
        if *key == NO_LIMIT {
            *key = self.open();
        }
        let limited = self.list.get_mut(*key as usize)?;
        limited.places = limit.places;
        limited.headroom = limit.headroom.unwrap_or(limited.headroom);
        if members.saturating_sub(limited.priority) < limit.places {
            return Some(Place::Ordinary);
        }
        if limit.headroom.is_some_and(|headroom| limited.priority < headroom) {
            limited.priority += 1;
            if limit == Limit::PRIORITY_BACK {
                limited.headroom = limited.priority;
            }
            return Some(Place::Priority);
        }
        limited.refused = limited.refused.saturating_add(1);
        None
    }

    /// The value has so many members now.
    pub(super) fn joined(&mut self, key: u32, members: u32) {
        let Some(limited) = self.list.get_mut(key as usize) else {
            return;
        };
        limited.peak = limited.peak.max(members);
        if limited.idle != 0 {
            self.idle.remove(&limited.idle);
            limited.idle = 0;
        }
    }

    /// A member left the headroom.
    pub(super) fn priority_left(&mut self, key: u32) {
        if let Some(limited) = self.list.get_mut(key as usize) {
            limited.priority = limited.priority.saturating_sub(1);
        }
    }

    /// The value has no members; gives the value whose limit has to be forgotten for it.
    pub(super) fn rest(&mut self, key: u32, value: u32) -> Option<u32> {
        self.clock += 1;
        let limited = self.list.get_mut(key as usize)?;
        if limited.idle != 0 {
            self.idle.remove(&limited.idle);
        }
        limited.idle = self.clock;
        self.idle.insert(self.clock, value);
        if self.idle.len() <= IDLE_LIMITS_OF_SLOT_MAX { None } else { self.idle.pop_first().map(|(_, oldest)| oldest) }
    }

    fn open(&mut self) -> u32 {
        if let Some(key) = self.free.pop() {
            return key;
        }
        // One for each value at most, and those fit into 28 bits.
        let key = u32::try_from(self.list.len()).unwrap_or(NO_LIMIT);
        self.list.push(Limited::default());
        key
    }

    /// The limit is forgotten.
    pub(super) fn close(&mut self, key: u32) {
        if let Some(limited) = self.list.get_mut(key as usize) {
            *limited = Limited::default();
            self.free.push(key);
        }
    }
}
