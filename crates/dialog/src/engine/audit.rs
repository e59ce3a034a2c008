//! Auditing the counts of profiles against the memberships in the records.

use std::sync::{PoisonError, TryLockError};

use super::Engine;
use crate::profiles::{Audit, Recount};

impl Engine {
    /// Compares the count of every value with its memberships, also while calls come and go; `None`: another audit runs.
    /// Walks over all dialogs, one lock group at a time.
    pub fn profiles_audit(&self) -> Option<Audit> {
        let _alone = match self.auditing.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let number = self.profiles.begin_audit();
        let mut recount = Recount::default();
        for cell in &self.cells {
            let mut shard = cell.shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.audited = number;
            for membership in shard.records.iter().flat_map(|record| record.memberships()) {
                recount.add(membership.profile, membership.value);
            }
        }
        Some(self.profiles.end_audit(&recount))
    }
}
