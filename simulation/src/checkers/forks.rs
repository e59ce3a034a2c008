//! T3 and T7: the best failure of all branches goes upstream, and the failure route runs once a failed set of branches.

use std::collections::{BTreeMap, BTreeSet};

use sip::message::Message;
use sip::method::Method;

use super::{Checker, Sight, Verdicts, branch_at, branch_in, mark, text};
use crate::cutter;

/// Shortest time after which a branch may count as timed out although its reply came, milliseconds (`fr_timer`).
const TIMED_OUT_FROM: u64 = 2_900;
/// What a branch without reply is held for.
const TIMED_OUT: u16 = 408;
/// What a cancelled one may be held for, and what goes upstream for it when it stays silent.
const CANCELLED: u16 = 487;

/// One INVITE sent downstream.
#[derive(Debug)]
struct Branch {
    via: Vec<u8>,
    sent: u64,
    answer: Option<(u16, u64)>,
    /// The caller or the proxy cancelled it.
    is_cancelled: bool,
    /// How often the failure route had run when it was sent.
    set: u32,
}

impl Branch {
    /// What the proxy may hold this branch for.
    fn codes(&self) -> Vec<u16> {
        let is_in_time = self.answer.is_some_and(|(_, at)| at < self.sent + TIMED_OUT_FROM);
        let silent = [TIMED_OUT].into_iter().chain(self.is_cancelled.then_some(CANCELLED)).filter(|_| !is_in_time);
        self.answer.map(|(code, _)| code).into_iter().chain(silent).collect()
    }

    /// Does this branch, held for `own`, send `code` upstream? 503 goes as 500, several challenges together as the first of
    /// them.
    fn shows(&self, own: u16, code: u16) -> bool {
        own == code || matches!((own, code), (503, 500) | (407, 401)) || (self.is_cancelled && (own, code) == (TIMED_OUT, CANCELLED))
    }
}

/// One INVITE received.
#[derive(Debug, Default)]
struct Fork {
    branches: Vec<Branch>,
    is_answered: bool,
    is_accepted: bool,
    /// The caller took the call back.
    is_cancelled: bool,
    /// Branches were added, or a wait began, since the failure route ran.
    is_open: bool,
    /// How often the failure route ran.
    failures: u32,
}

/// The forks of one proxy, by the branch of the INVITE that came in.
pub struct Forks {
    proxy: usize,
    forks: BTreeMap<Vec<u8>, Fork>,
    /// Branch downstream → branch upstream.
    origins: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Call-IDs of calls the script ended.
    asked: BTreeSet<String>,
}

/// Rank of a failure, the lowest goes upstream (RFC 3261 §16.7 step 6 as Kamailio orders it).
fn rank(code: u16) -> u32 {
    let (class, rest) = (u32::from(code / 100), u32::from(code % 100));
    match class {
        6 => rest + 1_000,
        4 if [401, 407, 415, 420, 484].contains(&code) => rest + 4_000,
        4 => rest + 4_100,
        _ => rest + class * 1_000,
    }
}

impl Forks {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize) -> Forks {
        Forks { proxy, forks: BTreeMap::new(), origins: BTreeMap::new(), asked: BTreeSet::new() }
    }

    fn received(&mut self, at: u64, message: &Message) {
        let via = branch_at(message, 0);
        if message.is_request() && message.method() == Method::Cancel {
            // It may come while the INVITE waits for a name and no branch is there yet.
            let fork = self.forks.entry(via).or_default();
            fork.is_cancelled = true;
            fork.branches.iter_mut().for_each(|branch| branch.is_cancelled = true);
            return;
        }
        if message.is_request() || message.method() != Method::Invite || message.status() < 200 {
            return;
        }
        let Some(fork) = self.origins.get(&via).and_then(|origin| self.forks.get_mut(origin)) else { return };
        if let Some(branch) = fork.branches.iter_mut().find(|branch| branch.via == via) {
            fork.is_accepted |= message.status() < 300;
            branch.answer = branch.answer.or(Some((message.status(), at)));
        }
    }

    fn sent(&mut self, at: u64, message: &Message, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let via = branch_at(message, 0);
        if message.is_request() && message.method() == Method::Cancel {
            let fork = self.origins.get(&via).and_then(|origin| self.forks.get_mut(origin));
            let branch = fork.and_then(|fork| fork.branches.iter_mut().find(|branch| branch.via == via));
            branch.into_iter().for_each(|branch| branch.is_cancelled = true);
        }
        if message.method() != Method::Invite || !verdicts.is_honest(message.call_id()) {
            return;
        }
        if message.is_request() {
            let origin = branch_at(message, 1);
            if !origin.is_empty() && self.origins.insert(via.clone(), origin.clone()).is_none() {
                let fork = self.forks.entry(origin).or_default();
                // A copy of the INVITE that comes when its transaction is gone makes another.
                if fork.is_answered {
                    *fork = Fork::default();
                }
                fork.is_open = true;
                fork.branches.push(Branch { via, sent: at, answer: None, is_cancelled: fork.is_cancelled, set: fork.failures });
            }
            return;
        }
        // A reply to what was sent before a crash is passed on without state.
        if cause.is_some_and(|cause| cause.is_reply() && !self.origins.contains_key(&branch_at(cause, 0))) {
            return;
        }
        let code = message.status();
        let Some(fork) = self.forks.get_mut(&via).filter(|fork| code >= 200 && !fork.is_answered && !fork.branches.is_empty()) else {
            return;
        };
        fork.is_answered = true;
        // A command, a program or the script may end a call that still rings: no branch has this code.
        let is_asked = self.asked.contains(&text(message.call_id())) || cutter::stage_of(message.call_id()).is_some();
        let is_command = code == 480 && (cause.is_none() || is_asked);
        // The replies of an earlier set count no more once the failure route has sent to another (`failure_reply_mode` 3).
        let last = fork.branches.iter().map(|branch| branch.set).max();
        fork.branches.retain(|branch| Some(branch.set) == last);
        if code >= 300 && !is_command && !is_best(code, &fork.branches) {
            let branches: Vec<_> = fork.branches.iter().map(Branch::codes).collect();
            let text = format!("{code} goes upstream for {}, the branches have {branches:?}", text(message.call_id()));
            verdicts.add("T3", at, self.proxy, text);
        }
    }

    /// `MARK failure CALL CODE VIA`, `MARK suspended CALL VIA`, `MARK asked DIALOG SIDE CALL`
    fn line(&mut self, at: u64, line: &str, verdicts: &mut Verdicts) {
        let Some(mut words) = mark(line) else { return };
        if line.contains("MARK asked ") {
            self.asked.extend(words.nth(3).map(str::to_owned));
            return;
        }
        let (Some(kind), Some(call), Some(origin)) = (words.next(), words.next(), branch_in(line)) else { return };
        match kind {
            "suspended" => {
                let fork = self.forks.entry(origin.to_vec()).or_default();
                // The script runs for a copy that came when the transaction was gone (T1 knows when that may be): a new one.
                if fork.is_answered {
                    *fork = Fork::default();
                }
                fork.is_open = true;
            }
            "failure" if verdicts.is_honest(call.as_bytes()) => {
                let Some(fork) = self.forks.get_mut(origin) else { return };
                if !fork.is_open {
                    verdicts.add("T7", at, self.proxy, format!("the failure route of {call} runs twice for one set of branches"));
                }
                if fork.is_accepted {
                    verdicts.add("T7", at, self.proxy, format!("the failure route of {call} runs after a 2xx"));
                }
                fork.is_open = false;
                fork.failures += 1;
            }
            _ => {}
        }
    }
}

/// Can `code` be the best the branches have?
fn is_best(code: u16, branches: &[Branch]) -> bool {
    let is_lowest = |own: u16| branches.iter().all(|branch| branch.codes().into_iter().any(|other| rank(other) >= rank(own)));
    branches.iter().any(|branch| branch.codes().into_iter().any(|own| branch.shows(own, code) && is_lowest(own)))
}

impl Checker for Forks {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Received { message, .. } => self.received(at, message),
            Sight::Sent { message, cause, .. } => self.sent(at, message, *cause, verdicts),
            Sight::Line(line) => self.line(at, line, verdicts),
            _ => {}
        }
    }
}
