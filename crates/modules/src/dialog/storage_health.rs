//! How storing goes: written by the thread that writes, read by commands and statistics.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the database is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Condition {
    /// `db_mode` 0.
    #[default]
    Unused,
    /// Every promise is kept: what was announced is committed.
    Well,
    /// No answer, or an error that may pass. Calls go on, their changes wait.
    Away,
    /// It is back; what waited is being written.
    Draining,
}

impl Condition {
    const ALL: [Condition; 4] = [Condition::Unused, Condition::Well, Condition::Away, Condition::Draining];

    /// The word commands show.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Unused => "unused",
            Condition::Well => "well",
            Condition::Away => "away",
            Condition::Draining => "draining",
        }
    }
}

/// Numbers and states, each written by one thread.
#[derive(Debug, Default)]
pub struct StorageHealth {
    condition: AtomicU8,
    /// Unix seconds of the last change of the condition.
    since: AtomicU64,
    /// What the database said last when something went wrong.
    trouble: Mutex<String>,
    /// The database, without its password.
    pub place: Mutex<String>,
    /// Rows written and removed.
    pub written: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Transactions that failed.
    pub failures: AtomicU64,
    /// Rows the database refused; they are lost to it.
    pub refused: AtomicU64,
    /// Microseconds of the last commit, and of the longest.
    pub last_commit: AtomicU64,
    pub longest_commit: AtomicU64,
    /// Changes handed to the database and not committed yet, those in hand while it is away included.
    pub in_hand: AtomicU64,
    /// Messages that wait for a commit now.
    pub held: AtomicU64,
    /// Messages that left before their commit because the database was away or slow.
    pub unheld: AtomicU64,
    /// Stored dialogs are being loaded.
    pub is_loading: AtomicBool,
    /// Dialogs loaded and rows passed over.
    pub loaded: AtomicU64,
    pub skipped: AtomicU64,
}

impl StorageHealth {
    /// What the database is doing.
    pub fn condition(&self) -> Condition {
        let number = usize::from(self.condition.load(Ordering::Relaxed));
        Condition::ALL.get(number).copied().unwrap_or_default()
    }

    /// Since when, unix seconds.
    pub fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    /// Notes a condition; the time is kept while it stays the same.
    pub fn enter(&self, condition: Condition, now_seconds: u64) {
        if self.condition.swap(condition as u8, Ordering::Relaxed) != condition as u8 {
            self.since.store(now_seconds, Ordering::Relaxed);
        }
    }

    /// The last error of the database; empty when there was none.
    pub fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes an error of the database.
    pub fn set_trouble(&self, text: &str) {
        text.clone_into(&mut self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes a commit that took so many microseconds.
    pub fn committed(&self, rows: u64, microseconds: u64) {
        self.written.fetch_add(rows, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.last_commit.store(microseconds, Ordering::Relaxed);
        self.longest_commit.fetch_max(microseconds, Ordering::Relaxed);
    }
}
