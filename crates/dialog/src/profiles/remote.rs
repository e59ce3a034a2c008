//! Members that live on other nodes, each until it is removed or its time is over (spec dialog 6.6).

use std::collections::BTreeMap;

/// The remote members of one slot.
#[derive(Default)]
pub(super) struct RemoteMembers {
    /// When each ends, in unix seconds; 0 = never.
    ends: BTreeMap<RemoteKey, u64>,
    /// Nobody ends before this; 0 when nobody ends.
    first_end: u64,
    serial: u64,
}

/// Remote members sort by who they are, then by when they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct RemoteKey {
    unique: Box<[u8]>,
    value: u32,
    serial: u64,
}

impl RemoteMembers {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn add(&mut self, unique: &[u8], value: u32, expires: u64) {
        self.serial += 1;
        if expires > 0 {
            self.first_end = if self.first_end == 0 { expires } else { self.first_end.min(expires) };
        }
        self.ends.insert(RemoteKey { unique: unique.into(), value, serial: self.serial }, expires);
    }

    /// Removes the oldest with this text and value; says whether there was one.
    pub(super) fn remove_first(&mut self, unique: &[u8], value: u32) -> bool {
        let from = RemoteKey { unique: unique.into(), value, serial: 0 };
        let first = self.ends.range(from..).next().filter(|(key, _)| *key.unique == *unique && key.value == value);
        let Some(serial) = first.map(|(key, _)| key.serial) else {
            return false;
        };
        self.ends.remove(&RemoteKey { unique: unique.into(), value, serial }).is_some()
    }

    /// Removes everybody whose time is over; gives their values.
    pub(super) fn take_expired(&mut self, now_seconds: u64) -> Vec<u32> {
        if self.first_end == 0 || self.first_end > now_seconds {
            return Vec::new();
        }
        let mut over = Vec::new();
        let mut next = 0;
        self.ends.retain(|key, expires| {
            let stays = *expires == 0 || *expires > now_seconds;
            if !stays {
                over.push(key.value);
            } else if *expires > 0 && (next == 0 || *expires < next) {
                next = *expires;
            }
            stays
        });
        self.first_end = next;
        over
    }

    /// Nobody ends before this; None: nobody ends at all.
    pub(super) fn first_end(&self) -> Option<u64> {
        Some(self.first_end).filter(|end| *end > 0)
    }

    /// The value of each member.
    pub(super) fn values(&self) -> impl Iterator<Item = u32> {
        self.ends.keys().map(|key| key.value)
    }
}
