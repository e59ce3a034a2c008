//! Servers that refuse, stop, crash and hang.

use std::time::{Duration, Instant};

use database_servers::{DATABASE, DatabaseServer, PASSWORD, Product, USER, start_or_skip};
use storage::{Backend, Batch, DialogRow, ErrorKind, Operation, Selection};

use crate::homes::{Home, Kind, ask, names, open, open_with, open_within, put, put_with, row, rows, shared};

/// A server of its own, with tables, for tests that stop it.
fn own_server(kind: Kind) -> Option<(DatabaseServer, Box<dyn Backend>)> {
    let server = start_or_skip(kind.product()?)?;
    let mut backend = open(&server.url()).unwrap();
    backend.create(&names()).unwrap();
    Some((server, backend))
}

fn batch(operations: Vec<Operation>) -> Batch {
    Batch { operations, is_retry: false }
}

pub fn wrong_credentials_and_a_missing_database_are_told_apart_from_outages(kind: Kind) {
    let Some(server) = kind.product().and_then(shared) else { return };
    for (user, password, database) in
        [(USER, "wrong", "kamailio"), ("nobody_known", PASSWORD, "kamailio"), (USER, PASSWORD, "no_such_database"), (USER, "", "kamailio")]
    {
        let error = open(&server.url_of(user, password, database)).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Credentials, "{user} {database}: {error}");
        assert!(!error.remedy.is_empty(), "{error}");
        assert!(password.is_empty() || !error.to_string().contains(password), "{error}");
    }
    let error = open(&server.url().replace(&server.port().to_string(), "1")).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Away, "{error}");
    let error = open(&server.url().replace("127.0.0.1", "no-such-host.invalid")).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Away, "{error}");
}

pub fn a_stopped_server_is_away_and_comes_back(kind: Kind) {
    let Some((mut server, mut backend)) = own_server(kind) else { return };
    backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap();
    server.stop().unwrap();
    let operations = vec![put(&row(1, 2), true), put(&row(1, 1), false)];
    let error = backend.apply(&names(), &batch(operations.clone())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Away, "{error}");
    let error = backend.apply(&names(), &batch(operations.clone())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Away, "a lost connection stays lost: {error}");
    let error = open(&server.url()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Away, "{error}");
    assert!(error.remedy.contains("runs"), "{error}");
    server.start_again().unwrap();
    let mut backend = open(&server.url()).unwrap();
    backend.check(&names()).unwrap();
    backend.apply(&names(), &Batch { operations, is_retry: true }).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1), row(1, 2)]);
}

pub fn a_server_that_crashes_between_batches_keeps_what_was_applied(kind: Kind) {
    let Some((mut server, mut backend)) = own_server(kind) else { return };
    let mut applied = 0;
    for round in 0..3 {
        // The server is killed while batches are on their way: the one whose outcome nobody knows is applied again.
        let mut pending = None;
        let killer = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(40 + 30 * round));
                server.kill().unwrap();
            });
            for _ in 0..100_000 {
                let operations: Vec<Operation> = (1..=20).map(|id| put_with(&row(applied + 1, id), true, &[("k", "v")])).collect();
                match backend.apply(&names(), &batch(operations.clone())) {
                    Ok(()) => applied += 1,
                    Err(error) => {
                        assert_eq!(error.kind, ErrorKind::Away, "{error}");
                        pending = Some(operations);
                        break;
                    }
                }
            }
            thread.join()
        });
        killer.unwrap();
        server.start_again().unwrap();
        backend = open(&server.url()).unwrap();
        backend.apply(&names(), &Batch { operations: pending.unwrap(), is_retry: true }).unwrap();
        applied += 1;
        let found = rows(&mut *backend, &Selection::All);
        assert_eq!(found.len(), applied as usize * 20);
        assert!(found.windows(2).all(|two| two[0].id() != two[1].id()), "no row is there twice");
    }
    assert!(applied > 3, "{applied}");
}

pub fn a_hung_server_costs_a_caller_no_more_than_the_deadline(kind: Kind) {
    let Some((mut server, _)) = own_server(kind) else { return };
    let limit = Duration::from_millis(300);
    let mut backend = open_with(&server.url(), limit);
    let mut other = open_with(&server.url(), limit);
    let mut third = open_with(&server.url(), limit);
    server.freeze().unwrap();
    let in_time = |what: &str, error: storage::StorageError, began: Instant| {
        assert_eq!(error.kind, ErrorKind::Away, "{what}: {error}");
        assert!(error.reason.contains("no answer within 300 ms"), "{what}: {error}");
        assert!(began.elapsed() < limit * 4, "{what} took {:?}", began.elapsed());
    };
    let began = Instant::now();
    in_time("apply", backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap_err(), began);
    let began = Instant::now();
    in_time("load", other.load(&names(), &Selection::All, &mut |_| std::ops::ControlFlow::Continue(())).unwrap_err(), began);
    let began = Instant::now();
    in_time("query", ask(&mut *third, "SELECT 1").unwrap_err(), began);
    let began = Instant::now();
    in_time("connect", open_within(&server.url(), limit).err().unwrap(), began);
    let began = Instant::now();
    drop((backend, other, third));
    assert!(began.elapsed() < limit * 4, "letting go took {:?}", began.elapsed());
    server.thaw().unwrap();
    assert_eq!(ask(&mut *open(&server.url()).unwrap(), "SELECT 1").unwrap().rows.len(), 1);
}

/// An attempt hangs at a lock; the caller gives it up and comes again. When the lock goes, the server could do both.
pub fn what_a_slow_server_does_later_comes_not_twice(kind: Kind) {
    let Some((server, mut other)) = own_server(kind) else { return };
    let url = server.url();
    let lock = match kind.product().unwrap() {
        Product::Postgres => "BEGIN; LOCK TABLE dialog IN EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT;\n",
        Product::Mariadb => "LOCK TABLES dialog WRITE, dialog_vars WRITE; SELECT SLEEP(2);\n",
    };
    for round in 1..=3 {
        std::thread::scope(|scope| {
            let mut backend = open_with(&url, Duration::from_millis(500));
            backend.apply(&names(), &batch(vec![put(&row(round, 1), true)])).unwrap();
            let holder = scope.spawn(|| server.execute(lock));
            let mut number = 1;
            let pending = loop {
                number += 1;
                let operations = vec![put(&row(round, number), true)];
                if let Err(error) = backend.apply(&names(), &batch(operations.clone())) {
                    assert_eq!(error.kind, ErrorKind::Away, "{error}");
                    break operations;
                }
            };
            open(&url).unwrap().apply(&names(), &Batch { operations: pending, is_retry: true }).unwrap();
            holder.join().unwrap().unwrap();
            let expected: Vec<DialogRow> = (1..=number).map(|number| row(round, number)).collect();
            assert_eq!(rows(&mut *other, &Selection::Slot(round)), expected, "round {round}");
        });
    }
}

pub fn a_locked_table_costs_no_more_than_the_deadline(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    drop(home.with_tables());
    let (_, database) = home.url.rsplit_once('/').unwrap();
    let server = kind.product().and_then(shared).unwrap();
    let lock = match kind.product().unwrap() {
        Product::Postgres => format!("\\connect {database}\nBEGIN; LOCK TABLE dialog; SELECT pg_sleep(3);\n"),
        Product::Mariadb => format!("USE {database}; LOCK TABLES dialog WRITE; SELECT SLEEP(3);\n"),
    };
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| server.execute(&lock));
        let end = Instant::now() + Duration::from_secs(10);
        let mut backend = open_with(&home.url, Duration::from_millis(500));
        // The first attempts may come before the lock.
        let error = loop {
            match backend.apply(&names(), &batch(vec![put(&row(1, 1), true), Operation::Remove { entry: 1, id: 1 }])) {
                Ok(()) => assert!(Instant::now() < end, "the lock is never met"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind, ErrorKind::Away, "{error}");
        holder.join().unwrap().unwrap();
        let mut backend = home.connect();
        backend.apply(&names(), &Batch { operations: vec![put(&row(1, 2), true)], is_retry: true }).unwrap();
        assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 2)]);
    });
}

pub fn a_killed_connection_is_away(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let mut other = home.connect();
    let (own, end) = match kind {
        Kind::Mariadb => ("SELECT CONNECTION_ID()", "KILL "),
        _ => ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend("),
    };
    let storage::Value::Integer(number) = ask(&mut *backend, own).unwrap().rows[0][0] else { panic!("no number") };
    ask(&mut *other, &format!("{end}{number}{}", if kind == Kind::Mariadb { "" } else { ")" })).unwrap();
    let error = loop {
        // It ends when the server gets round to it.
        match backend.apply(&names(), &batch(vec![put(&row(1, 1), true), Operation::Remove { entry: 1, id: 1 }])) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::Away, "{error}");
    assert_eq!(backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap_err().kind, ErrorKind::Away);
    home.connect().apply(&names(), &Batch { operations: vec![put(&row(1, 1), true)], is_retry: true }).unwrap();
    assert_eq!(rows(&mut *other, &Selection::All), [row(1, 1)]);
}

pub fn the_socket_leads_to_the_server_too(kind: Kind) {
    let Some(server) = kind.product().and_then(shared) else { return };
    let socket = server.socket();
    let url = match kind {
        Kind::Mariadb => format!("mysql://{USER}:{PASSWORD}@localhost/kamailio?socket={}", socket.display()),
        _ => format!("postgres://{USER}:{PASSWORD}@:{}/kamailio?socket={}", server.port(), socket.display()),
    };
    assert_eq!(ask(&mut *open(&url).unwrap(), "SELECT 1").unwrap().rows.len(), 1);
}

pub fn a_server_that_takes_no_writes_is_told_as_such(kind: Kind) {
    let Some((server, mut backend)) = own_server(kind) else { return };
    backend.apply(&names(), &batch(vec![put(&row(1, 1), true)])).unwrap();
    let (on, off) = match kind.product().unwrap() {
        Product::Postgres => {
            ("ALTER ROLE kamailio SET default_transaction_read_only = on;", "ALTER ROLE kamailio RESET default_transaction_read_only;")
        }
        Product::Mariadb => ("SET GLOBAL read_only = 1;", "SET GLOBAL read_only = 0;"),
    };
    server.execute(on).unwrap();
    let mut backend = open(&server.url()).unwrap();
    let error = backend.apply(&names(), &batch(vec![put(&row(1, 2), true)])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly, "{error}");
    assert!(!error.remedy.is_empty());
    assert_eq!(rows(&mut *backend, &Selection::All), [row(1, 1)], "reading goes on");
    server.execute(off).unwrap();
    open(&server.url()).unwrap().apply(&names(), &Batch { operations: vec![put(&row(1, 2), true)], is_retry: true }).unwrap();
}

/// Kamailio's primary key has 31 bits in PostgreSQL and 32 in MySQL, and every row takes one for good.
pub fn a_primary_key_that_is_used_up_is_told_with_the_remedy(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let (end, remedy) = match kind.product().unwrap() {
        Product::Postgres => ("ALTER SEQUENCE dialog_id_seq RESTART 2147483646", "ALTER SEQUENCE dialog_id_seq CYCLE"),
        Product::Mariadb => ("ALTER TABLE dialog AUTO_INCREMENT = 4294967294", "ALTER TABLE dialog AUTO_INCREMENT = 1"),
    };
    ask(&mut *backend, end).unwrap();
    let error = (1..10).find_map(|id| backend.apply(&names(), &batch(vec![put(&row(1, id), true)])).err()).unwrap();
    assert_eq!(error.kind, ErrorKind::Schema, "no row is to blame: {error}");
    assert!(error.remedy.contains("primary key"), "{error}");
    // The calls with the highest numbers are over by then.
    backend.apply(&names(), &batch((1..10).map(|id| Operation::Remove { entry: 1, id }).collect())).unwrap();
    ask(&mut *backend, remedy).unwrap();
    backend.apply(&names(), &batch((1..4).map(|id| put(&row(1, id), true)).collect())).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 3);
}

/// A server that begins anew gives the numbers of sessions anew: those of lost ones are somebody else's then.
pub fn sessions_of_others_live_on_after_a_restart(kind: Kind) {
    let Some(mut server) = kind.product().and_then(start_or_skip) else { return };
    let host = if kind == Kind::Mariadb { "localhost" } else { "" };
    let (socket, url) = (server.socket().display().to_string(), server.url());
    let scheme = url.split("://").next().unwrap();
    let account = format!("{scheme}://{USER}:{PASSWORD}@{host}:{}/{DATABASE}?socket={socket}", server.port());
    let limit = Duration::from_millis(100);
    let mut lost: Vec<_> = (0..4).map(|_| open_with(&account, limit)).collect();
    // Servers count their time in seconds, from a second that may have begun before: younger sessions are not told apart.
    std::thread::sleep(Duration::from_millis(2_100));
    server.freeze().unwrap();
    for backend in &mut lost {
        assert_eq!(ask(&mut **backend, "SELECT 1").unwrap_err().kind, ErrorKind::Away);
    }
    server.kill().unwrap();
    server.start_again().unwrap();
    // Another program with the same account.
    let other = format!("{account}&other=1");
    let mut others: Vec<_> = (0..4).map(|_| open(&other).unwrap()).collect();
    ask(&mut *open(&account).unwrap(), "SELECT 1").unwrap();
    for backend in &mut others {
        ask(&mut **backend, "SELECT 1").unwrap();
    }
}
