//! Statements of scripts.

use std::time::{Duration, Instant};

use storage::query::QueryBounds;
use storage::{ErrorKind, Value};

use crate::homes::{Home, Kind, ask, open_with};

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

pub fn values_keep_their_types(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    let result = ask(&mut *backend, "SELECT 1 AS one, -2 AS two, 'a''b' AS letters, NULL AS unknown").unwrap();
    assert_eq!(result.columns, ["one", "two", "letters", "unknown"]);
    assert_eq!(result.rows, [vec![Value::Integer(1), Value::Integer(-2), text("a'b"), Value::Null]]);
    match kind {
        Kind::Sqlite => assert_eq!(ask(&mut *backend, "SELECT 2.5, x'6100'").unwrap().rows, [vec![Value::Real(2.5), text("a\0")]]),
        Kind::Postgres => {
            let statement = "SELECT 2.5::float8, 1.10::numeric, true, '2026-01-02'::date, '2026-01-02 03:04:05'::timestamp, \
                             '\\x6100'::bytea, 9223372036854775807::int8, 7::int2, '192.0.2.1'::inet, ARRAY[1,2], '{\"a\":1}'::jsonb, \
                             '00000000-0000-0000-0000-000000000001'::uuid";
            let expected = vec![
                Value::Real(2.5),
                text("1.10"),
                text("t"),
                text("2026-01-02"),
                text("2026-01-02 03:04:05"),
                text("a\0"),
                Value::Integer(i64::MAX),
                Value::Integer(7),
                text("192.0.2.1"),
                text("{1,2}"),
                text("{\"a\": 1}"),
                text("00000000-0000-0000-0000-000000000001"),
            ];
            assert_eq!(ask(&mut *backend, statement).unwrap().rows, [expected]);
            ask(&mut *backend, "CREATE TYPE mood AS ENUM ('sad', 'ok')").unwrap();
            assert_eq!(ask(&mut *backend, "SELECT 'ok'::mood, 5").unwrap().rows, [vec![text("ok"), Value::Integer(5)]]);
            let several = ask(&mut *backend, "SELECT 1 AS a; SELECT 2 AS b").unwrap();
            assert_eq!((several.columns.as_slice(), several.rows.as_slice()), (&["a".to_owned()][..], &[vec![text("1")]][..]));
        }
        Kind::Mariadb => {
            let statement = "SELECT 2.5e0, 1.10, TRUE, DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05', x'6100', \
                             CAST(18446744073709551615 AS UNSIGNED), TIME '10:11:12', b'101' + 0";
            let expected = vec![
                Value::Real(2.5),
                text("1.10"),
                Value::Integer(1),
                text("2026-01-02"),
                text("2026-01-02 03:04:05"),
                text("a\0"),
                text("18446744073709551615"),
                text("10:11:12"),
                Value::Integer(5),
            ];
            assert_eq!(ask(&mut *backend, statement).unwrap().rows, [expected]);
            ask(&mut *backend, "CREATE TABLE kinds (a BIT(10), b BLOB, c TINYINT, d YEAR, e ENUM('x','y'))").unwrap();
            ask(&mut *backend, "INSERT INTO kinds VALUES (513, x'00ff', -3, 2026, 'y')").unwrap();
            let expected = vec![Value::Integer(513), Value::Text(vec![0, 255]), Value::Integer(-3), Value::Integer(2026), text("y")];
            assert_eq!(ask(&mut *backend, "SELECT * FROM kinds").unwrap().rows, [expected]);
            // As in Kamailio: a value that left its quotes must not add a statement.
            for several in ["SELECT 1; DROP TABLE kinds", "SELECT ';'; DROP TABLE kinds;", "SELECT 1 -- '\n; DROP TABLE kinds -- '"] {
                assert_eq!(ask(&mut *backend, several).unwrap_err().kind, ErrorKind::Refused, "{several}");
            }
            assert_eq!(ask(&mut *backend, "SELECT ';', a FROM kinds;").unwrap().rows, [vec![text(";"), Value::Integer(513)]]);
            ask(&mut *backend, "CREATE PROCEDURE two() BEGIN DELETE FROM kinds; SELECT 5; END").unwrap();
            assert_eq!(ask(&mut *backend, "CALL two()").unwrap().rows, [vec![Value::Integer(5)]]);
        }
    }
    let nothing = ask(&mut *backend, "SELECT 1 AS a WHERE 1 = 0").unwrap();
    assert_eq!((nothing.columns.as_slice(), nothing.rows.len()), (&["a".to_owned()][..], 0));
}

pub fn results_beyond_their_bounds_are_refused_and_the_connection_goes_on(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "CREATE TABLE many (a INTEGER, b VARCHAR(255))").unwrap();
    let row = format!("(1, '{}')", "x".repeat(200));
    ask(&mut *backend, &format!("INSERT INTO many VALUES {}", vec![row; 1000].join(","))).unwrap();
    for _ in 0..7 {
        ask(&mut *backend, "INSERT INTO many SELECT * FROM many").unwrap();
    }
    let all = b"SELECT * FROM many";
    for bounds in [QueryBounds { rows_max: 100, bytes_max: 100 << 20 }, QueryBounds { rows_max: 1_000_000, bytes_max: 10_000 }] {
        let error = backend.query(all, bounds).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.reason.contains("the result has more than") && error.remedy.contains("LIMIT"), "{error}");
        assert_eq!(ask(&mut *backend, "SELECT 5").unwrap().rows, [vec![Value::Integer(5)]]);
    }
    let exactly = QueryBounds { rows_max: 128_000, bytes_max: 100 << 20 };
    assert_eq!(backend.query(all, exactly).unwrap().rows.len(), 128_000);
}

pub fn wrong_statements_are_refused_and_the_connection_goes_on(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    for statement in ["SELEKT 1", "SELECT * FROM no_such_table", "SELECT no_such_column", "INSERT INTO no_such_table VALUES (1)"] {
        let error = ask(&mut *backend, statement).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{statement}: {error}");
        assert!(!error.reason.is_empty());
    }
    assert_eq!(
        backend.query(b"SELECT '\xff' FROM no_such_table", QueryBounds { rows_max: 1, bytes_max: 100 }).unwrap_err().kind,
        ErrorKind::Refused
    );
    ask(&mut *backend, "CREATE TABLE own (a INTEGER NOT NULL PRIMARY KEY)").unwrap();
    ask(&mut *backend, "INSERT INTO own VALUES (1)").unwrap();
    assert_eq!(ask(&mut *backend, "INSERT INTO own VALUES (1)").unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(ask(&mut *backend, "SELECT a FROM own").unwrap().rows, [vec![Value::Integer(1)]]);
}

pub fn changed_rows_are_counted(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "CREATE TABLE own (a INTEGER)").unwrap();
    assert_eq!(ask(&mut *backend, "INSERT INTO own VALUES (1), (2), (3)").unwrap().affected, 3);
    assert_eq!(ask(&mut *backend, "UPDATE own SET a = a + 1 WHERE a > 1").unwrap().affected, 2);
    assert_eq!(ask(&mut *backend, "DELETE FROM own WHERE a = 99").unwrap().affected, 0);
    let result = ask(&mut *backend, "DELETE FROM own").unwrap();
    assert_eq!((result.affected, result.columns.len(), result.rows.len()), (3, 0, 0));
}

pub fn no_transaction_is_left_open(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "CREATE TABLE own (a INTEGER)").unwrap();
    let error = ask(&mut *backend, "BEGIN").unwrap_err();
    assert!(error.kind == ErrorKind::Refused && error.reason.contains("transaction"), "{error}");
    ask(&mut *backend, "INSERT INTO own VALUES (1)").unwrap();
    assert_eq!(home.connect().query(b"SELECT a FROM own", QueryBounds { rows_max: 9, bytes_max: 999 }).unwrap().rows.len(), 1);
    if kind == Kind::Mariadb {
        ask(&mut *backend, "SET autocommit = 0").unwrap();
        ask(&mut *backend, "INSERT INTO own VALUES (2)").unwrap();
        assert_eq!(ask(&mut *home.connect(), "SELECT a FROM own").unwrap().rows.len(), 2);
    }
    if kind == Kind::Postgres {
        ask(&mut *backend, "BEGIN; INSERT INTO own VALUES (3); COMMIT").unwrap();
        assert_eq!(ask(&mut *backend, "BEGIN; SELECT no_such_column").unwrap_err().kind, ErrorKind::Refused);
        assert_eq!(ask(&mut *backend, "SELECT a FROM own").unwrap().rows.len(), 2);
    }
}

pub fn statements_together_are_all_done_or_none(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "CREATE TABLE own (a INTEGER NOT NULL PRIMARY KEY)").unwrap();
    let insert = |number: u32| format!("INSERT INTO own VALUES ({number})");
    backend.run_together(&mut (1..=1_200).map(insert)).unwrap();
    assert_eq!(ask(&mut *home.connect(), "SELECT a FROM own").unwrap().rows.len(), 1_200);
    let error = backend.run_together(&mut [2_000, 2_001, 50, 2_002].map(insert).into_iter()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(ask(&mut *backend, "SELECT a FROM own").unwrap().rows.len(), 1_200);
    backend.run_together(&mut std::iter::empty()).unwrap();
}

pub fn a_statement_with_a_nul_byte_is_refused_and_the_connection_goes_on(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "CREATE TABLE own (a VARCHAR(9))").unwrap();
    ask(&mut *backend, "INSERT INTO own VALUES ('x')").unwrap();
    let error = ask(&mut *backend, "DELETE FROM own WHERE a = 'x' \0 AND a = 'y'").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    let together = ["DELETE FROM own", "INSERT INTO own VALUES (\0)"].map(str::to_owned);
    assert_ne!(backend.run_together(&mut together.into_iter()).unwrap_err().kind, ErrorKind::Away);
    assert_eq!(ask(&mut *backend, "SELECT a FROM own").unwrap().rows, [vec![text("x")]]);
}

pub fn a_result_without_end_costs_no_more_than_the_deadline(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = open_with(&home.url, Duration::from_millis(500));
    ask(&mut *backend, "CREATE TABLE own (a INTEGER)").unwrap();
    ask(&mut *backend, &format!("INSERT INTO own VALUES {}", vec!["(1)"; 1_000].join(","))).unwrap();
    let begin = Instant::now();
    let bounds = QueryBounds { rows_max: 10, bytes_max: 1 << 20 };
    backend.query(b"SELECT x.a FROM own x, own y, own z", bounds).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // The next connection ends what the server still did for that one.
    assert_eq!(ask(&mut *home.connect(), "SELECT 5").unwrap().rows, [vec![Value::Integer(5)]]);
}
