//! What an error of PostgreSQL means, and what the operator can do about it.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

/// The error with its kind, the database and the remedy.
pub(super) fn explained(url: &Url, error: &Error) -> StorageError {
    let Some(told) = error.as_db_error() else { return local(url, error) };
    let (kind, remedy) = meaning(url, told);
    StorageError::new(kind, url.to_string(), reason(told)).remedy(remedy)
}

/// A wrong text, or one that the account may not run, is the script's fault, not the database's.
pub(super) fn of_statement(url: &Url, error: &Error) -> StorageError {
    let is_outside_transaction = error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION);
    let error = explained(url, error);
    match error.kind {
        ErrorKind::Schema => StorageError { kind: ErrorKind::Refused, remedy: String::new(), ..error },
        ErrorKind::Credentials => StorageError { kind: ErrorKind::Refused, ..error },
        // "… can only be used in transaction blocks"
        ErrorKind::Away if is_outside_transaction => StorageError { kind: ErrorKind::Refused, ..error },
        _ => error,
    }
}

/// PostgreSQL refused a text because its column is shorter.
pub(super) fn is_too_long(error: &Error) -> bool {
    error.code() == Some(&SqlState::STRING_DATA_RIGHT_TRUNCATION)
}

fn reason(told: &DbError) -> String {
    let detail = told.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}", told.message())
}

/// An error that did not come from the server.
fn local(url: &Url, error: &Error) -> StorageError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let reason = format!("{error}{cause}");
    // Told by text only: a password that is wanted and not given, a way to log in that is not known, a value of the wrong type.
    let is = |beginning: &str| reason.starts_with(beginning);
    let (kind, remedy) = if is("error encoding message to server") {
        (ErrorKind::Refused, String::new())
    } else if is("invalid configuration") || is("authentication error") {
        (ErrorKind::Credentials, "look at user and password of the URL, and at pg_hba.conf of the server".to_owned())
    } else if is("error serializing") || is("error deserializing") {
        (ErrorKind::Schema, create_remedy(url))
    } else {
        (ErrorKind::Away, "look whether the server runs and can be reached; what waits is written when it is back".to_owned())
    };
    StorageError::new(kind, url.to_string(), reason).remedy(remedy)
}

fn create_remedy(url: &Url) -> String {
    format!("run `duolog db create {url}`, which makes what is missing")
}

fn meaning(url: &Url, told: &DbError) -> (ErrorKind, String) {
    let (user, database) = (&url.user, &url.database);
    let code = told.code();
    match code.code() {
        "3D000" => (ErrorKind::Credentials, format!("make the database with `createdb {database}`, or correct the URL")),
        "42501" => (ErrorKind::Credentials, format!("grant the user {user} all rights on the tables and their sequences")),
        "42P01" | "42703" | "42804" | "3F000" => (ErrorKind::Schema, create_remedy(url)),
        "2200H" => (
            ErrorKind::Schema,
            "all numbers of the primary key are used up: `ALTER SEQUENCE … CYCLE` begins again at the lowest".to_owned(),
        ),
        "25006" => (ErrorKind::ReadOnly, "use the server that takes writes; a standby does not".to_owned()),
        "53100" => (ErrorKind::Full, "make space on the disk of the server; what waits is written then".to_owned()),
        "57P01" | "57P02" | "57P03" => (ErrorKind::Away, "what waits is written when the server is back".to_owned()),
        "57014" => (ErrorKind::Away, "look at statement_timeout and lock_timeout of the server, and for who holds the lock".to_owned()),
        "53300" => (ErrorKind::Away, "raise max_connections of the server".to_owned()),
        "XX001" | "XX002" => (ErrorKind::Corrupt, "look at the log of the server, and restore the database from a copy".to_owned()),
        other => match other.get(..2).unwrap_or_default() {
            "28" => (ErrorKind::Credentials, "look at user and password of the URL, and at pg_hba.conf of the server".to_owned()),
            "22" | "23" | "44" | "54" | "P0" => (ErrorKind::Refused, String::new()),
            // No row is to blame: none may be given up for it.
            "0A" | "21" | "2B" | "42" => (ErrorKind::Schema, format!("`duolog db create {url}` makes tables that fit")),
            _ => (ErrorKind::Away, String::new()),
        },
    }
}
