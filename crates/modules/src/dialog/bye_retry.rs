//! BYEs made here: each goes out until its party's task has a result, now or when the party asked for it (spec dialog 9.2).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::dialog::{ByeOutcome, ByeResult, ByeTask, ByeVerdict};
use sip::header::HeaderId;
use sip::message::Message;

use super::ending;
use crate::tm::{self, Purpose};
use crate::worker::Worker;

/// Most BYEs that wait for their second; the result of one more is final.
const WAITING_MAX: usize = 10_000;

/// BYEs that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// By the monotonic milliseconds at which they are due and their turn.
    tasks: BTreeMap<(u64, u64), Box<ByeTask>>,
    turn: u64,
}

impl Waiting {
    /// Keeps a BYE for later; it comes back when there is no room.
    fn put(&self, due: u64, task: Box<ByeTask>) -> Result<(), Box<ByeTask>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.tasks.len() >= WAITING_MAX {
            return Err(task);
        }
        queue.turn += 1;
        let turn = queue.turn;
        queue.tasks.insert((due, turn), task);
        Ok(())
    }

    fn take_due(&self, now: u64) -> Option<Box<ByeTask>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = queue.tasks.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }
}

/// Sends the BYE, by another way when the first fails. Says whether it is out.
pub(super) fn send(worker: &mut Worker, mut task: Box<ByeTask>) -> bool {
    let node = Arc::clone(&worker.node);
    // Each round takes one of the task's attempts.
    loop {
        let purpose = Purpose::DialogBye { task: task.clone() };
        let mut request = ending::local_request(worker, b"BYE", &task.request, task.headers.clone(), Vec::new(), purpose);
        if task.is_direct {
            request.next_hop = Some(request.request_uri.clone());
            request.socket = None;
        }
        if tm::send_local(worker, &request).is_ok() {
            return true;
        }
        match task.judge(ByeOutcome::Unreachable) {
            ByeVerdict::Again { task: next, .. } => {
                node.dialogs.local_bye_repeated(worker.now, next.request.dialog, next.request.leg, ByeOutcome::Unreachable);
                task = next;
            }
            ByeVerdict::Finished(result) => {
                node.dialogs.local_bye_unsent(worker.now, result.dialog, result.leg);
                tell(worker, &result);
                return false;
            }
        }
    }
}

/// A BYE that is due once a second.
pub(super) fn on_timer(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    for _ in 0..WAITING_MAX {
        let Some(task) = node.states.dialog.byes.take_due(worker.now.time.0) else { return };
        send(worker, task);
    }
}

/// The BYE has its final reply, or none came: `reply` is None for a code made here.
pub(super) fn completed(worker: &mut Worker, task: &ByeTask, code: u16, reply: Option<&Message>) {
    let node = Arc::clone(&worker.node);
    let outcome = match reply {
        Some(reply) => ByeOutcome::Answered { code, retry_after: retry_after(reply) },
        None if code == 408 => ByeOutcome::Silent,
        None => ByeOutcome::Unreachable,
    };
    let result = match Box::new(task.clone()).judge(outcome) {
        ByeVerdict::Finished(result) => result,
        ByeVerdict::Again { task: next, seconds: 0 } => {
            node.dialogs.local_bye_repeated(worker.now, next.request.dialog, next.request.leg, outcome);
            send(worker, next);
            return;
        }
        ByeVerdict::Again { task: next, seconds } => {
            let due = worker.now.time.0.saturating_add(u64::from(seconds) * 1000);
            match node.states.dialog.byes.put(due, next) {
                Ok(()) => {
                    node.dialogs.local_bye_repeated(worker.now, task.request.dialog, task.request.leg, outcome);
                    return;
                }
                Err(refused) => refused.given_up(outcome),
            }
        }
    };
    node.dialogs.local_bye_finished(worker.now, result.dialog, result.leg, outcome.code());
    tell(worker, &result);
}

/// Seconds of the Retry-After header; its comment and parameters do not matter here.
fn retry_after(reply: &Message) -> Option<u32> {
    let text = reply.value(HeaderId::RetryAfter)?;
    let digits = text.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn tell(worker: &mut Worker, result: &ByeResult) {
    let ByeResult { dialog, leg, outcome, attempts } = result;
    let (level, what) = match outcome {
        ByeOutcome::Answered { code: 200..=299, .. } => return,
        ByeOutcome::Answered { code: code @ (401 | 407), .. } => (0, format!("wants credentials ({code}), which are not here")),
        ByeOutcome::Answered { code, .. } => (1, format!("answered it with {code}")),
        ByeOutcome::Silent => (1, "did not answer it".to_owned()),
        ByeOutcome::Unreachable => (-1, "could not be reached".to_owned()),
    };
    let line = format!("BYE of dialog [{dialog}]: the {leg:?} {what}; attempts: {attempts}");
    worker.log(level, "dialog", &line);
}

#[cfg(test)]
mod tests {
    use ::dialog::{DialogId, Leg, LocalRequest};

    use super::*;

    fn task(id: u32) -> Box<ByeTask> {
        let request = LocalRequest {
            dialog: DialogId { entry: 0, id },
            leg: Leg::Caller,
            request_uri: Vec::new(),
            destination: None,
            call_id: Vec::new(),
            to_uri: Vec::new(),
            to_tag: Vec::new(),
            from_uri: Vec::new(),
            from_tag: Vec::new(),
            cseq: 1,
            route_set: Vec::new(),
            socket: Vec::new(),
        };
        Box::new(ByeTask::new(request, Vec::new()))
    }

    fn due(waiting: &Waiting, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| waiting.take_due(now)).map(|task| task.request.dialog.id).collect()
    }

    #[test]
    fn byes_come_back_in_time_and_in_turn() {
        let waiting = Waiting::default();
        for (at, id) in [(3000, 1), (1000, 2), (3000, 3)] {
            assert!(waiting.put(at, task(id)).is_ok());
        }
        assert!(due(&waiting, 999).is_empty());
        assert_eq!(due(&waiting, 1000), [2]);
        assert_eq!(due(&waiting, 5000), [1, 3]);
    }

    #[test]
    fn a_full_queue_gives_the_bye_back() {
        let waiting = Waiting::default();
        for id in 0..WAITING_MAX {
            assert!(waiting.put(1, task(u32::try_from(id).unwrap())).is_ok());
        }
        assert!(waiting.put(1, task(0)).is_err());
    }

    #[test]
    fn a_wait_is_read_without_its_comment() {
        let reply = |value: &str| {
            let text = format!(
                "SIP/2.0 503 Busy\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n\
                 CSeq: 1 BYE\r\n{value}Content-Length: 0\r\n\r\n"
            );
            retry_after(&Message::from_bytes(text.as_bytes()).unwrap())
        };
        assert_eq!(reply("Retry-After: 5 (later);duration=60\r\n"), Some(5));
        assert_eq!(reply("Retry-After: soon\r\n"), None);
        assert_eq!(reply("Retry-After: 99999999999\r\n"), None);
        assert_eq!(reply(""), None);
    }
}
