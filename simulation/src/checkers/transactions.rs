//! T1, T2, T4, T5, T6, T9 and R3: transactions are unique, answered once, acknowledged and cancelled by rule, and all end.

use std::collections::{BTreeMap, BTreeSet};

use sip::message::Message;
use sip::method::Method;

use super::{Checker, Sight, Snapshot, Verdicts};

/// Longest life of a transaction, milliseconds: the lifetime of a request plus every wait after its final reply.
const INVITE_LIFE_MAX: u64 = 180_000 + 90_000 + 2_000;
const OTHER_LIFE_MAX: u64 = 32_000 + 90_000 + 2_000;
/// A transaction still stays for this long after its last reply (`wt_timer`).
const WAIT: u64 = 4_900;
/// How late a timer may be.
const LATE_MAX: u64 = 2_000;

/// The final replies to one INVITE.
#[derive(Default)]
struct Finals {
    /// When the first was sent.
    first: u64,
    /// Codes from 300.
    failures: BTreeSet<u16>,
    is_accepted: bool,
}

/// The family T at one proxy.
pub struct Transactions {
    proxy: usize,
    /// Final replies to INVITEs sent upstream, by the branch they answer and the Call-ID.
    finals: BTreeMap<(Vec<u8>, Vec<u8>), Finals>,
    /// Branches INVITEs left on: provisional seen, failure seen.
    branches: BTreeMap<Vec<u8>, (bool, bool)>,
    /// When the script last relayed a request with this Via.
    relayed: BTreeMap<String, u64>,
    /// Branches of INVITEs that came in.
    invites: BTreeSet<Vec<u8>>,
    /// The Call-ID of an ACK to a 2xx that came in and has not left yet.
    acknowledgement: Option<Vec<u8>>,
    /// A deadline in the past, and when it was first seen there.
    due: Option<(u64, u64)>,
}

impl Transactions {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize) -> Transactions {
        Transactions {
            proxy,
            finals: BTreeMap::new(),
            branches: BTreeMap::new(),
            relayed: BTreeMap::new(),
            invites: BTreeSet::new(),
            acknowledgement: None,
            due: None,
        }
    }

    fn sent(&mut self, at: u64, message: &Message, cause: Option<&Message>, verdicts: &mut Verdicts) {
        if !verdicts.is_honest(message.call_id()) {
            return;
        }
        let branch = message.top_via().map(|via| via.branch.to_vec()).unwrap_or_default();
        match (message.is_request(), message.method()) {
            // A reply to what was sent before a crash is passed on without state.
            (false, Method::Invite) if is_stray(cause, &self.branches) => {}
            // The example refuses calls without a transaction: a copy of the INVITE may find room a moment later.
            (false, Method::Invite) if message.reason() == b"Call Limit Reached" => {}
            (false, Method::Invite) if message.status() >= 200 => {
                self.final_sent(at, (branch, message.call_id().to_vec()), message.status(), verdicts)
            }
            (true, Method::Invite) => {
                self.branches.entry(branch).or_default();
            }
            (true, Method::Cancel) if self.branches.get(&branch).is_some_and(|(provisional, _)| !provisional) => {
                let text = format!("CANCEL of {} before any provisional reply", String::from_utf8_lossy(message.call_id()));
                verdicts.add("T5", at, self.proxy, text);
            }
            (true, Method::Ack) if self.branches.get(&branch).is_some_and(|(_, failure)| !failure) => {
                let text = format!("ACK of {} on the branch of an INVITE without failure", String::from_utf8_lossy(message.call_id()));
                verdicts.add("T4", at, self.proxy, text);
            }
            _ => {}
        }
    }

    fn final_sent(&mut self, at: u64, key: (Vec<u8>, Vec<u8>), status: u16, verdicts: &mut Verdicts) {
        let finals = self.finals.entry(key).or_default();
        if finals.failures.is_empty() && !finals.is_accepted {
            finals.first = at;
        }
        // Afterwards the transaction may be gone, and what comes then is forwarded without state.
        if at > finals.first + WAIT {
            return;
        }
        // A 2xx may follow a failure (RFC 3261 §16.7 step 5), never the other way round.
        let is_late_failure = status >= 300 && finals.is_accepted && !finals.failures.contains(&status);
        if status < 300 {
            finals.is_accepted = true;
        } else {
            finals.failures.insert(status);
        }
        if finals.failures.len() > 1 || is_late_failure {
            let text = format!("final replies {:?}{} to one INVITE", finals.failures, if finals.is_accepted { " after 2xx" } else { "" });
            verdicts.add("T2", at, self.proxy, text);
        }
    }

    fn received(&mut self, message: &Message, verdicts: &Verdicts) {
        if message.is_request() {
            let branch = message.top_via().map(|via| via.branch.to_vec()).unwrap_or_default();
            if message.method() == Method::Invite {
                self.invites.insert(branch);
            } else if message.method() == Method::Ack && verdicts.is_honest(message.call_id()) && !self.invites.contains(&branch) {
                self.acknowledgement = message.routes().next().map(|_| message.call_id().to_vec());
            }
            return;
        }
        if message.method() != Method::Invite {
            return;
        }
        let Some(via) = message.top_via() else { return };
        if let Some(entry) = self.branches.get_mut(via.branch) {
            entry.0 |= message.status() < 200;
            entry.1 |= message.status() >= 300;
        }
    }
}

/// Is the cause a reply on a branch that is not known here?
fn is_stray(cause: Option<&Message>, branches: &BTreeMap<Vec<u8>, (bool, bool)>) -> bool {
    cause.is_some_and(|cause| cause.is_reply() && cause.top_via().is_none_or(|via| !branches.contains_key(via.branch)))
}

impl Checker for Transactions {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Sent { message, cause, .. } => {
                if message.is_request() && message.method() == Method::Ack {
                    self.acknowledgement = None;
                }
                self.sent(at, message, *cause, verdicts);
            }
            Sight::Received { message, .. } => self.received(message, verdicts),
            Sight::StepOver => {
                if let Some(call_id) = self.acknowledgement.take() {
                    let text = format!("the ACK of {} to a 2xx went no further", String::from_utf8_lossy(&call_id));
                    verdicts.add("T4", at, self.proxy, text);
                }
            }
            Sight::Line(line) => {
                let Some(key) = line.split("MARK relay ").nth(1) else { return };
                // A liar's copy may differ in what makes the key and still have the same Via.
                if key.split_whitespace().nth(1).is_none_or(|call_id| !verdicts.is_honest(call_id.as_bytes())) {
                    return;
                }
                let last = self.relayed.insert(key.trim().to_owned(), at);
                if last.is_some_and(|last| at < last + WAIT) {
                    verdicts.add("T1", at, self.proxy, format!("the script ran again for a retransmission: {key}"));
                }
            }
            Sight::Awaits => self.acknowledgement = None,
            Sight::Dialog { .. } | Sight::Commanded { .. } => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let mut seen = BTreeSet::new();
        for transaction in &snapshot.transactions {
            let key = (&transaction.branch, &transaction.sent_by, &transaction.call, transaction.method.name());
            let branch = String::from_utf8_lossy(&transaction.branch);
            if !transaction.is_local
                && verdicts.is_honest(&transaction.call_id)
                && transaction.branch.starts_with(b"z9hG4bK")
                && !seen.insert(key)
            {
                verdicts.add("T1", snapshot.at, self.proxy, format!("two transactions for {} {branch}", transaction.method.name()));
            }
            let bound = if transaction.method == Method::Invite { INVITE_LIFE_MAX } else { OTHER_LIFE_MAX };
            if snapshot.at > transaction.created + bound {
                let text = format!("{} {branch} lives since {} ms", transaction.method.name(), snapshot.at - transaction.created);
                verdicts.add("T6", snapshot.at, self.proxy, text);
            }
        }
        if snapshot.transactions.len() > snapshot.transaction_count {
            verdicts.add(
                "T9",
                snapshot.at,
                self.proxy,
                format!("{} transactions, counted {}", snapshot.transactions.len(), snapshot.transaction_count),
            );
        }
        if snapshot.transaction_count > 0 && snapshot.transaction_deadline.is_none() && snapshot.parked == 0 {
            verdicts.add("R3", snapshot.at, self.proxy, format!("{} transactions and no timer", snapshot.transaction_count));
        }
        // A deadline may be told too early; one that stays in the past is never served.
        let due = snapshot.transaction_deadline.filter(|deadline| *deadline <= snapshot.at);
        self.due = due.map(|deadline| self.due.filter(|(known, _)| *known == deadline).unwrap_or((deadline, snapshot.at)));
        if self.due.is_some_and(|(_, since)| since + LATE_MAX < snapshot.at) {
            verdicts.add("T6", snapshot.at, self.proxy, String::from("a timer is due and does not fire"));
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        if snapshot.transaction_count != 0 {
            let names: Vec<_> = snapshot.transactions.iter().map(|transaction| transaction.method.name()).collect();
            verdicts.add("T9", snapshot.at, self.proxy, format!("{} transactions left: {names:?}", snapshot.transaction_count));
        }
        if snapshot.parked != 0 {
            verdicts.add("R3", snapshot.at, self.proxy, format!("{} scripts still wait", snapshot.parked));
        }
    }
}
