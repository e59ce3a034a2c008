//! The n-th step of each call fails, whichever n it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::*;
use crate::error::ErrorKind;
use crate::query::QueryBounds;

/// More steps than any call here takes.
const STEPS_MAX: u32 = 20_000;

/// Interrupts SQLite at its n-th step from now on, and tells whether it came to that.
fn interrupt_at(open: &mut Sqlite, step: u32) -> Arc<AtomicBool> {
    let happened = Arc::new(AtomicBool::new(false));
    let (tell, mut steps) = (Arc::clone(&happened), 0);
    let is_due = move || {
        steps += 1;
        tell.fetch_or(steps == step, Ordering::Relaxed);
        steps == step
    };
    open.connection.progress_handler(1, Some(is_due)).unwrap();
    happened
}

fn go_on(open: &mut Sqlite) {
    open.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
}

/// Does the call with a failure at its first step, its second, ... until it is done before it fails. `prepare` comes before
/// each, `check` after each, with what the call gave.
fn fail_everywhere(
    open: &mut Sqlite,
    mut prepare: impl FnMut(&mut Sqlite),
    mut call: impl FnMut(&mut Sqlite) -> Result<(), StorageError>,
    mut check: impl FnMut(&mut Sqlite, &Result<(), StorageError>),
) {
    for step in 1..STEPS_MAX {
        prepare(open);
        let happened = interrupt_at(open, step);
        let outcome = call(open);
        go_on(open);
        check(open, &outcome);
        if !happened.load(Ordering::Relaxed) {
            outcome.unwrap();
            assert!(step > 10, "only {step} steps");
            return;
        }
        if let Err(error) = outcome {
            assert_eq!(error.kind, ErrorKind::Away, "at step {step}: {error}");
        }
    }
    panic!("more than {STEPS_MAX} steps");
}

fn changes() -> Batch {
    batch(vec![
        Operation::Put { row: row(2, 1), is_new: true, variables: pairs(&[("b", "2"), ("a", "1")]) },
        Operation::Put { row: with(row(1, 1), Column::State, Cell::Integer(4)), is_new: false, variables: pairs(&[("c", "3")]) },
        known(row(3, 3)),
        Operation::Remove { entry: 1, id: 2 },
    ])
}

fn start(open: &mut Sqlite) {
    open.empty(&names()).unwrap();
    let put = |id| Operation::Put { row: row(1, id), is_new: true, variables: pairs(&[("a", "1")]) };
    apply(open, vec![put(1), put(2)]).unwrap();
}

#[test]
fn a_batch_that_fails_anywhere_leaves_nothing_behind_and_its_retry_all_of_it() {
    let directory = Directory::new();
    let mut open = directory.ready();
    start(&mut open);
    let before = contents(&mut open);
    open.apply(&names(), &changes()).unwrap();
    let after = contents(&mut open);
    let check = |open: &mut Sqlite, outcome: &Result<(), StorageError>| {
        let now = contents(open);
        // An error may come after the commit took effect: then all of it is there.
        assert!(now == after || outcome.is_err() && now == before);
        open.apply(&names(), &again(&changes())).unwrap();
        assert_eq!(contents(open), after);
    };
    fail_everywhere(&mut open, start, |open| open.apply(&names(), &changes()), check);
    fail_everywhere(&mut open, start, |open| open.apply(&names(), &again(&changes())), check);
}

#[test]
fn tables_are_made_all_or_not_at_all() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let drop_all =
        |open: &mut Sqlite| open.connection.execute_batch("DROP TABLE dialog; DROP TABLE dialog_vars; DROP TABLE version").unwrap();
    let check = |open: &mut Sqlite, outcome: &Result<(), StorageError>| {
        let count: i64 =
            open.connection.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0)).unwrap();
        assert!(count == 3 || outcome.is_err() && count == 0, "{count} tables");
        open.create(&names()).unwrap();
        open.check(&names()).unwrap();
    };
    fail_everywhere(&mut open, drop_all, |open| open.create(&names()), check);
    // A file of `check`'s own making: failing while it makes the tables leaves it bare, and the next `check` makes them.
    fail_everywhere(&mut open, drop_all, |open| open.check(&names()), |open, _| open.check(&names()).unwrap());
}

#[test]
fn tables_are_emptied_both_or_not_at_all() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let check = |open: &mut Sqlite, outcome: &Result<(), StorageError>| {
        let (rows, variables) = contents(open);
        let left = (rows.len(), variables.len());
        assert!(left == (0, 0) || outcome.is_err() && left == (2, 2), "{left:?}");
    };
    fail_everywhere(&mut open, start, |open| open.empty(&names()), check);
}

#[test]
fn reading_that_fails_anywhere_gives_rows_that_are_right_as_far_as_they_go() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, (1..=7).map(|id| Operation::Put { row: row(1, id), is_new: true, variables: pairs(&[("a", "1")]) }).collect())
        .unwrap();
    for which in [Selection::All, Selection::Slot(1)] {
        let call = |open: &mut Sqlite| {
            let mut next = 0;
            let outcome = open.load(&names(), &which, &mut |found: &DialogRow| {
                next += 1;
                assert_eq!(*found, *row(1, next));
                ControlFlow::Continue(())
            });
            assert!(outcome.is_err() || next == 7);
            outcome
        };
        fail_everywhere(&mut open, |_| {}, call, |_, _| {});
        let call = |open: &mut Sqlite| open.load_variables(&names(), &which, &mut |_| ControlFlow::Continue(()));
        fail_everywhere(&mut open, |_| {}, call, |_, _| {});
    }
    let call = |open: &mut Sqlite| open.highest(&names(), 0, 1).map(|found| assert_eq!(found, [(1, 7)]));
    fail_everywhere(&mut open, |_| {}, call, |_, _| {});
}

#[test]
fn a_statement_of_a_script_fails_anywhere_and_changes_all_or_nothing() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let bounds = QueryBounds { rows_max: 10, bytes_max: 1_000 };
    let call = |open: &mut Sqlite| open.query(b"UPDATE dialog SET state = 9", bounds).map(drop);
    let check = |open: &mut Sqlite, outcome: &Result<(), StorageError>| {
        let changed = rows(open, &Selection::All).iter().filter(|row| *row.cell(Column::State) == Cell::Integer(9)).count();
        assert!(changed == 2 || outcome.is_err() && changed == 0, "{changed} rows");
    };
    fail_everywhere(&mut open, start, call, check);
}

#[test]
fn statements_that_belong_together_fail_anywhere_and_change_all_or_nothing() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let statements = ["UPDATE dialog SET state = 9 WHERE hash_id = 1", "DELETE FROM dialog_vars", "UPDATE dialog SET state = 9"];
    let call = |open: &mut Sqlite| open.run_together(&mut statements.iter().map(|text| (*text).to_owned()));
    let check = |open: &mut Sqlite, outcome: &Result<(), StorageError>| {
        let (rows, variables) = contents(open);
        let changed = rows.iter().filter(|row| *row.cell(Column::State) == Cell::Integer(9)).count();
        let now = (changed, variables.len());
        assert!(now == (2, 0) || outcome.is_err() && now == (0, 2), "{now:?}");
    };
    fail_everywhere(&mut open, start, call, check);
}

#[test]
fn a_full_file_refuses_at_any_page_without_losing_anything() {
    let directory = Directory::new();
    let mut open = directory.ready();
    start(&mut open);
    let before = contents(&mut open);
    let mut long = changes();
    long.operations.extend((10..40).map(|id| new(row(9, id))));
    let pages: i64 = open.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let mut refused = 0;
    for limit in pages.. {
        open.connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(())).unwrap();
        let Err(error) = open.apply(&names(), &long) else { break };
        refused += 1;
        assert_eq!(error.kind, ErrorKind::Full, "{error}");
        assert!(error.is_passing() && error.remedy.contains("make space"), "{error}");
        assert_eq!(contents(&mut open), before);
    }
    assert!(refused >= 3, "{refused}");
    assert_eq!(rows(&mut open, &Selection::All).len(), 33);
}

#[test]
fn a_file_held_by_another_is_busy_for_a_bounded_time() {
    for journal in ["wal", "delete"] {
        let directory = Directory::new();
        let url = Url::parse(&format!("{}?journal={journal}", directory.url())).unwrap();
        let mut open = open(&url, options()).unwrap();
        open.check(&names()).unwrap();
        start(&mut open);
        let before = contents(&mut open);
        let other = Connection::open(directory.file()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; DELETE FROM dialog").unwrap();
        let error = open.apply(&names(), &changes()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Busy, "{error}");
        assert!(error.remedy.contains("fuser -v"), "{error}");
        assert_eq!(open.empty(&names()).unwrap_err().kind, ErrorKind::Busy);
        // Reading goes on meanwhile.
        assert_eq!(contents(&mut open), before);
        other.execute_batch("ROLLBACK").unwrap();
        open.apply(&names(), &again(&changes())).unwrap();
    }
}

#[test]
fn a_commit_that_waits_for_readers_gives_up_and_is_rolled_back() {
    let directory = Directory::new();
    let url = Url::parse(&format!("{}?journal=delete", directory.url())).unwrap();
    let mut open = open(&url, options()).unwrap();
    open.check(&names()).unwrap();
    start(&mut open);
    let before = contents(&mut open);
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("BEGIN").unwrap();
    let _: i64 = other.query_row("SELECT count(*) FROM dialog", [], |row| row.get(0)).unwrap();
    assert_eq!(open.apply(&names(), &changes()).unwrap_err().kind, ErrorKind::Busy);
    assert_eq!(contents(&mut open), before);
    other.execute_batch("COMMIT").unwrap();
    open.apply(&names(), &again(&changes())).unwrap();
}

#[test]
fn what_may_only_be_read_says_so() {
    let directory = Directory::new();
    let mut open = directory.ready();
    start(&mut open);
    open.connection.execute_batch("PRAGMA query_only = ON").unwrap();
    let error = open.apply(&names(), &changes()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly);
    assert!(error.is_passing() && error.remedy.contains("let the user that runs duolog write"), "{error}");
    assert_eq!(open.empty(&names()).unwrap_err().kind, ErrorKind::ReadOnly);
    open.connection.execute_batch("PRAGMA query_only = OFF").unwrap();
    open.apply(&names(), &again(&changes())).unwrap();
}
