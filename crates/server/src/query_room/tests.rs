//! Sessions with a database that is played by hand.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use modules::node::Process;
use modules::sockets::Sockets;
use proxy::Prepared;
use script::load::LoadOptions;
use script::source::Files;
use script::value::{Text, Value};
use storage::backend::Selection;
use storage::query::QueryBounds;
use storage::{Backend, Batch, DialogRow, ErrorKind, QueryResult, StorageError, TableNames, VariableRow};

use super::*;

struct OneFile(&'static str);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

fn node(configuration: &'static str) -> Arc<Node> {
    let checked = proxy::check("test.cfg", &mut OneFile(configuration), &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let prepared = Prepared { checked, sockets: Sockets::default(), process: Process::default(), environment: BTreeMap::new() };
    Arc::new(proxy::start(prepared, Clock::start().now()).unwrap_or_else(|error| panic!("{error}")))
}

const ONE: &str = "loadmodule \"db_sqlite.so\"\nloadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"a=>sqlite:///x\")\nmodparam(\"sqlops\", \"connections\", 1)\nrequest_route { exit; }\n";

/// What the database does with each statement; the statement comes along.
type Say = Arc<dyn Fn(&str) -> Result<QueryResult, StorageError> + Send + Sync>;

struct Played(Say);

fn refused() -> StorageError {
    StorageError::new(ErrorKind::Refused, "test", "not played")
}

impl Backend for Played {
    fn check(&mut self, _: &TableNames) -> Result<(), StorageError> {
        Err(refused())
    }

    fn create(&mut self, _: &TableNames) -> Result<(), StorageError> {
        Err(refused())
    }

    fn highest(&mut self, _: &TableNames, _: u32, _: u32) -> Result<Vec<(u32, u32)>, StorageError> {
        Err(refused())
    }

    fn load(&mut self, _: &TableNames, _: &Selection, _: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>) -> Result<(), StorageError> {
        Err(refused())
    }

    fn load_variables(
        &mut self,
        _: &TableNames,
        _: &Selection,
        _: &mut dyn FnMut(&VariableRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        Err(refused())
    }

    fn apply(&mut self, _: &TableNames, _: &Batch) -> Result<(), StorageError> {
        Err(refused())
    }

    fn empty(&mut self, _: &TableNames) -> Result<(), StorageError> {
        Err(refused())
    }

    fn query(&mut self, statement: &[u8], _: QueryBounds) -> Result<QueryResult, StorageError> {
        (self.0)(&String::from_utf8_lossy(statement))
    }

    fn run_together(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError> {
        for statement in statements {
            (self.0)(&statement)?;
        }
        Ok(())
    }
}

fn one_row(text: &str) -> QueryResult {
    let values =
        vec![storage::Value::Text(text.as_bytes().to_vec()), storage::Value::Real(1.5), storage::Value::Integer(7), storage::Value::Null];
    QueryResult { columns: ["t", "r", "i", "n"].map(str::to_owned).to_vec(), rows: vec![values], affected: 0 }
}

fn away() -> StorageError {
    StorageError::new(ErrorKind::Away, "test", "nobody answers")
}

/// A connection that says so, and how often it was made.
fn connect(say: Say) -> (Connect, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let connect: Connect = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Played(Arc::clone(&say))) as Box<dyn Backend>)
    });
    (connect, made)
}

struct Bench {
    room: QueryRoom,
    bell: Receiver<()>,
    lines: Receiver<String>,
}

fn bench(node: Arc<Node>, connect: Connect) -> Bench {
    let ((ring, bell), (write, lines)): ((Sender<()>, _), (Sender<String>, _)) = (channel(), channel());
    let surroundings = Surroundings {
        node,
        clock: Clock::start(),
        notify: Arc::new(move || {
            let _ = ring.send(());
        }),
        log: Arc::new(move |text| drop(write.send(text.to_owned()))),
    };
    let opened = Opened(vec![(Session::new(Arc::clone(&connect)), connect)]);
    Bench { room: QueryRoom::start(opened, surroundings).expect("threads"), bell, lines }
}

impl Bench {
    fn ask(&self, ticket: u64, statement: &str) {
        self.room.ask(Request { ticket, connection: 0, work: Work::Statement(Text::from(statement)) });
    }

    /// The next answers, this many.
    fn answers(&self, count: usize) -> Vec<(u64, Result<Rows, String>)> {
        let mut all = Vec::new();
        while all.len() < count {
            self.bell.recv_timeout(Duration::from_secs(10)).expect("an answer");
            all.extend(self.room.answers().into_iter().map(|(ticket, answer)| match answer {
                Answer::Rows(rows) => (ticket, rows),
                other => panic!("{other:?}"),
            }));
        }
        all
    }
}

#[test]
fn a_result_comes_under_its_ticket_in_values_of_scripts() {
    let (connect, _) = connect(Arc::new(|statement| Ok(one_row(statement))));
    let bench = bench(node(ONE), connect);
    bench.ask(7, "select");
    let answers = bench.answers(1);
    let rows = answers[0].1.as_ref().expect("rows");
    assert_eq!(answers[0].0, 7);
    assert_eq!(rows.rows, [vec![Value::text("select"), Value::text("1.5"), Value::Integer(7), Value::Null]]);
    assert_eq!(rows.columns.iter().map(ToString::to_string).collect::<Vec<_>>(), ["t", "r", "i", "n"]);
}

#[test]
fn a_connection_that_broke_is_made_anew_and_its_statement_is_not_repeated() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let say: Say = Arc::new(move |statement| {
        let is_second = counter.fetch_add(1, Ordering::Relaxed) == 1;
        if is_second { Err(away()) } else { Ok(one_row(statement)) }
    });
    let (connect, made) = connect(say);
    let bench = bench(node(ONE), connect);
    (1..=4).for_each(|ticket| bench.ask(ticket, "insert"));
    let worked: Vec<bool> = bench.answers(4).iter().map(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(worked, [true, false, true, true]);
    assert_eq!((calls.load(Ordering::Relaxed), made.load(Ordering::Relaxed)), (4, 2));
}

#[test]
fn a_refused_statement_keeps_the_connection() {
    let (connect, made) = connect(Arc::new(|_| Err(refused())));
    let bench = bench(node(ONE), connect);
    (1..=3).for_each(|ticket| bench.ask(ticket, "nonsense"));
    assert!(bench.answers(3).iter().all(|(_, answer)| answer == &Err("test: not played".to_owned())));
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

#[test]
fn while_nobody_can_be_reached_statements_fail_at_once() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tries);
    let connect: Connect = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Err(away())
    });
    let bench = bench(node(ONE), connect);
    (1..=50).for_each(|ticket| bench.ask(ticket, "select"));
    assert!(bench.answers(50).iter().all(|(_, answer)| answer.is_err()));
    assert!(tries.load(Ordering::Relaxed) < 50, "not each statement connects");
}

#[test]
fn what_nobody_waits_for_is_logged_when_it_fails() {
    let (connect, _) = connect(Arc::new(|_| Err(refused())));
    let bench = bench(node(ONE), connect);
    bench.ask(0, "insert");
    assert_eq!(bench.lines.recv_timeout(Duration::from_secs(10)).as_deref(), Ok("test: not played"));
    assert!(bench.room.answers().is_empty());
    bench.room.ask(Request { ticket: 5, connection: 9, work: Work::Statement(Text::from("select")) });
    assert_eq!(bench.answers(1), [(5, Err("there is no such database".to_owned()))]);
}

/// A database that works only while this is not held.
fn gated() -> (Say, Arc<Mutex<Vec<String>>>) {
    let done = Arc::new(Mutex::new(Vec::new()));
    let gate = Arc::clone(&done);
    let say: Say = Arc::new(move |statement| {
        gate.lock().unwrap_or_else(PoisonError::into_inner).push(statement.to_owned());
        Ok(one_row(statement))
    });
    (say, done)
}

#[test]
fn statements_that_wait_are_bounded_in_number_and_time() {
    let (say, gate) = gated();
    let pool = Arc::new(Pool::new(Duration::ZERO, 2));
    let held = gate.lock().expect("the gate");
    assert!((0..2).all(|ticket| pool.push(ticket, Work::Statement(Text::from("x"))).is_ok()));
    assert!(pool.push(3, Work::Statement(Text::from("x"))).is_err(), "a third one");
    drop(held);
    let late = Mutex::new(Vec::new());
    std::thread::sleep(Duration::from_millis(2));
    pool.push_last(Work::StoreTable(0));
    let next = pool.next(|ticket| late.lock().expect("the list").push(ticket));
    assert_eq!(next, Some((0, Work::StoreTable(0))), "what a stop wants comes however late");
    assert_eq!(*late.lock().expect("the list"), [0, 1]);
    drop(say);
}

#[test]
fn what_nobody_waits_for_is_carried_out_one_behind_the_other() {
    let pool = Pool::new(Duration::from_secs(60), 10);
    let late = |_| panic!("nothing is late");
    let text = |number: u32| Work::Statement(Text::from(number.to_string()));
    for (ticket, number) in [(0, 1), (0, 2), (7, 3)] {
        pool.push(ticket, text(number)).expect("room");
    }
    assert_eq!(pool.next(late), Some((0, text(1))));
    assert_eq!(pool.next(late), Some((7, text(3))), "this one does not wait for the first");
    pool.done(0);
    assert_eq!(pool.next(late), Some((0, text(2))));
    pool.done(7);
    pool.done(0);
    assert_eq!(pool.close(Instant::now()), 0);
    assert_eq!(pool.next(late), None);
}

#[test]
fn a_stop_carries_out_what_was_asked_for_and_takes_nothing_more() {
    let (say, gate) = gated();
    let (connect, _) = connect(say);
    let bench = bench(node(ONE), connect);
    let held = gate.lock().expect("the gate");
    (0..20).for_each(|_| bench.ask(0, "insert"));
    drop(held);
    bench.room.stop();
    assert_eq!(gate.lock().expect("the gate").len(), 20);
    bench.ask(9, "select");
    assert_eq!(bench.answers(1), [(9, Err("the proxy stops".to_owned()))]);
}

#[test]
fn a_stop_stores_the_tables_that_want_it() {
    const STORED: &str = "loadmodule \"db_sqlite.so\"\nloadmodule \"htable.so\"\nmodparam(\"htable\", \"db_url\", \"sqlite:///x\")\nmodparam(\"htable\", \"htable\", \"a=>size=4;dbtable=ta;dbmode=1\")\nmodparam(\"htable\", \"htable\", \"b=>size=4;dbtable=tb\")\nrequest_route { exit; }\n";
    let (say, done) = gated();
    let (connect, _) = connect(say);
    let node = node(STORED);
    let table = node.states.htable.table(b"a").expect("the table");
    assert!(table.set(Clock::start().now().time, b"k", Value::Integer(5), None));
    let bench = bench(Arc::clone(&node), connect);
    bench.room.stop();
    let done = done.lock().expect("the list");
    assert_eq!(*done, ["DELETE FROM ta", "INSERT INTO ta (key_name,key_type,value_type,key_value) VALUES ('k',0,1,'5')"]);
}
