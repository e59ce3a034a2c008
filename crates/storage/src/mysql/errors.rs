//! What an error of MySQL or MariaDB means, and what the operator can do about it.

use mysql_async::{Error, ServerError};

use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

/// The error with its kind, the database and the remedy.
pub(super) fn explained(url: &Url, error: &Error) -> StorageError {
    match error {
        Error::Server(told) => {
            let (kind, remedy) = meaning(url, told);
            StorageError::new(kind, url.to_string(), told.message.clone()).remedy(remedy)
        }
        Error::Driver(mysql_async::DriverError::MysqlOldPasswordDisabled | mysql_async::DriverError::UnknownAuthPlugin { .. }) => {
            StorageError::new(ErrorKind::Credentials, url.to_string(), error.to_string()).remedy(credentials_remedy())
        }
        other => StorageError::new(ErrorKind::Away, url.to_string(), other.to_string())
            .remedy("look whether the server runs and can be reached; what waits is written when it is back"),
    }
}

/// A wrong text, or one that the account may not run, is the script's fault, not the database's.
pub(super) fn of_statement(error: StorageError) -> StorageError {
    match error.kind {
        ErrorKind::Schema => StorageError { kind: ErrorKind::Refused, remedy: String::new(), ..error },
        ErrorKind::Credentials => StorageError { kind: ErrorKind::Refused, ..error },
        _ => error,
    }
}

/// Nothing comes through the connection any more: the driver gave it up, the server stops, somebody killed it.
pub(super) fn ends_connection(error: &Error) -> bool {
    match error {
        Error::Server(told) => matches!(told.code, 1053 | 1152 | 1153 | 1158..=1161 | 1317 | 1927 | 2006 | 2013),
        _ => true,
    }
}

fn credentials_remedy() -> String {
    "look at user and password of the URL, and at the account's host on the server".to_owned()
}

fn meaning(url: &Url, told: &ServerError) -> (ErrorKind, String) {
    let (user, database) = (&url.user, &url.database);
    match told.code {
        1045 | 1130 | 1251 | 1275 | 1698 => (ErrorKind::Credentials, credentials_remedy()),
        1044 => (ErrorKind::Credentials, format!("make the database {database}, or grant {user} all rights on it")),
        1049 => (ErrorKind::Credentials, format!("make it with `CREATE DATABASE {database}`, or correct the URL")),
        1142 | 1143 | 1227 | 1370 => (ErrorKind::Credentials, format!("grant the user {user} all rights on the tables")),
        1054 | 1146 => (ErrorKind::Schema, format!("run `duolog db create {url}`, which makes what is missing")),
        1467 => (ErrorKind::Schema, key_remedy()),
        // MariaDB tells it of the column that nobody writes.
        167 | 1264 if told.message.contains("column 'id'") => (ErrorKind::Schema, key_remedy()),
        1062 if told.message.starts_with("Duplicate entry '4294967295' for key 'PRIMARY'") => (ErrorKind::Schema, key_remedy()),
        1290 if told.message.contains("read-only") || told.message.contains("read_only") => (ErrorKind::ReadOnly, read_only_remedy()),
        1792 | 1836 => (ErrorKind::ReadOnly, read_only_remedy()),
        1021 | 1114 => (ErrorKind::Full, full_remedy()),
        // "Got error 28 from storage engine", "(Errcode: 28 "No space left on device")".
        1026 | 1030 | 1180 if told.message.contains("28") => (ErrorKind::Full, full_remedy()),
        126 | 127 | 145 | 1034 | 1194 | 1195 => (ErrorKind::Corrupt, "look at the log of the server, and at CHECK TABLE".to_owned()),
        1040 | 1203 => (ErrorKind::Away, "raise max_connections of the server".to_owned()),
        1205 => (ErrorKind::Away, "look for who holds the lock, with SHOW PROCESSLIST".to_owned()),
        // A row that is too long for a packet, a value that its column does not take.
        1153 | 1048 | 1062 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 3988 => (ErrorKind::Refused, String::new()),
        _ => match told.state.get(..2).unwrap_or_default() {
            "22" | "23" => (ErrorKind::Refused, String::new()),
            // No row is to blame: none may be given up for it.
            "0A" | "21" | "42" => (ErrorKind::Schema, format!("`duolog db create {url}` makes tables that fit")),
            _ => (ErrorKind::Away, String::new()),
        },
    }
}

fn key_remedy() -> String {
    "all numbers of the primary key are used up: `ALTER TABLE … AUTO_INCREMENT = 1` goes on behind the highest in use".to_owned()
}

fn read_only_remedy() -> String {
    "use the server that takes writes; a replica does not".to_owned()
}

fn full_remedy() -> String {
    "make space on the disk of the server; what waits is written then".to_owned()
}
