use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use sip::time::Date;

use super::*;
use crate::columns::Column;
use crate::row::{Cell, DialogRow};

/// Dialogs as a map of numbers: what is noted, and what the keeper has taken.
#[derive(Default)]
struct Calls(RefCell<Inner>);

#[derive(Default)]
struct Inner {
    noted: u64,
    waiting: Vec<(u64, u32, bool)>,
    /// Number of the call to its state; those not there are over.
    live: BTreeMap<u32, i64>,
    stored: BTreeSet<u32>,
    /// Calls whose change waits.
    queued: BTreeSet<u32>,
}

impl Calls {
    fn note(inner: &mut Inner, call: u32, is_removal: bool) {
        inner.noted += 1;
        let number = inner.noted;
        inner.waiting.push((number, call, is_removal));
    }

    fn change(&self, call: u32, state: i64) {
        let mut inner = self.0.borrow_mut();
        inner.live.insert(call, state);
        if inner.queued.insert(call) {
            Calls::note(&mut inner, call, false);
        }
    }

    fn end(&self, call: u32) {
        let mut inner = self.0.borrow_mut();
        inner.live.remove(&call);
        if inner.stored.remove(&call) {
            Calls::note(&mut inner, call, true);
        }
    }
}

impl Source for Calls {
    fn changes_noted(&self) -> u64 {
        self.0.borrow().noted
    }

    fn take_changes(&self, _: Now, most: usize, _: &mut SpareRows) -> Changes {
        let mut inner = self.0.borrow_mut();
        let count = most.min(inner.waiting.len());
        let batch: Vec<_> = inner.waiting.drain(..count).collect();
        let upto = inner.waiting.first().map_or(inner.noted, |first| first.0 - 1);
        let mut operations = Vec::new();
        for (_, call, is_removal) in batch {
            if is_removal {
                operations.push(Operation::Remove { entry: 0, id: call });
                continue;
            }
            inner.queued.remove(&call);
            if let Some(state) = inner.live.get(&call).copied() {
                let is_new = inner.stored.insert(call);
                operations.push(put(call, state, is_new));
            }
        }
        Changes { operations, upto }
    }

    fn take_removals(&self, _: Now, most: usize, _: &mut SpareRows) -> Vec<Operation> {
        let mut inner = self.0.borrow_mut();
        let (removals, rest): (Vec<_>, Vec<_>) = inner.waiting.drain(..).partition(|one| one.2);
        inner.waiting = rest;
        removals.into_iter().take(most).map(|(_, call, _)| Operation::Remove { entry: 0, id: call }).collect()
    }

    fn unsaved(&self) -> usize {
        self.0.borrow().waiting.len()
    }

    fn forget_stale_changes(&self) {
        let mut inner = self.0.borrow_mut();
        let Inner { waiting, live, .. } = &mut *inner;
        waiting.retain(|(_, call, is_removal)| *is_removal || live.contains_key(call));
    }

    fn note_all_answered(&self) {
        let mut inner = self.0.borrow_mut();
        let calls: Vec<u32> = inner.live.keys().copied().collect();
        for call in calls {
            inner.stored.remove(&call);
            Calls::note(&mut inner, call, false);
        }
    }
}

fn put(call: u32, state: i64, is_new: bool) -> Operation {
    let mut row = Box::new(DialogRow::default());
    *row.cell_mut(Column::HashEntry) = Cell::Integer(0);
    *row.cell_mut(Column::HashId) = Cell::Integer(i64::from(call));
    *row.cell_mut(Column::State) = Cell::Integer(state);
    Operation::Put { row, is_new, variables: None }
}

/// A table of states, and a clock.
struct Desk {
    keeper: Keeper,
    calls: Calls,
    rows: BTreeMap<u32, i64>,
    now: Now,
    /// Calls whose rows are refused.
    bad: Vec<u32>,
    attempts: usize,
    batches: Vec<Batch>,
}

const AT_ONCE: Schedule = Schedule::AtOnce { interval: 4 };

impl Desk {
    fn new(schedule: Schedule) -> Desk {
        let now = Now { time: Time(1_000), date: Date(0) };
        let keeper = Keeper::new(now, schedule);
        Desk { keeper, calls: Calls::default(), rows: BTreeMap::new(), now, bad: Vec::new(), attempts: 0, batches: Vec::new() }
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now.time = self.now.time.plus(milliseconds);
    }

    /// The batch that goes out now.
    fn out(&mut self) -> Option<(u64, Batch)> {
        match self.keeper.next(self.now, &self.calls) {
            Step::Apply { attempt, batch } => Some((attempt, batch.clone())),
            _ => None,
        }
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), StorageError> {
        self.attempts += 1;
        if batch.operations.iter().filter_map(dialog_of).any(|(_, call)| self.bad.contains(&call)) {
            return Err(StorageError::new(ErrorKind::Refused, "dialog", "too long"));
        }
        self.batches.push(batch.clone());
        for operation in &batch.operations {
            match operation {
                Operation::Put { row, is_new, .. } => {
                    let (call, state) = (row.id().unwrap().1, row.cell(Column::State).number().unwrap());
                    assert!(!*is_new || batch.is_retry || !self.rows.contains_key(&call), "row {call} would be there twice");
                    self.rows.insert(call, i64::from(state));
                }
                Operation::Remove { id, .. } => drop(self.rows.remove(id)),
            }
        }
        Ok(())
    }

    /// Does all that is due now with a database that is well; the step that was no write.
    fn run(&mut self) -> String {
        loop {
            let (attempt, batch) = match self.keeper.next(self.now, &self.calls) {
                Step::Apply { attempt, batch } => (attempt, batch.clone()),
                Step::WaitUntil(at) if at <= self.now.time => continue,
                idle => return format!("{idle:?}"),
            };
            let outcome = self.apply(&batch);
            self.keeper.finished(self.now, attempt, outcome);
        }
    }

    /// Does what is due with a database that is away.
    fn fail(&mut self) -> String {
        loop {
            match self.keeper.next(self.now, &self.calls) {
                Step::Apply { attempt, .. } => self.keeper.finished(self.now, attempt, Err(away())),
                idle => return format!("{idle:?}"),
            }
        }
    }

    fn events(&mut self) -> Vec<Event> {
        self.keeper.events().collect()
    }
}

fn away() -> StorageError {
    StorageError::new(ErrorKind::Away, "db", "connection refused")
}

#[test]
fn in_mode_1_a_change_goes_out_at_once_and_the_next_commit_keeps_its_distance() {
    let mut desk = Desk::new(AT_ONCE);
    assert_eq!(desk.run(), "WaitForChange");
    desk.calls.change(1, 3);
    let (attempt, batch) = desk.out().unwrap();
    assert_eq!(batch, Batch { operations: vec![put(1, 3, true)], is_retry: false });
    desk.calls.change(1, 4);
    desk.calls.change(2, 3);
    assert_eq!(desk.keeper.next(desk.now, &desk.calls), Step::WaitForAnswer);
    assert_eq!(desk.keeper.committed(), 0);
    desk.wait(1);
    desk.keeper.finished(desk.now, attempt, Ok(()));
    assert_eq!(desk.keeper.committed(), 1);
    assert_eq!(desk.run(), "WaitUntil(Time(1004))");
    desk.wait(3);
    assert_eq!(desk.run(), "WaitForChange");
    assert_eq!(desk.batches.last().unwrap().operations, [put(1, 4, false), put(2, 3, true)]);
    assert_eq!(desk.keeper.committed(), 3);
    let seen: Vec<Event> = desk.events();
    assert_eq!(
        seen,
        [Event::Committed { upto: 1, operations: 1, milliseconds: 1 }, Event::Committed { upto: 3, operations: 2, milliseconds: 0 }]
    );
}

#[test]
fn many_changes_of_a_call_are_one_write_and_a_short_call_is_none() {
    let mut desk = Desk::new(AT_ONCE);
    for state in [3, 4, 4] {
        desk.calls.change(1, state);
    }
    desk.calls.change(2, 3);
    desk.calls.end(2);
    assert_eq!(desk.run(), "WaitForChange");
    assert_eq!(desk.batches.len(), 1);
    assert_eq!(desk.batches[0].operations, [put(1, 4, true)]);
    // Nothing to write is committed, too: somebody waits for it.
    desk.wait(10);
    desk.calls.change(3, 3);
    desk.calls.end(3);
    assert_eq!(desk.run(), "WaitForChange");
    assert_eq!((desk.batches.len(), desk.keeper.committed()), (1, 3));
}

#[test]
fn in_mode_2_changes_wait_for_the_period_and_removals_for_a_second() {
    let mut desk = Desk::new(Schedule::Periodic { period: 60_000 });
    desk.calls.change(1, 3);
    desk.calls.change(2, 4);
    assert_eq!(desk.run(), "WaitUntil(Time(2000))");
    assert!(desk.rows.is_empty());
    desk.wait(60_000);
    desk.run();
    assert_eq!(desk.rows, BTreeMap::from([(1, 3), (2, 4)]));
    desk.calls.change(1, 4);
    desk.calls.end(2);
    desk.wait(1_000);
    desk.run();
    assert_eq!(desk.rows, BTreeMap::from([(1, 3)]));
    desk.wait(59_000);
    desk.run();
    assert_eq!(desk.rows, BTreeMap::from([(1, 4)]));
    desk.calls.change(3, 4);
    desk.keeper.stop(desk.now, &desk.calls);
    assert_eq!(desk.run(), "Done { unsaved: 0 }");
    assert_eq!(desk.rows, BTreeMap::from([(1, 4), (3, 4)]));
}

#[test]
fn in_mode_3_everything_is_written_at_the_stop_over_whatever_is_there() {
    let mut desk = Desk::new(Schedule::AtStop);
    desk.rows.insert(2, 3);
    desk.calls.change(2, 4);
    desk.calls.change(7, 4);
    desk.wait(3_600_000);
    assert_eq!(desk.run(), "WaitForChange");
    assert_eq!(desk.rows, BTreeMap::from([(2, 3)]));
    desk.keeper.stop(desk.now, &desk.calls);
    assert_eq!(desk.run(), "Done { unsaved: 0 }");
    assert_eq!(desk.rows, BTreeMap::from([(2, 4), (7, 4)]));
    assert!(desk.batches.iter().all(|batch| batch.is_retry));
}

#[test]
fn a_batch_that_failed_is_tried_again_as_it_is_before_anything_later() {
    let mut desk = Desk::new(AT_ONCE);
    desk.calls.change(1, 3);
    let (attempt, first) = desk.out().unwrap();
    // The connection broke after the commit.
    desk.apply(&first).unwrap();
    desk.keeper.finished(desk.now, attempt, Err(away()));
    desk.calls.change(1, 4);
    desk.calls.change(2, 3);
    let (attempt, again) = desk.out().unwrap();
    assert_eq!(again, Batch { is_retry: true, ..first });
    desk.apply(&again).unwrap();
    desk.keeper.finished(desk.now, attempt, Ok(()));
    assert_eq!(desk.keeper.committed(), 1);
    assert_eq!(desk.keeper.health(), Health::Well);
    assert_eq!(desk.events()[0], Event::Recovered { error: away() });
    desk.wait(4);
    desk.run();
    assert_eq!(desk.rows, BTreeMap::from([(1, 4), (2, 3)]));
}

#[test]
fn pauses_between_attempts_grow_to_two_seconds_and_the_absence_is_told_now_and_then() {
    let mut desk = Desk::new(AT_ONCE);
    desk.calls.change(1, 3);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let before = desk.now.time;
        let Some(at) = desk.fail().strip_prefix("WaitUntil(Time(").map(|rest| rest.trim_end_matches(')').parse::<u64>().unwrap()) else {
            panic!("no pause")
        };
        pauses.push(Time(at).since(before));
        desk.wait(pauses.last().copied().unwrap());
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000, 2000]);
    assert_eq!(desk.events(), [Event::WentAway { error: away() }]);
    assert_eq!(desk.keeper.health(), Health::Away);
    desk.calls.change(2, 3);
    desk.wait(21_000);
    desk.fail();
    assert_eq!(desk.events(), [Event::StillAway { milliseconds: 30_100, unsaved: 2, error: away() }]);
    desk.wait(20_000);
    desk.fail();
    assert_eq!(desk.events(), []);
}

#[test]
fn after_an_outage_the_backlog_is_written_in_order_and_its_end_is_told() {
    let mut desk = Desk::new(AT_ONCE);
    desk.calls.change(1, 3);
    desk.run();
    desk.wait(4);
    desk.calls.change(1, 4);
    desk.fail();
    let most = u32::try_from(BATCH_OPERATIONS_MAX).unwrap();
    for call in 2..most + 500 {
        desk.calls.change(call, 3);
        desk.calls.change(call, 4);
    }
    desk.calls.end(1);
    for call in 2..400 {
        desk.calls.end(call);
    }
    desk.wait(600_000);
    desk.events();
    let (attempt, batch) = desk.out().unwrap();
    assert_eq!(batch, Batch { operations: vec![put(1, 4, false)], is_retry: true });
    desk.apply(&batch).unwrap();
    desk.keeper.finished(desk.now, attempt, Ok(()));
    assert_eq!(desk.keeper.health(), Health::Draining);
    desk.wait(4);
    while desk.run() != "WaitForChange" {
        desk.wait(4);
    }
    assert_eq!(desk.keeper.health(), Health::Well);
    let expected: BTreeMap<u32, i64> = (400..most + 500).map(|call| (call, 4)).collect();
    assert_eq!(desk.rows, expected);
    let events = desk.events();
    let told: Vec<&Event> = events.iter().filter(|event| !matches!(event, Event::Committed { .. })).collect();
    assert!(
        matches!(told[..], [Event::StillAway { .. }, Event::CameBack { unsaved: 1, .. }, Event::CaughtUp { operations, .. }] if *operations == 2 + u64::from(most) + 100),
        "{told:?}"
    );
    assert_eq!(desk.keeper.committed(), desk.calls.changes_noted());
}

#[test]
fn a_database_too_slow_for_a_whole_batch_takes_it_in_parts() {
    let mut desk = Desk::new(AT_ONCE);
    let most = u32::try_from(BATCH_OPERATIONS_MAX).unwrap();
    (0..3 * most).for_each(|call| desk.calls.change(call, 3));
    // It does 300 rows within the time for a call, and undoes the rest.
    while desk.rows.len() < 3 * most as usize && desk.attempts < 100 {
        match desk.out() {
            Some((attempt, batch)) if batch.operations.len() > 300 => {
                desk.attempts += 1;
                desk.keeper.finished(desk.now, attempt, Err(away()));
            }
            Some((attempt, batch)) => {
                assert!(desk.keeper.committed() <= desk.rows.len() as u64, "told of when it is written");
                let outcome = desk.apply(&batch);
                desk.keeper.finished(desk.now, attempt, outcome);
            }
            None => desk.wait(100),
        }
    }
    assert_eq!((desk.rows.len(), desk.keeper.committed()), (3 * most as usize, desk.calls.changes_noted()));
    assert!(desk.attempts < 100, "{}", desk.attempts);
}

#[test]
fn what_waits_does_not_grow_with_calls_that_are_over() {
    let mut desk = Desk::new(AT_ONCE);
    desk.calls.change(0, 3);
    desk.fail();
    for call in 1..50_000 {
        desk.calls.change(call, 3);
        if call % 100 != 0 {
            desk.calls.end(call);
        }
        if call % 1_000 == 0 {
            desk.wait(10);
            desk.fail();
        }
    }
    assert!(desk.calls.unsaved() <= 2 * JOURNAL_TIDY_STEP, "{}", desk.calls.unsaved());
}

#[test]
fn a_refused_row_among_good_ones_is_left_out_alone() {
    let mut desk = Desk::new(AT_ONCE);
    desk.bad = vec![13, 40];
    for call in 0..100 {
        desk.calls.change(call, 3);
    }
    assert_eq!(desk.run(), "WaitForChange");
    assert_eq!(desk.rows.len(), 98);
    assert!(!desk.rows.contains_key(&13) && !desk.rows.contains_key(&40));
    assert_eq!(desk.keeper.totals().refused, 2);
    assert!(desk.attempts < 40, "{}", desk.attempts);
    assert_eq!((desk.keeper.committed(), desk.keeper.health()), (100, Health::Well));
    let order: Vec<u32> =
        desk.batches.iter().flat_map(|batch| batch.operations.iter().filter_map(dialog_of)).map(|(_, call)| call).collect();
    assert!(order.is_sorted(), "{order:?}");
    let refused: Vec<(u32, u32)> = desk
        .events()
        .iter()
        .filter_map(|event| if let Event::Refused { operation, .. } = event { dialog_of(operation) } else { None })
        .collect();
    assert_eq!(refused, [(0, 13), (0, 40)]);
}

#[test]
fn late_and_double_answers_say_nothing() {
    let mut desk = Desk::new(AT_ONCE);
    desk.calls.change(1, 3);
    let (first, _) = desk.out().unwrap();
    desk.keeper.finished(desk.now, first, Err(away()));
    let (second, _) = desk.out().unwrap();
    desk.keeper.finished(desk.now, first, Ok(()));
    assert_eq!((desk.keeper.committed(), desk.keeper.next(desk.now, &desk.calls)), (0, Step::WaitForAnswer));
    desk.keeper.finished(desk.now, second, Ok(()));
    desk.keeper.finished(desk.now, second, Err(away()));
    assert_eq!((desk.keeper.committed(), desk.keeper.health()), (1, Health::Well));
    assert_eq!(desk.keeper.next(desk.now, &desk.calls), Step::WaitForChange);
}

#[test]
fn a_stop_during_an_outage_ends_in_time_and_says_what_is_lost() {
    let mut desk = Desk::new(AT_ONCE);
    for call in 0..3_000 {
        desk.calls.change(call, 4);
    }
    desk.fail();
    desk.keeper.stop(desk.now, &desk.calls);
    let begun = desk.now.time;
    let mut attempts = 0;
    let end = loop {
        match desk.fail() {
            idle if idle.starts_with("Done") => break idle,
            _ => desk.wait(50),
        }
        attempts += 1;
        assert!(attempts < 1_000);
    };
    assert_eq!(end, "Done { unsaved: 3000 }");
    assert!(desk.now.time.since(begun) <= STOP_STALL_MAX);
}

#[test]
fn a_stop_waits_for_a_database_that_comes_back_in_time() {
    let mut desk = Desk::new(AT_ONCE);
    for call in 0..5_000 {
        desk.calls.change(call, 4);
    }
    desk.fail();
    desk.keeper.stop(desk.now, &desk.calls);
    desk.fail();
    desk.wait(3_000);
    assert_eq!(desk.run(), "Done { unsaved: 0 }");
    assert_eq!(desk.rows.len(), 5_000);
}

#[test]
fn after_a_commit_the_keeper_rests_and_what_is_noted_then_waits_for_the_end_of_it() {
    let mut desk = Desk::new(AT_ONCE);
    assert_eq!(desk.keeper.rests_until(), None);
    desk.calls.change(1, 4);
    assert_eq!(desk.run(), "WaitForChange");
    let rest = desk.now.time.plus(4);
    assert_eq!(desk.keeper.rests_until(), Some(rest));
    desk.calls.change(2, 4);
    assert_eq!(desk.run(), format!("{:?}", Step::WaitUntil(rest)));
    desk.wait(4);
    assert_eq!((desk.run().as_str(), desk.rows.len()), ("WaitForChange", 2));
    let mut other = Desk::new(Schedule::Periodic { period: 1_000 });
    other.wait(1_000);
    other.calls.change(1, 4);
    other.run();
    assert_eq!(other.keeper.rests_until(), None, "only commits made at once are kept apart");
}
