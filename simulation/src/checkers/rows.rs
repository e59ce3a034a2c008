//! K1 to K4, P3 and D5 across restarts: what was announced is committed, and rows and dialogs are the same thing twice.
//!
//! The one checker that outlives a crash of its proxy: it compares the tables with what the world saw before.

mod version;

use std::collections::{BTreeMap, BTreeSet};

use dialog::{DialogId, DialogView, State, Storing};
use storage::held::Leave;
use storage::limits::{REMOVALS_PERIOD, RETRY_PAUSE_MAX};

use super::{Verdicts, text};
use crate::database::Tables;
use version::Version;

/// Ended dialogs are remembered for so long, milliseconds.
const REMEMBERED: u64 = 120_000;
/// After trouble a database has so long until what waits is written and messages wait again, milliseconds.
const RECOVERY: u64 = 5_000;

/// What must be committed when a message leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    needs: Vec<(DialogId, Need)>,
    /// When it was made.
    at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// This version of the dialog or a later one.
    Version(usize),
    /// No row is left.
    Nothing,
}

/// What is known of one dialog in the present life of the proxy.
#[derive(Debug, Default)]
struct Known {
    call_id: Vec<u8>,
    versions: Vec<Version>,
    /// When the last version came to be.
    since: u64,
    /// When it was over.
    over: Option<u64>,
    /// The last version a message announced after its commit.
    announced: Option<usize>,
    /// A message announced that it is over.
    is_end_announced: bool,
}

/// The rows of one proxy.
#[derive(Debug)]
pub struct Rows {
    proxy: usize,
    storing: Storing,
    /// Longest time between a change and its row while all is well, milliseconds.
    pace: u64,
    known: BTreeMap<DialogId, Known>,
    /// Dialogs the database did not take as they are: nothing is promised of them.
    refused: BTreeSet<DialogId>,
    /// Rows that are to be loaded.
    expected: BTreeMap<DialogId, Version>,
    /// Of former lives: over for good, and announced.
    gone: BTreeSet<DialogId>,
    /// Messages that left with everything committed.
    pub kept: u64,
    /// Messages that left before.
    pub unkept: u64,
    pub loaded: u64,
}

impl Rows {
    /// `pace`: how long a write may take on a good day, milliseconds.
    pub fn new(proxy: usize, storing: Storing, pace: u64) -> Rows {
        Rows {
            proxy,
            storing,
            pace,
            known: BTreeMap::new(),
            refused: BTreeSet::new(),
            expected: BTreeMap::new(),
            gone: BTreeSet::new(),
            kept: 0,
            unkept: 0,
            loaded: 0,
        }
    }

    /// The dialogs after a step. `date`: the proxy's, seconds.
    pub fn observe(&mut self, at: u64, date: u64, dialogs: &[DialogView]) {
        let mut live = BTreeSet::new();
        for dialog in dialogs.iter().filter(|dialog| dialog.state.is_answered()) {
            live.insert(dialog.id);
            let known = self.known.entry(dialog.id).or_default();
            let version = Version::of(dialog, date);
            known.over = None;
            if !known.versions.last().is_some_and(|last| last.equals(&version)) {
                known.call_id.clone_from(&dialog.call_id);
                known.versions.push(version);
                known.since = at;
            }
        }
        for (id, known) in &mut self.known {
            if !live.contains(id) {
                known.over.get_or_insert(at);
            }
        }
        self.known.retain(|_, known| known.over.is_none_or(|over| at < over + REMEMBERED));
    }

    /// A number is given: no row may have it (D5).
    pub fn created(&mut self, at: u64, id: DialogId, tables: &Tables, verdicts: &mut Verdicts) {
        // Its former owner is over, and no row of it is left.
        self.gone.remove(&id);
        let is_free = tables.rows_of(id).is_empty();
        if !is_free && self.storing != Storing::Never {
            verdicts.add("D5", at, self.proxy, format!("dialog {id} gets the number of a stored one"));
        }
    }

    /// What has to be committed before messages of these calls leave.
    pub fn promise(&self, at: u64, call_ids: &[Vec<u8>]) -> Promise {
        let of_calls = self.known.iter().filter(|(id, known)| call_ids.contains(&known.call_id) && !self.refused.contains(id));
        let need = |known: &Known| if known.over.is_some() { Need::Nothing } else { Need::Version(known.versions.len().saturating_sub(1)) };
        Promise { needs: of_calls.map(|(id, known)| (*id, need(known))).collect(), at }
    }

    /// Messages with this promise leave. `is_troubled`: the database failed or was slow a while ago.
    pub fn left(&mut self, at: u64, promise: &Promise, leave: Leave, tables: &Tables, is_troubled: bool, verdicts: &mut Verdicts) {
        if promise.needs.is_empty() {
            return;
        }
        if leave == Leave::Unsaved {
            self.unkept += 1;
            if !is_troubled {
                let text = format!("a message noted at {} leaves unsaved and the database is well", promise.at);
                verdicts.add("K1", at, self.proxy, text);
            }
            return;
        }
        self.kept += 1;
        for (id, need) in &promise.needs {
            let Some(known) = self.known.get_mut(id).filter(|_| !self.refused.contains(id)) else { continue };
            let broken = match need {
                Need::Nothing if known.over.is_none() => None,
                Need::Nothing => {
                    known.is_end_announced = true;
                    (!tables.rows_of(*id).is_empty()).then(|| String::from("it is over and its row is there"))
                }
                // Over meanwhile, and its row with it.
                Need::Version(_) if known.over.is_some() => None,
                Need::Version(version) => {
                    known.announced = known.announced.max(Some(*version));
                    known.lacks(*id, *version, tables)
                }
            };
            if let Some(broken) = broken {
                let text = format!("a message of dialog {id} ({}) leaves: {broken}", text(&known.call_id));
                verdicts.add("K1", at, self.proxy, text);
            }
        }
    }

    /// The database refuses something of these dialogs.
    pub fn refused_all(&mut self, ids: Vec<DialogId>) {
        self.refused.extend(ids);
    }

    /// Everything noted is written and nothing is being loaded: both are the same (K4).
    pub fn compare(&self, at: u64, date: u64, dialogs: &[DialogView], tables: &Tables, verdicts: &mut Verdicts) {
        let mut seen = BTreeSet::new();
        for dialog in dialogs.iter().filter(|dialog| dialog.state.is_answered() && !self.refused.contains(&dialog.id)) {
            seen.insert(dialog.id);
            if let Some(difference) = Version::of(dialog, date).difference(dialog.id, tables) {
                verdicts.add("K4", at, self.proxy, format!("all is written and dialog {} differs: {difference}", dialog.id));
            }
        }
        for id in tables.ids().filter(|id| !seen.contains(id) && !self.refused.contains(id)) {
            verdicts.add("K4", at, self.proxy, format!("all is written and a row of {id} is there, which is no dialog"));
        }
    }

    /// The database has been well for long enough that every change of some time ago is in the tables (K2).
    pub fn fresh(&self, at: u64, tables: &Tables, verdicts: &mut Verdicts) {
        let removal_pace = if self.storing == Storing::Delayed { REMOVALS_PERIOD + RECOVERY + self.pace } else { self.pace };
        for (id, known) in self.known.iter().filter(|(id, _)| !self.refused.contains(id)) {
            let late = match (known.over, known.versions.last()) {
                (Some(over), _) if over + removal_pace < at => (!tables.rows_of(*id).is_empty()).then(|| String::from("its row is there")),
                (None, Some(last)) if known.since + self.pace < at => last.difference(*id, tables),
                _ => None,
            };
            if let Some(late) = late {
                let since = known.over.unwrap_or(known.since);
                verdicts.add("K2", at, self.proxy, format!("dialog {id} changed at {since} and the tables lag: {late}"));
            }
        }
    }

    /// No row is written while the proxy runs (`db_mode` 0, and 3 once its rows are loaded).
    pub fn untouched(&self, at: u64, tables: &Tables, verdicts: &mut Verdicts) {
        if !tables.is_empty() {
            verdicts.add("K2", at, self.proxy, format!("{} rows are there in {:?}", tables.len(), self.storing));
        }
    }

    /// The process is gone, its last words to the database are applied or lost. `is_saved`: it was stopped, and all is saved.
    pub fn ended(&mut self, at: u64, tables: &Tables, is_saved: bool, verdicts: &mut Verdicts) {
        for (id, known) in self.known.iter().filter(|(id, _)| !self.refused.contains(id)) {
            let broken = match (known.over, known.announced, known.versions.last()) {
                (None, _, Some(last)) if is_saved => last.difference(*id, tables),
                (None, Some(version), _) => known.lacks(*id, version, tables),
                (Some(_), ..) if is_saved || known.is_end_announced => {
                    (!tables.rows_of(*id).is_empty()).then(|| String::from("it is over and its row is there"))
                }
                _ => None,
            };
            if let Some(broken) = broken {
                let text = format!("the proxy ends and what was announced of dialog {id} ({}) is lost: {broken}", text(&known.call_id));
                verdicts.add("K3", at, self.proxy, text);
            }
            if known.over.is_some() && known.is_end_announced {
                self.gone.insert(*id);
            }
        }
        self.known.clear();
        self.expected.clear();
    }

    /// A process begins with these rows.
    pub fn began(&mut self, tables: &Tables) {
        self.expected = tables.rows().filter_map(|row| Version::of_row(row, tables)).collect();
    }

    /// A dialog was taken from its row (K3, P3).
    pub fn loaded(&mut self, at: u64, dialog: &DialogView, date: u64, verdicts: &mut Verdicts) {
        self.loaded += 1;
        let id = dialog.id;
        if self.refused.contains(&id) {
            self.expected.remove(&id);
            return;
        }
        let mut broken = |invariant, text: String| verdicts.add(invariant, at, self.proxy, format!("dialog {id} is loaded {text}"));
        if self.gone.contains(&id) {
            broken("K3", String::from("and its end was announced in a former life"));
        }
        let Some(row) = self.expected.remove(&id) else {
            broken("K3", String::from("twice, or had no row"));
            return;
        };
        let own = Version::of(dialog, date);
        if row.memberships() != own.memberships() {
            broken("P3", format!("with the profiles {:?}, stored were {:?}", own.memberships(), row.memberships()));
        } else if let Some(difference) = row.difference_when_loaded(&own, date) {
            broken("K3", format!("otherwise than it was stored: {difference}"));
        }
        if dialog.state == State::Deleted {
            broken("K3", String::from("although it is over"));
        }
    }

    /// Every row was taken (K3).
    pub fn loading_done(&self, at: u64, verdicts: &mut Verdicts) {
        for id in self.expected.keys() {
            verdicts.add("K3", at, self.proxy, format!("all rows are loaded, and the dialog {id} is not there"));
        }
    }

    /// Has the proxy a stored dialog of this call that is not loaded?
    pub fn is_waited_for(&self, call_id: &[u8], from_tag: &[u8], to_tag: &[u8]) -> bool {
        self.expected.values().any(|version| version.is_of(call_id, from_tag, to_tag))
    }

    /// Calls of a slot that are not loaded.
    pub fn calls_of_slot(&self, entry: u32) -> Vec<Vec<u8>> {
        let of_slot = self.expected.iter().filter(|(id, _)| id.entry == entry);
        of_slot.filter_map(|(_, version)| version.call_id()).collect()
    }

    /// Rows of this slot are to be there now.
    pub fn slot_loaded(&self, at: u64, entry: u32, verdicts: &mut Verdicts) {
        for id in self.expected.keys().filter(|id| id.entry == entry) {
            verdicts.add("K3", at, self.proxy, format!("slot {entry} was waited for, and the dialog {id} is not there"));
        }
    }

    /// Since when the database has to be without trouble for [`Rows::fresh`].
    pub fn recovery(&self) -> u64 {
        2 * self.pace + RETRY_PAUSE_MAX + RECOVERY
    }
}

impl Known {
    /// Why the row is not of this version or a later one.
    fn lacks(&self, id: DialogId, version: usize, tables: &Tables) -> Option<String> {
        let newer = self.versions.get(version..).unwrap_or_default();
        let differences: Vec<Option<String>> = newer.iter().map(|own| own.difference(id, tables)).collect();
        if differences.iter().any(Option::is_none) { None } else { differences.into_iter().next().flatten() }
    }
}

#[cfg(test)]
mod tests;
