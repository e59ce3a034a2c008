//! Decides what is written when (`db_mode`): one batch at a time, tried again until it is written, in order.
//!
//! Pure: the writer thread of the server and the simulator drive it with their own clocks and databases. [`Keeper::next`]
//! says what to do, [`Keeper::finished`] takes what became of a batch, [`Keeper::events`] tells what happened.

mod event;
mod hand;
mod source;
#[cfg(test)]
mod tests;

use std::vec::Drain;

use sip::time::{Now, Time};

pub use event::{Event, Health};
pub use source::{Changes, Source};

use crate::batch::{Batch, Operation};
use crate::error::{ErrorKind, StorageError};
use crate::limits::{
    AWAY_REPORT_PERIOD, BATCH_GROWTH, BATCH_OPERATIONS_MAX, JOURNAL_TIDY_STEP, REMOVALS_PERIOD, RETRIED_OPERATIONS_MIN, RETRY_PAUSE_FIRST,
    RETRY_PAUSE_MAX, STOP_STALL_MAX, STOP_TIME_MAX,
};
use crate::row::SpareRows;
use hand::{Hand, Sorted, Trouble};

/// When changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// `db_mode` 1: as soon as they are noted, commits begin at least so many milliseconds apart.
    AtOnce { interval: u64 },
    /// `db_mode` 2: every so many milliseconds and at the stop; removals within [`REMOVALS_PERIOD`].
    Periodic { period: u64 },
    /// `db_mode` 3: at the stop.
    AtStop,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Give this to the database and its outcome, under this number, to [`Keeper::finished`].
    Apply { attempt: u64, batch: &'a Batch },
    /// One is out.
    WaitForAnswer,
    /// Nothing is due before this moment.
    WaitUntil(Time),
    /// Nothing is due before a change is noted.
    WaitForChange,
    /// After [`Keeper::stop`]: all is written, or the time for it is over and so many changes are lost.
    Done { unsaved: usize },
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Batches written.
    pub commits: u64,
    /// Rows written or removed.
    pub operations: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Operations left out because the database refuses them.
    pub refused: u64,
}

/// The one who writes. One for each engine.
#[derive(Debug)]
pub struct Keeper {
    schedule: Schedule,
    hand: Option<Hand>,
    /// Rows that are written: their memory is used again.
    spare: SpareRows,
    /// The attempt that is out and when it began.
    out: Option<(u64, Time)>,
    attempts: u64,
    /// All noted up to here was taken.
    taken: u64,
    /// All noted up to here is written.
    committed: u64,
    begun: Option<Time>,
    period_next: Time,
    /// What was noted when the period ended.
    target: u64,
    removals_next: Time,
    tidy_at: usize,
    /// Changes taken at a time: fewer after failures in a row.
    most: usize,
    trouble: Option<Trouble>,
    /// Since when the database was away, and what was written since it is back.
    draining: Option<(Time, u64)>,
    stopping: Option<Stopping>,
    totals: Totals,
    events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Stopping {
    begun: Time,
    progress: Time,
}

impl Keeper {
    /// A keeper that has written nothing yet.
    pub fn new(now: Now, schedule: Schedule) -> Keeper {
        let period = if let Schedule::Periodic { period } = schedule { period } else { 0 };
        Keeper {
            schedule,
            hand: None,
            spare: SpareRows::default(),
            out: None,
            attempts: 0,
            taken: 0,
            committed: 0,
            begun: None,
            period_next: now.time.plus(period),
            target: 0,
            removals_next: now.time.plus(REMOVALS_PERIOD),
            tidy_at: JOURNAL_TIDY_STEP,
            most: BATCH_OPERATIONS_MAX,
            trouble: None,
            draining: None,
            stopping: None,
            totals: Totals::default(),
            events: Vec::new(),
        }
    }

    /// Everything noted up to this number is written.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// No commit begins before this moment, whatever is noted until then, unless the stop comes. None: nothing holds it back.
    pub fn rests_until(&self) -> Option<Time> {
        let Schedule::AtOnce { interval } = self.schedule else { return None };
        Some(self.begun?.plus(interval))
    }

    /// How the database does, as far as finished attempts tell.
    pub fn health(&self) -> Health {
        match (&self.trouble, &self.draining) {
            (Some(trouble), _) if trouble.attempts > 1 => Health::Away,
            (_, Some(_)) => Health::Draining,
            _ => Health::Well,
        }
    }

    /// Changes taken and not known to be written.
    pub fn in_hand(&self) -> usize {
        self.hand.as_ref().map_or(0, Hand::left)
    }

    /// Changes that are not known to be written.
    pub fn unsaved(&self, source: &impl Source) -> usize {
        source.unsaved() + self.in_hand()
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Writes everything from now on, within [`STOP_TIME_MAX`], and with no more than [`STOP_STALL_MAX`] without progress;
    /// then [`Step::Done`] comes. To be called once no worker changes a dialog any more.
    pub fn stop(&mut self, now: Now, source: &impl Source) {
        if self.schedule == Schedule::AtStop {
            source.note_all_answered();
        }
        self.stopping = Some(Stopping { begun: now.time, progress: now.time });
        if let Some(trouble) = &mut self.trouble {
            trouble.retry_at = now.time;
        }
    }

    /// What to do now. Asked again after each answer, each wait and each change.
    pub fn next(&mut self, now: Now, source: &impl Source) -> Step<'_> {
        if self.out.is_some() {
            return Step::WaitForAnswer;
        }
        self.report(now, source);
        if let Some(unsaved) = self.given_up(now, source) {
            return Step::Done { unsaved };
        }
        if self.hand.is_none()
            && let Err(idle) = self.take(now, source)
        {
            return idle;
        }
        if let Some(trouble) = &self.trouble
            && trouble.retry_at > now.time
        {
            return Step::WaitUntil(trouble.retry_at);
        }
        let Some(batch) = self.hand.as_ref().and_then(Hand::first) else { return Step::WaitUntil(now.time) };
        self.attempts += 1;
        self.out = Some((self.attempts, now.time));
        self.begun = Some(now.time);
        Step::Apply { attempt: self.attempts, batch }
    }

    /// The outcome of an attempt. One that comes for another attempt than the one that is out says nothing any more.
    pub fn finished(&mut self, now: Now, attempt: u64, outcome: Result<(), StorageError>) {
        let Some((_, begun)) = self.out.take_if(|(out, _)| *out == attempt) else { return };
        match outcome {
            Ok(()) => self.written(now, begun),
            Err(error) if error.kind == ErrorKind::Refused => self.refused(now, begun, error),
            Err(error) => self.failed(now, error),
        }
    }

    fn written(&mut self, now: Now, begun: Time) {
        self.answered(now);
        let operations = self.hand.as_mut().map(Hand::written).unwrap_or_default();
        let count = operations.len();
        for operation in operations {
            if let Operation::Put { row, .. } = operation {
                self.spare.keep(row);
            }
        }
        self.most = self.most.saturating_add(BATCH_GROWTH).min(BATCH_OPERATIONS_MAX);
        self.totals.commits += 1;
        self.totals.operations += count as u64;
        if let Some((_, saved)) = &mut self.draining {
            *saved += count as u64;
        }
        self.settle(now, begun);
    }

    fn refused(&mut self, now: Now, begun: Time, error: StorageError) {
        self.answered(now);
        match self.hand.as_mut().map(Hand::refused) {
            Some(Sorted::Dropped(operation)) => {
                self.totals.refused += 1;
                self.events.push(Event::Refused { operation, error });
            }
            Some(Sorted::Trimmed(operation)) => self.events.push(Event::Trimmed { operation, error }),
            Some(Sorted::Halved | Sorted::Nothing) | None => {}
        }
        self.settle(now, begun);
    }

    /// Puts the hand down when nothing is left in it.
    fn settle(&mut self, now: Now, begun: Time) {
        let Some(hand) = self.hand.take_if(|hand| hand.is_empty()) else { return };
        self.committed = hand.upto.unwrap_or(self.committed);
        let milliseconds = now.time.since(begun);
        self.events.push(Event::Committed { upto: self.committed, operations: hand.operations, milliseconds });
        if hand.is_all {
            self.caught_up(now);
        }
    }

    /// Nothing is left of what waited while the database was away.
    fn caught_up(&mut self, now: Now) {
        if let Some((since, operations)) = self.draining.take() {
            self.events.push(Event::CaughtUp { operations, milliseconds: now.time.since(since) });
        }
    }

    /// The database answered.
    fn answered(&mut self, now: Now) {
        if let Some(stopping) = &mut self.stopping {
            stopping.progress = now.time;
        }
        let Some(trouble) = self.trouble.take() else { return };
        if trouble.attempts > 1 {
            self.events.push(Event::CameBack { milliseconds: now.time.since(trouble.since), unsaved: self.in_hand() });
            self.draining = Some((trouble.since, 0));
        } else {
            self.events.push(Event::Recovered { error: trouble.error });
        }
    }

    /// The outcome is unknown. The first failure is followed by another attempt at once: it may have been a connection that
    /// was lost while it was idle.
    fn failed(&mut self, now: Now, error: StorageError) {
        self.totals.failures += 1;
        if self.trouble.is_some() {
            self.most = (self.most / 2).max(RETRIED_OPERATIONS_MIN);
        }
        if let Some(hand) = &mut self.hand {
            hand.became_uncertain(self.most);
        }
        let Some(trouble) = &mut self.trouble else {
            self.trouble = Some(Trouble { since: now.time, attempts: 1, retry_at: now.time, pause: 0, told: now.time, error });
            return;
        };
        trouble.attempts = trouble.attempts.saturating_add(1);
        let pause_max = if self.stopping.is_some() { RETRY_PAUSE_FIRST } else { RETRY_PAUSE_MAX };
        trouble.pause = trouble.pause.saturating_mul(2).clamp(RETRY_PAUSE_FIRST, pause_max);
        trouble.retry_at = now.time.plus(trouble.pause);
        trouble.error = error;
        if trouble.attempts == 2 {
            trouble.told = now.time;
            self.events.push(Event::WentAway { error: trouble.error.clone() });
        }
    }

    /// Now and then while the database is away.
    fn report(&mut self, now: Now, source: &impl Source) {
        if self.trouble.is_none() {
            return;
        }
        self.tidy(source);
        let unsaved = self.unsaved(source);
        let Some(trouble) = &mut self.trouble else { return };
        if trouble.attempts > 1 && now.time.since(trouble.told) >= AWAY_REPORT_PERIOD {
            trouble.told = now.time;
            let milliseconds = now.time.since(trouble.since);
            self.events.push(Event::StillAway { milliseconds, unsaved, error: trouble.error.clone() });
        }
    }

    /// What is noted and over is forgotten, often enough that it does not pile up, seldom enough that it costs nothing.
    fn tidy(&mut self, source: &impl Source) {
        if source.unsaved() >= self.tidy_at {
            source.forget_stale_changes();
            self.tidy_at = source.unsaved().saturating_mul(2).max(JOURNAL_TIDY_STEP);
        }
    }

    /// The stop is over: with everything written, or without.
    fn given_up(&self, now: Now, source: &impl Source) -> Option<usize> {
        let stopping = self.stopping?;
        let is_late = now.time.since(stopping.progress) >= STOP_STALL_MAX || now.time.since(stopping.begun) >= STOP_TIME_MAX;
        let is_empty = self.hand.is_none() && source.changes_noted() <= self.taken;
        (is_empty || is_late).then(|| self.unsaved(source))
    }

    /// Fills the hand with what is due. Err: nothing is.
    fn take(&mut self, now: Now, source: &impl Source) -> Result<(), Step<'static>> {
        let noted = source.changes_noted();
        if noted <= self.taken {
            self.caught_up(now);
        }
        if self.stopping.is_some() {
            return self.take_changes(now, noted, source);
        }
        match self.schedule {
            Schedule::AtOnce { .. } if noted <= self.taken => Err(Step::WaitForChange),
            Schedule::AtOnce { .. } => match self.rests_until() {
                Some(next) if next > now.time => Err(Step::WaitUntil(next)),
                _ => self.take_changes(now, noted, source),
            },
            Schedule::Periodic { period } => self.take_periodically(now, period, noted, source),
            Schedule::AtStop => Err(Step::WaitForChange),
        }
    }

    fn take_periodically(&mut self, now: Now, period: u64, noted: u64, source: &impl Source) -> Result<(), Step<'static>> {
        if self.period_next <= now.time {
            self.period_next = now.time.plus(period);
            self.target = noted;
        }
        if self.taken < self.target {
            return self.take_changes(now, self.target, source);
        }
        if self.removals_next <= now.time {
            self.tidy(source);
            let removals = source.take_removals(now, BATCH_OPERATIONS_MAX, &mut self.spare);
            if removals.len() < BATCH_OPERATIONS_MAX {
                self.removals_next = now.time.plus(REMOVALS_PERIOD);
            }
            if !removals.is_empty() {
                self.hand = Some(Hand::new(removals, false, None, true));
                return Ok(());
            }
        }
        Err(Step::WaitUntil(self.period_next.min(self.removals_next)))
    }

    /// `wanted`: the number up to which changes are due.
    fn take_changes(&mut self, now: Now, wanted: u64, source: &impl Source) -> Result<(), Step<'static>> {
        let Changes { operations, upto } = source.take_changes(now, self.most, &mut self.spare);
        self.taken = self.taken.max(upto);
        if operations.is_empty() {
            // Calls that began and ended meanwhile.
            self.committed = self.taken;
            self.events.push(Event::Committed { upto: self.committed, operations: 0, milliseconds: 0 });
            return Err(Step::WaitUntil(now.time));
        }
        // Tables that `db_mode` 3 did not empty, because loading failed or was skipped, may hold rows of these dialogs.
        let is_retry = self.schedule == Schedule::AtStop;
        self.hand = Some(Hand::new(operations, is_retry, Some(self.taken), self.taken >= wanted));
        Ok(())
    }
}

/// The dialog an operation is about, when it tells: slot and number.
pub fn dialog_of(operation: &Operation) -> Option<(u32, u32)> {
    match operation {
        Operation::Put { row, .. } => row.id(),
        Operation::Remove { entry, id } => Some((*entry, *id)),
    }
}
