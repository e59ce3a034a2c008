//! One BYE to one party as a task of its own: what an outcome means for it and whether it goes out again (spec dialog 9.2).
//!
//! Once a call is to be ended nobody asks for its state any more: each party's task runs until it has its own result.

use crate::effect::LocalRequest;
use crate::engine::DialogId;
use crate::leg::Leg;
use crate::limits::{BYE_ATTEMPTS_MAX, BYE_CSEQ_LEAP, BYE_WAIT_SECONDS_MAX, CSEQ_MAX};

/// A BYE that is out, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByeTask {
    pub request: LocalRequest,
    /// Whole header lines.
    pub headers: Vec<u8>,
    /// Sent so often, the present time included.
    attempt: u8,
    /// The usual way failed: to the request URI's host from any socket, past alias and route set.
    pub is_direct: bool,
}

/// What became of one sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByeOutcome {
    /// A final reply; `retry_after` in seconds.
    Answered { code: u16, retry_after: Option<u32> },
    /// No final reply in time.
    Silent,
    /// Not sent: no address, no connection, no socket.
    Unreachable,
}

/// What a party made of its BYE in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByeResult {
    pub dialog: DialogId,
    pub leg: Leg,
    pub outcome: ByeOutcome,
    /// How often it was sent.
    pub attempts: u8,
}

/// What follows an outcome.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a task that goes on has to be sent again"]
pub enum ByeVerdict {
    /// The party's task is over.
    Finished(ByeResult),
    /// Send it again in so many seconds; 0 = now.
    Again { task: Box<ByeTask>, seconds: u32 },
}

impl ByeOutcome {
    /// The status that stands for the outcome, as a transaction would tell it.
    pub fn code(self) -> u16 {
        match self {
            ByeOutcome::Answered { code, .. } => code,
            ByeOutcome::Silent => 408,
            ByeOutcome::Unreachable => 477,
        }
    }
}

impl ByeTask {
    /// The first sending.
    pub fn new(request: LocalRequest, headers: Vec<u8>) -> ByeTask {
        ByeTask { request, headers, attempt: 1, is_direct: false }
    }

    /// Judges the outcome of the present sending.
    pub fn judge(mut self: Box<Self>, outcome: ByeOutcome) -> ByeVerdict {
        let again = match outcome {
            // Out of order (RFC 3261 §12.2.2): the party has seen higher numbers than we have.
            ByeOutcome::Answered { code: 500, retry_after } => Some((retry_after.unwrap_or(0), BYE_CSEQ_LEAP)),
            ByeOutcome::Answered { code: 503, retry_after: Some(seconds) } => Some((seconds, 1)),
            ByeOutcome::Unreachable if !self.is_direct => {
                self.is_direct = true;
                Some((0, 1))
            }
            _ => None,
        };
        match again.filter(|(seconds, _)| self.attempt < BYE_ATTEMPTS_MAX && *seconds <= BYE_WAIT_SECONDS_MAX) {
            Some((seconds, leap)) => {
                self.attempt += 1;
                self.request.cseq = self.request.cseq.saturating_add(leap).min(CSEQ_MAX);
                ByeVerdict::Again { task: self, seconds }
            }
            None => ByeVerdict::Finished(self.given_up(outcome)),
        }
    }

    /// The result when it cannot wait for its next sending.
    pub fn given_up(&self, outcome: ByeOutcome) -> ByeResult {
        ByeResult { dialog: self.request.dialog, leg: self.request.leg, outcome, attempts: self.attempt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Box<ByeTask> {
        let request = LocalRequest {
            dialog: DialogId { entry: 1, id: 2 },
            leg: Leg::Callee,
            request_uri: b"sip:bob@192.0.2.2".to_vec(),
            destination: None,
            call_id: b"c@x".to_vec(),
            to_uri: Vec::new(),
            to_tag: Vec::new(),
            from_uri: Vec::new(),
            from_tag: Vec::new(),
            cseq: 104,
            route_set: Vec::new(),
            socket: Vec::new(),
        };
        Box::new(ByeTask::new(request, Vec::new()))
    }

    fn answered(code: u16, retry_after: Option<u32>) -> ByeOutcome {
        ByeOutcome::Answered { code, retry_after }
    }

    fn finished(outcome: ByeOutcome, attempts: u8) -> ByeVerdict {
        ByeVerdict::Finished(ByeResult { dialog: DialogId { entry: 1, id: 2 }, leg: Leg::Callee, outcome, attempts })
    }

    fn again(verdict: ByeVerdict) -> (Box<ByeTask>, u32) {
        match verdict {
            ByeVerdict::Again { task, seconds } => (task, seconds),
            ByeVerdict::Finished(result) => panic!("finished: {result:?}"),
        }
    }

    #[test]
    fn success_silence_and_every_refusal_that_no_repeat_cures_finish_the_task() {
        let outcomes = [200, 202, 401, 403, 404, 407, 408, 481, 486, 501, 603].map(|code| answered(code, None));
        for outcome in outcomes.into_iter().chain([ByeOutcome::Silent, answered(503, None), answered(404, Some(1))]) {
            assert_eq!(task().judge(outcome), finished(outcome, 1), "{outcome:?}");
        }
    }

    #[test]
    fn a_number_that_is_too_low_is_raised_at_once() {
        let (task, seconds) = again(task().judge(answered(500, None)));
        assert_eq!((seconds, task.request.cseq), (0, 104 + BYE_CSEQ_LEAP));
    }

    #[test]
    fn a_party_that_is_busy_for_a_while_gets_it_again_when_it_said() {
        for (code, leap) in [(500, BYE_CSEQ_LEAP), (503, 1)] {
            let (task, seconds) = again(task().judge(answered(code, Some(4))));
            assert_eq!((seconds, task.request.cseq), (4, 104 + leap));
        }
        for code in [500, 503] {
            let verdict = task().judge(answered(code, Some(BYE_WAIT_SECONDS_MAX + 1)));
            assert!(matches!(verdict, ByeVerdict::Finished(_)), "{code} asks for too long a wait");
        }
    }

    #[test]
    fn a_way_that_fails_is_replaced_by_the_direct_one_once() {
        let (task, seconds) = again(task().judge(ByeOutcome::Unreachable));
        assert_eq!((seconds, task.is_direct, task.request.cseq), (0, true, 105));
        assert!(matches!(task.judge(ByeOutcome::Unreachable), ByeVerdict::Finished(ByeResult { attempts: 2, .. })));
    }

    #[test]
    fn no_answer_keeps_a_task_alive_for_ever() {
        let mut task = task();
        task.request.cseq = CSEQ_MAX - 1;
        for _ in 1..BYE_ATTEMPTS_MAX {
            (task, _) = again(task.judge(answered(500, None)));
            assert_eq!(task.request.cseq, CSEQ_MAX, "never beyond 2^31 - 1");
        }
        assert_eq!(task.judge(answered(500, None)), finished(answered(500, None), BYE_ATTEMPTS_MAX));
    }
}
