//! D13: every end has one reason, and a call's history ends where the call stands.

use std::collections::BTreeMap;

use dialog::{DialogId, EndReason, OccurrenceKind, State};

use super::{Checker, Sight, Snapshot, Verdicts};

/// The reasons of one proxy's calls.
pub struct Reasons {
    proxy: usize,
    told: BTreeMap<DialogId, EndReason>,
}

impl Reasons {
    /// A checker.
    pub fn new(proxy: usize) -> Reasons {
        Reasons { proxy, told: BTreeMap::new() }
    }
}

impl Checker for Reasons {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        let Sight::Dialog { dialog, occurrence, .. } = sight else { return };
        let kind = occurrence.kind;
        let reason = dialog.end_reason;
        match kind {
            OccurrenceKind::Created | OccurrenceKind::Loaded | OccurrenceKind::Early | OccurrenceKind::Answered => {
                self.told.remove(&dialog.id);
                if let Some(reason) = reason {
                    verdicts.add("D13", at, self.proxy, format!("[{}] {kind:?}, ended by {reason}", dialog.id));
                }
            }
            OccurrenceKind::Failed | OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Destroyed => {
                let Some(reason) = reason else {
                    verdicts.add("D13", at, self.proxy, format!("[{}] {kind:?} without a reason", dialog.id));
                    return;
                };
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
