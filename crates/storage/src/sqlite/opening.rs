//! Opening a file: where it is, how it is to be opened, and what is wrong with it.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::backend::{Backend, ConnectOptions};
use crate::error::{ErrorKind, StorageError};
use crate::limits::SQLITE_CACHE_KIB;
use crate::url::Url;

use super::Sqlite;
use super::checkpoints::Checkpoints;
use super::deadline::Deadline;
use super::errors;
use super::file::{FileIdentity, path_of};

/// Bytes of the smallest page; a file that is not empty has at least one.
const SMALLEST_DATABASE: u64 = 512;

/// What may stand behind `?` in the URL.
struct FileOptions {
    journal: &'static str,
    synchronous: &'static str,
}

/// Opens a file. One that does not exist is made when `may_create`, otherwise an error.
pub fn connect(url: &Url, options: ConnectOptions) -> Result<Box<dyn Backend>, StorageError> {
    open(url, options).map(|open| Box::new(open) as Box<dyn Backend>)
}

pub(super) fn open(url: &Url, options: ConnectOptions) -> Result<Sqlite, StorageError> {
    let wanted = read_options(url)?;
    let path = path_of(url);
    look_at(&path, url, options.may_create)?;
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, options.may_create);
    let explained = |error: rusqlite::Error| errors::explained(url, &error);
    let mut connection = Connection::open_with_flags(&path, flags).map_err(explained)?;
    let deadline = prepare(&mut connection, &wanted, options).map_err(explained)?;
    let checkpoints = Checkpoints::of(&path);
    let file = FileIdentity::of(path).map_err(|error| StorageError::new(ErrorKind::Away, url.to_string(), error.to_string()))?;
    Ok(Sqlite {
        connection,
        deadline,
        url: url.clone(),
        file,
        checkpoints,
        journal: wanted.journal,
        may_create: options.may_create,
        page: u32::try_from(options.fetch_rows).ok().filter(|&rows| rows > 0).unwrap_or(u32::MAX),
        texts: None,
    })
}

/// Waiting times and what is true of this connection only; reading the header tells whether the file is a database.
fn prepare(connection: &mut Connection, wanted: &FileOptions, options: ConnectOptions) -> rusqlite::Result<Deadline> {
    let deadline = Deadline::watch(connection, options.call_timeout)?;
    connection.busy_timeout(options.connect_timeout)?;
    connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "synchronous", wanted.synchronous)?;
    connection.pragma_update(None, "cache_size", -SQLITE_CACHE_KIB)?;
    connection.busy_timeout(options.call_timeout)?;
    Ok(deadline)
}

fn read_options(url: &Url) -> Result<FileOptions, StorageError> {
    let mut wanted = FileOptions { journal: "wal", synchronous: "normal" };
    for (name, value) in &url.options {
        let (place, choices): (_, &[&'static str]) = match name.as_str() {
            "journal" => (&mut wanted.journal, &["wal", "delete"]),
            "synchronous" => (&mut wanted.synchronous, &["off", "normal", "full", "extra"]),
            _ => {
                return Err(StorageError::new(ErrorKind::Configuration, url.to_string(), format!("there is no option `{name}`"))
                    .remedy("SQLite has the options journal=wal|delete and synchronous=off|normal|full|extra"));
            }
        };
        *place = choices.iter().copied().find(|choice| choice.eq_ignore_ascii_case(value)).ok_or_else(|| {
            StorageError::new(ErrorKind::Configuration, url.to_string(), format!("the option {name} cannot be `{value}`"))
                .remedy(format!("use one of {}", choices.join(", ")))
        })?;
    }
    Ok(wanted)
}

/// What SQLite would only call "unable to open".
fn look_at(path: &Path, url: &Url, may_create: bool) -> Result<(), StorageError> {
    let wrong = |kind, reason: String| StorageError::new(kind, url.to_string(), reason);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(wrong(ErrorKind::Configuration, "is a directory".to_owned()).remedy("give the path of a file in it"))
        }
        // SQLite takes a rest without a whole header for an empty file.
        Ok(found) if (1..SMALLEST_DATABASE).contains(&found.len()) => {
            let reason = format!("holds {} bytes only, too few for a database", found.len());
            Err(wrong(ErrorKind::Corrupt, reason).remedy(errors::corrupt_remedy(&url.database)))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if !directory.is_dir() {
                let reason = format!("there is no directory {}", directory.display());
                return Err(wrong(ErrorKind::Away, reason).remedy(format!("make it with `mkdir -p {}`", directory.display())));
            }
            if may_create {
                return Ok(());
            }
            Err(wrong(ErrorKind::Schema, "there is no such file".to_owned()).remedy(format!("make it with `duolog db create {url}`")))
        }
        Err(error) => Err(wrong(ErrorKind::ReadOnly, error.to_string()).remedy(errors::read_only_remedy(&url.database))),
    }
}
