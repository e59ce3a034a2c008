//! What the server has around the pure parts of storage, for one simulated proxy: keeper, gate, and the loading of rows.

use std::collections::VecDeque;

use dialog::{DialogId, Engine, Storing};
use modules::outbox::Outbox;
use proxy::Proxy;
use sip::time::{Now, Time};
use storage::batch::Batch;
use storage::dialogs::Surroundings;
use storage::held::{Held, Size};
use storage::intake::Intake;
use storage::keeper::{Event, Health, Keeper};
use storage::limits::BATCH_OPERATIONS_MAX;
use storage::{DialogRow, Operation, VariableTable};

use crate::checkers::Promise;
use crate::database::{Database, id_of};
use crate::storage_plan::{Mutant, StoragePlan};

/// How late a row goes under [`Mutant::RemovalsAreLate`], milliseconds.
const LATE: u64 = 5_000;

/// Messages of one step that wait for a commit.
#[derive(Debug)]
pub struct Lot {
    /// Nothing but what is sent.
    pub outbox: Outbox,
    /// What has to be committed when they leave.
    pub promise: Promise,
}

/// A request for the dialogs of a slot.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// When, milliseconds.
    pub at: u64,
    pub worker: usize,
    pub ticket: u64,
    pub entry: u32,
}

/// How far the loading of both tables is.
#[derive(Debug, Default)]
pub struct Loading {
    pub variables: VariableTable,
    /// Rows that were read and are not in the engine yet.
    pub rows: Vec<DialogRow>,
    /// Slots that are asked for; the first one is being read.
    pub asked: VecDeque<Asked>,
    pub is_active: bool,
}

/// What a process has; a crash takes it.
pub struct Room {
    pub keeper: Keeper,
    /// Of `db_mode` 1.
    pub gate: Option<Held<Lot>>,
    pub loading: Loading,
    /// The moments for which somebody comes by.
    pub wake_at: Option<u64>,
    pub release_at: Option<u64>,
    pub is_stopping: bool,
    /// The attempt that went out last.
    pub attempt: u64,
    /// The last commit was so slow that the gate stays open.
    pub is_sluggish: bool,
    hold_time: u64,
    late: VecDeque<(u64, Operation)>,
    last: Vec<Operation>,
}

/// A proxy's database, and the process that uses it.
pub struct Storage {
    pub plan: StoragePlan,
    pub database: Database,
    pub room: Option<Room>,
}

impl Storage {
    /// The database of a world that begins.
    pub fn new(plan: &StoragePlan) -> Storage {
        let database = Database::new(plan.habits.clone(), plan.call_timeout, plan.seed, plan.failing_call);
        Storage { plan: plan.clone(), database, room: None }
    }

    /// Before the first message of a process: numbers in use. False: the database does not answer, and the start fails.
    pub fn prepare(&mut self, now: Now, engine: &Engine) -> bool {
        let Some(schedule) = self.plan.schedule() else { return true };
        if self.database.fate(now.time.0).outcome.is_err() {
            return false;
        }
        if self.plan.mutant != Some(Mutant::NumbersAreForgotten) {
            self.database.tables().rows().filter_map(id_of).for_each(|id| engine.raise_number(id));
        }
        engine.begin_loading();
        if self.plan.mutant == Some(Mutant::NobodyWaitsForLoading) {
            (0..engine.settings().hash_size).for_each(|entry| engine.mark_slot_loaded(entry));
        }
        let gate = (self.plan.storing == Storing::Realtime).then(|| Held::new(self.plan.hold_time));
        self.room = Some(Room {
            keeper: Keeper::new(now, schedule),
            gate,
            loading: Loading { is_active: true, ..Loading::default() },
            wake_at: None,
            release_at: None,
            is_stopping: false,
            attempt: 0,
            is_sluggish: false,
            hold_time: self.plan.hold_time,
            late: VecDeque::new(),
            last: Vec::new(),
        });
        true
    }

    /// What a process killed now leaves behind.
    pub fn killed(&mut self) {
        self.room = None;
        self.database.client_killed();
    }

    /// A pause between two rows.
    pub fn load_pause(&mut self) -> u64 {
        let most = self.plan.load_pause;
        1 + self.database.random().below(most)
    }

    /// All rows, in some order.
    pub fn shuffled_rows(&mut self) -> Vec<DialogRow> {
        let mut rows: Vec<DialogRow> = self.database.tables().rows().cloned().collect();
        for place in (1..rows.len()).rev() {
            let other = self.database.random().below(place as u64 + 1) as usize;
            rows.swap(place, other);
        }
        rows
    }

    /// The variables of a slot, or all.
    pub fn variables(&self, entry: Option<u32>, slots: u32) -> VariableTable {
        let mut table = VariableTable::default();
        if self.plan.mutant != Some(Mutant::VariablesAreForgotten) {
            let is_wanted = |row: &storage::VariableRow| entry.is_none_or(|entry| row.entry.number() == Some(entry));
            for row in self.database.tables().variable_rows().filter(is_wanted) {
                // What cannot be used is counted in the table.
                let _ = table.add(&row);
            }
        }
        table.sort(slots);
        table
    }

    /// Takes a row into the engine.
    pub fn take_row(&self, proxy: &Proxy, now: Now, row: &DialogRow, variables: &mut VariableTable) {
        if self.plan.mutant == Some(Mutant::RowsAreSkipped) && id_of(row).is_some_and(|id| id.id.is_multiple_of(3)) {
            return;
        }
        Intake::default().take(&proxy.node.dialogs, now, row, variables, &Here(proxy), &mut |_| {});
    }
}

/// What the configuration says about things that rows name.
struct Here<'a>(&'a Proxy);

impl Surroundings for Here<'_> {
    fn timeout_route(&self, name: &[u8]) -> Option<i32> {
        modules::dialog::timeout_route_number(&self.0.node.program, name)
    }

    fn is_own_socket(&self, text: &[u8]) -> bool {
        self.0.node.sockets.list.iter().any(|socket| socket.text.eq_ignore_ascii_case(text))
    }
}

impl Room {
    /// The number of the last change noted, if what is sent now has to wait for it.
    pub fn must_hold(&self, engine: &Engine) -> Option<u64> {
        let noted = engine.changes_noted();
        self.gate.as_ref().filter(|gate| gate.must_wait(noted)).map(|_| noted)
    }

    /// Is everything noted so far committed?
    pub fn is_all_committed(&self, engine: &Engine) -> bool {
        engine.changes_noted() <= self.keeper.committed()
    }

    /// Takes in what is to be sent.
    pub fn hold(&mut self, now: Time, number: u64, lot: Lot) {
        let Some(gate) = &mut self.gate else { return };
        let size = Size { messages: lot.outbox.effects.len(), bytes: lot.outbox.bytes.len() };
        if !gate.put(now, number, size, lot) {
            gate.open();
        }
    }

    /// Moves the gate as the keeper's news say.
    pub fn tell_gate(&mut self, event: &Event, engine: &Engine, mutant: Option<Mutant>) {
        let Some(gate) = &mut self.gate else { return };
        match event {
            Event::Committed { upto, milliseconds, .. } => {
                gate.commit(if mutant == Some(Mutant::CommitCountsForAll) { engine.changes_noted() } else { *upto });
                let left = engine.changes_noted().saturating_sub(*upto);
                let is_quick = *milliseconds <= self.hold_time / 2;
                self.is_sluggish = !is_quick;
                if gate.is_open() && is_quick && left < BATCH_OPERATIONS_MAX as u64 && self.keeper.health() == Health::Well {
                    gate.close();
                }
            }
            Event::WentAway { .. } => gate.open(),
            _ => {}
        }
    }

    /// Spoils a batch on its way to the database.
    pub fn spoil(&mut self, now: u64, batch: &mut Batch, mutant: Option<Mutant>) {
        match mutant {
            Some(Mutant::RetriesAreForgotten) => batch.is_retry = false,
            Some(Mutant::RemovalsAreLost) => batch.operations.retain(|operation| !matches!(operation, Operation::Remove { .. })),
            Some(Mutant::RemovalsAreLate) => {
                let late = &mut self.late;
                batch.operations.retain(|operation| {
                    let is_removal = matches!(operation, Operation::Remove { .. });
                    if is_removal {
                        late.push_back((now + LATE, operation.clone()));
                    }
                    !is_removal
                });
                while late.front().is_some_and(|(at, _)| *at <= now) {
                    batch.operations.extend(late.pop_front().map(|(_, operation)| operation));
                }
            }
            Some(Mutant::SnapshotsAreOld) => {
                for operation in &mut batch.operations {
                    let newest = operation.clone();
                    let before = self.last.iter_mut().find(|last| dialog_of(last) == dialog_of(operation));
                    match before.filter(|_| matches!(operation, Operation::Put { is_new: false, .. })) {
                        Some(before) => *operation = std::mem::replace(before, newest),
                        None => self.last.push(newest),
                    }
                }
            }
            _ => {}
        }
    }
}

fn dialog_of(operation: &Operation) -> Option<DialogId> {
    storage::keeper::dialog_of(operation).map(|(entry, id)| DialogId { entry, id })
}
