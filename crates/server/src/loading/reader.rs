//! Reads rows into the engine: the same for a whole table, a slot and a Call-ID.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use modules::Node;
use storage::dialogs::Surroundings;
use storage::intake::{Complaint, Intake, Trouble};
use storage::{Backend, DialogRow, Selection, StorageError, VariableTable};

use crate::logging::level;
use crate::shell::Shell;
use crate::storage_room::Database;

/// Rows between two looks at the clock.
const ROWS_OF_A_MOMENT: u64 = 64;
/// How often a long loading tells how far it is.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// What the configuration says about things that rows name.
pub(super) struct Here<'a>(pub(super) &'a Node);

impl Surroundings for Here<'_> {
    fn timeout_route(&self, name: &[u8]) -> Option<i32> {
        modules::dialog::timeout_route_number(&self.0.program, name)
    }

    fn is_own_socket(&self, text: &[u8]) -> bool {
        self.0.sockets.list.iter().any(|socket| socket.text.eq_ignore_ascii_case(text))
    }
}

/// Reads with somebody's connection.
pub(super) struct Reader<'a> {
    pub(super) shell: &'a Shell,
    pub(super) database: &'a Database,
    /// Tell of progress: a whole table is read.
    pub(super) is_long: bool,
    /// Leave off when the process stops.
    pub(super) gives_up_at_stop: bool,
}

impl Reader<'_> {
    /// Reads the variables of a selection.
    pub(super) fn variables(&self, backend: &mut dyn Backend, which: &Selection, slots: u32) -> Result<VariableTable, StorageError> {
        let mut table = VariableTable::default();
        backend.load_variables(&self.database.names, which, &mut |row| {
            // What cannot be used is counted in the table.
            let _ = table.add(row);
            self.goes_on()
        })?;
        table.sort(slots);
        Ok(table)
    }

    /// Reads the dialogs of a selection into the engine.
    pub(super) fn dialogs(
        &self,
        backend: &mut dyn Backend,
        which: &Selection,
        variables: &mut VariableTable,
        intake: &mut Intake,
    ) -> Result<(), StorageError> {
        let mut pace = Pace::new(self, intake);
        let outcome = backend.load(&self.database.names, which, &mut |row| {
            // Before the row: when the stop ended the reading of variables, they are not all there.
            if self.goes_on().is_break() {
                return ControlFlow::Break(());
            }
            pace.row(intake);
            self.row(&pace, row, variables, intake);
            ControlFlow::Continue(())
        });
        pace.account(intake);
        outcome
    }

    fn row(&self, pace: &Pace<'_>, row: &DialogRow, variables: &mut VariableTable, intake: &mut Intake) {
        let node = &self.shell.proxy.node;
        intake.take(&node.dialogs, pace.now, row, variables, &Here(node), &mut |complaint| self.tell(&complaint));
    }

    /// The same for rows read before.
    pub(super) fn rows(&self, rows: &[DialogRow], variables: &mut VariableTable, intake: &mut Intake) {
        let mut pace = Pace::new(self, intake);
        for row in rows {
            self.row(&pace, row, variables, intake);
        }
        pace.account(intake);
    }

    fn tell(&self, complaint: &Complaint) {
        let level = match complaint.trouble {
            Trouble::Unusable | Trouble::OtherHashSize | Trouble::Refused => level::ERROR,
            _ => level::WARNING,
        };
        self.log(level, &complaint.text);
    }

    pub(super) fn log(&self, level: i32, text: &str) {
        self.shell.log(0, level, format!("dialog: {text}").as_bytes());
    }

    fn goes_on(&self) -> ControlFlow<()> {
        let is_over = self.gives_up_at_stop && self.shell.is_stopping.load(Ordering::Relaxed);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The time as it was a few rows ago, and what was told of so far.
struct Pace<'a> {
    reader: &'a Reader<'a>,
    now: sip::time::Now,
    until_next: u64,
    told: Instant,
    taken: u64,
    skipped: u64,
}

impl<'a> Pace<'a> {
    /// What `intake` counted before was told of.
    fn new(reader: &'a Reader<'a>, intake: &Intake) -> Pace<'a> {
        let (taken, skipped) = (intake.taken, intake.skipped());
        Pace { reader, now: reader.shell.clock.now(), until_next: ROWS_OF_A_MOMENT, told: Instant::now(), taken, skipped }
    }

    fn row(&mut self, intake: &Intake) {
        self.until_next -= 1;
        if self.until_next > 0 {
            return;
        }
        self.until_next = ROWS_OF_A_MOMENT;
        self.now = self.reader.shell.clock.now();
        self.account(intake);
        if self.reader.is_long && self.told.elapsed() >= PROGRESS_PERIOD {
            self.told = Instant::now();
            self.reader.log(level::NOTICE, &format!("loading: {} dialogs so far", intake.taken + intake.existing));
        }
    }

    /// Adds what is new to the health.
    fn account(&mut self, intake: &Intake) {
        let health = &self.reader.shell.proxy.node.states.dialog.storage_health;
        let skipped = intake.skipped();
        health.loaded.fetch_add(intake.taken.saturating_sub(self.taken), Ordering::Relaxed);
        health.skipped.fetch_add(skipped.saturating_sub(self.skipped), Ordering::Relaxed);
        (self.taken, self.skipped) = (intake.taken, skipped);
    }
}
