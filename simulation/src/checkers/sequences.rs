//! D10: the CSeq known of a party never falls, and forwarded requests of a dialog are all shifted by the same amount.

use std::collections::{BTreeMap, BTreeSet};

use dialog::{DialogId, DialogView, OccurrenceKind};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Sight, Snapshot, Verdicts, branch_at, text};

/// Who sends in which call: Call-ID, From tag, To tag.
type Way = (Vec<u8>, Vec<u8>, Vec<u8>);

/// CSeq numbers at one proxy.
pub struct Sequences {
    proxy: usize,
    /// Numbers of caller and callee as last shown.
    known: BTreeMap<DialogId, (u32, u32)>,
    /// CSeq of each request that came in, by branch and method.
    received: BTreeMap<(Vec<u8>, Vec<u8>), u32>,
    /// How far the requests of one way are shifted.
    shifts: BTreeMap<Way, i64>,
    /// Requests made here since the last forwarded one of that way.
    made: BTreeMap<Way, i64>,
    /// Calls that were shifted in a former life, nobody here knows how far.
    loaded: BTreeSet<Vec<u8>>,
}

impl Sequences {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize) -> Sequences {
        Sequences {
            proxy,
            known: BTreeMap::new(),
            received: BTreeMap::new(),
            shifts: BTreeMap::new(),
            made: BTreeMap::new(),
            loaded: BTreeSet::new(),
        }
    }

    fn look(&mut self, at: u64, dialog: &DialogView, verdicts: &mut Verdicts) {
        let now = (dialog.caller.cseq.unwrap_or(0), dialog.callee.cseq.unwrap_or(0));
        let last = self.known.insert(dialog.id, now).unwrap_or_default();
        if (now.0 < last.0 || now.1 < last.1) && verdicts.is_honest(&dialog.call_id) {
            verdicts.add("D10", at, self.proxy, format!("dialog {} falls from CSeq {last:?} to {now:?}", dialog.id));
        }
    }

    fn sent(&mut self, at: u64, message: &Message, verdicts: &mut Verdicts) {
        if !message.is_request() || message.to_tag().is_empty() || !verdicts.is_honest(message.call_id()) {
            return;
        }
        let Some(cseq) = message.cseq() else { return };
        let way = (message.call_id().to_vec(), message.from_tag().to_vec(), message.to_tag().to_vec());
        let via = branch_at(message, 1);
        if via.is_empty() {
            // The ACK and the CANCEL of an INVITE have one Via too; they make no number of their own.
            if !matches!(message.method(), Method::Ack | Method::Cancel) {
                *self.made.entry(way).or_default() += 1;
            }
            return;
        }
        let Some(came) = self.received.get(&(via, message.method_text().to_vec())) else { return };
        let shift = i64::from(cseq.number) - i64::from(*came);
        let made = self.made.remove(&way).unwrap_or(0);
        let unknown = if self.loaded.contains(&way.0) { shift } else { 0 };
        let last = self.shifts.insert(way, shift).unwrap_or(unknown);
        if shift != last && (shift < last || shift > last + made) {
            let text = format!("{} of {} is shifted by {shift}, before by {last}", message.method().name(), text(message.call_id()));
            verdicts.add("D10", at, self.proxy, text);
        }
    }
}

impl Checker for Sequences {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Received { message, .. } if message.is_request() => {
                if let Some(cseq) = message.cseq() {
                    self.received.insert((branch_at(message, 0), message.method_text().to_vec()), cseq.number);
                }
            }
            Sight::Sent { message, .. } => self.sent(at, message, verdicts),
            Sight::Dialog { dialog, occurrence, .. } if occurrence.kind == OccurrenceKind::Destroyed => {
                self.known.remove(&dialog.id);
            }
            Sight::Dialog { dialog, occurrence, .. } => {
                if occurrence.kind == OccurrenceKind::Loaded {
                    self.loaded.insert(dialog.call_id.clone());
                }
                self.look(at, dialog, verdicts);
            }
            _ => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for dialog in &snapshot.dialogs {
            self.look(snapshot.at, dialog, verdicts);
        }
    }
}
