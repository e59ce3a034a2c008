//! D1 to D5, D11 and D12: states, event routes and numbers of dialogs, one of them a call, nothing set early is lost.

use std::collections::{BTreeMap, BTreeSet};

use dialog::state::{Event, Facts, next};
use dialog::{DialogId, DialogView, Occurrence, OccurrenceKind, State};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Promises, Sight, Snapshot, Verdicts, branch_at, identity, mark, text};

/// A copy of an INVITE within this time cannot make a second dialog, milliseconds (`wt_timer`).
const COPY_WITHIN: u64 = 4_900;
/// The flag workload.cfg sets before `dlg_manage`.
const EARLY_FLAG: u32 = 1 << 3;

/// What is known of one dialog in its present life.
#[derive(Debug)]
struct Story {
    created: u64,
    state: State,
    answers: u32,
    starts: u32,
    ends: u32,
    fails: u32,
    finished: u32,
    terminated: bool,
    /// Tag of the callee whose 2xx won.
    winner: Vec<u8>,
    /// The lifetime the script asked for before the dialog was made, seconds.
    lifetime: Option<u32>,
    /// No liar spoke for its call before it was made.
    is_honest: bool,
}

impl Story {
    fn new(created: u64, is_honest: bool) -> Story {
        Story {
            created,
            state: State::Unconfirmed,
            answers: 0,
            starts: 0,
            ends: 0,
            fails: 0,
            finished: 0,
            terminated: false,
            winner: Vec::new(),
            lifetime: None,
            is_honest,
        }
    }
}

/// How a dialog came to be.
#[derive(Debug)]
struct Birth {
    id: DialogId,
    at: u64,
    /// Of the INVITE.
    branch: Vec<u8>,
}

/// The lives of all dialogs at one proxy.
pub struct Lives {
    proxy: usize,
    promises: Promises,
    stories: BTreeMap<DialogId, Story>,
    /// The last dialog of (Call-ID, From tag).
    created: BTreeMap<(Vec<u8>, Vec<u8>), Birth>,
}

impl Lives {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize, promises: Promises) -> Lives {
        Lives { proxy, promises, stories: BTreeMap::new(), created: BTreeMap::new() }
    }

    fn reported(&mut self, at: u64, dialog: &DialogView, occurrence: Occurrence, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let id = dialog.id;
        if occurrence.kind == OccurrenceKind::Created {
            self.created(at, dialog, cause, verdicts);
        }
        if occurrence.kind == OccurrenceKind::Loaded {
            return self.loaded(at, dialog, verdicts);
        }
        if occurrence.kind == OccurrenceKind::Destroyed {
            if let Some(story) = self.stories.remove(&id).filter(|_| verdicts.is_unforced(self.proxy, id)) {
                self.destroyed(at, dialog, &story, verdicts);
            }
            return;
        }
        if !verdicts.is_unforced(self.proxy, id) {
            return;
        }
        let Some(story) = self.stories.get_mut(&id) else {
            verdicts.add("D5", at, self.proxy, format!("dialog {id} reports {:?} and was never made", occurrence.kind));
            return;
        };
        let mut broken = |invariant, text: String| verdicts.add(invariant, at, self.proxy, format!("dialog {id} {text}"));
        match occurrence.kind {
            OccurrenceKind::Answered => {
                if story.terminated {
                    broken("D2", String::from("was answered after it was terminated"));
                }
                story.answers += 1;
                story.winner = dialog.callee.tag.clone();
                let reply = cause.filter(|cause| !cause.is_request() && cause.call_id() == dialog.call_id);
                if reply.is_some_and(|reply| reply.to_tag() != dialog.callee.tag) && story.is_honest {
                    broken("D11", format!("took the callee {}, another one answered", text(&dialog.callee.tag)));
                }
            }
            OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Failed => {
                story.terminated |= occurrence.kind == OccurrenceKind::Terminated;
                story.finished += 1;
                if story.finished > 1 + story.answers {
                    broken("D3", format!("ended {} times, answered {} times", story.finished, story.answers));
                }
            }
            _ => {}
        }
        self.moved(at, dialog, cause, verdicts);
    }

    /// It was answered in a former life of the proxy, which has ended.
    fn loaded(&mut self, at: u64, dialog: &DialogView, verdicts: &mut Verdicts) {
        let answered = Story {
            state: dialog.state,
            answers: 1,
            starts: 1,
            winner: dialog.callee.tag.clone(),
            ..Story::new(at, verdicts.is_honest(&dialog.call_id))
        };
        if self.stories.insert(dialog.id, answered).is_some() {
            verdicts.add("D5", at, self.proxy, format!("dialog {} was loaded while it exists", dialog.id));
        }
    }

    fn created(&mut self, at: u64, dialog: &DialogView, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let is_honest = verdicts.is_honest(&dialog.call_id);
        if self.stories.insert(dialog.id, Story::new(at, is_honest)).is_some() {
            verdicts.add("D5", at, self.proxy, format!("dialog {} was created while it exists", dialog.id));
        }
        let branch = cause.map(|cause| branch_at(cause, 0)).unwrap_or_default();
        let birth = Birth { id: dialog.id, at, branch: branch.clone() };
        let last = self.created.insert((dialog.call_id.clone(), dialog.caller.tag.clone()), birth);
        // A spiral that comes back when its call was ended meanwhile is a call of its own, and so is what a proxy forwards
        // once more after a crash.
        let is_known_to_live = |story: &Story| story.state != State::Deleted;
        let lives = |last: &Birth| verdicts.is_unforced(self.proxy, last.id) && self.stories.get(&last.id).is_some_and(is_known_to_live);
        let is_copy =
            last.is_some_and(|last| at < last.at + COPY_WITHIN && (last.branch == branch || (lives(&last) && !verdicts.has_crashed)));
        if is_copy && is_honest {
            verdicts.add("D11", at, self.proxy, format!("dialog {} is a second one of call {}", dialog.id, text(&dialog.call_id)));
        }
    }

    /// Compares a state with the last one seen (D1) and with what may cause it (D2), the callee with the one who won (D11).
    fn moved(&mut self, at: u64, dialog: &DialogView, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let Some(story) = self.stories.get_mut(&dialog.id).filter(|_| verdicts.is_unforced(self.proxy, dialog.id)) else { return };
        let (old, new) = (story.state, dialog.state);
        story.state = new;
        let mut broken = |invariant, text: String| verdicts.add(invariant, at, self.proxy, format!("dialog {} {text}", dialog.id));
        if !may_follow(old, new) {
            broken("D1", format!("went from {} to {}", old.number(), new.number()));
        }
        if old == State::Deleted && new != old && story.terminated {
            broken("D2", String::from("lives again after a BYE"));
        }
        let cause = cause.filter(|cause| cause.call_id() == dialog.call_id);
        let by_bye = cause.is_some_and(|cause| cause.is_request() && cause.method() == Method::Bye);
        if old == State::Early && new == State::Deleted && by_bye {
            broken("D2", String::from("was ended by a BYE before its answer"));
        }
        let by_failure = cause.is_some_and(|cause| !cause.is_request() && cause.method() == Method::Invite && cause.status() >= 300);
        if old.is_answered() && new == State::Deleted && by_failure {
            broken("D2", String::from("was ended by a failure reply after its answer"));
        }
        if new.is_answered() && story.is_honest && !story.winner.is_empty() && dialog.callee.tag != story.winner {
            broken("D11", format!("changed its callee from {} to {}", text(&story.winner), text(&dialog.callee.tag)));
        }
        if new.is_setting_up() && story.is_honest && story.lifetime.is_some_and(|wanted| wanted != dialog.lifetime) {
            broken("D12", format!("has lifetime {}, the script wanted {:?}", dialog.lifetime, story.lifetime));
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
        if story.ends != story.answers.min(1) {
            verdicts.add("D3", at, self.proxy, format!("dialog {id} answered {} times ran end {} times", story.answers, story.ends));
        }
        // The early timeout and a request that went nowhere are silent, as in Kamailio.
        let is_silent = at >= story.created + self.promises.early_seconds_max * 1_000 || story.finished == 0;
        if story.answers == 0 && story.fails == 0 && !is_silent {
            verdicts.add("D3", at, self.proxy, format!("dialog {id} failed without its route"));
        }
    }

    fn line(&mut self, at: u64, line: &str, verdicts: &mut Verdicts) {
        let Some(mut words) = mark(line) else { return };
        let (Some(kind), Some(name)) = (words.next(), words.next()) else { return };
        let Some(id) = identity(name).filter(|id| verdicts.is_unforced(self.proxy, *id)) else { return };
        let Some(story) = self.stories.get_mut(&id) else { return };
        let mut broken = |invariant, text: &str| verdicts.add(invariant, at, self.proxy, format!("dialog {name} {text}"));
        let value = words.next();
        match kind {
            "managed" => story.lifetime = story.lifetime.or(value.and_then(|seconds| seconds.parse().ok())),
            "start" => {
                story.starts += 1;
                if story.ends > 0 {
                    broken("D4", "started after its end");
                }
                if value != Some("yes") && story.is_honest {
                    broken("D12", "lost the variable set before it was made");
                }
            }
            "end" => {
                story.ends += 1;
                if story.starts == 0 {
                    broken("D4", "ended without its start");
                }
                if value != Some("yes") && story.is_honest {
                    broken("D12", "lost the variable set before it was made");
                }
            }
            "failed" => story.fails += 1,
            // Before the answer it sets the lifetime to come.
            "timeout" => story.lifetime = None,
            "turn" if value != words.next() => broken("D12", "reads another variable than it wrote"),
            _ => {}
        }
        if story.ends > 1 || story.fails > 1 {
            let text = format!("dialog {name} ran end {} and failed {} times", story.ends, story.fails);
            verdicts.add("D3", at, self.proxy, text);
        }
    }
}

/// May one event lead from `old` to `new` by the table of the dialog room (D1)?
fn may_follow(old: State, new: State) -> bool {
    old == new || Event::ALL.into_iter().any(|event| next(old, event, Facts::default()) == Some(new))
}

impl Checker for Lives {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Line(line) => self.line(at, line, verdicts),
            Sight::Dialog { dialog, occurrence, cause } => self.reported(at, dialog, *occurrence, *cause, verdicts),
            _ => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let mut seen = BTreeSet::new();
        for dialog in &snapshot.dialogs {
            let mut broken =
                |invariant, text: &str| verdicts.add(invariant, snapshot.at, self.proxy, format!("dialog {} {text}", dialog.id));
            if !seen.insert(dialog.id) {
                broken("D5", "exists twice");
            }
            if !self.stories.contains_key(&dialog.id) {
                broken("D5", "was never made");
            }
            if self.promises.marks && dialog.script_flags & EARLY_FLAG == 0 {
                broken("D12", "lost the flag set before it was made");
            }
            self.moved(snapshot.at, dialog, None, verdicts);
        }
    }
}
