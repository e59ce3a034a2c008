//! T8: a suspended transaction goes on once, or is answered when its time is over.

use std::collections::BTreeMap;

use sip::message::Message;
use sip::method::Method;

use super::{Checker, Sight, Snapshot, Verdicts, branch_at, branch_in, mark, text};

/// What is known of one suspended transaction.
#[derive(Debug, Default)]
struct Wait {
    suspended: u32,
    resumed: u32,
    /// A final reply went upstream, the proxy's own (as long as it waits there is no other) or one of a later branch.
    is_answered: bool,
    is_over: bool,
    /// Of a call of the world's own parties alone.
    is_honest: bool,
}

/// The suspended transactions of one proxy, by the branch of the request.
pub struct Suspension {
    proxy: usize,
    waits: BTreeMap<Vec<u8>, Wait>,
}

impl Suspension {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize) -> Suspension {
        Suspension { proxy, waits: BTreeMap::new() }
    }

    /// `MARK suspended CALL VIA`, `MARK resumed CALL VIA`
    fn line(&mut self, at: u64, line: &str, verdicts: &mut Verdicts) {
        let Some(mut words) = mark(line) else { return };
        let (Some(kind), Some(call), Some(branch)) = (words.next(), words.next(), branch_in(line)) else { return };
        if kind != "suspended" && kind != "resumed" {
            return;
        }
        let is_honest = verdicts.is_honest(call.as_bytes());
        let wait = self.waits.entry(branch.to_vec()).or_default();
        if kind == "suspended" {
            wait.suspended += 1;
            // A copy of the request that comes when its transaction is gone waits anew.
            wait.is_answered = false;
            wait.is_over = false;
            wait.is_honest = is_honest;
            return;
        }
        wait.resumed += 1;
        if wait.resumed > wait.suspended {
            let text = format!("{} was suspended {} times and resumed {} times", text(branch), wait.suspended, wait.resumed);
            verdicts.add("T8", at, self.proxy, text);
        }
        if wait.is_over {
            verdicts.add("T8", at, self.proxy, format!("{} was resumed after its final reply", text(branch)));
        }
    }
}

fn is_final(message: &Message) -> bool {
    message.is_reply() && message.method() == Method::Invite && message.status() >= 200
}

impl Checker for Suspension {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Line(line) => self.line(at, line, verdicts),
            Sight::Sent { message, cause, .. } if is_final(message) => {
                if let Some(wait) = self.waits.get_mut(&branch_at(message, 0)) {
                    wait.is_answered = true;
                    // What a late reply of an earlier transaction says does not end this wait, nor does the answer to a liar
                    // who sends with the same branch.
                    wait.is_over |= !cause.is_some_and(Message::is_reply) && verdicts.is_honest(message.call_id());
                }
            }
            _ => {}
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for (branch, wait) in &self.waits {
            if wait.is_honest && wait.resumed < wait.suspended && !wait.is_answered {
                verdicts.add("T8", snapshot.at, self.proxy, format!("{} was neither resumed nor answered", text(branch)));
            }
        }
    }
}
