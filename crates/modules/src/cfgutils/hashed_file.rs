//! The file of `hash_file`: its digest at the start and the commands that compare it with the file as it is now.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use md5::{Digest, Md5};

use crate::outbox::Effect;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::run::Answer;
use crate::worker::Worker;

/// Longest file that is hashed, bytes.
pub const HASHED_FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most commands that wait for the file at one time.
const WAITING_MAX: usize = 16;

/// What is known of the file.
#[derive(Debug, Default)]
pub struct HashedFile {
    path: Option<String>,
    at_start: OnceLock<String>,
    /// The ticket of a read, and of the remote call that waits for it.
    waiting: Mutex<HashMap<u64, u64>>,
}

impl HashedFile {
    /// Nothing is read yet.
    pub fn new(path: Option<String>) -> HashedFile {
        HashedFile { path, ..HashedFile::default() }
    }

    /// Where the file is; None: `hash_file` is not set.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The content at the start of the proxy.
    pub fn started_with(&self, bytes: &[u8]) {
        let _ = self.at_start.set(digest(bytes));
    }

    fn takes(&self, read: u64, call: u64) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.insert(read, call);
        true
    }

    fn verdict(&self, answer: &Answer) -> Result<Reply, Fault> {
        match answer {
            Answer::FileRead(Ok(bytes)) => {
                let is_same = self.at_start.get().is_some_and(|start| *start == digest(bytes));
                Ok(Reply::one(Item::text(if is_same { "Identical hash" } else { "Different hash" })))
            }
            _ => Err(Fault::new(500, "Failed to hash the file")),
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `cfgutils.get_config_hash`: the digest at the start.
pub(super) fn at_start(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let start = worker.node.states.cfgutils.hashed_file.at_start.get();
    Ok(Reply::one(Item::text(start.map_or("", String::as_str))))
}

/// `cfgutils.check_config_hash`: has the file changed since?
pub(super) fn check(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let node = std::sync::Arc::clone(&worker.node);
    let file = &node.states.cfgutils.hashed_file;
    let Some(path) = file.path() else { return Err(Fault::new(500, "No hash file")) };
    let (read, call) = (worker.take_ticket(), worker.take_ticket());
    if !parameters.may_wait || !file.takes(read, call) {
        return Err(Fault::new(500, "Failed to hash the file"));
    }
    worker.outbox.effects.push(Effect::ReadFile { ticket: read, path: path.to_owned(), bytes_max: HASHED_FILE_BYTES_MAX });
    Ok(Reply::later(call))
}

/// The answer to a ticket: true when it was for the file.
pub fn answered(worker: &mut Worker, ticket: u64, answer: &Answer) -> bool {
    let node = std::sync::Arc::clone(&worker.node);
    let file = &node.states.cfgutils.hashed_file;
    let waiting = file.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
    let Some(call) = waiting else { return false };
    worker.outbox.effects.push(Effect::Answer { ticket: call, answer: file.verdict(answer) });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_compared_with_what_it_was_at_the_start() {
        let file = HashedFile::new(Some("some.cfg".to_owned()));
        file.started_with(b"aaa");
        assert_eq!(file.at_start.get().map(String::as_str), Some("47bce5c74f589f4867dbd57e9ca9f808"));
        let verdict = |bytes: &[u8]| file.verdict(&Answer::FileRead(Ok(bytes.to_vec()))).unwrap().items;
        assert_eq!(verdict(b"aaa"), [Item::text("Identical hash")]);
        assert_eq!(verdict(b"bbb"), [Item::text("Different hash")]);
        assert_eq!(file.verdict(&Answer::FileRead(Err("gone".to_owned()))).unwrap_err().text, "Failed to hash the file");
    }

    #[test]
    fn commands_that_wait_are_bounded() {
        let file = HashedFile::default();
        assert!((0..WAITING_MAX as u64).all(|ticket| file.takes(ticket, 0)));
        assert!(!file.takes(WAITING_MAX as u64, 0));
    }
}
