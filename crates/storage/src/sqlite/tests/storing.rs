use super::*;
use crate::error::ErrorKind;
use crate::limits::SQLITE_CHECKPOINT_PAGES;
use crate::sqlite::checkpoints::Checkpoints;

#[test]
fn rows_and_variables_come_back_as_they_were_written() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let mut odd = row(7, 1);
    for column in [Column::CallerRouteSet, Column::CalleeRouteSet, Column::TimeoutRouteName, Column::ExtraData] {
        *odd.cell_mut(column) = Cell::Null;
    }
    *odd.cell_mut(Column::FromUri) = Cell::Text(b"sip:\xff\xfe\x00@x; drop table dialog; '".to_vec());
    *odd.cell_mut(Column::CalleeSocket) = text("");
    let put = Operation::Put { row: odd.clone(), is_new: true, variables: pairs(&[("c", "3"), ("b", "'"), ("a", "1")]) };
    apply(&mut open, vec![put, new(row(4095, 2))]).unwrap();
    drop(open);
    let mut open = directory.ready();
    assert_eq!(rows(&mut open, &Selection::All), [*odd, *row(4095, 2)]);
    let own = [(7, 1, "a", "1"), (7, 1, "b", "'"), (7, 1, "c", "3")];
    assert_eq!(variables(&mut open, &Selection::All), own.map(|(entry, id, key, value)| (entry, id, key.to_owned(), value.to_owned())));
}

#[test]
fn an_update_changes_every_column_and_makes_the_row_when_it_is_missing() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 1)), new(row(1, 2))]).unwrap();
    let mut changed = row(3, 9);
    (*changed.cell_mut(Column::HashEntry), *changed.cell_mut(Column::HashId)) = (Cell::Integer(1), Cell::Integer(1));
    apply(&mut open, vec![known(changed.clone()), known(row(2, 5))]).unwrap();
    assert_eq!(rows(&mut open, &Selection::All), [*changed, *row(1, 2), *row(2, 5)]);
}

#[test]
fn variables_given_replace_those_in_the_table_and_none_given_leave_them() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let put = |variables| Operation::Put { row: row(1, 1), is_new: false, variables };
    apply(&mut open, vec![put(pairs(&[("b", "2"), ("a", "1")])), put(None)]).unwrap();
    assert_eq!(variables(&mut open, &Selection::Slot(1)).len(), 2);
    apply(&mut open, vec![put(pairs(&[("a", "new")]))]).unwrap();
    assert_eq!(variables(&mut open, &Selection::Slot(1)), [(1, 1, "a".to_owned(), "new".to_owned())]);
    apply(&mut open, vec![put(pairs(&[]))]).unwrap();
    assert!(variables(&mut open, &Selection::All).is_empty());
}

#[test]
fn a_removal_leaves_neither_rows_nor_variables_of_that_dialog() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let put = |id| Operation::Put { row: row(1, id), is_new: true, variables: pairs(&[("a", "1")]) };
    apply(&mut open, vec![put(1), put(2)]).unwrap();
    // Kamailio's own duplicate of a row goes, too.
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    apply(&mut open, vec![Operation::Remove { entry: 1, id: 1 }, Operation::Remove { entry: 77, id: 77 }]).unwrap();
    assert_eq!(rows(&mut open, &Selection::All), [*row(1, 2)]);
    assert_eq!(variables(&mut open, &Selection::All), [(1, 2, "a".to_owned(), "1".to_owned())]);
}

#[test]
fn a_batch_applied_again_as_a_retry_leaves_what_once_leaves() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 1)), new(row(1, 2))]).unwrap();
    let changes = batch(vec![
        Operation::Put { row: row(2, 1), is_new: true, variables: pairs(&[("b", "2"), ("a", "1")]) },
        known(with(row(1, 1), Column::State, Cell::Integer(4))),
        Operation::Remove { entry: 1, id: 2 },
        new(row(2, 2)),
        Operation::Remove { entry: 2, id: 2 },
    ]);
    open.apply(&names(), &changes).unwrap();
    let once = contents(&mut open);
    for _ in 0..2 {
        open.apply(&names(), &again(&changes)).unwrap();
        assert_eq!(contents(&mut open), once);
    }
    // The other outcome: nothing of it had been applied.
    open.empty(&names()).unwrap();
    apply(&mut open, vec![new(row(1, 1)), new(row(1, 2))]).unwrap();
    open.apply(&names(), &again(&changes)).unwrap();
    assert_eq!(contents(&mut open), once);
}

#[test]
fn numbers_beyond_31_bits_stand_there_as_kamailio_writes_them_and_are_found_again() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 3_000_000_000))]).unwrap();
    let stored: i64 = open.connection.query_row("SELECT hash_id FROM dialog", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 3_000_000_000 - (1 << 32));
    assert_eq!(rows(&mut open, &Selection::All).first().and_then(DialogRow::id), Some((1, 3_000_000_000)));
    apply(&mut open, vec![known(with(row(1, 3_000_000_000), Column::State, Cell::Integer(4)))]).unwrap();
    assert_eq!(rows(&mut open, &Selection::All).len(), 1);
    assert_eq!(open.highest(&names(), 0, 1).unwrap(), [(1, 3_000_000_000)]);
    apply(&mut open, vec![Operation::Remove { entry: 1, id: 3_000_000_000 }]).unwrap();
    assert!(rows(&mut open, &Selection::All).is_empty());
}

#[test]
fn the_highest_numbers_count_this_servers_own_only_and_those_of_variables_without_a_dialog() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, [5, 12, 13, 21].map(|id| new(row(1, id))).into()).unwrap();
    apply(&mut open, vec![new(row(9, 4))]).unwrap();
    open.connection.execute("INSERT INTO dialog_vars (hash_entry, hash_id, dialog_key, dialog_value) VALUES (9, 8, 'a', 'b')", []).unwrap();
    open.connection.execute("UPDATE dialog SET hash_id = 'text' WHERE hash_id = 21", []).unwrap();
    assert_eq!(open.highest(&names(), 0, 0).unwrap(), [(1, 13), (9, 8)]);
    assert_eq!(open.highest(&names(), 2, 10).unwrap(), [(1, 12)]);
    assert_eq!(open.highest(&names(), 6, 10).unwrap(), []);
}

#[test]
fn each_selection_gives_its_rows_once_and_in_order() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, (1..=10).map(|id| new(row(id % 2, id))).collect()).unwrap();
    let numbers = |rows: Vec<DialogRow>| rows.iter().filter_map(|row| row.id()).map(|(_, id)| id).collect::<Vec<_>>();
    assert_eq!(numbers(rows(&mut open, &Selection::All)), (1..=10).collect::<Vec<_>>());
    assert_eq!(numbers(rows(&mut open, &Selection::Slot(1))), [1, 3, 5, 7, 9]);
    assert_eq!(numbers(rows(&mut open, &Selection::CallId(b"callid of 0:4".to_vec()))), [4]);
    assert_eq!(numbers(rows(&mut open, &Selection::CallId(b"nobody".to_vec()))), [0; 0]);
    let mut seen = 0;
    let until_fifth = &mut |_: &DialogRow| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    open.load(&names(), &Selection::All, until_fifth).unwrap();
    assert_eq!(seen, 5);
    let by_call_id = open.load_variables(&names(), &Selection::CallId(Vec::new()), &mut |_| ControlFlow::Continue(()));
    assert_eq!(by_call_id.unwrap_err().kind, ErrorKind::Refused);
}

#[test]
fn what_is_null_of_another_type_or_nonsense_comes_out_as_it_is() {
    let directory = Directory::new();
    let mut open = directory.ready();
    // A table made by hand, without any constraint.
    open.connection.execute_batch("DROP TABLE dialog").unwrap();
    let columns = names().columns.join(", ");
    open.connection.execute_batch(&format!("CREATE TABLE dialog (id INTEGER PRIMARY KEY, {columns})")).unwrap();
    open.connection.execute_batch("INSERT INTO dialog (id) VALUES (-9223372036854775808)").unwrap();
    let odd = "INSERT INTO dialog (hash_entry, hash_id, callid, state, timeout, xdata, to_tag) VALUES ('x', 1.5, 12, 77, -1, X'00ff', '')";
    open.connection.execute_batch(odd).unwrap();
    open.connection.execute_batch("INSERT INTO dialog (id) VALUES (9223372036854775807)").unwrap();
    let found = rows(&mut open, &Selection::All);
    let [empty, odd, last] = found.as_slice() else { panic!("{} rows", found.len()) };
    assert_eq!((empty, last), (&DialogRow::default(), &DialogRow::default()));
    assert_eq!(odd.id(), None);
    let cells = [Column::HashEntry, Column::HashId, Column::CallId, Column::State, Column::Timeout, Column::ExtraData, Column::ToTag];
    let wanted = [text("x"), text("1.5"), Cell::Integer(12), Cell::Integer(77), Cell::Integer(-1), Cell::Text(vec![0, 255]), text("")];
    assert_eq!(cells.map(|column| odd.cell(column).clone()), wanted);
    open.check(&names()).unwrap();
}

#[test]
fn one_refused_row_rolls_all_back_and_is_named() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    let before = contents(&mut open);
    let operations =
        vec![Operation::Remove { entry: 1, id: 1 }, new(row(1, 2)), new(with(row(5, 3), Column::ToUri, Cell::Null)), new(row(1, 4))];
    let error = apply(&mut open, operations).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.reason.starts_with("dialog 5:3: ") && error.reason.contains("dialog.to_uri"), "{error}");
    assert_eq!(contents(&mut open), before);
    let error = apply(&mut open, vec![new(row(1, 2)), known(with(row(5, 3), Column::HashId, Cell::Null))]).unwrap_err();
    assert_eq!((error.kind, error.reason.as_str()), (ErrorKind::Refused, "the row has no slot or no number"));
    assert_eq!(contents(&mut open), before);
    apply(&mut open, vec![]).unwrap();
}

#[test]
fn emptied_tables_hold_nothing() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![Operation::Put { row: row(1, 1), is_new: true, variables: pairs(&[("a", "1")]) }]).unwrap();
    open.empty(&names()).unwrap();
    assert_eq!(contents(&mut open), (vec![], vec![]));
    open.check(&names()).unwrap();
}

#[test]
fn the_log_is_brought_into_the_file_while_commits_go_on_and_goes_with_the_last_connection() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let (log, mut longest) = (directory.0.join("calls.sqlite-wal"), 0);
    let rows_of = |round: u32| (0..100).map(move |place| row(place, round));
    let rounds = 60;
    for round in 1..=rounds {
        apply(&mut open, rows_of(round).map(new).collect()).unwrap();
        let gone = (0..100).map(|entry| Operation::Remove { entry, id: round - 1 });
        apply(&mut open, gone.collect()).unwrap();
        longest = longest.max(fs::metadata(&log).unwrap().len());
    }
    assert!(longest < (SQLITE_CHECKPOINT_PAGES as u64 + 1_000) * 4_200, "{longest}");
    // Ended after its last work: then it is in the file itself, whatever stands in the log.
    drop(std::mem::replace(&mut open.checkpoints, Checkpoints::of(&directory.file())));
    let copy = Directory::new();
    fs::copy(directory.file(), copy.file()).unwrap();
    let mut early = super::open(&copy.url(), options()).unwrap();
    let rows = |open: &mut Sqlite| rows(open, &Selection::All).len();
    assert!(rows(&mut early) > 0);
    drop(open);
    assert!(!log.exists());
    assert_eq!(rows(&mut directory.ready()), 100);
}
