//! D6: identifiers and the cookie find their dialog from both sides, swapped tags flip the direction, nothing else matches.

use std::collections::BTreeMap;

use dialog::{Direction, OccurrenceKind};
use sip::method::Method;

use super::{Checker, Question, Sight, Snapshot, Verdicts, text};

/// Which dialog a request belongs to, at one proxy.
pub struct Matching {
    proxy: usize,
}

impl Matching {
    /// A checker.
    pub fn new(proxy: usize) -> Matching {
        Matching { proxy }
    }
}

/// The answer the tables owe, for a dialog that has its identifiers alone.
fn expected(question: Question) -> Option<Direction> {
    match question {
        Question::Downstream | Question::CookieDownstream => Some(Direction::Downstream),
        Question::Upstream | Question::CookieUpstream => Some(Direction::Upstream),
        Question::StrangeTag | Question::CookieOfOtherCall => None,
    }
}

impl Checker for Matching {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        let Sight::Dialog { dialog, occurrence, cause: Some(cause) } = sight else { return };
        let drives = match occurrence.kind {
            OccurrenceKind::RequestWithin => cause.is_request(),
            OccurrenceKind::Confirmed => cause.is_request() && cause.method() == Method::Ack,
            OccurrenceKind::Terminated => cause.is_request() && cause.method() == Method::Bye,
            _ => false,
        };
        if !drives {
            return;
        }
        let (sender, receiver) = match occurrence.direction {
            Direction::Downstream => (&dialog.caller.tag, &dialog.callee.tag),
            Direction::Upstream => (&dialog.callee.tag, &dialog.caller.tag),
            Direction::None => return,
        };
        // Before the 2xx nothing is known of the callee, so its tag cannot be compared.
        let same = |known: &[u8], tag: &[u8]| known.is_empty() || known == tag;
        if cause.call_id() != dialog.call_id || !same(sender, cause.from_tag()) || !same(receiver, cause.to_tag()) {
            let request = format!("{} {} {}", text(cause.call_id()), text(cause.from_tag()), text(cause.to_tag()));
            let text = format!("dialog {} takes a request of {request} travelling {:?}", dialog.id, occurrence.direction);
            verdicts.add("D6", at, self.proxy, text);
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let mut owners = BTreeMap::new();
        for dialog in &snapshot.dialogs {
            *owners.entry(dialog.call_id.as_slice()).or_insert(0u32) += 1;
        }
        for probe in &snapshot.probes {
            let Some(dialog) = snapshot.dialogs.iter().find(|dialog| dialog.id == probe.dialog) else { continue };
            // A spiral and a new attempt share identifiers: which of two is found is another rule.
            if owners.get(dialog.call_id.as_slice()).is_some_and(|count| *count > 1) {
                continue;
            }
            let wanted = expected(probe.question).map(|direction| (dialog.id, direction));
            if probe.found != wanted {
                let text = format!("dialog {}: {:?} finds {:?}", dialog.id, probe.question, probe.found);
                verdicts.add("D6", snapshot.at, self.proxy, text);
            }
        }
    }
}
