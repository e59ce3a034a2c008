//! Tables used from scripts.

use crate::fixture::{edited, request, run, worker};
use sip::time::Time;

const MODULES: &str = "loadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"htable.so\"\nmodparam(\"htable\", \"htable\", \"a=>size=4;autoexpire=5;initval=0\")\nmodparam(\"htable\", \"htable\", \"b=>size=4\")\nmodparam(\"htable\", \"timer_interval\", 1)\n";

fn result(script: &str) -> String {
    let mut worker = worker(&format!("{MODULES}request_route {{ {script} }}\n"));
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let text = edited(&worker);
    text.lines().filter_map(|line| line.strip_prefix("R: ")).collect::<Vec<_>>().join("|")
}

#[test]
fn items_are_written_read_counted_and_removed() {
    assert_eq!(result("$sht(b=>k) = \"v\"; append_hf(\"R: $sht(b=>k)\\r\\n\");"), "v");
    assert_eq!(result("$sht(b=>x::$ci) = 5; append_hf(\"R: $sht(b=>x::call1)\\r\\n\");"), "5");
    assert_eq!(result("$var(i) = $shtinc(a=>n); $var(i) = $shtinc(a=>n); append_hf(\"R: $sht(a=>n)\\r\\n\");"), "2");
    assert_eq!(result("$sht(b=>k) = 1; $sht(b=>k) = $null; if ($sht(b=>k) == $null) append_hf(\"R: gone\\r\\n\");"), "gone");
    assert_eq!(result("append_hf(\"R: $sht(a=>absent)\\r\\n\");"), "0");
    assert_eq!(result("$sht(b=>k1) = \"v\"; $sht(b=>k2) = \"v\"; sht_rm_name_re(\"b=>k.*\"); append_hf(\"R: $shtcn(b=>**)\\r\\n\");"), "0");
    assert_eq!(result("$sht(b=>k1) = \"v\"; $sht(b=>k2) = \"w\"; append_hf(\"R: $shtcn(b=>~%k) $shtcv(b=>==w)\\r\\n\");"), "2 1");
    assert_eq!(result("if (sht_is_null(\"b\", \"k\")) append_hf(\"R: null\\r\\n\");"), "null");
    assert_eq!(result("$sht(a=>k) = 1; append_hf(\"R: $shtex(a=>k)\\r\\n\");"), "5");
}

#[test]
fn iterators_see_every_item() {
    let script = "$sht(b=>k1) = 1; $sht(b=>k2) = 2; $var(n) = 0; sht_iterator_start(\"i\", \"b\"); while (sht_iterator_next(\"i\")) { $var(n) = $var(n) + $shtitval(i); } sht_iterator_end(\"i\"); append_hf(\"R: $var(n)\\r\\n\");";
    assert_eq!(result(script), "3");
}

#[test]
fn locks_are_recursive_and_given_back() {
    assert_eq!(
        result(
            "if (sht_lock(\"b=>k\") && sht_lock(\"b=>k\") && sht_unlock(\"b=>k\") && sht_unlock(\"b=>k\") && sht_unlock(\"b=>k\") && !sht_lock(\"none=>k\")) append_hf(\"R: ok\\r\\n\");"
        ),
        "ok"
    );
}

#[test]
fn expiry_runs_the_event_route_with_the_record() {
    let mut worker = worker(&format!(
        "{MODULES}request_route {{ $sht(a=>k) = 7; }}\nevent_route[htable:expired:a] {{ $sht(b=>$shtrecord(key)) = $shtrecord(value); }}\n"
    ));
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let node = std::sync::Arc::clone(&worker.node);
    let table = node.states.htable.table(b"b").expect("the table");
    super::on_timer(&mut worker);
    assert!(table.is_empty());
    worker.now.time = Time(worker.now.time.0 + 6_000);
    super::on_timer(&mut worker);
    assert_eq!(table.value(worker.now.time, b"k"), script::value::Value::Integer(7));
}

#[test]
fn the_start_event_runs_exactly_once() {
    use script::value::Value;
    let mut worker = worker(&format!("{MODULES}request_route {{ exit; }}\nevent_route[htable:mod-init] {{ $var(n) = $shtinc(a=>s); }}\n"));
    let node = std::sync::Arc::clone(&worker.node);
    let table = node.states.htable.table(b"a").expect("the table");
    super::started(&mut worker);
    assert_eq!(table.value(worker.now.time, b"s"), Value::Integer(1));
    super::started(&mut worker);
    super::on_timer(&mut worker);
    assert_eq!(table.value(worker.now.time, b"s"), Value::Integer(1));
}

mod stored {
    //! Tables that live in a database, which is played by hand.

    use script::value::{Text, Value};
    use sip::time::Now;

    use crate::database::{Rows, Work};
    use crate::fixture::worker;
    use crate::outbox::Effect;
    use crate::rpc::{Item, Parameter, Parameters, Wire};
    use crate::run::Answer;
    use crate::worker::Worker;

    const STORED: &str = "loadmodule \"db_sqlite.so\"\nloadmodule \"htable.so\"\nmodparam(\"htable\", \"db_url\", \"sqlite:///calls\")\nmodparam(\"htable\", \"db_expires\", 1)\nmodparam(\"htable\", \"htable\", \"a=>size=4;autoexpire=100;dbtable=ta;dbmode=1\")\nmodparam(\"htable\", \"htable\", \"b=>size=4;dbtable=tb;cols='k,v,w';coldelim=:;colnull='-'\")\nmodparam(\"htable\", \"htable\", \"c=>size=4\")\nrequest_route { exit; }\n";

    fn rows(rows: &[&[Value]]) -> Rows {
        Rows { columns: Vec::new(), rows: rows.iter().map(|row| row.to_vec()).collect(), affected: 0 }
    }

    fn text(text: &str) -> Value {
        Value::text(text)
    }

    fn number(number: i64) -> Value {
        Value::Integer(number)
    }

    fn value(worker: &Worker, table: &str, key: &str) -> Value {
        let table = worker.node.states.htable.table(table.as_bytes()).expect("the table");
        table.value(worker.now.time, key.as_bytes())
    }

    #[test]
    fn rows_become_items_arrays_and_integers() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        assert_eq!(tables.loaded().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(tables.selection(0).as_deref(), Some("SELECT key_name,key_type,value_type,key_value,expires FROM ta ORDER BY key_name"));
        let later = i64::try_from(worker.now.date.seconds()).unwrap_or(0);
        let given = rows(&[
            &[text("arr"), number(1), number(0), text("x"), number(0)],
            &[text("b"), number(0), number(1), text("42"), number(0)],
            &[text("arr"), number(1), number(1), text("7"), number(0)],
            &[text("bad"), number(0), number(1), text("no number"), number(0)],
            &[text("past"), number(0), number(0), text("x"), number(later - 1)],
            &[text("soon"), Value::Null, Value::Null, number(5), number(later + 7)],
        ]);
        assert_eq!(tables.fill(0, given, worker.now), Ok(6));
        for (key, expected) in
            [("arr[0]", text("x")), ("arr[1]", number(7)), ("arr::size", number(2)), ("b", number(42)), ("bad", number(0))]
        {
            assert_eq!(value(&worker, "a", key), expected, "{key}");
        }
        assert_eq!(value(&worker, "a", "past"), Value::Null);
        let table = tables.table(b"a").expect("the table");
        let soon = table.item(worker.now.time, b"soon").expect("an item");
        assert_eq!((soon.value, soon.expires.map(|end| end.since(worker.now.time))), (text("5"), Some(7_000)));
    }

    #[test]
    fn a_row_without_a_value_is_an_error_and_changes_nothing() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        tables.fill(0, rows(&[&[text("k"), number(0), number(0), text("v"), number(0)]]), worker.now).expect("a row");
        for bad in [[text("x"), number(0), number(0), Value::Null], [Value::Null, number(0), number(0), text("x")]] {
            assert!(tables.fill(0, rows(&[&bad]), worker.now).unwrap_err().contains("row 0"));
        }
        assert_eq!(value(&worker, "a", "k"), text("v"));
    }

    #[test]
    fn columns_of_its_own_make_one_text() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        assert_eq!(tables.selection(1).as_deref(), Some("SELECT k,v,w FROM tb ORDER BY k"));
        tables.fill(1, rows(&[&[text("r1"), text("a"), number(5)], &[text("r2"), Value::Null, text("")]]), worker.now).expect("rows");
        assert_eq!((value(&worker, "b", "r1"), value(&worker, "b", "r2")), (text("a:5"), text("-:")));
        assert_eq!(tables.stored_at_stop().collect::<Vec<_>>(), [0], "such a table is not written");
    }

    #[test]
    fn items_become_statements_that_replace_the_table() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        let table = tables.table(b"a").expect("the table");
        let now = worker.now;
        assert!(table.set(now.time, b"it's", text("a'b\\"), None) && table.set(now.time, b"n", number(-5), Some(10)));
        let mut statements: Vec<String> = tables.storing(0, now).expect("a database").collect();
        assert_eq!(statements.remove(0), "DELETE FROM ta");
        let all = statements.join(" ");
        let end = |seconds: u64| now.date.seconds() + seconds;
        assert!(all.contains("INSERT INTO ta (key_name,key_type,value_type,key_value,expires) VALUES "), "{all}");
        assert!(all.contains(&format!("('it''s',0,0,'a''b\\',{})", end(100))), "{all}");
        assert!(all.contains(&format!("('n',0,1,'-5',{})", end(10))), "{all}");
    }

    #[test]
    fn many_items_are_a_few_statements() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        let table = tables.table(b"a").expect("the table");
        assert!((0..450).all(|key| table.set(worker.now.time, format!("k{key}").as_bytes(), number(key), None)));
        let statements: Vec<String> = tables.storing(0, worker.now).expect("a database").collect();
        let rows: Vec<usize> = statements.iter().map(|statement| statement.matches("('k").count()).collect();
        assert_eq!(rows, [0, 200, 200, 50]);
    }

    #[test]
    fn what_was_stored_is_loaded_again() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        let row = |key: &str, value: &str| [text(key), number(0), number(0), text(value), number(0)];
        let (one, two) = (row("k", "1"), row("l", "2"));
        assert_eq!(tables.fill(0, rows(&[&one, &two]), worker.now), Ok(2));
        assert_eq!(tables.fill(0, rows(&[&one]), worker.now), Ok(1));
        assert_eq!((value(&worker, "a", "l"), tables.table(b"a").map(|table| table.len())), (Value::Null, Some(1)));
    }

    /// Calls a command that may wait; the ticket it waits under.
    fn call(worker: &mut Worker, name: &str, table: &str) -> Result<Option<u64>, String> {
        let command = worker.node.loaded.commands().into_iter().find(|command| command.name == name).expect("the command");
        let mut parameters = Parameters::new(Wire::Json, vec![Parameter::Text(table.as_bytes().to_vec())]);
        parameters.may_wait = true;
        (command.run)(worker, &mut parameters).map(|reply| reply.awaited).map_err(|fault| fault.text)
    }

    fn answer(worker: &mut Worker, answer: Answer) -> Result<Vec<Item>, String> {
        let ticket = worker.outbox.effects.iter().find_map(|effect| match effect {
            Effect::Query { ticket, work: Work::LoadTable(0) | Work::StoreTable(0), connection: 0 } => Some(*ticket),
            _ => None,
        });
        let ticket = ticket.expect("the database is asked");
        worker.outbox.clear();
        assert!(super::super::answered(worker, ticket, &answer));
        assert!(!super::super::answered(worker, ticket, &answer), "an answer counts once");
        match worker.outbox.effects.pop() {
            Some(Effect::Answer { answer, .. }) => answer.map(|reply| reply.items).map_err(|fault| fault.text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_wait_for_the_database() {
        let mut worker = worker(STORED);
        for (name, good, bad) in [
            ("htable.reload", "Ok. Htable reloaded.", "Htable reload failed"),
            ("htable.store", "Ok. Htable successfully stored to DB.", "Htable store failed"),
        ] {
            assert!(call(&mut worker, name, "a").expect("it waits").is_some());
            assert_eq!(answer(&mut worker, Answer::Rows(Ok(Rows::default()))), Ok(vec![Item::text(good)]));
            assert!(call(&mut worker, name, "a").expect("it waits").is_some());
            assert_eq!(answer(&mut worker, Answer::Rows(Err("gone".to_owned()))), Err(bad.to_owned()));
            assert_eq!(call(&mut worker, name, "c"), Err("No database htable".to_owned()));
            assert_eq!(call(&mut worker, name, "none"), Err("No such htable".to_owned()));
        }
        assert_eq!(call(&mut worker, "htable.store", "b"), Ok(None), "nothing is written, as in Kamailio");
    }

    #[test]
    fn a_table_that_was_reloaded_runs_its_event_route() {
        let event = "loadmodule \"pv.so\"\nevent_route[htable:reloaded:a] { $sht(c=>told) = 1; }\n";
        let mut worker = worker(&format!("{STORED}{event}"));
        for (outcome, told) in [(Err("gone".to_owned()), Value::Null), (Ok(Rows::default()), number(1))] {
            call(&mut worker, "htable.reload", "a").expect("it waits");
            let _ = answer(&mut worker, Answer::Rows(outcome));
            assert_eq!(value(&worker, "c", "told"), told);
        }
    }

    #[test]
    fn commands_that_wait_are_bounded() {
        let mut worker = worker(STORED);
        for _ in 0..super::super::WAITING_MAX {
            assert!(call(&mut worker, "htable.reload", "a").is_ok());
        }
        assert_eq!(call(&mut worker, "htable.reload", "a"), Err("Htable reload failed".to_owned()));
    }

    #[test]
    fn names_that_would_be_more_than_a_name_stop_the_start() {
        use crate::settings::Settings;
        use script::syntax::ast::{Literal, ModuleParameter};
        let start = |definition: &str, column: &str| {
            let parameter = |name: &str, value: &str| ModuleParameter {
                module: "htable".to_owned(),
                name: name.to_owned(),
                value: Literal::Text(Text::from(value)),
                span: Default::default(),
            };
            let all = [parameter("htable", definition), parameter("db_url", "sqlite:///x"), parameter("key_name_column", column)];
            let settings = Settings::new(vec!["htable".to_owned(), "db_sqlite".to_owned()], &all);
            let definition = super::super::definition::parse(definition.as_bytes()).expect("a definition");
            let tables = [std::sync::Arc::new(crate::htable::Table::new(definition, None))];
            super::super::Database::read(&settings, &tables).map(|database| database.is_some())
        };
        assert_eq!(start("a=>dbtable=my.t", "k"), Ok(true));
        for (definition, column) in [("a=>dbtable=t x", "k"), ("a=>dbtable=t;cols='k,v v'", "k"), ("a=>dbtable=t", "k; drop table x")] {
            assert!(start(definition, column).is_err(), "{definition} {column}");
        }
    }

    #[test]
    fn a_clock_before_the_end_of_an_item_counts_as_its_end() {
        let worker = worker(STORED);
        let tables = &worker.node.states.htable;
        let far = Now { date: sip::time::Date(u64::MAX / 2), ..worker.now };
        let given = rows(&[&[text("k"), number(0), number(0), text("v"), number(5)]]);
        assert_eq!(tables.fill(0, given, far), Ok(0));
    }
}
