//! Script functions that run statements: the script waits, the worker goes on (invariant A5).

use script::exports::{Argument, Flow};
use script::value::Text;
use script::variable::Reference;

use super::results;
use crate::database::{Rows, Work, reads};
use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

/// The statement gave rows and they are kept.
pub(super) const ROWS: i32 = 1;
/// The statement gave no rows.
pub(super) const NO_ROWS: i32 = 2;
/// The statement gave rows that nobody wants.
pub(super) const ROWS_UNKEPT: i32 = 3;

/// A statement under way.
#[derive(Debug)]
pub(super) struct Waiting {
    connection: usize,
    statement: Text,
    destination: Destination,
}

/// Where the rows go.
#[derive(Debug)]
pub(super) enum Destination {
    Nowhere,
    /// `$dbr(name=>...)`
    Result(Text),
    /// One `$xavp(name=>column)` a row.
    Attributes(Text),
    /// The columns of the first row, in this order.
    Variables(Vec<Reference>),
}

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

/// `sql_query(connection, statement [, result])`
pub(super) fn query(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if arguments.len() < 3 {
        return ask(worker, arguments, Destination::Nowhere);
    }
    let name = text(arguments, 2);
    if !results::begin(worker, &name) {
        let most = worker.node.states.sqlops.results_max;
        worker.log(-1, "sqlops", &format!("no result {name} beside {most} others (results_maxsize): free one with sql_result_free()"));
        return Flow::Code(-1);
    }
    ask(worker, arguments, Destination::Result(name))
}

/// `sql_xquery(connection, statement, xavp)`
pub(super) fn query_into_attributes(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    ask(worker, arguments, Destination::Attributes(text(arguments, 2)))
}

/// `sql_pvquery(connection, statement, "$first,$second")`
pub(super) fn query_into_variables(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let list = text(arguments, 2);
    match variables(worker, &list) {
        Ok(variables) => ask(worker, arguments, Destination::Variables(variables)),
        Err(error) => {
            worker.log(-1, "sqlops", &format!("sql_pvquery: {list}: {error}"));
            Flow::Code(-1)
        }
    }
}

/// `sql_query_async(connection, statement)`: nobody waits for what becomes of it.
pub(super) fn query_async(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((connection, statement)) = connection_and_statement(worker, arguments) else { return Flow::Code(-1) };
    worker.outbox.effects.push(Effect::Query { ticket: 0, connection, work: Work::Statement(statement) });
    Flow::Code(1)
}

/// `sql_result_free(result)`: no complaint when there is none.
pub(super) fn free(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    worker.run.sqlops.results.retain(|(own, _)| *own != name);
    Flow::Code(1)
}

fn variables(worker: &Worker, list: &[u8]) -> Result<Vec<Reference>, String> {
    let read = |name: &[u8]| {
        let reference = worker.node.program.compile_reference(name.trim_ascii())?;
        reference.check_writable().map(|()| reference)
    };
    list.split(|byte| *byte == b',').map(read).collect()
}

fn connection_and_statement(worker: &mut Worker, arguments: &[Argument]) -> Option<(usize, Text)> {
    let (name, statement) = (text(arguments, 0), text(arguments, 1));
    let place = worker.node.states.database.named.iter().find(|(own, _)| *own == name).map(|(_, place)| *place);
    if place.is_none() {
        worker.log(-1, "sqlops", &format!("there is no connection {name}"));
    }
    if statement.trim_ascii().is_empty() {
        worker.log(-1, "sqlops", "the statement is empty");
        return None;
    }
    place.map(|place| (place, statement))
}

fn ask(worker: &mut Worker, arguments: &[Argument], destination: Destination) -> Flow {
    let Some((connection, statement)) = connection_and_statement(worker, arguments) else { return Flow::Code(-1) };
    let work = Work::Statement(statement.clone());
    if !worker.can_wait() {
        if reads(&statement) {
            complain(worker, &statement, "this route cannot wait for rows: ask for them in a request route");
            return Flow::Code(-1);
        }
        worker.outbox.effects.push(Effect::Query { ticket: 0, connection, work });
        return Flow::Code(NO_ROWS);
    }
    worker.run.sqlops.waiting = Some(Waiting { connection, statement, destination });
    worker.run.continuation = Some(answered);
    let ticket = worker.take_ticket();
    worker.outbox.effects.push(Effect::Query { ticket, connection, work });
    Flow::Wait
}

pub(super) fn answered(worker: &mut Worker, answer: Answer) -> Flow {
    let Some(Waiting { connection, statement, destination }) = worker.run.sqlops.waiting.take() else { return Flow::Code(-1) };
    let rows = match answer {
        Answer::Rows(Ok(rows)) => rows,
        Answer::Rows(Err(reason)) => {
            complain(worker, &statement, &reason);
            return Flow::Code(-1);
        }
        _ => {
            complain(worker, &statement, "nobody asks databases at this time");
            return Flow::Code(-1);
        }
    };
    results::count(worker, connection, &rows);
    let (is_empty, done) = (rows.rows.is_empty(), keep(worker, destination, rows));
    match done {
        Ok(_) if is_empty => Flow::Code(NO_ROWS),
        Ok(code) => Flow::Code(code),
        Err(reason) => {
            complain(worker, &statement, &reason);
            Flow::Code(-1)
        }
    }
}

fn keep(worker: &mut Worker, destination: Destination, rows: Rows) -> Result<i32, String> {
    match destination {
        Destination::Nowhere => return Ok(ROWS_UNKEPT),
        Destination::Result(name) => results::keep(worker, name, rows),
        Destination::Attributes(name) => results::into_attributes(worker, &name, rows)?,
        Destination::Variables(variables) => results::into_variables(worker, &variables, rows)?,
    }
    Ok(ROWS)
}

/// A log line with as much of the statement as `log_buf_size` allows.
fn complain(worker: &mut Worker, statement: &[u8], reason: &str) {
    let most = worker.node.states.sqlops.logged_bytes_max.min(statement.len());
    let shown = String::from_utf8_lossy(statement.get(..most).unwrap_or_default()).into_owned();
    worker.log(-1, "sqlops", &format!("cannot do the query [{shown}]: {reason}"));
}
