//! Comparing the counts of profiles with the memberships they are derived from, while calls go on (invariant P1).
//!
//! Records are read one lock group after the other, so a membership that comes or goes meanwhile may or may not have been
//! seen. Each group therefore remembers the last audit that looked at it, and a slot under audit notes every change of a record
//! in a group that was looked at already. A count and its note change under one lock of the slot, hence at any moment
//! afterwards: members = memberships seen + changes noted.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::slot::Account;
use super::{NO_VALUE, PROFILE_SLOTS, ProfileId, Profiles};
use crate::limits::{AUDIT_DIFFERENCES_MAX, VALUES_PAGE};

type Counts<K> = HashMap<K, i64, foldhash::fast::FixedState>;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Values compared.
    pub checked: u64,
    /// Values whose count is not the number of their memberships.
    pub different: u64,
    /// The first of them, at most [`AUDIT_DIFFERENCES_MAX`].
    pub differences: Vec<Difference>,
}

/// A value whose count is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub profile: ProfileId,
    /// Empty for a profile without values.
    pub value: Vec<u8>,
    pub counted: i64,
    pub memberships: i64,
}

/// Memberships found in records, by profile and value number.
#[derive(Default)]
pub(crate) struct Recount(Counts<(u16, u32)>);

impl Recount {
    pub(crate) fn add(&mut self, profile: u16, value: u32) {
        *self.0.entry((profile, value)).or_default() += 1;
    }

    fn of(&self, profile: u16, value: u32) -> i64 {
        self.0.get(&(profile, value)).copied().unwrap_or(0)
    }
}

/// Changes of one slot that the records seen by an audit do not show.
pub(super) struct Changes {
    audit: u32,
    by_value: Counts<u32>,
}

impl Changes {
    pub(super) fn new(audit: u32) -> Changes {
        Changes { audit, by_value: Counts::default() }
    }

    pub(super) fn note(&mut self, value: u32, account: Account, by: i64) {
        if account == (Account::Record { audited: self.audit }) || !matches!(account, Account::Record { .. }) {
            *self.by_value.entry(value).or_default() += by;
        }
    }

    pub(super) fn of(&self, value: u32) -> i64 {
        self.by_value.get(&value).copied().unwrap_or(0)
    }
}

impl Profiles {
    /// Begins an audit; gives the number that lock groups remember from when they are looked at.
    pub(crate) fn begin_audit(&self) -> u32 {
        let audit = self.audits.fetch_add(1, Relaxed).wrapping_add(1);
        for mut slot in self.list.iter().flat_map(super::Profile::locked) {
            slot.begin_audit(audit);
        }
        audit
    }

    /// Compares every count with the recount, a page of values under one lock.
    pub(crate) fn end_audit(&self, recount: &Recount) -> Audit {
        let mut audit = Audit::default();
        for id in self.all() {
            let Some(profile) = self.profile(id) else { continue };
            for (number, slot) in (0u32..).zip(profile.slots.iter()) {
                let mut from = 0;
                loop {
                    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                    let end = from + VALUES_PAGE as u32;
                    for value in from..end.min(slot.numbers()) {
                        let whole = if profile.has_value { value * PROFILE_SLOTS + number } else { NO_VALUE };
                        let memberships = recount.of(id.0, whole) + slot.noted(value);
                        let counted = i64::from(slot.members_of(value));
                        audit.compare(id, slot.text(value).unwrap_or_default(), counted, memberships);
                    }
                    from = end;
                    if from >= slot.numbers() {
                        slot.end_audit();
                        break;
                    }
                }
            }
        }
        audit
    }
}

impl Audit {
    fn compare(&mut self, profile: ProfileId, value: &[u8], counted: i64, memberships: i64) {
        self.checked += u64::from(counted != 0 || memberships != 0);
        if counted == memberships {
            return;
        }
        self.different += 1;
        if self.differences.len() < AUDIT_DIFFERENCES_MAX {
            self.differences.push(Difference { profile, value: value.to_vec(), counted, memberships });
        }
    }
}
