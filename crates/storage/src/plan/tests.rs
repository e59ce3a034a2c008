use super::*;
use crate::columns::Column;

fn row(entry: i64, id: i64) -> DialogRow {
    let mut row = DialogRow::default();
    *row.cell_mut(Column::HashEntry) = Cell::Integer(entry);
    *row.cell_mut(Column::HashId) = Cell::Integer(id);
    row
}

fn put(row: &DialogRow, is_new: bool, variables: Option<&[(&str, &str)]>) -> Operation {
    let variables = variables.map(|all| all.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect());
    Operation::Put { row: Box::new(row.clone()), is_new, variables }
}

fn with<T>(operations: Vec<Operation>, replaces: bool, see: impl FnOnce(Result<Plan<'_>, StorageError>) -> T) -> T {
    let batch = Batch { operations, is_retry: replaces };
    see(Plan::of(&Url::parse("mysql://u@h/d").unwrap(), &TableNames::default(), &batch, replaces))
}

#[test]
fn operations_for_one_dialog_become_one() {
    let (first, second) = (row(1, 2), row(1, 2));
    with(vec![put(&first, true, Some(&[("a", "1")])), put(&second, false, None), put(&row(3, 4), false, None)], false, |plan| {
        let plan = plan.unwrap();
        assert_eq!((plan.rows_added.len(), plan.rows_changed.len(), plan.rows_removed.len()), (1, 1, 0));
        assert_eq!((plan.variables_added.as_slice(), plan.variables_removed.as_slice()), (&[(1, 2, "a", "1")][..], &[(1, 2)][..]));
    });
    with(vec![put(&first, true, Some(&[("a", "1")])), Operation::Remove { entry: 1, id: 2 }], false, |plan| {
        let plan = plan.unwrap();
        assert!(plan.rows_added.is_empty() && plan.variables_added.is_empty() && plan.rows_changed.is_empty());
        assert_eq!((plan.rows_removed.as_slice(), plan.variables_removed.as_slice()), (&[(1, 2)][..], &[(1, 2)][..]));
    });
    with(vec![Operation::Remove { entry: 1, id: 2 }, put(&first, true, None)], false, |plan| {
        let plan = plan.unwrap();
        assert_eq!((plan.rows_removed.len(), plan.variables_removed.len(), plan.rows_added.len()), (1, 1, 1));
    });
    with(vec![], false, |plan| assert!(plan.unwrap().is_empty()));
}

#[test]
fn a_second_attempt_replaces_what_may_be_there() {
    with(vec![put(&row(1, 2), true, None), put(&row(3, 4), false, None)], true, |plan| {
        let plan = plan.unwrap();
        assert_eq!((plan.rows_removed.as_slice(), plan.rows_added.len(), plan.rows_changed.len()), (&[(1, 2), (3, 4)][..], 2, 0));
        assert!(plan.variables_removed.is_empty(), "variables that are not given stay");
    });
}

#[test]
fn variables_are_written_oldest_first() {
    with(vec![put(&row(1, 2), true, Some(&[("new", "2"), ("old", "1")]))], false, |plan| {
        assert_eq!(plan.unwrap().variables_added, [(1, 2, "old", "1"), (1, 2, "new", "2")]);
    });
}

#[test]
fn what_no_column_can_hold_is_refused_by_the_name_of_the_column() {
    let mut bad = row(1, 2);
    *bad.cell_mut(Column::FromUri) = Cell::Text(b"sip:\xff@a".to_vec());
    with(vec![put(&bad, true, None)], false, |plan| {
        let error = plan.unwrap_err();
        assert_eq!((error.kind, &*error.reason), (ErrorKind::Refused, "dialog 1:2: from_uri holds bytes that are not UTF-8"));
    });
    *bad.cell_mut(Column::FromUri) = Cell::Text(b"sip:\0@a".to_vec());
    with(vec![put(&bad, true, None)], false, |plan| assert!(plan.unwrap_err().reason.contains("from_uri holds a NUL byte")));
    let mut bad = row(1, 2);
    *bad.cell_mut(Column::State) = Cell::Text(b"four".to_vec());
    with(vec![put(&bad, true, None)], false, |plan| assert!(plan.unwrap_err().reason.contains("state is no number")));
    with(vec![put(&DialogRow::default(), true, None)], false, |plan| assert!(plan.unwrap_err().reason.contains("no slot")));
    let nul = Operation::Put { row: Box::new(row(1, 2)), is_new: true, variables: Some(vec![(b"k".to_vec(), b"\0".to_vec())]) };
    with(vec![nul], false, |plan| assert!(plan.unwrap_err().reason.contains("dialog_value holds a NUL byte")));
}

#[test]
fn the_first_text_that_is_too_long_is_named() {
    let mut long = row(1, 2);
    *long.cell_mut(Column::ExtraData) = Cell::Text("ä".repeat(6).into_bytes());
    with(vec![put(&long, true, Some(&[("key", "value")]))], false, |plan| {
        let plan = plan.unwrap();
        let names = TableNames::default();
        let named = plan.first_too_long(&names, |_, column| (column == "xdata").then_some(5));
        assert_eq!(named.as_deref(), Some("dialog 1:2: xdata has 6 characters, its column takes 5"));
        let named = plan.first_too_long(&names, |table, column| (table == "dialog_vars" && column == "dialog_value").then_some(4));
        assert_eq!(named.as_deref(), Some("dialog 1:2: dialog_value of `key` has 5 characters, its column takes 4"));
        assert_eq!(plan.first_too_long(&names, |_, _| Some(6)), None);
    });
}
