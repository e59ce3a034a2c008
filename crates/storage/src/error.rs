//! What can go wrong with a database, and what the operator can do about it.

use std::fmt;

/// Which kind of trouble: decides what the keeper does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The URL or a parameter cannot be understood.
    Configuration,
    /// Nobody answers, the connection broke, or the deadline passed: try again later. The outcome of a batch is unknown.
    Away,
    /// User or password are refused.
    Credentials,
    /// A table, a column or its version is not as it must be.
    Schema,
    /// The file may not be written.
    ReadOnly,
    /// No space is left.
    Full,
    /// Another process holds the file.
    Busy,
    /// The file is damaged or no database.
    Corrupt,
    /// This row or statement is refused; others would be taken.
    Refused,
}

/// An error of a database call: what, where, why and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageError {
    pub kind: ErrorKind,
    /// The database or table, without passwords: `sqlite:///var/lib/duolog/calls.sqlite`.
    pub place: String,
    /// What the database says.
    pub reason: String,
    /// What helps; empty when nothing is known.
    pub remedy: String,
}

impl StorageError {
    /// An error without a remedy.
    pub fn new(kind: ErrorKind, place: impl Into<String>, reason: impl Into<String>) -> StorageError {
        StorageError { kind, place: place.into(), reason: reason.into(), remedy: String::new() }
    }

    /// The same with what helps.
    pub fn remedy(self, remedy: impl Into<String>) -> StorageError {
        StorageError { remedy: remedy.into(), ..self }
    }

    /// Trying the same later may succeed.
    pub fn is_passing(&self) -> bool {
        !matches!(self.kind, ErrorKind::Configuration | ErrorKind::Refused)
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.reason)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(out, " ({})", self.remedy) }
    }
}

impl std::error::Error for StorageError {}
