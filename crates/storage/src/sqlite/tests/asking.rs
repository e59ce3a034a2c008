use super::*;
use crate::error::ErrorKind;
use crate::query::{QueryBounds, QueryResult, Value};

const BOUNDS: QueryBounds = QueryBounds { rows_max: 100, bytes_max: 10_000 };

fn ask(open: &mut Sqlite, text: &str) -> Result<QueryResult, StorageError> {
    open.query(text.as_bytes(), BOUNDS)
}

#[test]
fn values_come_with_the_types_that_the_database_gives_them() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let found = ask(&mut open, "SELECT 1 AS one, 'x', NULL, 2.5, X'0041', 'last' AS last; SELECT 2").unwrap();
    assert_eq!(found.columns.first().map(String::as_str), Some("one"));
    let wanted = [
        Value::Integer(1),
        Value::Text(b"x".to_vec()),
        Value::Null,
        Value::Real(2.5),
        Value::Text(vec![0, 65]),
        Value::Text(b"last".to_vec()),
    ];
    assert_eq!((found.rows, found.affected), (vec![wanted.to_vec()], 0));
}

#[test]
fn changed_rows_are_counted_and_only_by_what_changes_rows() {
    let directory = Directory::new();
    let mut open = directory.ready();
    assert_eq!(ask(&mut open, "CREATE TABLE t (a INTEGER)").unwrap(), QueryResult::default());
    assert_eq!(ask(&mut open, "INSERT INTO t VALUES (1), (2), (3)").unwrap().affected, 3);
    assert_eq!(ask(&mut open, "UPDATE t SET a = 9 WHERE a > 1").unwrap().affected, 2);
    assert_eq!(ask(&mut open, "SELECT a FROM t").unwrap().affected, 0);
    assert_eq!(ask(&mut open, "CREATE TABLE u (a INTEGER)").unwrap().affected, 0);
    assert_eq!(ask(&mut open, "DELETE FROM t WHERE a = 77").unwrap().affected, 0);
    let returning = ask(&mut open, "DELETE FROM t WHERE a = 9 RETURNING a").unwrap();
    assert_eq!((returning.rows.len(), returning.affected), (2, 2));
    assert_eq!(ask(&mut open, "").unwrap(), QueryResult::default());
    assert_eq!(ask(&mut open, "-- nothing").unwrap(), QueryResult::default());
}

#[test]
fn a_wrong_statement_is_refused_and_the_next_one_works() {
    let directory = Directory::new();
    let mut open = directory.ready();
    for wrong in ["SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM dialog", "INSERT INTO dialog (id) VALUES (1)"] {
        let error = ask(&mut open, wrong).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{wrong}: {error}");
    }
    assert_eq!(open.query(b"SELECT '\xff'", BOUNDS).unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(ask(&mut open, "SELECT 1").unwrap().rows.len(), 1);
}

#[test]
fn results_have_bounds_in_rows_and_in_bytes() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let count = |to: u32| format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to}) SELECT i FROM n");
    assert_eq!(ask(&mut open, &count(100)).unwrap().rows.len(), 100);
    let error = ask(&mut open, &count(101)).unwrap_err();
    assert!(error.to_string().contains("more than 100 rows (ask for less, with LIMIT)"), "{error}");
    let error = ask(&mut open, "SELECT zeroblob(20000)").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("more than 10000 bytes"), "{error}");
}

#[test]
fn a_statement_that_never_ends_is_interrupted() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let for_ever = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let error = ask(&mut open, for_ever).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Away);
    assert!(error.to_string().contains("the call took too long and was interrupted"), "{error}");
    assert_eq!(ask(&mut open, "SELECT 1").unwrap().rows.len(), 1);
}

#[test]
fn no_statement_leaves_a_transaction_open() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let error = ask(&mut open, "BEGIN IMMEDIATE").unwrap_err();
    assert!(error.to_string().contains("may not leave a transaction open"), "{error}");
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    assert_eq!(ask(&mut open, "COMMIT").unwrap_err().kind, ErrorKind::Refused);
}

#[test]
fn statements_together_that_cannot_be_committed_leave_nobody_locked_out() {
    let directory = Directory::new();
    let url = Url::parse(&format!("{}?journal=delete", directory.url())).unwrap();
    let short = ConnectOptions { call_timeout: Duration::from_millis(100), ..options() };
    let mut writer = open(&url, options()).unwrap();
    writer.check(&names()).unwrap();
    let mut together = open(&url, short).unwrap();
    let reader = rusqlite::Connection::open(directory.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM dialog").unwrap();
    let mut run = || together.run_together(&mut ["CREATE TABLE t (a INTEGER)".to_owned()].into_iter());
    for _ in 0..2 {
        assert_eq!(run().unwrap_err().kind, ErrorKind::Busy);
    }
    reader.execute_batch("COMMIT").unwrap();
    writer.apply(&names(), &Batch { operations: vec![Operation::Remove { entry: 1, id: 1 }], is_retry: false }).unwrap();
    run().unwrap();
}
