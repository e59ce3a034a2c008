//! Statements of scripts, answered by hand.

use std::sync::Arc;

use script::exports::Flow;
use script::syntax::ast::RouteKind;
use script::value::{Text, Value};
use script::vm;

use crate::database::{Rows, Work};
use crate::fixture::{edited, receive, request, worker};
use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

const MODULES: &str = "loadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"db_sqlite.so\"\nloadmodule \"sqlops.so\"\nmodparam(\"sqlops\", \"sqlcon\", \"ca=>sqlite:///calls\")\nmodparam(\"sqlops\", \"results_maxsize\", 2)\n";

fn rows(columns: &[&str], rows: Vec<Vec<Value>>) -> Rows {
    Rows { columns: columns.iter().map(|name| Text::from(*name)).collect(), rows, affected: 0 }
}

fn two() -> Rows {
    let row = |id: i64, name: Value| vec![Value::Integer(id), name];
    rows(&["id", "name"], vec![row(1, Value::text("alice")), row(2, Value::Null)])
}

/// The statement that was asked for last, and its ticket.
fn asked(worker: &Worker) -> Option<(u64, String)> {
    worker.outbox.effects.iter().rev().find_map(|effect| match effect {
        Effect::Query { ticket, connection: 0, work: Work::Statement(text) } => Some((*ticket, text.to_string())),
        _ => None,
    })
}

/// Runs a script, answering each statement with the next of `answers`; what it wrote into headers `R`.
fn run(script: &str, answers: Vec<Answer>) -> (Worker, String) {
    let mut worker = worker(&format!("{MODULES}request_route {{ {script} }}\n"));
    receive(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let node = Arc::clone(&worker.node);
    let route = node.program.route(RouteKind::Request, "").expect("a main route");
    let mut run = vm::run(&node.program, &mut worker, route);
    for answer in answers {
        let vm::Run::Parked(frame) = run else { panic!("the script does not wait") };
        let continuation = worker.run.continuation.take().expect("somebody goes on");
        let Flow::Code(code) = continuation(&mut worker, answer) else { panic!("it waits again") };
        run = vm::resume(&node.program, &mut worker, frame, code);
    }
    assert!(matches!(run, vm::Run::Done(_)), "the script still waits");
    let text = edited(&worker);
    let said = text.lines().filter_map(|line| line.strip_prefix("R: ")).collect::<Vec<_>>().join("|");
    (worker, said)
}

fn said(script: &str, answer: Rows) -> String {
    run(script, vec![Answer::Rows(Ok(answer))]).1
}

#[test]
fn a_result_is_read_cell_by_cell() {
    let script = "sql_query(\"ca\", \"select id, name from $rU\", \"ra\"); append_hf(\"R: $rc $dbr(ra=>rows) $dbr(ra=>cols) $dbr(ra=>[0,0]) $dbr(ra=>[0,1]) $dbr(ra=>[1,1]) $dbr(ra=>[9,0]) $dbr(ra=>colname[1]) $dbr(none=>rows) $sqlrows(ca)\\r\\n\");";
    let (worker, said) = run(script, vec![Answer::Rows(Ok(two()))]);
    assert_eq!(said, "1 2 2 1 alice <null> <null> name 0 2");
    assert_eq!(asked(&worker).map(|(_, text)| text).as_deref(), Some("select id, name from bob"));
}

#[test]
fn the_code_tells_whether_there_were_rows() {
    let with = |call: &str| format!("{call}; append_hf(\"R: $rc\\r\\n\");");
    let none = || rows(&["id"], Vec::new());
    for (call, some, without) in [
        ("sql_query(\"ca\", \"select 1\", \"ra\")", "1", "2"),
        ("sql_query(\"ca\", \"select 1\")", "3", "2"),
        ("sql_xquery(\"ca\", \"select 1\", \"xa\")", "1", "2"),
        ("sql_pvquery(\"ca\", \"select 1\", \"$var(a), $avp(b)\")", "1", "2"),
    ] {
        assert_eq!(said(&with(call), two()), some, "{call}");
        assert_eq!(said(&with(call), none()), without, "{call}");
    }
}

#[test]
fn a_failed_statement_leaves_no_result_and_is_logged_in_short() {
    let statement = "x".repeat(300);
    let script = format!(
        "sql_query(\"ca\", \"select 1\", \"ra\"); sql_query(\"ca\", \"{statement}\", \"ra\"); append_hf(\"R: $rc $dbr(ra=>rows)\\r\\n\");"
    );
    let (worker, said) = run(&script, vec![Answer::Rows(Ok(two())), Answer::Rows(Err("no such table: x".to_owned()))]);
    assert_eq!(said, "-1 0");
    let line = worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::Log { text, .. } => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    assert_eq!(line, Some(format!("sqlops: cannot do the query [{}]: no such table: x", "x".repeat(128))));
}

#[test]
fn an_answer_of_another_kind_fails() {
    let script = "sql_query(\"ca\", \"select 1\", \"ra\"); append_hf(\"R: $rc\\r\\n\");";
    assert_eq!(run(script, vec![Answer::Awake]).1, "-1");
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let (mut worker, _) = run("sql_query(\"ca\", \"select 1\", \"ra\");", vec![Answer::Rows(Ok(two()))]);
    let ticket = worker.run.ticket;
    assert!(!crate::htable::answered(&mut worker, ticket, &Answer::Rows(Ok(two()))));
    assert_eq!(super::functions::answered(&mut worker, Answer::Rows(Ok(two()))), Flow::Code(-1), "twice");
}

#[test]
fn a_freed_result_is_gone_and_results_are_bounded() {
    let script = "sql_query(\"ca\", \"select 1\", \"r1\"); sql_query(\"ca\", \"select 1\", \"r2\"); if (!sql_query(\"ca\", \"select 1\", \"r3\")) { append_hf(\"R: full\\r\\n\"); } sql_query(\"ca\", \"select 1\", \"r2\"); sql_result_free(\"r1\"); append_hf(\"R: $rc $dbr(r1=>rows) $dbr(r2=>rows)\\r\\n\");";
    let answers = (0..3).map(|_| Answer::Rows(Ok(two()))).collect();
    assert_eq!(run(script, answers).1, "full|1 0 2");
}

#[test]
fn rows_become_attributes_in_front_of_those_with_the_name() {
    let script = "$xavp(xa=>old) = 1; sql_xquery(\"ca\", \"select\", \"xa\"); append_hf(\"R: $xavp(xa=>id) $xavp(xa[0]=>name) $xavp(xa[1]=>id) $xavp(xa[1]=>name) $xavp(xa[2]=>old)\\r\\n\");";
    assert_eq!(said(script, two()), "1 alice 2 <null> 1");
    let twice = rows(&["a", "a"], vec![vec![Value::Integer(1), Value::Integer(2)]]);
    let script = "sql_xquery(\"ca\", \"select\", \"x\"); append_hf(\"R: $xavp(x=>a) $xavp(x=>a[1])\\r\\n\");";
    assert_eq!(said(script, twice), "1 2");
}

#[test]
fn the_first_row_fills_variables() {
    let script = "sql_pvquery(\"ca\", \"select\", \"$var(a), $avp(b)\"); append_hf(\"R: $rc $var(a) $avp(b)\\r\\n\");";
    assert_eq!(said(script, two()), "1 1 alice");
    let script = "sql_pvquery(\"ca\", \"select\", \"$var(a)\"); append_hf(\"R: $rc $var(a)\\r\\n\");";
    assert_eq!(said(script, two()), "-1 1", "one variable is missing");
    for bad in ["$nothing", "", "$var(a),", "$ci"] {
        let script = format!("sql_pvquery(\"ca\", \"select\", \"{bad}\"); append_hf(\"R: $rc\\r\\n\");");
        assert_eq!(run(&script, Vec::new()).1, "-1", "{bad}");
    }
}

#[test]
fn a_statement_that_nobody_waits_for_goes_without_a_ticket() {
    let (worker, said) = run("sql_query_async(\"ca\", \"insert into t values(1)\"); append_hf(\"R: $rc\\r\\n\");", Vec::new());
    assert_eq!((said.as_str(), asked(&worker)), ("1", Some((0, "insert into t values(1)".to_owned()))));
}

#[test]
fn where_a_script_cannot_wait_it_hands_over_what_gives_no_rows() {
    let mut worker = worker(&format!(
        "{MODULES}route[X] {{ sql_query(\"ca\", \"insert into t values(1)\"); $var(one) = $rc; sql_query(\"ca\", \"select 1\", \"ra\"); $var(two) = $rc; append_hf(\"R: $var(one) $var(two)\\r\\n\"); }}\n"
    ));
    receive(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    worker.run_route(RouteKind::Request, "X").expect("the route");
    assert!(edited(&worker).contains("R: 2 -1\n"));
    assert_eq!(asked(&worker), Some((0, "insert into t values(1)".to_owned())));
}

#[test]
fn an_empty_statement_fails_at_once() {
    assert_eq!(run("sql_query(\"ca\", \"\", \"ra\"); append_hf(\"R: $rc\\r\\n\");", Vec::new()).1, "-1");
}

#[test]
fn a_call_that_names_no_connection_does_not_load() {
    use crate::literals::Literals;
    use crate::settings::Settings;
    use script::exports::Argument;
    let known = |name: &str| {
        let argument = Argument::Text(Text::from(name));
        (super::literals::CHECKS[0].examine)(&Settings::default(), Literals(&[Some(&argument)])).is_ok()
    };
    assert!(!known("ca"));
}
