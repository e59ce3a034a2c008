//! The process number file: written when ready, removed at the end if it is still ours.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A written file; dropping it removes it.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    number: u32,
}

/// Why the file was not written.
#[derive(Debug)]
pub enum PidFileError {
    /// The file names a process that lives.
    AlreadyRunning {
        path: PathBuf,
        number: u32,
    },
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

impl std::fmt::Display for PidFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PidFileError::AlreadyRunning { path, number } => {
                write!(f, "{} names process {number}, which is running", path.display())
            }
            PidFileError::Io { path, source } => {
                write!(f, "cannot write {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for PidFileError {}

impl PidFile {
    /// Writes this process's number to `path`. A file left behind by a process that has died is replaced.
    pub fn write(path: &Path) -> Result<PidFile, PidFileError> {
        let number = std::process::id();
        let earlier = fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u32>().ok());
        if let Some(earlier) = earlier.filter(|&earlier| earlier != number && is_this_program(earlier)) {
            return Err(PidFileError::AlreadyRunning { path: path.into(), number: earlier });
        }
        let fail = |source| PidFileError::Io { path: path.into(), source };
        // Whoever reads the file sees the old or the new number, never half of one.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{number}"));
        let _ = fs::remove_file(&temporary);
        // "New" also refuses a link that somebody laid there.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(fail)?;
        file.write_all(format!("{number}\n").as_bytes()).map_err(fail)?;
        fs::rename(&temporary, path).map_err(|source| {
            let _ = fs::remove_file(&temporary);
            PidFileError::Io { path: path.into(), source }
        })?;
        Ok(PidFile { path: path.into(), number })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let ours = fs::read_to_string(&self.path).is_ok_and(|text| text.trim() == self.number.to_string());
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Does process `number` run the same program as we do? A number that the kernel gave to something else after a crash
/// must not keep us from starting.
fn is_this_program(number: u32) -> bool {
    let name = |number: &str| fs::read_to_string(format!("/proc/{number}/comm")).ok();
    name(&number.to_string()).is_some_and(|other| Some(other) == name("self"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("duolog-{}-{name}.pid", std::process::id()))
    }

    #[test]
    fn the_file_holds_our_number_and_goes_with_us() {
        let path = path("plain");
        let file = PidFile::write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_replaced_and_a_foreign_one_is_left() {
        let path = path("stale");
        fs::write(&path, "4194399\n").unwrap(); // above the largest process number
        let file = PidFile::write(&path).unwrap();
        fs::write(&path, "1\n").unwrap(); // a successor took over
        drop(file);
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_directory_that_does_not_exist_is_named() {
        let error = PidFile::write(Path::new("/nonexistent/duolog.pid")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/duolog.pid"), "{error}");
    }
}
