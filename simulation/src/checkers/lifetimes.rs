//! D7: every live dialog has one armed lifetime, it never moves nearer by itself, and none fires for a dead one.

use std::collections::{BTreeMap, BTreeSet};

use dialog::{DialogId, DialogView, Moment, Occurrence, OccurrenceKind, State};
use sip::message::Message;
use sip::method::Method;

use super::{Checker, Promises, Sight, Snapshot, Verdicts, identity, mark, text};

/// How late a lifetime may be found over, seconds.
const LATE_MAX: u64 = 4;
/// Longest time an ended record is kept, seconds (`end_timeout` plus the transactions that hold it).
const ENDED_MAX: u64 = 300 + LATE_MAX;
/// Longest wait for the answers to the BYEs of an expired call, seconds.
const BYES_MAX: u64 = 60;
/// What a call gets whose callee answers after the caller's BYE, seconds (`race_condition_timeout`).
const RACE: u64 = 5;

/// What is known of the lifetime of one dialog. Moments are virtual seconds, which clock jumps do not move.
#[derive(Clone, Copy, Debug)]
struct Clock {
    state: State,
    /// Since when it is being set up, answered or over.
    since: u64,
    deadline: u64,
    lifetime: u32,
    /// When it ended or its BYEs went out.
    finished: Option<u64>,
    /// The script or a shorter timeout changed the deadline since the last look.
    is_reset: bool,
    /// When a call has to be over that was hung up before its answer.
    race_until: Option<u64>,
}

/// The lifetimes at one proxy.
pub struct Lifetimes {
    proxy: usize,
    promises: Promises,
    clocks: BTreeMap<DialogId, Clock>,
    /// Callees, by their tags, to whom the caller said BYE while they rang.
    hung_up: BTreeSet<(DialogId, Vec<u8>)>,
    /// A deadline in the past, and when it was first seen there.
    due: Option<(u64, u64)>,
}

impl Lifetimes {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize, promises: Promises) -> Lifetimes {
        Lifetimes { proxy, promises, clocks: BTreeMap::new(), hung_up: BTreeSet::new(), due: None }
    }

    fn clock(&mut self, at: u64, dialog: &DialogView) -> &mut Clock {
        let fresh = Clock {
            state: dialog.state,
            since: at / 1_000,
            deadline: 0,
            lifetime: dialog.lifetime,
            finished: None,
            is_reset: false,
            race_until: None,
        };
        let clock = self.clocks.entry(dialog.id).or_insert(fresh);
        let is_other_phase = clock.state.is_setting_up() != dialog.state.is_setting_up()
            || (clock.state == State::Deleted) != (dialog.state == State::Deleted);
        if is_other_phase {
            clock.since = at / 1_000;
        }
        if clock.state != dialog.state {
            clock.is_reset = true;
        }
        clock.state = dialog.state;
        clock
    }

    fn reported(&mut self, at: u64, dialog: &DialogView, occurrence: Occurrence, cause: Option<&Message>, verdicts: &mut Verdicts) {
        let proxy = self.proxy;
        let is_hung_up = self.hung_up.contains(&(dialog.id, dialog.callee.tag.clone()));
        let was = self.clocks.get(&dialog.id).map(|clock| clock.state);
        match occurrence.kind {
            OccurrenceKind::Destroyed => {
                self.clocks.remove(&dialog.id);
                return;
            }
            OccurrenceKind::Expired if was == Some(State::Deleted) && verdicts.is_unforced(proxy, dialog.id) => {
                verdicts.add("D7", at, proxy, format!("dialog {} is over and its lifetime fires", dialog.id));
            }
            _ => {}
        }
        let bye = cause.filter(|cause| cause.is_request() && cause.method() == Method::Bye && cause.from_tag() == dialog.caller.tag);
        if let Some(bye) = bye.filter(|_| occurrence.kind == OccurrenceKind::RequestWithin && dialog.state == State::Early) {
            self.hung_up.insert((dialog.id, bye.to_tag().to_vec()));
        }
        let clock = self.clock(at, dialog);
        let soon = at / 1_000 + RACE + LATE_MAX;
        match occurrence.kind {
            OccurrenceKind::Answered => {
                clock.finished = None;
                clock.race_until = is_hung_up.then_some(soon);
            }
            // Each request within the call gives it its lifetime once more.
            OccurrenceKind::RequestWithin | OccurrenceKind::Confirmed => clock.race_until = clock.race_until.map(|_| soon),
            OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Failed => clock.finished = Some(at / 1_000),
            _ => {}
        }
    }

    /// One dialog against the bounds of its phase and against its former deadline.
    fn look(&mut self, snapshot: &Snapshot, dialog: &DialogView, verdicts: &mut Verdicts) {
        let (at, proxy, promises) = (snapshot.at, self.proxy, self.promises);
        let seconds = at / 1_000;
        let clock = self.clock(at, dialog);
        if !verdicts.is_unforced(proxy, dialog.id) {
            return;
        }
        let age = seconds.saturating_sub(clock.since);
        let (age, bound) = match (dialog.state, clock.finished) {
            (State::Unconfirmed | State::Early, _) => (age, promises.early_seconds_max + LATE_MAX),
            (State::Deleted, _) => (age, ENDED_MAX),
            (_, Some(finished)) => (seconds.saturating_sub(finished), BYES_MAX + LATE_MAX),
            (_, None) if dialog.timeout == 0 => (age, LATE_MAX),
            (_, None) => (0, 0),
        };
        if age > bound {
            let state = dialog.state.number();
            let text = format!("dialog {} is in state {state} since {age} s, its lifetime ends at {}", dialog.id, dialog.timeout);
            verdicts.add("D7", at, proxy, text);
        }
        if clock.race_until.is_some_and(|until| seconds > until) && dialog.state.is_answered() && clock.finished.is_none() {
            verdicts.add("D7", at, proxy, format!("dialog {} was hung up before its answer and goes on", dialog.id));
        }
        if !dialog.state.is_answered() || dialog.timeout == 0 {
            return;
        }
        // The shown moment moves with the date; what is left of it does not.
        let left = u64::from(dialog.timeout).saturating_sub(snapshot.date);
        let deadline = seconds + left;
        if left == 0 && clock.deadline != 0 && seconds > clock.deadline + LATE_MAX {
            verdicts.add("D7", at, proxy, format!("dialog {} outlives its lifetime by {} s", dialog.id, seconds - clock.deadline));
        }
        // Where the script tells what it sets, only a missing ACK may shorten a lifetime by itself (`noack_timeout`).
        let is_told = promises.marks && dialog.state == State::Confirmed;
        let is_same = (is_told || clock.lifetime == dialog.lifetime) && !clock.is_reset && !has_failed_probe(snapshot, dialog.id);
        if is_same && left > 0 && deadline + 2 < clock.deadline {
            let text = format!("dialog {} was to end at {} s, now at {deadline} s", dialog.id, clock.deadline);
            verdicts.add("D7", at, proxy, text);
        }
        if left > 0 && deadline > seconds + u64::from(dialog.lifetime).max(promises.call_seconds_max) + LATE_MAX {
            verdicts.add("D7", at, proxy, format!("dialog {} has {left} s left of {} s", dialog.id, dialog.lifetime));
        }
        if left > 0 || clock.deadline == 0 {
            clock.deadline = deadline;
        }
        clock.lifetime = dialog.lifetime;
        clock.is_reset = false;
    }
}

/// A party gave no sign of life: that alone may bring the end nearer.
fn has_failed_probe(snapshot: &Snapshot, dialog: DialogId) -> bool {
    let mut calls = snapshot.explanations.iter().filter(|call| call.dialog.id == dialog);
    calls.any(|call| call.history.iter().any(|past| matches!(past.moment, Moment::KeepaliveFailed { .. })))
}

impl Checker for Lifetimes {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        match sight {
            Sight::Dialog { dialog, occurrence, cause } => self.reported(at, dialog, *occurrence, *cause, verdicts),
            Sight::Line(line) => {
                let Some(mut words) = mark(line) else { return };
                if words.next() == Some("timeout")
                    && let Some(clock) = words.next().and_then(identity).and_then(|id| self.clocks.get_mut(&id))
                {
                    clock.is_reset = true;
                    clock.race_until = None;
                }
            }
            _ => {}
        }
    }

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for dialog in &snapshot.dialogs {
            self.look(snapshot, dialog, verdicts);
        }
        let is_live = snapshot.dialogs.iter().any(|dialog| dialog.state != State::Deleted);
        if is_live && snapshot.dialog_deadline.is_none() {
            verdicts.add("D7", snapshot.at, self.proxy, String::from("dialogs live and no lifetime is armed"));
        }
        // A deadline may be told too early; one that stays in the past is never served.
        let due = snapshot.dialog_deadline.filter(|deadline| *deadline <= snapshot.at);
        self.due = due.map(|deadline| self.due.filter(|(known, _)| *known == deadline).unwrap_or((deadline, snapshot.at)));
        if self.due.is_some_and(|(_, since)| since + LATE_MAX * 1_000 < snapshot.at) {
            verdicts.add("D7", snapshot.at, self.proxy, String::from("a lifetime is over and nothing happens"));
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for dialog in &snapshot.dialogs {
            let (call, state, references) = (text(&dialog.call_id), dialog.state.number(), dialog.references);
            let text = format!("dialog {} of {call} is left in state {state} with {references} references", dialog.id);
            verdicts.add("D7", snapshot.at, self.proxy, text);
        }
    }
}
