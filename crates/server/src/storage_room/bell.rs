//! Wakes the writer from its sleep.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::Thread;
use std::time::Duration;

/// Longest sleep of a writer that has nothing to do.
pub(super) const NAP_MAX: Duration = Duration::from_secs(1);

/// Wakes the writer, and costs next to nothing while it is awake.
#[derive(Default)]
pub(super) struct Bell {
    is_asleep: AtomicBool,
    pub sleeper: OnceLock<Thread>,
}

impl Bell {
    /// Something was noted.
    pub fn ring(&self) {
        // Pairs with the one in `sleep`: either the sleeper sees the change, or we see that it sleeps.
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed) && self.is_asleep.swap(false, Ordering::AcqRel) {
            self.ring_loudly();
        }
    }

    /// Wakes it from any sleep.
    pub fn ring_loudly(&self) {
        if let Some(sleeper) = self.sleeper.get() {
            sleeper.unpark();
        }
    }

    /// Sleeps until the bell rings, unless there is news already.
    pub fn sleep(&self, has_news: impl FnOnce() -> bool) {
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !has_news() {
            std::thread::park_timeout(NAP_MAX);
        }
        self.is_asleep.store(false, Ordering::Relaxed);
    }
}
