//! D13: every end has one reason, and a call's history ends where the call stands.

use std::collections::{BTreeMap, BTreeSet};

use dialog::{DialogId, DialogView, EndReason, OccurrenceKind, State};
use sip::method::Method;

use super::{Checker, Sight, Snapshot, Verdicts, identity, mark, text};

/// Who may be to blame for the end of a call, as the world itself saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Blame {
    Bye,
    Cancel,
    Operator,
    Script,
}

/// The reasons of one proxy's calls.
pub struct Reasons {
    proxy: usize,
    told: BTreeMap<DialogId, EndReason>,
    /// BYEs by Call-ID and From tag, CANCELs by Call-ID and From tag.
    sent: BTreeSet<(Blame, Vec<u8>, Vec<u8>)>,
    /// What the script and operators asked for.
    asked: BTreeSet<(Blame, DialogId)>,
}

impl Reasons {
    /// A checker.
    pub fn new(proxy: usize) -> Reasons {
        Reasons { proxy, told: BTreeMap::new(), sent: BTreeSet::new(), asked: BTreeSet::new() }
    }

    /// Nobody is blamed for what nobody did.
    fn blamed(&self, at: u64, dialog: &DialogView, reason: EndReason, verdicts: &mut Verdicts) {
        let did = |blame, tag: &[u8]| self.sent.contains(&(blame, dialog.call_id.clone(), tag.to_vec()));
        let asked = |blame| self.asked.contains(&(blame, dialog.id));
        let is_true = match reason {
            EndReason::CallerBye => did(Blame::Bye, &dialog.caller.tag),
            EndReason::CalleeBye => did(Blame::Bye, &dialog.callee.tag),
            EndReason::Cancel => did(Blame::Cancel, &dialog.caller.tag),
            EndReason::Rpc => asked(Blame::Operator),
            EndReason::Script => asked(Blame::Script),
            _ => true,
        };
        if !is_true && verdicts.is_honest(&dialog.call_id) {
            let text = format!("[{}] of {}: ended by {reason}, which nobody saw", dialog.id, text(&dialog.call_id));
            verdicts.add("D13", at, self.proxy, text);
        }
    }

    /// What parties, script and operators do to end calls.
    fn notice(&mut self, sight: &Sight<'_>) {
        match sight {
            Sight::Received { message, .. } if message.is_request() => {
                let blame = match message.method() {
                    Method::Bye => Blame::Bye,
                    Method::Cancel => Blame::Cancel,
                    _ => return,
                };
                self.sent.insert((blame, message.call_id().to_vec(), message.from_tag().to_vec()));
            }
            Sight::Line(line) if line.contains("MARK asked ") => {
                let dialog = mark(line).and_then(|mut words| words.nth(1)).and_then(identity);
                self.asked.extend(dialog.map(|dialog| (Blame::Script, dialog)));
            }
            Sight::Commanded { dialog, .. } => {
                self.asked.insert((Blame::Operator, dialog.id));
            }
            _ => {}
        }
    }
}

impl Checker for Reasons {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        self.notice(sight);
        let Sight::Dialog { dialog, occurrence, .. } = sight else { return };
        if !verdicts.is_unforced(self.proxy, dialog.id) {
            return;
        }
        let kind = occurrence.kind;
        let reason = dialog.end_reason;
        match kind {
            OccurrenceKind::Created | OccurrenceKind::Loaded | OccurrenceKind::Early | OccurrenceKind::Answered => {
                self.told.remove(&dialog.id);
                // The start route may end the call it starts.
                let is_by_route = kind == OccurrenceKind::Answered && reason == Some(EndReason::Script);
                if let Some(reason) = reason.filter(|_| !is_by_route) {
                    verdicts.add("D13", at, self.proxy, format!("[{}] {kind:?}, ended by {reason}", dialog.id));
                }
            }
            OccurrenceKind::Failed | OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Destroyed => {
                let Some(reason) = reason else {
                    verdicts.add("D13", at, self.proxy, format!("[{}] {kind:?} without a reason", dialog.id));
                    return;
                };
                if kind == OccurrenceKind::Destroyed {
                    self.blamed(at, dialog, reason, verdicts);
                }
                let first = *self.told.entry(dialog.id).or_insert(reason);
                if first != reason {
                    verdicts.add("D13", at, self.proxy, format!("[{}] {kind:?}: {first} became {reason}", dialog.id));
                }
                if kind == OccurrenceKind::Destroyed {
                    self.told.remove(&dialog.id);
                }
            }
            _ => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let (at, proxy) = (snapshot.at, self.proxy);
        for dialog in &snapshot.dialogs {
            let fits = match dialog.state {
                State::Unconfirmed | State::Early => dialog.end_reason.is_none(),
                State::ConfirmedNoAck | State::Confirmed => true,
                State::Deleted => dialog.end_reason.is_some(),
            };
            if !fits {
                verdicts.add("D13", at, proxy, format!("[{}] in {:?}: {:?}", dialog.id, dialog.state, dialog.end_reason));
            }
        }
        for call in &snapshot.explanations {
            // What was left out lies behind the first moment.
            let whole = call.history.get(usize::from(call.left_out > 0)..).unwrap_or_default();
            let is_chain = whole.iter().zip(whole.iter().skip(1)).all(|(before, after)| before.new == after.old);
            let stands = call.history.last().map(|past| past.new);
            if !is_chain || stands != Some(call.dialog.state) {
                verdicts.add("D13", at, proxy, format!("[{}] in {:?}: {:?}", call.dialog.id, call.dialog.state, call.history));
            }
        }
        let counts = &snapshot.counts;
        if snapshot.ended_by_reason != counts.failed + counts.ended + counts.abandoned {
            verdicts.add("D13", at, proxy, format!("{} ended by a reason: {counts:?}", snapshot.ended_by_reason));
        }
    }
}
