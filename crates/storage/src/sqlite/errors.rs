//! What an error of SQLite means, and what the operator can do about it.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

/// The error with its kind, the file and the remedy.
pub(super) fn explained(url: &Url, error: &rusqlite::Error) -> StorageError {
    let (kind, remedy) = meaning(url, error);
    StorageError::new(kind, url.to_string(), reason(error)).remedy(remedy)
}

/// What SQLite says, without the number of the error.
fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(text)) if code.code == ErrorCode::OperationInterrupted => {
            format!("the call took too long and was {text}")
        }
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

fn meaning(url: &Url, error: &rusqlite::Error) -> (ErrorKind, String) {
    let code = match error {
        rusqlite::Error::SqliteFailure(code, _) | rusqlite::Error::SqlInputError { error: code, .. } => *code,
        _ => return (ErrorKind::Refused, String::new()),
    };
    let file = &url.database;
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            (ErrorKind::Busy, format!("see which other process holds it with `fuser -v {file}`, and stop that"))
        }
        ErrorCode::DiskFull => (ErrorKind::Full, full_remedy(file)),
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => (ErrorKind::Full, full_remedy(file)),
        ErrorCode::ReadOnly if code.extended_code == ffi::SQLITE_READONLY_DBMOVED => (ErrorKind::Away, moved_remedy()),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (ErrorKind::ReadOnly, read_only_remedy(file)),
        ErrorCode::CannotOpen => (ErrorKind::ReadOnly, read_only_remedy(file)),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (ErrorKind::Corrupt, corrupt_remedy(file)),
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig | ErrorCode::ParameterOutOfRange => {
            (ErrorKind::Refused, String::new())
        }
        ErrorCode::SystemIoFailure => (ErrorKind::Away, format!("look at the disk that holds {file}, and at the log of the kernel")),
        ErrorCode::OperationInterrupted => (ErrorKind::Away, "give it more time with the parameter db_timeout of dialog".to_owned()),
        ErrorCode::OutOfMemory => (ErrorKind::Away, "give the machine more memory".to_owned()),
        // `no such table`, `no such column`: somebody changed the tables.
        ErrorCode::Unknown | ErrorCode::SchemaChanged => {
            (ErrorKind::Schema, format!("run `duolog db create {url}`, which makes what is missing"))
        }
        _ => (ErrorKind::Away, String::new()),
    }
}

fn full_remedy(file: &str) -> String {
    format!("make space on the disk that holds {file}; what waits is written then")
}

pub(super) fn read_only_remedy(file: &str) -> String {
    format!("let the user that runs duolog write {file} and its directory, where SQLite keeps its journal")
}

pub(super) fn corrupt_remedy(file: &str) -> String {
    format!(
        "move {file} and what stands beside it with the endings -wal and -shm away, and save what can be read with \
         `sqlite3 {file} .recover`"
    )
}

pub(super) fn moved_remedy() -> String {
    "do not move or remove the file while duolog runs; put it back with its -wal, or restart".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_sqlite_has_its_kind_and_those_of_the_surroundings_a_remedy() {
        let url = Url::parse("sqlite:///var/calls.sqlite").unwrap();
        let kinds = [
            (ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::Busy),
            (ffi::SQLITE_LOCKED, ErrorKind::Busy),
            (ffi::SQLITE_FULL, ErrorKind::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, ErrorKind::Full),
            (ffi::SQLITE_IOERR_FSYNC, ErrorKind::Away),
            (ffi::SQLITE_INTERRUPT, ErrorKind::Away),
            (ffi::SQLITE_NOMEM, ErrorKind::Away),
            (ffi::SQLITE_READONLY_DIRECTORY, ErrorKind::ReadOnly),
            (ffi::SQLITE_READONLY_DBMOVED, ErrorKind::Away),
            (ffi::SQLITE_CANTOPEN, ErrorKind::ReadOnly),
            (ffi::SQLITE_PERM, ErrorKind::ReadOnly),
            (ffi::SQLITE_CORRUPT_INDEX, ErrorKind::Corrupt),
            (ffi::SQLITE_NOTADB, ErrorKind::Corrupt),
            (ffi::SQLITE_ERROR, ErrorKind::Schema),
        ];
        for (code, kind) in kinds {
            let error = explained(&url, &rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(error.kind, kind, "{error}");
            assert!(!error.remedy.is_empty() && error.is_passing(), "{error}");
        }
        for code in [ffi::SQLITE_CONSTRAINT_NOTNULL, ffi::SQLITE_MISMATCH, ffi::SQLITE_TOOBIG] {
            let error = explained(&url, &rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("a row".to_owned())));
            assert_eq!((error.kind, error.reason.as_str(), error.is_passing()), (ErrorKind::Refused, "a row", false));
        }
    }
}
