//! The table of LIFECYCLE.md is played: each event in each state, what it leads to and what observers are told.

use std::sync::{Arc, Mutex};

use super::{DialogId, Engine, at};
use super::{ack, bye, create, engine, reply, request, within};
use crate::effect::RequestMethod;
use crate::leg::Direction;
use crate::observer::{Notice, Observer, OccurrenceKind};
use crate::state::State;

const PAGE: &str = include_str!("../../../LIFECYCLE.md");

#[derive(Default)]
struct Told(Mutex<Vec<OccurrenceKind>>);

impl Observer for Told {
    fn on(&self, notice: &Notice<'_>) {
        if notice.occurrence.kind != OccurrenceKind::Destroyed {
            self.0.lock().unwrap().push(notice.occurrence.kind);
        }
    }
}

/// Brings a dialog where a column begins.
fn reach(engine: &Engine, column: &str) -> DialogId {
    let id = create(engine, at(0.0), b"cell@x");
    // What a finished call is held by while its last transaction lives.
    assert!(engine.hold(id));
    match column {
        "1 Unconfirmed" => {}
        "2 Early" => answer(engine, id, 180),
        "5, failed" => answer(engine, id, 486),
        _ => {
            answer(engine, id, 200);
            if column != "3 ConfirmedNoAck" {
                ack(engine, at(0.2), id);
            }
            if column == "5, after a BYE" {
                bye(engine, at(0.3), id);
            }
        }
    }
    id
}

fn answer(engine: &Engine, id: DialogId, code: u16) {
    reply(engine, at(0.1), id, code);
}

fn play(engine: &Engine, id: DialogId, row: &str) {
    let method = match row {
        "101 to 199" => return answer(engine, id, 183),
        "2xx" => return answer(engine, id, 200),
        "300 and above" => return answer(engine, id, 503),
        "PRACK" => RequestMethod::Prack,
        "ACK" => RequestMethod::Ack,
        "BYE" => RequestMethod::Bye,
        _ => RequestMethod::Other,
    };
    request(engine, at(1.0), id, &within(method, Direction::Downstream, 9));
}

/// `5 Failed`: the new state and what is told; `-`: the same state; `bogus`: the same state, counted.
fn cell(column: &str, row: &str) -> String {
    let engine = engine(&[]);
    let id = reach(&engine, column);
    let before = engine.state(id).unwrap();
    let bogus = engine.statistics().bogus_events;
    let told = Arc::new(Told::default());
    engine.observe(told.clone());
    play(&engine, id, row);
    let after = engine.state(id).unwrap();
    let kinds: Vec<String> = told.0.lock().unwrap().iter().map(|kind| format!("`{kind:?}`")).collect();
    let state = match (before == after, engine.statistics().bogus_events > bogus) {
        (true, true) => String::from("bogus"),
        (true, false) => String::from("-"),
        (false, is_bogus) => {
            assert!(!is_bogus, "a bogus event moves nothing");
            after.number().to_string()
        }
    };
    std::iter::once(state).chain(kinds).collect::<Vec<String>>().join(" ")
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn the_table_of_the_page_is_what_happens() {
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with("| event |"));
    let columns = cells(lines.next().expect("the table"));
    assert_eq!(columns.len(), 1 + State::ALL.len() + 1, "state 5 has two columns");
    let mut rows = 0;
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let written = cells(line);
        let played: Vec<String> = columns.iter().skip(1).map(|column| cell(column, written[0])).collect();
        assert_eq!(written[1..], played, "{}", written[0]);
        rows += 1;
    }
    assert_eq!(rows, 7);
}
