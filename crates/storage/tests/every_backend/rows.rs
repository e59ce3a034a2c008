//! Rows in, rows out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use database_servers::{PASSWORD, Product, USER};
use storage::{Batch, Cell, Column, DialogRow, ErrorKind, Operation, Selection};

use crate::homes::{Home, Kind, ask, names, open, put, put_with, row, rows, shared, variables};

fn batch(operations: Vec<Operation>) -> Batch {
    Batch { operations, is_retry: false }
}

fn retry(operations: Vec<Operation>) -> Batch {
    Batch { operations, is_retry: true }
}

pub fn rows_come_back_as_they_were_written(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let (first, second) = (row(1, 7), row(2, 8));
    let operations = vec![put_with(&first, true, &[("newer", "2"), ("older", "1")]), put(&second, true)];
    backend.apply(&names(), &batch(operations)).unwrap();
    drop(backend);
    let mut backend = home.connect();
    assert_eq!(rows(&mut *backend, &Selection::All), [first, second]);
    let expected = [(1, 7, "older".to_owned(), "1".to_owned()), (1, 7, "newer".to_owned(), "2".to_owned())];
    assert_eq!(variables(&mut *backend, &Selection::All), expected, "oldest first, so that what is read last is the newest");
    backend.apply(&names(), &batch(vec![Operation::Remove { entry: 1, id: 7 }])).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 1);
    assert!(variables(&mut *backend, &Selection::All).is_empty());
    backend.apply(&names(), &Batch::default()).unwrap();
}

pub fn numbers_of_32_bits_and_texts_of_any_alphabet_come_back(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let mut large = row(4095, u32::MAX);
    *large.cell_mut(Column::ScriptFlags) = Cell::Integer(u32::MAX.into());
    *large.cell_mut(Column::StartTime) = Cell::Integer(4_000_000_000);
    *large.cell_mut(Column::FromUri) = Cell::Text("sip:Ödön-日本-😀@example.org".into());
    *large.cell_mut(Column::ToTag) = Cell::Text(Vec::new());
    *large.cell_mut(Column::RequestUri) = Cell::Text(br#"sip:'"\%_;--`@x"#.to_vec());
    *large.cell_mut(Column::CallerRouteSet) = Cell::Null;
    backend.apply(&names(), &batch(vec![put_with(&large, true, &[("k'\\", "😀 \" ' \\ \n\t")])])).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [large.clone()]);
    assert_eq!(variables(&mut *backend, &Selection::All), [(4095, u32::MAX, "k'\\".to_owned(), "😀 \" ' \\ \n\t".to_owned())]);
    assert_eq!(backend.highest(&names(), 0, 1).unwrap(), [(4095, u32::MAX)]);
    *large.cell_mut(Column::InternalFlags) = Cell::Integer(0x8000_0001);
    backend.apply(&names(), &batch(vec![put(&large, false)])).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [large]);
    backend.apply(&names(), &batch(vec![Operation::Remove { entry: 4095, id: u32::MAX }])).unwrap();
    assert!(rows(&mut *backend, &Selection::All).is_empty());
    assert!(variables(&mut *backend, &Selection::All).is_empty());
}

pub fn rows_are_found_by_slot_and_by_call_id(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let operations = (1..=3).flat_map(|entry| (1..=3).map(move |id| put_with(&row(entry, id), true, &[("k", "v")])));
    backend.apply(&names(), &batch(operations.collect())).unwrap();
    let ids = |rows: Vec<DialogRow>| -> Vec<(u32, u32)> { rows.iter().filter_map(DialogRow::id).collect() };
    assert_eq!(ids(rows(&mut *backend, &Selection::Slot(2))), [(2, 1), (2, 2), (2, 3)]);
    assert_eq!(variables(&mut *backend, &Selection::Slot(2)).len(), 3);
    assert_eq!(ids(rows(&mut *backend, &Selection::Slot(9))), []);
    let by = |call_id: &str| Selection::CallId(call_id.as_bytes().to_vec());
    assert_eq!(ids(rows(&mut *backend, &by("call-3-1@192.0.2.7"))), [(3, 1)]);
    assert_eq!(ids(rows(&mut *backend, &by("CALL-3-1@192.0.2.7"))), [], "Call-IDs differ by case");
    assert_eq!(ids(rows(&mut *backend, &by("x' OR '1'='1"))), []);
    assert_eq!(ids(rows(&mut *backend, &Selection::CallId(vec![0xff, 0xfe]))), []);
    let error = backend.load_variables(&names(), &by("x"), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
}

pub fn a_change_goes_to_its_row_only(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let mut all: Vec<DialogRow> = (1..=150).map(|id| row(id % 7, id)).collect();
    backend.apply(&names(), &batch(all.iter().map(|row| put(row, true)).collect())).unwrap();
    let mut changes = Vec::new();
    for row in all.iter_mut().step_by(2) {
        let (_, id) = row.id().unwrap();
        *row.cell_mut(Column::State) = Cell::Integer(3);
        // Longer from batch to batch: no server may keep the length of the first.
        *row.cell_mut(Column::ExtraData) = Cell::Text(vec![b'x'; id as usize * 3]);
        *row.cell_mut(Column::CalleeRouteSet) = Cell::Text(format!("<sip:{id};lr>").into_bytes());
        *row.cell_mut(Column::CallerRouteSet) = Cell::Null;
        changes.push(put(row, false));
    }
    for some in changes.chunks(9) {
        backend.apply(&names(), &batch(some.to_vec())).unwrap();
    }
    all.sort_by_key(DialogRow::id);
    assert_eq!(rows(&mut *backend, &Selection::All), all);
    backend.apply(&names(), &batch(changes)).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), all, "a change to the same values is none");
}

pub fn variables_that_are_gone_go_from_the_table(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let one = row(5, 5);
    backend
        .apply(&names(), &batch(vec![put_with(&one, true, &[("a", "1"), ("b", "2")]), put_with(&row(5, 6), true, &[("a", "9")])]))
        .unwrap();
    backend.apply(&names(), &batch(vec![put_with(&one, false, &[("b", "3")])])).unwrap();
    let text = |all: Vec<(u32, u32, String, String)>| {
        let mut all: Vec<String> = all.into_iter().map(|(entry, id, key, value)| format!("{entry}:{id} {key}={value}")).collect();
        all.sort();
        all.join(" ")
    };
    assert_eq!(text(variables(&mut *backend, &Selection::All)), "5:5 b=3 5:6 a=9");
    backend.apply(&names(), &batch(vec![put(&one, false)])).unwrap();
    assert_eq!(text(variables(&mut *backend, &Selection::All)), "5:5 b=3 5:6 a=9", "not given: they stay");
    backend.apply(&names(), &batch(vec![put_with(&one, false, &[])])).unwrap();
    assert_eq!(text(variables(&mut *backend, &Selection::All)), "5:6 a=9");
}

pub fn the_same_batch_twice_leaves_the_same_rows(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    backend.apply(&names(), &batch(vec![put_with(&row(1, 1), true, &[("k", "v")]), put(&row(1, 2), true)])).unwrap();
    let mut changed = row(1, 2);
    *changed.cell_mut(Column::State) = Cell::Integer(3);
    let operations = vec![put_with(&row(2, 1), true, &[("k", "v")]), put(&changed, false), Operation::Remove { entry: 1, id: 1 }];
    backend.apply(&names(), &batch(operations.clone())).unwrap();
    let (all, own) = (rows(&mut *backend, &Selection::All), variables(&mut *backend, &Selection::All));
    assert_eq!((all.len(), own.len()), (2, 1));
    for _ in 0..3 {
        backend.apply(&names(), &retry(operations.clone())).unwrap();
        assert_eq!((rows(&mut *backend, &Selection::All), variables(&mut *backend, &Selection::All)), (all.clone(), own.clone()));
    }
}

pub fn a_retry_is_right_after_either_outcome(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    // Neither row is there: the first attempt came to nothing, or a database was restored from a copy.
    let operations = vec![put_with(&row(1, 1), true, &[("k", "v")]), put(&row(1, 2), false)];
    backend.apply(&names(), &retry(operations.clone())).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1), row(1, 2)]);
    // Both are.
    backend.apply(&names(), &retry(operations)).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1), row(1, 2)]);
    assert_eq!(variables(&mut *backend, &Selection::All).len(), 1);
}

pub fn a_row_that_somebody_removed_is_written_again(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    backend.apply(&names(), &batch((1..=4).map(|id| put(&row(1, id), true)).collect())).unwrap();
    ask(&mut *backend, "DELETE FROM dialog WHERE hash_id IN (2, 3)").unwrap();
    backend.apply(&names(), &batch((1..=4).map(|id| put(&row(1, id), false)).collect())).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1), row(1, 2), row(1, 3), row(1, 4)]);
}

pub fn a_refused_row_leaves_nothing_of_its_batch(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    backend.apply(&names(), &batch(vec![put(&row(9, 9), true)])).unwrap();
    // NULL where none may be: refused by the database itself.
    let mut bad = row(1, 2);
    *bad.cell_mut(Column::CallId) = Cell::Null;
    let operations =
        vec![put_with(&row(1, 1), true, &[("k", "v")]), put(&bad, true), put(&row(1, 3), true), Operation::Remove { entry: 9, id: 9 }];
    let error = backend.apply(&names(), &batch(operations.clone())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert!(error.reason.contains("callid"), "{error}");
    assert_eq!(backend.apply(&names(), &retry(operations)).unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(rows(&mut *backend, &Selection::All), [row(9, 9)]);
    assert!(variables(&mut *backend, &Selection::All).is_empty());
    *bad.cell_mut(Column::HashId) = Cell::Integer(9);
    *bad.cell_mut(Column::HashEntry) = Cell::Integer(9);
    let error = backend.apply(&names(), &batch(vec![put(&bad, false)])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(rows(&mut *backend, &Selection::All), [row(9, 9)]);
    let nobody = DialogRow::default();
    assert_eq!(backend.apply(&names(), &batch(vec![put(&nobody, true)])).unwrap_err().kind, ErrorKind::Refused);
    backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 2, "the connection goes on");
}

pub fn what_was_refused_while_a_row_was_put_back_comes_not_twice(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    // Its row is gone, and it fits no more: servers see that only when they put it back.
    let mut bad = row(1, 2);
    *bad.cell_mut(Column::CallId) = Cell::Null;
    let operations = vec![put_with(&row(1, 1), true, &[("k", "v")]), put(&bad, false)];
    assert_eq!(backend.apply(&names(), &batch(operations.clone())).unwrap_err().kind, ErrorKind::Refused);
    let mut desk = operations.into_iter().map(|operation| backend.apply(&names(), &retry(vec![operation])).map_err(|error| error.kind));
    assert_eq!((desk.next(), desk.next()), (Some(Ok(())), Some(Err(ErrorKind::Refused))));
    drop(desk);
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1)]);
    assert_eq!(variables(&mut *backend, &Selection::All).len(), 1);
}

/// MySQL tells how many rows were found in a sentence.
pub fn a_change_stays_in_its_place_whatever_language_the_server_speaks(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    if kind == Kind::Mariadb {
        ask(&mut *backend, "SET lc_messages = 'de_DE'").unwrap();
    }
    backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap();
    let before = ask(&mut *backend, "SELECT id FROM dialog").unwrap().rows;
    backend.apply(&names(), &batch(vec![put(&row(1, 1), false)])).unwrap();
    assert_eq!(ask(&mut *backend, "SELECT id FROM dialog").unwrap().rows, before, "neither removed nor written anew");
}

/// PostgreSQL made without a locale checks no letters; Kamailio writes what came.
pub fn a_byte_that_is_no_utf_8_keeps_no_row_from_being_loaded(kind: Kind) {
    let Some(server) = kind.product().filter(|product| *product == Product::Postgres).and_then(shared) else { return };
    server.execute(&format!("CREATE DATABASE any_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0 OWNER {USER};")).unwrap();
    let mut backend = open(&server.url_of(USER, PASSWORD, "any_bytes")).unwrap();
    backend.create(&names()).unwrap();
    let mut second = row(1, 2);
    second.set_text(Column::FromUri, "sip:zoë@example.org".as_bytes());
    backend.apply(&names(), &batch(vec![put(&row(1, 1), true), put(&second, true)])).unwrap();
    ask(&mut *backend, "UPDATE dialog SET from_uri = 'sip:zo' || chr(235) WHERE hash_id = 1").unwrap();
    let found = rows(&mut *backend, &Selection::All);
    let texts: Vec<_> = found.iter().map(|row| row.cell(Column::FromUri).text().unwrap()).collect();
    assert_eq!(texts, [&b"sip:zo\xeb"[..], "sip:zoë@example.org".as_bytes()]);
}

pub fn a_text_that_is_too_long_is_refused_by_the_name_of_its_column(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let mut long = row(1, 2);
    *long.cell_mut(Column::ExtraData) = Cell::Text("ä".repeat(512).into_bytes());
    backend.apply(&names(), &batch(vec![put(&long, true)])).unwrap();
    for is_new in [true, false] {
        *long.cell_mut(Column::ExtraData) = Cell::Text("ä".repeat(513).into_bytes());
        let error = backend.apply(&names(), &batch(vec![put(&row(1, 1), true), put(&long, is_new)])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.reason.contains("xdata"), "{error}");
    }
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 1);
    let error = backend.apply(&names(), &batch(vec![put_with(&row(1, 1), true, &[("key", &"v".repeat(513))])])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert!(error.reason.contains("dialog_value"), "{error}");
    for text in [&b"sip:\0@x"[..], b"sip:\xff@x"] {
        let mut bad = row(1, 3);
        *bad.cell_mut(Column::FromUri) = Cell::Text(text.to_vec());
        let error = backend.apply(&names(), &batch(vec![put(&bad, true)])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.reason.contains("from_uri"), "{error}");
    }
    // An operator made the column wider.
    let wider = match kind {
        Kind::Mariadb => "ALTER TABLE dialog MODIFY xdata VARCHAR(2000)",
        _ => "ALTER TABLE dialog ALTER xdata TYPE VARCHAR(2000)",
    };
    ask(&mut *backend, wider).unwrap();
    backend.apply(&names(), &batch(vec![put(&long, false)])).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [long]);
}

/// A small generator of random numbers, the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

pub fn random_batches_leave_what_a_map_holds(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let mut dice = Dice(4711);
    // What the tables must hold: the state and one variable of each dialog.
    let mut model: BTreeMap<(u32, u32), (u32, Option<u64>)> = BTreeMap::new();
    for _ in 0..60 {
        let mut operations = Vec::new();
        for _ in 0..=dice.below(40) {
            let (entry, id) = (dice.below(4) as u32, dice.below(40) as u32);
            if dice.below(4) == 0 {
                operations.push(Operation::Remove { entry, id });
                model.remove(&(entry, id));
                continue;
            }
            let state = 3 + dice.below(2) as u32;
            let mut row = row(entry, id);
            *row.cell_mut(Column::State) = Cell::Integer(state.into());
            let known = model.get(&(entry, id)).copied();
            let value = dice.below(1000);
            let (operation, variable) = match dice.below(3) {
                0 => (put_with(&row, known.is_none(), &[("k", &value.to_string())]), Some(value)),
                1 => (put_with(&row, known.is_none(), &[]), None),
                _ => (put(&row, known.is_none()), known.and_then(|(_, variable)| variable)),
            };
            operations.push(operation);
            model.insert((entry, id), (state, variable));
        }
        let is_retry = dice.below(3) == 0;
        backend.apply(&names(), &Batch { operations: operations.clone(), is_retry }).unwrap();
        if dice.below(4) == 0 {
            backend.apply(&names(), &retry(operations)).unwrap();
        }
        let found: Vec<((u32, u32), u32)> =
            rows(&mut *backend, &Selection::All).iter().map(|row| (row.id().unwrap(), row.cell(Column::State).number().unwrap())).collect();
        assert_eq!(found, model.iter().map(|(id, (state, _))| (*id, *state)).collect::<Vec<_>>());
        let mut found: Vec<((u32, u32), u64)> = variables(&mut *backend, &Selection::All)
            .into_iter()
            .map(|(entry, id, _, value)| ((entry, id), value.parse().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, model.iter().filter_map(|(id, (_, variable))| Some((*id, (*variable)?))).collect::<Vec<_>>());
    }
    assert!(model.len() > 50, "{}", model.len());
}

pub fn the_highest_numbers_count_those_of_variables_too(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    assert_eq!(backend.highest(&names(), 0, 0).unwrap(), []);
    let ids = [(1, 10), (1, 13), (2, 11), (2, 0x8000_0001_u32), (3, 5)];
    backend.apply(&names(), &batch(ids.iter().map(|(entry, id)| put(&row(*entry, *id), true)).collect())).unwrap();
    ask(&mut *backend, "INSERT INTO dialog_vars (hash_entry, hash_id, dialog_key, dialog_value) VALUES (3, 9, 'k', 'v'), (7, 4, 'k', 'v')")
        .unwrap();
    assert_eq!(backend.highest(&names(), 0, 1).unwrap(), [(1, 13), (2, 0x8000_0001), (3, 9), (7, 4)]);
    assert_eq!(backend.highest(&names(), 1, 3).unwrap(), [(1, 13), (7, 4)], "those of this server: 1, 4, 7 …");
}

pub fn ten_thousand_rows_are_loaded_and_loading_can_be_broken_off(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    for part in 0..10 {
        let operations = (0..1000).map(|number| put_with(&row(number % 4096, part * 1000 + number), true, &[("k", "v")]));
        backend.apply(&names(), &batch(operations.collect())).unwrap();
    }
    let mut count = 0;
    let mut sum = 0;
    backend
        .load(&names(), &Selection::All, &mut |row| {
            count += 1;
            sum += u64::from(row.id().unwrap().1);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((count, sum), (10_000, 9_999 * 5_000));
    count = 0;
    backend
        .load_variables(&names(), &Selection::All, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(count, 10_000);
    count = 0;
    backend
        .load(&names(), &Selection::All, &mut |_| {
            count += 1;
            if count == 17 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(count, 17);
    assert_eq!(rows(&mut *backend, &Selection::Slot(3)).len(), 10, "the connection goes on");
    let removals = (0..1000).map(|number| Operation::Remove { entry: number % 4096, id: number });
    backend.apply(&names(), &batch(removals.collect())).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 9_000);
    assert_eq!(variables(&mut *backend, &Selection::All).len(), 9_000);
}
