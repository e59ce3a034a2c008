//! Changes that wait for `cfg.commit`.

use std::sync::{Mutex, PoisonError};

use script::syntax::ast::Literal;

use super::values::Address;

/// Most changes that can wait.
pub const CHANGES_MAX: usize = 1024;

/// One change; None takes an instance's own value away.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) address: Address,
    pub(super) value: Option<Literal>,
}

/// The changes in order, at most one for each address.
#[derive(Debug, Default)]
pub(super) struct Pending {
    changes: Mutex<Vec<Change>>,
}

impl Pending {
    /// Adds a change, or takes the place of an earlier one for the same address; false at the bound.
    pub(super) fn add(&self, change: Change) -> bool {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.retain(|earlier| earlier.address != change.address);
        if changes.len() >= CHANGES_MAX {
            return false;
        }
        changes.push(change);
        true
    }

    /// Takes all changes away.
    pub(super) fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All changes that wait.
    pub(super) fn all(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
