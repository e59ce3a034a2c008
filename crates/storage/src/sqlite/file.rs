//! Which file an open connection writes to, to notice when it is moved away under the connection.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

use super::errors;

/// A file as it was when it was opened. What is written to a file that lost its name is never found again.
pub(super) struct FileIdentity {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl FileIdentity {
    /// Takes down which file bears the name now.
    pub(super) fn of(path: PathBuf) -> std::io::Result<FileIdentity> {
        let found = fs::metadata(&path)?;
        Ok(FileIdentity { device: found.dev(), number: found.ino(), path })
    }

    /// Is it still the file with this name?
    pub(super) fn check(&self, url: &Url) -> Result<(), StorageError> {
        match fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.number) => Ok(()),
            _ => Err(StorageError::new(ErrorKind::Away, url.to_string(), "the file was moved, removed or replaced while it was open")
                .remedy(errors::moved_remedy())),
        }
    }
}

/// The path in a URL. A relative one gets `./`, so that SQLite sees a file in names like `:memory:` and `file:x`.
///
/// Kamailio reads `sqlite:///a/b` as `a/b` below its working directory, which is `/` for most, and `sqlite:////a/b` as
/// `/a/b`. Here both are `/a/b`, unless only the file below the working directory is there.
pub(super) fn path_of(url: &Url) -> PathBuf {
    let path = PathBuf::from(&url.database);
    let below = PathBuf::from(".").join(path.strip_prefix("/").unwrap_or(&path));
    if !path.is_absolute() || !path.exists() && below.exists() { below } else { path }
}
