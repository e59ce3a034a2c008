//! P1, P2, P5 and P6: sizes equal a recount, ended dialogs are in no profile, members count once, a limit lets exactly K in.

use std::collections::{BTreeMap, BTreeSet};

use dialog::{OccurrenceKind, State};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Promises, Sight, Snapshot, Verdicts, branch_at, mark, text};

/// The profiles of one proxy.
pub struct Profiles {
    proxy: usize,
    promises: Promises,
    /// Accounts refused in the step that is not looked at yet.
    refused: Vec<Vec<u8>>,
    /// Branches whose refusal was seen: it may be repeated when there is room again.
    refusals: BTreeSet<Vec<u8>>,
    /// Members came back from storage while others were let in: the limit may be exceeded until they leave.
    is_loaded: bool,
}

impl Profiles {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize, promises: Promises) -> Profiles {
        Profiles { proxy, promises, refused: Vec::new(), refusals: BTreeSet::new(), is_loaded: false }
    }

    /// The example refuses a call: its account has to be full in this very step.
    fn sent(&mut self, message: &Message, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let is_refusal = !message.is_request() && message.method() == Method::Invite && message.reason() == b"Call Limit Reached";
        // A refusal of a proxy behind this one is only passed on.
        let is_own = cause.is_some_and(Message::is_request);
        if is_refusal
            && verdicts.is_honest(message.call_id())
            && self.refusals.insert(branch_at(message, 0))
            && is_own
            && self.promises.call_limit.is_some()
        {
            let account = message.from().map(|from| user_of(from.uri).to_vec()).unwrap_or_default();
            self.refused.push(account);
            verdicts.wants_look = true;
        }
    }

    /// `MARK member WHAT BEFORE AFTER`: sizes around one function call of the script, which nothing else can come between.
    fn line(&self, at: u64, line: &str, verdicts: &mut Verdicts) {
        let Some(mut words) = mark(line).filter(|_| line.contains("MARK member ")) else { return };
        let what = words.nth(1).unwrap_or_default();
        let mut size = || words.next().and_then(|word| word.parse::<i64>().ok()).unwrap_or(-1);
        let (before, after) = (size(), size());
        let wanted = match what {
            // A second time counts again, as in Kamailio.
            "set" | "twice" => before + 1,
            "unset" => before - 1,
            // One that is no member is unset, or the call came back and nothing was set.
            _ => before,
        };
        if before < 0 || after != wanted {
            verdicts.add("P5", at, self.proxy, format!("{what} changes the size from {before} to {after}"));
        }
    }

    fn recount(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for profile in &snapshot.profiles {
            let members = snapshot.dialogs.iter().filter(|dialog| dialog.state != State::Deleted).flat_map(|dialog| &dialog.profiles);
            let is_counted = |value: &Option<Vec<u8>>| profile.value.is_none() || *value == profile.value;
            let counted = members.filter(|member| *member.name == *profile.name && is_counted(&member.value)).count() as u64;
            let value = profile.value.as_deref().map(String::from_utf8_lossy);
            if counted != profile.size {
                let text = format!("profile {} {value:?} says {}, the dialogs say {counted}", profile.name, profile.size);
                verdicts.add("P1", snapshot.at, self.proxy, text);
            }
            let is_limited = &*profile.name == "account" && profile.value.is_some() && !self.is_loaded;
            if let Some(limit) = self.promises.call_limit.filter(|limit| is_limited && profile.size > *limit) {
                let text = format!("profile {} {value:?} has {} members, the limit is {limit}", profile.name, profile.size);
                verdicts.add("P6", snapshot.at, self.proxy, text);
            }
        }
    }
}

/// The user part of a SIP URI.
fn user_of(uri: &[u8]) -> &[u8] {
    let rest = uri.strip_prefix(b"sip:").unwrap_or(uri);
    rest.iter().position(|byte| *byte == b'@').and_then(|end| rest.get(..end)).unwrap_or_default()
}

impl Checker for Profiles {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Sent { message, cause, .. } => self.sent(message, *cause, verdicts),
            Sight::Line(line) => self.line(at, line, verdicts),
            Sight::Dialog { occurrence, .. } => self.is_loaded |= occurrence.kind == OccurrenceKind::Loaded,
            _ => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        self.recount(snapshot, verdicts);
        for dialog in &snapshot.dialogs {
            if dialog.state == State::Deleted && !dialog.profiles.is_empty() {
                verdicts.add("P2", snapshot.at, self.proxy, format!("ended dialog {} is still in a profile", dialog.id));
            }
            let mut memberships = BTreeMap::new();
            // The workload sets a profile with a value only when it is not set yet.
            for member in dialog.profiles.iter().filter(|member| member.value.is_some() && self.promises.marks) {
                *memberships.entry((&*member.name, &member.value)).or_insert(0) += 1;
            }
            let is_honest = verdicts.is_honest(&dialog.call_id);
            if let Some(((name, _), count)) = memberships.into_iter().find(|(_, count)| *count > 1 && is_honest) {
                verdicts.add("P5", snapshot.at, self.proxy, format!("dialog {} is {count} times in profile {name}", dialog.id));
            }
        }
        for account in self.refused.drain(..) {
            let is_member = |profile: &&super::ProfileSize| profile.value.as_deref() == Some(account.as_slice());
            let size = snapshot.profiles.iter().find(is_member).map_or(0, |profile| profile.size);
            if self.promises.call_limit.is_some_and(|limit| size < limit) {
                let text =
                    format!("a call of {} is refused with {size} calls, the limit is {:?}", text(&account), self.promises.call_limit);
                verdicts.add("P6", snapshot.at, self.proxy, text);
            }
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for profile in snapshot.profiles.iter().filter(|profile| profile.size != 0) {
            verdicts.add("P1", snapshot.at, self.proxy, format!("profile {} keeps {} members after all calls", profile.name, profile.size));
        }
    }
}
