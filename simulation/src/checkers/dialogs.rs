//! D1 to D5, D7 to D9, D11, D12: states, event routes, numbers, lifetimes, statistics and BYEs of dialogs.

use std::collections::{BTreeMap, BTreeSet};

use dialog::{DialogId, DialogView, Occurrence, OccurrenceKind, State};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Promises, Sight, Snapshot, Verdicts};

/// How late a lifetime may be found over, seconds.
const LATE_MAX: u64 = 4;
/// Longest time an ended record is kept, seconds (`end_timeout` plus the transactions that hold it).
const ENDED_MAX: u64 = 300 + LATE_MAX;
/// A copy of an INVITE within this time cannot make a second dialog, milliseconds (`wt_timer`).
const COPY_WITHIN: u64 = 4_900;

/// Marks and reports of one dialog in its present life.
#[derive(Debug, Default)]
struct Story {
    created: u64,
    answers: u32,
    starts: u32,
    ends: u32,
    fails: u32,
    finished: u32,
    terminated: bool,
    /// No liar spoke for its call before it was made.
    is_honest: bool,
}

/// The family D at one proxy.
pub struct Dialogs {
    proxy: usize,
    promises: Promises,
    states: BTreeMap<DialogId, State>,
    stories: BTreeMap<DialogId, Story>,
    /// (Call-ID, From tag) → when a dialog was created last.
    created: BTreeMap<(Vec<u8>, Vec<u8>), u64>,
    /// Highest CSeq that came with (Call-ID, From tag, To tag): each fork counts for itself.
    sequences: BTreeMap<(Vec<u8>, Vec<u8>, Vec<u8>), u32>,
    /// Branches of BYEs made here, by (Call-ID, From tag).
    byes: BTreeMap<(Vec<u8>, Vec<u8>), BTreeSet<Vec<u8>>>,
    /// Since when a lifetime is over.
    due_since: Option<u64>,
}

impl Dialogs {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize, promises: Promises) -> Dialogs {
        Dialogs {
            proxy,
            promises,
            states: BTreeMap::new(),
            stories: BTreeMap::new(),
            created: BTreeMap::new(),
            sequences: BTreeMap::new(),
            byes: BTreeMap::new(),
            due_since: None,
        }
    }

    fn reported(&mut self, at: u64, dialog: &DialogView, occurrence: Occurrence, verdicts: &mut Verdicts) {
        let id = dialog.id;
        let proxy = self.proxy;
        let is_honest = verdicts.is_honest(&dialog.call_id);
        let mut broken = |invariant, text: String| verdicts.add(invariant, at, proxy, format!("dialog {id} {text}"));
        match occurrence.kind {
            OccurrenceKind::Created => {
                if self.stories.insert(id, Story { created: at, is_honest, ..Story::default() }).is_some() {
                    broken("D5", String::from("was created while it exists"));
                }
                let last = self.created.insert((dialog.call_id.clone(), dialog.caller.tag.clone()), at);
                if last.is_some_and(|last| at < last + COPY_WITHIN) && is_honest {
                    broken("D11", format!("is a second one of call {}", String::from_utf8_lossy(&dialog.call_id)));
                }
            }
            OccurrenceKind::Answered => {
                let story = self.stories.entry(id).or_default();
                if story.terminated {
                    broken("D2", String::from("was answered after it was terminated"));
                }
                story.answers += 1;
            }
            OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Failed => {
                let story = self.stories.entry(id).or_default();
                story.terminated |= occurrence.kind == OccurrenceKind::Terminated;
                story.finished += 1;
                if story.finished > 1 + story.answers {
                    broken("D3", format!("ended {} times, answered {} times", story.finished, story.answers));
                }
            }
            OccurrenceKind::Destroyed => {
                self.states.remove(&id);
                if let Some(story) = self.stories.remove(&id) {
                    self.destroyed(at, dialog, &story, verdicts);
                }
            }
            _ => {}
        }
    }

    /// The whole life is known: each answer ran `start` once, each end ran `end` or `failed` once.
    fn destroyed(&self, at: u64, dialog: &DialogView, story: &Story, verdicts: &mut Verdicts) {
        if !self.promises.marks {
            return;
        }
        let id = dialog.id;
        if story.starts != story.answers {
            verdicts.add("D4", at, self.proxy, format!("dialog {id} answered {} times ran start {} times", story.answers, story.starts));
        }
        let expected_ends = story.answers.min(1);
        if story.ends != expected_ends {
            verdicts.add("D3", at, self.proxy, format!("dialog {id} answered {} times ran end {} times", story.answers, story.ends));
        }
        if story.fails > 1 {
            verdicts.add("D3", at, self.proxy, format!("dialog {id} ran failed {} times", story.fails));
        }
        // The early timeout and a request that went nowhere are silent, as in Kamailio.
        let is_silent = at >= story.created + self.promises.early_seconds_max * 1_000 || story.finished == 0;
        if story.answers == 0 && story.fails == 0 && !is_silent {
            verdicts.add("D3", at, self.proxy, format!("dialog {id} failed without its route"));
        }
    }

    fn line(&mut self, at: u64, line: &str, verdicts: &mut Verdicts) {
        let Some(mark) = line.split("MARK ").nth(1) else { return };
        let mut words = mark.split_whitespace();
        let (Some(kind), Some(name)) = (words.next(), words.next()) else { return };
        let Some(id) = identity(name) else { return };
        let proxy = self.proxy;
        let story = self.stories.entry(id).or_default();
        match kind {
            "start" => {
                story.starts += 1;
                if story.ends > 0 {
                    verdicts.add("D4", at, proxy, format!("dialog {id} started after its end"));
                }
                if words.next() != Some("yes") && story.is_honest {
                    verdicts.add("D12", at, proxy, format!("dialog {id} lost the variable set before it was made"));
                }
            }
            "end" => story.ends += 1,
            "failed" => story.fails += 1,
            _ => {}
        }
        if story.ends > 1 || story.fails > 1 {
            verdicts.add("D3", at, proxy, format!("dialog {id} ran end {} and failed {} times", story.ends, story.fails));
        }
    }

    fn received(&mut self, message: &Message) {
        if !message.is_request() {
            return;
        }
        let Some(cseq) = message.cseq() else { return };
        let highest =
            self.sequences.entry((message.call_id().to_vec(), message.from_tag().to_vec(), message.to_tag().to_vec())).or_default();
        *highest = (*highest).max(cseq.number);
    }

    /// A BYE with one Via was made here (D8).
    fn sent(&mut self, at: u64, message: &Message, verdicts: &mut Verdicts) {
        if !message.is_request() || message.method() != Method::Bye || message.vias().count() != 1 {
            return;
        }
        if !verdicts.is_honest(message.call_id()) {
            return;
        }
        let key = (message.call_id().to_vec(), message.from_tag().to_vec());
        let call = String::from_utf8_lossy(message.call_id()).into_owned();
        let branches = self.byes.entry(key.clone()).or_default();
        if !branches.insert(message.top_via().map(|via| via.branch.to_vec()).unwrap_or_default()) {
            return;
        }
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let of = |to_tag: &[u8]| self.sequences.get(&(key.0.clone(), key.1.clone(), to_tag.to_vec())).copied().unwrap_or(0);
        let highest = of(message.to_tag()).max(of(b""));
        if number <= highest {
            verdicts.add("D8", at, self.proxy, format!("BYE of {call} has CSeq {number}, {highest} was seen"));
        }
        if message.from_tag().is_empty() || message.to_tag().is_empty() {
            verdicts.add("D8", at, self.proxy, format!("BYE of {call} lacks a tag"));
        }
        if branches.len() > 1 {
            verdicts.add("D8", at, self.proxy, format!("{} BYEs to one side of {call}", branches.len()));
        }
    }

    fn lifetime(&self, at: u64, dialog: &DialogView, verdicts: &mut Verdicts) {
        // Times of dialogs are unix seconds; init_time is in the same scale as the snapshot's second.
        let seconds = crate::proxy_node::now_at(at).date.seconds();
        let since = |moment: u32| seconds.saturating_sub(u64::from(moment));
        let (age, bound) = match dialog.state {
            State::Unconfirmed | State::Early => (since(dialog.init_time), self.promises.early_seconds_max + LATE_MAX),
            // An expired call waits for the answers to its BYEs.
            State::ConfirmedNoAck | State::Confirmed => (since(dialog.start_time), self.promises.call_seconds_max + 60 + LATE_MAX),
            State::Deleted => (since(dialog.end_time), ENDED_MAX),
        };
        if age > bound {
            verdicts.add("D7", at, self.proxy, format!("dialog {} is in state {} since {age} s", dialog.id, dialog.state.number()));
        }
    }
}

/// `entry:id`
fn identity(name: &str) -> Option<DialogId> {
    let (entry, id) = name.split_once(':')?;
    Some(DialogId { entry: entry.parse().ok()?, id: id.parse().ok()? })
}

/// May a dialog be seen in `new` some events after `old` (D1)? Several steps may lie between two looks.
fn may_follow(old: State, new: State) -> bool {
    old == new
        || new.number() > old.number()
        || (old == State::Deleted && new == State::ConfirmedNoAck)
        || (old == State::Deleted && new == State::Confirmed)
}

impl Checker for Dialogs {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Received { message, .. } => self.received(message),
            Sight::Sent { message, .. } => self.sent(at, message, verdicts),
            Sight::Line(line) => self.line(at, line, verdicts),
            Sight::Dialog { dialog, occurrence } => self.reported(at, dialog, *occurrence, verdicts),
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let (at, proxy) = (snapshot.at, self.proxy);
        let mut seen = BTreeSet::new();
        let mut recount = [0u64; 6];
        for dialog in &snapshot.dialogs {
            if !seen.insert(dialog.id) {
                verdicts.add("D5", at, proxy, format!("two dialogs have the number {}", dialog.id));
            }
            if let Some(count) = recount.get_mut(dialog.state.number() as usize) {
                *count += 1;
            }
            let old = self.states.insert(dialog.id, dialog.state).unwrap_or(State::Unconfirmed);
            if !may_follow(old, dialog.state) {
                verdicts.add("D1", at, proxy, format!("dialog {} went from {} to {}", dialog.id, old.number(), dialog.state.number()));
            }
            if self.promises.marks && dialog.script_flags & (1 << 3) == 0 {
                verdicts.add("D12", at, proxy, format!("dialog {} lost the flag set before it was made", dialog.id));
            }
            self.lifetime(at, dialog, verdicts);
        }
        let states = &snapshot.states;
        let walked = [0, states.unconfirmed, states.early, states.confirmed_no_ack, states.confirmed, states.deleted];
        if recount != walked || snapshot.records != snapshot.dialogs.len() as u64 {
            verdicts.add("D9", at, proxy, format!("listing {recount:?}, walk {walked:?}, records {}", snapshot.records));
        }
        let counts = &snapshot.counts;
        if (counts.unconfirmed, counts.early, counts.active)
            != (states.unconfirmed, states.early, states.confirmed_no_ack + states.confirmed)
        {
            let text = format!("statistics {}/{}/{}, recount {walked:?}", counts.unconfirmed, counts.early, counts.active);
            verdicts.add("D9", at, proxy, text);
        }
        let ended = counts.failed + counts.ended + counts.abandoned;
        if counts.processed + counts.loaded != counts.unconfirmed + counts.early + counts.active + ended {
            verdicts.add("D9", at, proxy, format!("the sum does not hold: {counts:?}"));
        }
        let is_live = snapshot.dialogs.iter().any(|dialog| dialog.state != State::Deleted);
        if is_live && snapshot.dialog_deadline.is_none() {
            verdicts.add("D7", at, proxy, String::from("dialogs live and no lifetime is armed"));
        }
        let is_due = snapshot.dialog_deadline.is_some_and(|deadline| deadline <= at);
        self.due_since = is_due.then(|| self.due_since.unwrap_or(at));
        if self.due_since.is_some_and(|since| since + LATE_MAX * 1_000 < at) {
            verdicts.add("D7", at, proxy, String::from("a lifetime is over and nothing happens"));
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for dialog in &snapshot.dialogs {
            let text = format!(
                "dialog {} of {} is left in state {} with {} references",
                dialog.id,
                String::from_utf8_lossy(&dialog.call_id),
                dialog.state.number(),
                dialog.references
            );
            verdicts.add("D7", snapshot.at, self.proxy, text);
        }
    }
}
