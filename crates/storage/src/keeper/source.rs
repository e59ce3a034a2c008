//! Where the keeper takes changes from: the engine, or a few lines in a test.

use sip::time::Now;

use crate::batch::Operation;
use crate::dialogs::operation;
use crate::row::SpareRows;

/// Changes as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the order to be written.
    pub operations: Vec<Operation>,
    /// Every change noted up to this number is among these, or was taken before.
    pub upto: u64,
}

/// What knows which dialogs changed. One keeper takes from it.
pub trait Source {
    /// The number of the last change noted.
    fn changes_noted(&self) -> u64;
    /// The oldest changes, about `most`, in the memory of spare rows.
    fn take_changes(&self, now: Now, most: usize, spare: &mut SpareRows) -> Changes;
    /// Removals alone, `most` at a time.
    fn take_removals(&self, now: Now, most: usize, spare: &mut SpareRows) -> Vec<Operation>;
    /// Changes that wait to be taken.
    fn unsaved(&self) -> usize;
    /// Forgets what need not be written any more.
    fn forget_stale_changes(&self);
    /// Notes every answered dialog as new.
    fn note_all_answered(&self);
}

impl Source for dialog::Engine {
    fn changes_noted(&self) -> u64 {
        dialog::Engine::changes_noted(self)
    }

    fn take_changes(&self, now: Now, most: usize, spare: &mut SpareRows) -> Changes {
        let taken = dialog::Engine::take_changes(self, now, most, |change| operation(change, spare));
        Changes { operations: taken.changes, upto: taken.upto }
    }

    fn take_removals(&self, now: Now, most: usize, spare: &mut SpareRows) -> Vec<Operation> {
        dialog::Engine::take_removals(self, now, most, |change| operation(change, spare))
    }

    fn unsaved(&self) -> usize {
        dialog::Engine::unsaved(self)
    }

    fn forget_stale_changes(&self) {
        dialog::Engine::forget_stale_changes(self);
    }

    fn note_all_answered(&self) {
        dialog::Engine::note_all_answered(self);
    }
}
