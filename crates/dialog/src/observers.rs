//! The observers of an engine: who wants what, telling them, and what happens when one panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use crate::limits::OBSERVERS_MAX;
use crate::observer::{Kinds, Notice, Observer, OccurrenceKind};

#[derive(Clone)]
struct Entry {
    wants: Kinds,
    observer: Arc<dyn Observer>,
}

#[derive(Default)]
pub(crate) struct Observers {
    /// Kinds that somebody wants: the only thing looked at when nobody does.
    wanted: AtomicU32,
    /// Last added first.
    list: RwLock<Arc<[Entry]>>,
    panics: AtomicU64,
}

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn Observer>) -> bool {
        let wants = observer.wants();
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= OBSERVERS_MAX {
            return false;
        }
        *list = std::iter::once(Entry { wants, observer }).chain(list.iter().cloned()).collect();
        self.wanted.fetch_or(wants.bits(), Relaxed);
        true
    }

    pub(crate) fn want(&self, kind: OccurrenceKind) -> bool {
        self.wanted.load(Relaxed) & kind.bit() != 0
    }

    /// Tells all who want the kind. A panic of one keeps neither the others nor the step.
    pub(crate) fn tell(&self, notice: &Notice<'_>) {
        for entry in self.all().iter().filter(|entry| entry.wants.contains(notice.occurrence.kind)) {
            self.guard(|| entry.observer.on(notice));
        }
    }

    /// Asks each; what a panicking one wanted to say is left out.
    pub(crate) fn ask<T>(&self, mut question: impl FnMut(&dyn Observer) -> T) -> Vec<T> {
        self.all().iter().filter_map(|entry| self.guard(|| question(&*entry.observer))).collect()
    }

    /// The first of this type.
    pub(crate) fn find<T: Observer>(&self) -> Option<Arc<T>> {
        self.all().iter().find_map(|entry| {
            let any: Arc<dyn Any + Send + Sync> = entry.observer.clone();
            any.downcast().ok()
        })
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    fn all(&self) -> Arc<[Entry]> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn guard<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(call));
        if result.is_err() {
            self.panics.fetch_add(1, Relaxed);
        }
        result.ok()
    }
}
