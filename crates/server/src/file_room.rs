//! Reads and writes files for scripts (`file_read`, `file_write` of corex) on a thread of its own, so that no worker waits.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use modules::run::Answer;

/// Most requests that wait for the disk; beyond, a request fails at once.
const REQUESTS_MAX: usize = 256;

/// What is to be done for whom; ticket 0 wants no answer.
#[derive(Debug)]
pub enum Request {
    /// At most `bytes_max` bytes; a longer file fails.
    Read { ticket: u64, path: String, bytes_max: usize },
    /// The file has these bytes afterwards.
    Write { ticket: u64, path: String, bytes: Vec<u8> },
}

type Answers = Arc<Mutex<VecDeque<(u64, Answer)>>>;

/// The thread's desk. The thread ends with it.
pub struct FileRoom {
    requests: SyncSender<Request>,
    answers: Answers,
}

impl FileRoom {
    /// Starts the thread; `notify` is called from it whenever [`FileRoom::answers`] has something new.
    pub fn start(notify: impl Fn() + Send + 'static) -> Result<FileRoom, String> {
        let (requests, inbox) = sync_channel(REQUESTS_MAX);
        let answers = Answers::default();
        let done = Arc::clone(&answers);
        std::thread::Builder::new()
            .name("files".to_owned())
            .spawn(move || work(&inbox, &done, &notify))
            .map_err(|error| format!("cannot start thread files: {error}"))?;
        Ok(FileRoom { requests, answers })
    }

    /// Takes a request. Err: as many as may wait do so already.
    pub fn ask(&self, request: Request) -> Result<(), &'static str> {
        self.requests.try_send(request).map_err(|refused| match refused {
            TrySendError::Full(_) => "too many files wait to be read or written",
            TrySendError::Disconnected(_) => "the thread for files has ended",
        })
    }

    /// What was done since the last call.
    pub fn answers(&self) -> VecDeque<(u64, Answer)> {
        std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn work(inbox: &Receiver<Request>, done: &Answers, notify: &dyn Fn()) {
    while let Ok(request) = inbox.recv() {
        let (ticket, answer) = match request {
            Request::Read { ticket, path, bytes_max } => (ticket, Answer::FileRead(read(&path, bytes_max))),
            Request::Write { ticket, path, bytes } => {
                (ticket, Answer::FileWritten(write(&path, &bytes).map_err(|error| error.to_string())))
            }
        };
        if ticket != 0 {
            done.lock().unwrap_or_else(PoisonError::into_inner).push_back((ticket, answer));
            notify();
        }
    }
}

/// The file has the bytes afterwards. A FIFO that nobody reads fails instead of holding up all other files.
fn write(path: &str, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).custom_flags(libc::O_NONBLOCK).open(path)?.write_all(bytes)
}

/// The bytes of a regular file. Pipes and devices are refused: reading them may never end.
pub fn read(path: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("not a regular file".to_owned());
    }
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    file.take(bound).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > bytes_max {
        return Err(format!("the file is longer than {bytes_max} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_file_is_written_and_read_again_under_the_askers_tickets() {
        let path = std::env::temp_dir().join(format!("duolog-file-room-{}", std::process::id()));
        let text = path.display().to_string();
        let (rang, bell) = channel();
        let room = FileRoom::start(move || rang.send(()).expect("a listener")).expect("a thread");
        room.ask(Request::Write { ticket: 7, path: text.clone(), bytes: b"one".to_vec() }).expect("room");
        room.ask(Request::Read { ticket: 8, path: text.clone(), bytes_max: 3 }).expect("room");
        room.ask(Request::Read { ticket: 9, path: text.clone(), bytes_max: 2 }).expect("room");
        let mut answers = Vec::new();
        while answers.len() < 3 {
            bell.recv().expect("an answer");
            answers.extend(room.answers());
        }
        std::fs::remove_file(&path).expect("the file");
        assert!(matches!(&answers[0], (7, Answer::FileWritten(Ok(())))));
        assert!(matches!(&answers[1], (8, Answer::FileRead(Ok(bytes))) if bytes == b"one"));
        assert!(matches!(&answers[2], (9, Answer::FileRead(Err(_)))));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        assert!(read("/dev/zero", 10).is_err());
        assert!(read("/", 10).is_err());
        assert!(read("/nowhere/at all", 10).is_err());
    }

    #[test]
    fn a_fifo_without_a_reader_holds_nobody_up() {
        let path = std::env::temp_dir().join(format!("duolog-file-room-fifo-{}", std::process::id()));
        let text = path.display().to_string();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        assert!(write(&text, b"one").is_err());
        assert!(read(&text, 10).is_err());
        std::fs::remove_file(&path).expect("the FIFO");
    }
}
