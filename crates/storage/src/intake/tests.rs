//! Rows of every kind go in; the counts and the lines say what became of them.

use dialog::settings::ParameterValue;
use dialog::{Settings, Storing, hash};
use sip::time::{Date, Time};

use super::*;
use crate::row::{Cell, VariableRow};

const START: u32 = 1_795_380_273;

fn now() -> Now {
    Now { time: Time(5_000_000), date: Date(u64::from(START) * 1000) }
}

fn engine() -> Engine {
    let mut settings = Settings { storing: Storing::Realtime, hash_size: 64, ..Settings::default() };
    settings.set("profiles_with_value", ParameterValue::Text("caller")).unwrap();
    Engine::new(now(), settings)
}

struct Here;

impl Surroundings for Here {
    fn timeout_route(&self, _: &[u8]) -> Option<i32> {
        None
    }

    fn is_own_socket(&self, text: &[u8]) -> bool {
        text == b"udp:127.0.0.1:5060"
    }
}

/// A row as Kamailio with so many slots writes it.
fn row(call_id: &str, id: i64, slots: u32) -> DialogRow {
    let mut row = DialogRow::default();
    let numbers = [
        (Column::HashEntry, i64::from(hash::slot(call_id.as_bytes(), slots))),
        (Column::HashId, id),
        (Column::State, 4),
        (Column::StartTime, i64::from(START) - 60),
        (Column::Timeout, i64::from(START) + 600),
    ];
    for (column, number) in numbers {
        *row.cell_mut(column) = Cell::Integer(number);
    }
    let texts = [
        (Column::CallId, call_id),
        (Column::FromUri, "sip:a@h"),
        (Column::FromTag, "A"),
        (Column::ToUri, "sip:b@h"),
        (Column::ToTag, "B"),
        (Column::RequestUri, "sip:b@h"),
        (Column::CallerContact, "sip:a@127.0.0.1:5070"),
        (Column::CalleeContact, "sip:b@127.0.0.1:5080"),
        (Column::CallerCseq, "1"),
        (Column::CalleeCseq, "0"),
        (Column::CallerSocket, "udp:127.0.0.1:5060"),
        (Column::CalleeSocket, "udp:127.0.0.1:5060"),
        (Column::ExtraData, r#"{"profiles":[{"name":"caller","value":"alice"}]}"#),
    ];
    for (column, text) in texts {
        row.cell_mut(column).set_text(text.as_bytes());
    }
    row
}

fn with(mut row: DialogRow, column: Column, cell: Cell) -> DialogRow {
    *row.cell_mut(column) = cell;
    row
}

/// Takes the rows; the lines that were told.
fn take(intake: &mut Intake, engine: &Engine, rows: &[DialogRow], variables: &mut VariableTable) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        intake.take(engine, now(), row, variables, &Here, &mut |complaint| lines.push(complaint.text));
    }
    lines
}

#[test]
fn rows_become_dialogs_with_their_variables_and_what_is_there_stays() {
    let engine = engine();
    let mut variables = VariableTable::default();
    let first = row("c1@h", 7, 64);
    let text = |text: &str| Cell::Text(text.as_bytes().to_vec());
    let entry = first.cell(Column::HashEntry).clone();
    variables.add(&VariableRow { entry, id: Cell::Integer(7), key: text("k"), value: text("v") }).unwrap();
    variables.sort(64);
    let mut intake = Intake::default();
    let over = with(row("c2@h", 8, 64), Column::Timeout, Cell::Integer(i64::from(START)));
    let lines = take(&mut intake, &engine, &[first.clone(), over, first], &mut variables);
    assert_eq!((lines.len(), intake.rows, intake.taken, intake.existing, intake.expired, intake.skipped()), (0, 3, 2, 1, 1, 0));
    let id = DialogId { entry: hash::slot(b"c1@h", 64), id: 7 };
    assert_eq!(engine.view(now(), id).unwrap().variable(b"k"), Some(&b"v"[..]));
    assert_eq!(engine.statistics().active, 2);
    assert_eq!(variables.orphans(), 0);
    assert_eq!(intake.summary(), "2 dialogs, 1 of them over in time, 1 more were in memory already");
}

#[test]
fn what_is_wrong_with_rows_is_counted_by_kind_and_told_of_a_few_times() {
    let engine = engine();
    let good = || row("c1@h", 7, 64);
    let rows = [
        with(good(), Column::HashId, Cell::Null),
        with(good(), Column::State, Cell::Integer(9)),
        with(good(), Column::StartTime, Cell::Text(b"soon".to_vec())),
        with(good(), Column::ToUri, Cell::Null),
        with(good(), Column::HashEntry, Cell::Integer(63)),
        with(good(), Column::CallerSocket, Cell::Text(b"udp:192.0.2.1:5060".to_vec())),
        with(row("c2@h", 7, 64), Column::TimeoutRouteName, Cell::Text(b"GONE".to_vec())),
        with(row("c3@h", 7, 64), Column::ExtraData, Cell::Text(b"{".to_vec())),
    ];
    let mut intake = Intake::default();
    let lines = take(&mut intake, &engine, &rows, &mut VariableTable::default());
    assert_eq!((intake.taken, intake.skipped(), lines.len()), (3, 5, 8), "{lines:?}");
    let wanted = "3 dialogs; taken 1 without their socket, 1 without their timeout route, 1 without some profiles; \
         passed over: 3 without usable numbers, 1 incomplete, 1 of another hash_size";
    assert_eq!(intake.summary(), wanted);
    assert!(lines.iter().any(|line| line.contains("c1@h") && line.contains("9 is no state")), "{lines:?}");
    let many: Vec<DialogRow> = (0..100).map(|_| with(good(), Column::HashId, Cell::Null)).collect();
    let lines = take(&mut intake, &engine, &many, &mut VariableTable::default());
    assert_eq!((intake.count(Trouble::Unusable), lines.len()), (103, COMPLAINTS_OF_A_KIND_MAX as usize - 3));
}

#[test]
fn dialogs_of_another_hash_size_are_taken_when_that_is_wanted() {
    let engine = engine();
    let rows = [row("c1@h", 7, 4096), row("c2@h", 7, 4096)];
    let mut refusing = Intake::default();
    take(&mut refusing, &engine, &rows, &mut VariableTable::default());
    assert_eq!((refusing.taken, refusing.count(Trouble::OtherHashSize)), (0, 2));
    let mut intake = Intake::rehashing();
    take(&mut intake, &engine, &rows, &mut VariableTable::default());
    let moved = intake.take_moved();
    assert_eq!((intake.taken, moved.len()), (2, 2));
    for (from, to) in moved {
        assert!(from.entry >= 64 && to.entry < 64 && engine.contains(to), "{from} {to}");
    }
}
