//! How the dialogs of one proxy are stored in a world: mode, moments, and what its database is like.

use dialog::Storing;
use modules::worker::Random;
use storage::keeper::Schedule;

use crate::database::{Failure, Habits};

/// Something built wrongly on purpose, to show that a checker finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing waits for its commit.
    GateIsMissing,
    /// A commit counts for everything noted meanwhile.
    CommitCountsForAll,
    /// An answer for another attempt is believed.
    StrayAnswersAreBelieved,
    /// An attempt after a failure is like a first one.
    RetriesAreForgotten,
    /// What is written is what was so before the last change.
    SnapshotsAreOld,
    /// A row goes some seconds after its call.
    RemovalsAreLate,
    /// Rows stay.
    RemovalsAreLost,
    /// A failed batch is not tried again.
    FailuresAreIgnored,
    /// Numbers begin anew at each start.
    NumbersAreForgotten,
    /// Requests do not wait for their dialogs to be loaded.
    NobodyWaitsForLoading,
    /// Dialogs are loaded without their variables.
    VariablesAreForgotten,
    /// Some rows are passed over.
    RowsAreSkipped,
    /// What ended while rows were being loaded is loaded.
    EndedCallsAreLoaded,
    /// Two of three periods are slept through.
    PeriodsAreLong,
}

impl Mutant {
    pub const ALL: [Mutant; 14] = [
        Mutant::GateIsMissing,
        Mutant::CommitCountsForAll,
        Mutant::StrayAnswersAreBelieved,
        Mutant::RetriesAreForgotten,
        Mutant::SnapshotsAreOld,
        Mutant::RemovalsAreLate,
        Mutant::RemovalsAreLost,
        Mutant::FailuresAreIgnored,
        Mutant::NumbersAreForgotten,
        Mutant::NobodyWaitsForLoading,
        Mutant::VariablesAreForgotten,
        Mutant::RowsAreSkipped,
        Mutant::EndedCallsAreLoaded,
        Mutant::PeriodsAreLong,
    ];
}

/// How the dialogs of a proxy are stored. Times are milliseconds.
#[derive(Clone, Debug)]
pub struct StoragePlan {
    pub storing: Storing,
    /// `db_update_period`
    pub period: u64,
    /// `db_commit_interval`
    pub commit_interval: u64,
    /// `db_hold_time`
    pub hold_time: u64,
    /// `db_timeout`
    pub call_timeout: u64,
    pub habits: Habits,
    /// Longest pause between two rows that are loaded.
    pub load_pause: u64,
    pub seed: u64,
    /// Of all storage calls this one fails.
    pub failing_call: Option<(u64, Failure)>,
    pub mutant: Option<Mutant>,
}

impl StoragePlan {
    /// A database that always answers soon.
    pub fn calm(storing: Storing, seed: u64) -> StoragePlan {
        StoragePlan {
            storing,
            period: 5_000,
            commit_interval: 4,
            hold_time: 200,
            call_timeout: 5_000,
            habits: Habits { delay_short: 8, ..Habits::default() },
            load_pause: 200,
            seed,
            failing_call: None,
            mutant: None,
        }
    }

    /// The plan of a seed; failures by chance end at `failing_until`, counted as `beginning` is.
    pub fn of_seed(beginning: u64, failing_until: u64, random: &mut Random) -> StoragePlan {
        let storing = match random.below(20) {
            0..=10 => Storing::Realtime,
            11..=15 => Storing::Delayed,
            16..=18 => Storing::AtStop,
            _ => Storing::Never,
        };
        let mut plan = StoragePlan::calm(storing, random.next_u64());
        plan.period = 1_000 * (1 + random.below(10));
        plan.commit_interval = [0, 4, 4, 50].get(random.below(4) as usize).copied().unwrap_or(4);
        plan.load_pause = [5, 50, 400, 2_000].get(random.below(4) as usize).copied().unwrap_or(50);
        let habits = &mut plan.habits;
        habits.failing_until = beginning + failing_until;
        match random.below(5) {
            0 => {}
            1 => (habits.slow, habits.delay_long) = (100, 3_000),
            2 => (habits.failing, habits.repeated) = (50, 100),
            3 => (habits.slow, habits.delay_long, habits.failing, habits.repeated) = (50, 1_000, 300, 300),
            _ => {
                for _ in 0..1 + random.below(3) {
                    let from = beginning + random.below(failing_until);
                    let most = if random.below(3) == 0 { 180_000 } else { 15_000 };
                    habits.outages.push((from, from + 500 + random.below(most)));
                }
                habits.failing = random.below(20);
            }
        }
        habits.is_strict = random.below(3) == 0;
        habits.refuses = if random.below(8) == 0 { 2 + random.below(5) } else { 0 };
        plan
    }

    /// What the configuration is given.
    pub fn parameters(&self) -> Vec<String> {
        let mode = match self.storing {
            Storing::Never => 0,
            Storing::Realtime => 1,
            Storing::Delayed => 2,
            Storing::AtStop => 3,
        };
        let period = self.period / 1_000;
        vec![
            format!("dialog:db_mode:i:{mode}"),
            String::from("dialog:db_url:s:sqlite:///simulated"),
            format!("dialog:db_update_period:i:{period}"),
        ]
    }

    /// When the keeper writes; None: never.
    pub fn schedule(&self) -> Option<Schedule> {
        match self.storing {
            Storing::Never => None,
            Storing::Realtime => Some(Schedule::AtOnce { interval: self.commit_interval }),
            Storing::Delayed => {
                let factor = if self.mutant == Some(Mutant::PeriodsAreLong) { 3 } else { 1 };
                Some(Schedule::Periodic { period: self.period * factor })
            }
            Storing::AtStop => Some(Schedule::AtStop),
        }
    }
}
