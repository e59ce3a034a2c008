//! JSON-RPC over a FIFO: requests are read from one, answers written to the FIFO the caller names (spec proxy-core 13.3).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::fifo_scanner::{Scanned, Scanner};
use crate::json::Body;
use crate::limits::{FIFO_REPLY_PAUSE_MILLISECONDS, FIFO_REPLY_TRIES, FIFO_WRITE_PAUSE_MILLISECONDS, FIFO_WRITE_PAUSES_MAX};
use crate::listener::{Access, Listeners, make_room, spawn};
use crate::{Caller, json};

impl Listeners {
    /// Makes the FIFO and starts its thread. Answers go to FIFOs in `reply_folder` only.
    pub fn open_fifo(
        &mut self,
        path: &Path,
        reply_folder: &Path,
        access: Access,
        is_pretty: bool,
        caller: &Arc<dyn Caller>,
    ) -> io::Result<()> {
        make_room(path)?;
        let made = Command::new("mkfifo").arg(path).status()?;
        if !made.success() {
            return Err(io::Error::other(format!("mkfifo {} failed", path.display())));
        }
        self.keep(path, access)?;
        // Opened for both directions, so that it never reaches its end when a caller closes.
        let mut fifo = OpenOptions::new().read(true).write(true).open(path)?;
        let (caller, reply_folder) = (Arc::clone(caller), reply_folder.to_path_buf());
        spawn("ctl-fifo", move || serve(&mut fifo, &reply_folder, is_pretty, &caller))
    }
}

fn serve(fifo: &mut File, reply_folder: &Path, is_pretty: bool, caller: &Arc<dyn Caller>) {
    let mut scanner = Scanner::default();
    let mut dropped = 0_u64;
    let mut chunk = [0_u8; 4096];
    loop {
        let length = match fifo.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        for byte in chunk.get(..length).unwrap_or_default() {
            let done = match scanner.push(*byte) {
                Scanned::Nothing => Ok(()),
                Scanned::Request(text) => answer(&text, reply_folder, is_pretty, caller),
                Scanned::Dropped(reason) => {
                    dropped += 1;
                    Err(format!("{reason}; {dropped} dropped since the start"))
                }
            };
            if let Err(reason) = done {
                caller.log(0, &format!("FIFO request not answered: {reason}"));
            }
        }
    }
}

fn answer(text: &[u8], reply_folder: &Path, is_pretty: bool, caller: &Arc<dyn Caller>) -> Result<(), String> {
    let request = modules::json_rpc::decode(text).map_err(|fault| fault.text)?;
    let name = request.reply_name.clone().ok_or("no reply_name")?;
    let path = reply_path(&name, reply_folder)?;
    let caller = Arc::clone(caller);
    json::answer_request(caller.as_ref(), request, is_pretty).hand_over(move |answer| {
        if let Err(reason) = write(&path, answer.body) {
            caller.log(0, &format!("FIFO request not answered: {reason}"));
        }
    });
    Ok(())
}

/// Writes an answer into the caller's FIFO.
fn write(path: &Path, answer: Body) -> Result<(), String> {
    let mut fifo = open_for_reply(path)?;
    answer.pour(|piece| pour(&mut fifo, piece)).map_err(|error| format!("{}: {error}", path.display()))
}

fn open_for_reply(path: &Path) -> Result<File, String> {
    for _ in 0..FIFO_REPLY_TRIES {
        // Non-blocking: a caller that is gone must not hold the others up.
        match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path) {
            Ok(fifo) => return Ok(fifo),
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                thread::sleep(Duration::from_millis(FIFO_REPLY_PAUSE_MILLISECONDS));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("nobody reads {}", path.display()))
}

/// Writes all of `text` as the reader takes it: an answer may be longer than the system keeps for a FIFO.
fn pour(fifo: &mut File, mut text: &[u8]) -> io::Result<()> {
    let found = fifo.metadata()?;
    if !found.file_type().is_fifo() || found.nlink() != 1 {
        // It was another one when its name was checked.
        return Err(io::Error::other("no plain FIFO"));
    }
    let mut pauses = 0;
    while !text.is_empty() {
        match fifo.write(text) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => text = text.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && pauses < FIFO_WRITE_PAUSES_MAX => {
                pauses += 1;
                thread::sleep(Duration::from_millis(FIFO_WRITE_PAUSE_MILLISECONDS));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The caller's FIFO: a plain name, an existing FIFO, no link of any kind.
fn reply_path(name: &str, folder: &Path) -> Result<PathBuf, String> {
    if name.is_empty() || name.contains(['/', '\\']) || name.contains("..") {
        return Err(format!("forbidden reply FIFO name `{name}`"));
    }
    let path = folder.join(name);
    let found = fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !found.file_type().is_fifo() || found.nlink() != 1 {
        return Err(format!("{} is no plain FIFO", path.display()));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_name_cannot_leave_its_folder() {
        for name in ["", "../x", "a/b", "a\\b", ".."] {
            assert!(reply_path(name, Path::new("/tmp")).is_err(), "{name}");
        }
    }

    /// A FIFO of one test.
    fn fifo(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("duolog-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn an_answer_longer_than_a_fifo_holds_arrives_whole() {
        let path = fifo("long-answer");
        let text = "x".repeat(1 << 20);
        let reading = path.clone();
        let reader = thread::spawn(move || {
            let mut read = Vec::new();
            File::open(reading).unwrap().read_to_end(&mut read).unwrap();
            read.len()
        });
        // The reader may come late: a caller opens its FIFO after it has asked.
        let written = (0..100)
            .map(|_| write(&path, Body::Whole(text.clone())))
            .find(|written| !matches!(written, Err(error) if error.starts_with("nobody")));
        assert_eq!(written, Some(Ok(())));
        assert_eq!(reader.join().unwrap(), text.len());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_answer_is_not_written_into_what_took_the_place_of_a_fifo() {
        let folder = std::env::temp_dir();
        let (file, link) =
            (folder.join(format!("duolog-file-{}", std::process::id())), folder.join(format!("duolog-link-{}", std::process::id())));
        fs::write(&file, "kept").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(write(&link, Body::Whole("{}".to_owned())).is_err());
        assert!(write(&file, Body::Whole("{}".to_owned())).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        fs::remove_file(link).unwrap();
        fs::remove_file(file).unwrap();
    }
}
