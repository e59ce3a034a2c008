//! One duolog a file: two would give the same numbers to different calls and remove each other's rows.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

use super::errors;
use super::file::path_of;

/// The right to store dialogs in a file, given back when dropped, also by the end of the process however it comes. It is
/// a lock on `<file>-duolog.lock`, which holds the process id; that file stays.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, or says which process has it.
    pub fn take(url: &Url) -> Result<Lock, StorageError> {
        let path = lock_path(&path_of(url));
        let failed = |error: io::Error| {
            StorageError::new(ErrorKind::ReadOnly, path.display().to_string(), error.to_string())
                .remedy(errors::read_only_remedy(&url.database))
        };
        // Whoever may open it may take the lock.
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(url, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The number is only told to people; the lock holds without it, for example on a full disk.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

fn held(url: &Url, file: &mut File) -> StorageError {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    let holder = text.trim().parse::<u32>().map_or_else(|_| "another process".to_owned(), |id| format!("the process {id}"));
    StorageError::new(ErrorKind::Busy, url.to_string(), format!("{holder} keeps its dialogs in this file"))
        .remedy("stop that duolog, or give this one a file of its own with the parameter db_url of dialog")
}

/// Beside the file itself, whatever links and relative names lead to it.
fn lock_path(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).unwrap_or_else(|_| {
        let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
        match (directory, path.file_name()) {
            (Some(directory), Some(name)) => directory.join(name),
            _ => path.to_owned(),
        }
    });
    let mut name = OsString::from(real);
    name.push("-duolog.lock");
    PathBuf::from(name)
}
