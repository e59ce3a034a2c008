//! A simulated database: what is committed, and calls that are answered late, twice, wrongly or not at all.

mod tables;

use std::collections::BTreeMap;

use dialog::DialogId;
use modules::worker::Random;
use storage::batch::Batch;
use storage::{Column, ErrorKind, Operation, StorageError};

pub use tables::{Tables, id_of};

/// Longest texts a strict database takes.
const VALUE_BYTES_MAX: usize = 512;

/// How a database behaves; chances are in thousandths, times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Usual time of a call.
    pub delay_short: u64,
    /// Chance that one takes up to `delay_long` instead.
    pub slow: u64,
    pub delay_long: u64,
    /// Chance that a call fails.
    pub failing: u64,
    /// Chance that the outcome of a call is told once more, later.
    pub repeated: u64,
    /// Values longer than the columns are refused.
    pub is_strict: bool,
    /// One dialog in so many is refused for good; 0: none.
    pub refuses: u64,
    /// From when until when nobody answers.
    pub outages: Vec<(u64, u64)>,
    /// Failures by chance end here.
    pub failing_until: u64,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection is refused at once; nothing is applied.
    Before,
    /// It is applied, and the connection is lost before that is said.
    After,
    /// No answer within the deadline; nothing is applied.
    Hung,
    /// The same, and it is applied meanwhile.
    HungApplied,
    /// No space is left.
    Full,
    /// Another one holds the tables.
    Busy,
}

impl Failure {
    pub const ALL: [Failure; 6] = [Failure::Before, Failure::After, Failure::Hung, Failure::HungApplied, Failure::Full, Failure::Busy];

    fn kind(self) -> ErrorKind {
        match self {
            Failure::Full => ErrorKind::Full,
            Failure::Busy => ErrorKind::Busy,
            _ => ErrorKind::Away,
        }
    }
}

/// What becomes of one call. Times count from the call on.
#[derive(Clone, Debug)]
pub struct Fate {
    /// When the tables show it; None: never.
    pub applied: Option<u64>,
    pub answered: u64,
    pub outcome: Result<(), StorageError>,
    /// The same is told once more.
    pub repeated: Option<u64>,
}

/// The database of one proxy: it outlives the proxy's crashes.
#[derive(Debug)]
pub struct Database {
    tables: Tables,
    habits: Habits,
    /// Longest time a caller waits.
    call_timeout: u64,
    random: Random,
    /// This call fails in this way.
    failing_call: Option<(u64, Failure)>,
    calls: u64,
    in_flight: BTreeMap<u64, Batch>,
    /// When a call last failed or was slow.
    troubled: Option<u64>,
}

impl Database {
    /// Empty tables.
    pub fn new(habits: Habits, call_timeout: u64, seed: u64, failing_call: Option<(u64, Failure)>) -> Database {
        Database {
            tables: Tables::default(),
            habits,
            call_timeout,
            random: Random::new(seed),
            failing_call,
            calls: 0,
            in_flight: BTreeMap::new(),
            troubled: None,
        }
    }

    /// What is committed.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// When a call last failed or took longer than `slow`.
    pub fn troubled(&self) -> Option<u64> {
        self.troubled
    }

    /// How long a call may take on a good day.
    pub fn delay_max(&self) -> u64 {
        if self.habits.slow > 0 { self.habits.delay_long.max(self.habits.delay_short) } else { self.habits.delay_short }
    }

    /// Does nobody answer?
    pub fn is_away(&self, now: u64) -> bool {
        self.habits.outages.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    /// A batch is handed over: its number, to be applied under, and what becomes of it.
    pub fn submit(&mut self, now: u64, batch: Batch) -> (u64, Fate) {
        let mut fate = self.fate(now);
        if batch.operations.iter().any(|operation| self.refuses(operation)) {
            fate.applied = None;
            fate.outcome = fate.outcome.and(Err(error(ErrorKind::Refused)));
        }
        self.in_flight.insert(self.calls, batch);
        (self.calls, fate)
    }

    /// Reading something, or emptying the tables: when it is done or fails.
    pub fn fate(&mut self, now: u64) -> Fate {
        self.calls += 1;
        let delay = self.delay();
        if delay > self.habits.delay_short {
            self.troubled = Some(now + delay);
        }
        let later = self.happens(self.habits.repeated).then(|| 1 + self.random.below(3_000));
        let Some(failure) = self.failure(now) else {
            let applied = 1 + self.random.below(delay);
            return Fate { applied: Some(applied), answered: delay, outcome: Ok(()), repeated: later.map(|later| delay + later) };
        };
        let (applied, answered) = match failure {
            Failure::Before | Failure::Full | Failure::Busy => (None, delay),
            Failure::After => (Some(1 + self.random.below(delay)), delay),
            Failure::Hung => (None, self.call_timeout),
            Failure::HungApplied => (Some(1 + self.random.below(self.call_timeout)), self.call_timeout),
        };
        self.troubled = Some(now + answered);
        Fate { applied, answered, outcome: Err(error(failure.kind())), repeated: later.map(|later| answered + later) }
    }

    fn failure(&mut self, now: u64) -> Option<Failure> {
        let any = Failure::ALL.get(self.random.below(Failure::ALL.len() as u64) as usize).copied();
        if let Some((_, failure)) = self.failing_call.filter(|(call, _)| *call == self.calls) {
            return Some(failure);
        }
        if self.is_away(now) {
            return Some(if self.random.below(4) == 0 { Failure::Hung } else { Failure::Before });
        }
        any.filter(|_| now < self.habits.failing_until && self.happens(self.habits.failing))
    }

    fn delay(&mut self) -> u64 {
        let most = if self.happens(self.habits.slow) { self.habits.delay_long } else { self.habits.delay_short };
        1 + self.random.below(most)
    }

    fn happens(&mut self, chance: u64) -> bool {
        self.random.below(1_000) < chance
    }

    /// The dialogs of a batch that are refused.
    pub fn refused_of(&self, batch: &Batch) -> Vec<DialogId> {
        let refused = batch.operations.iter().filter(|operation| self.refuses(operation));
        refused.filter_map(storage::keeper::dialog_of).map(|(entry, id)| DialogId { entry, id }).collect()
    }

    fn refuses(&self, operation: &Operation) -> bool {
        let Operation::Put { row, variables, .. } = operation else { return false };
        let text = |column| row.cell(column).text().unwrap_or_default();
        let sum: u64 = text(Column::CallId).iter().map(|byte| u64::from(*byte)).sum();
        let is_unlucky = self.habits.refuses > 0 && sum.is_multiple_of(self.habits.refuses);
        let is_long =
            variables.iter().flatten().any(|(_, value)| value.len() > VALUE_BYTES_MAX) || text(Column::ExtraData).len() > VALUE_BYTES_MAX;
        is_unlucky || (self.habits.is_strict && is_long)
    }

    /// The moment has come at which the tables show a batch. The answer: what is wrong with the tables now.
    pub fn apply(&mut self, call: u64) -> Result<(), String> {
        let Some(batch) = self.in_flight.remove(&call) else { return Ok(()) };
        self.tables.apply(&batch);
        let mut again = self.tables.clone();
        again.apply(&Batch { is_retry: true, ..batch.clone() });
        if again == self.tables { Ok(()) } else { Err(format!("a batch leaves other tables when it is applied twice: {batch:?}")) }
    }

    /// Whoever made this call is not interested any more, and it was not applied.
    pub fn forget(&mut self, call: u64) {
        self.in_flight.remove(&call);
    }

    /// The proxy is killed: what it had handed over is committed or dropped, and none of it comes later.
    pub fn client_killed(&mut self) {
        for (_, batch) in std::mem::take(&mut self.in_flight) {
            let is_refused = batch.operations.iter().any(|operation| self.refuses(operation));
            if !is_refused && self.random.below(2) == 0 {
                self.tables.apply(&batch);
            }
        }
    }

    /// `db_mode` 3 after loading.
    pub fn empty(&mut self) {
        self.tables = Tables::default();
    }
}

fn error(kind: ErrorKind) -> StorageError {
    StorageError::new(kind, "simulated://calls", format!("{kind:?}"))
}

#[cfg(test)]
mod tests {
    use storage::DialogRow;

    use super::*;

    fn put(id: u32, is_new: bool) -> Operation {
        let mut row = Box::new(DialogRow::default());
        row.set_number(Column::HashEntry, 1);
        row.set_number(Column::HashId, id);
        Operation::Put { row, is_new, variables: Some(vec![(b"key".to_vec(), b"value".to_vec())]) }
    }

    fn database(habits: Habits) -> Database {
        Database::new(Habits { delay_short: 5, ..habits }, 5_000, 1, None)
    }

    #[test]
    fn a_batch_is_seen_when_it_is_applied_and_not_before() {
        let mut database = database(Habits::default());
        let (call, fate) = database.submit(0, Batch { operations: vec![put(1, true)], is_retry: false });
        assert!(fate.outcome.is_ok() && fate.applied.is_some_and(|applied| applied <= fate.answered));
        assert_eq!(database.tables().len(), 0);
        assert_eq!(database.apply(call), Ok(()));
        assert_eq!(database.apply(call), Ok(()), "only once");
        assert_eq!(database.tables().len(), 1);
    }

    #[test]
    fn a_row_written_twice_without_a_word_is_there_twice() {
        let mut database = database(Habits::default());
        for (is_retry, is_well) in [(false, true), (true, true), (false, false)] {
            let (call, _) = database.submit(0, Batch { operations: vec![put(1, true)], is_retry });
            assert_eq!(database.apply(call).is_ok(), is_well);
        }
        assert_eq!(database.tables().len(), 2);
    }

    #[test]
    fn nobody_answers_in_an_outage_and_a_call_may_be_chosen_to_fail() {
        let mut away = database(Habits { outages: vec![(100, 200)], ..Habits::default() });
        assert!(away.fate(99).outcome.is_ok());
        assert!(away.fate(100).outcome.is_err() && away.fate(199).outcome.is_err());
        assert!(away.fate(200).outcome.is_ok());
        let mut chosen = Database::new(Habits { delay_short: 5, ..Habits::default() }, 5_000, 1, Some((2, Failure::After)));
        assert!(chosen.fate(0).outcome.is_ok());
        let second = chosen.fate(0);
        assert!(second.outcome.is_err() && second.applied.is_some());
        assert!(chosen.fate(0).outcome.is_ok());
    }

    #[test]
    fn what_a_strict_database_refuses_is_not_applied() {
        let mut strict = database(Habits { is_strict: true, ..Habits::default() });
        let Operation::Put { row, is_new, .. } = put(1, true) else { panic!("a row") };
        let long = Operation::Put { row, is_new, variables: Some(vec![(b"key".to_vec(), vec![b'x'; 513])]) };
        let (_, fate) = strict.submit(0, Batch { operations: vec![long], is_retry: false });
        assert!(fate.applied.is_none());
        assert_eq!(fate.outcome.map_err(|error| error.kind), Err(ErrorKind::Refused));
    }
}
