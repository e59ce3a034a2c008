//! `htable.reload` and `htable.store`: the caller waits for the database, nobody else does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Table, WAITING_MAX, expiry};
use crate::database::Work;
use crate::outbox::Effect;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::run::Answer;
use crate::worker::Worker;

/// What a remote call wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Reload,
    Store,
}

/// The ticket of a remote call, what it wants, and of which table.
type Call = (u64, Asked, Arc<Table>);

/// Remote calls that wait, by the ticket of the database.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<u64, Call>>);

impl Waiting {
    fn takes(&self, database: u64, call: u64, asked: Asked, table: &Arc<Table>) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.insert(database, (call, asked, Arc::clone(table)));
        true
    }

    fn take(&self, database: u64) -> Option<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&database)
    }
}

fn done(asked: Asked) -> Reply {
    Reply::one(Item::text(match asked {
        Asked::Reload => "Ok. Htable reloaded.",
        Asked::Store => "Ok. Htable successfully stored to DB.",
    }))
}

fn failed(asked: Asked) -> Fault {
    Fault::new(500, if asked == Asked::Reload { "Htable reload failed" } else { "Htable store failed" })
}

/// Answers at once with a fault, or later.
pub(super) fn ask(worker: &mut Worker, parameters: &Parameters, table: &Arc<Table>, asked: Asked) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let state = &node.states.htable;
    if table.definition.database_table.is_empty() {
        return Err(Fault::new(500, "No database htable"));
    }
    let Some(database) = &state.database else { return Err(Fault::new(500, "No htable db_url")) };
    let place = state.tables.iter().position(|own| Arc::ptr_eq(own, table)).unwrap_or(usize::MAX);
    if asked == Asked::Store && !table.definition.columns.is_empty() {
        worker.log(0, "htable", &format!("a table with columns of its own is not stored: {}", table.name));
        return Ok(done(asked));
    }
    let (ticket, call) = (worker.take_ticket(), worker.take_ticket());
    if !parameters.may_wait || !state.waiting.takes(ticket, call, asked, table) {
        worker.log(-1, "htable", "too many commands wait for the database");
        return Err(failed(asked));
    }
    let work = if asked == Asked::Reload { Work::LoadTable(place) } else { Work::StoreTable(place) };
    worker.outbox.effects.push(Effect::Query { ticket, connection: database.connection, work });
    Ok(Reply::later(call))
}

/// The answer to a ticket: true when it was for a table.
pub fn answered(worker: &mut Worker, ticket: u64, answer: &Answer) -> bool {
    let node = Arc::clone(&worker.node);
    let Some((call, asked, table)) = node.states.htable.waiting.take(ticket) else { return false };
    let answer = match answer {
        Answer::Rows(Ok(_)) => Ok(done(asked)),
        Answer::Rows(Err(reason)) => {
            worker.log(-1, "htable", &format!("{}: {reason}", table.name));
            Err(failed(asked))
        }
        _ => Err(failed(asked)),
    };
    if let (true, Asked::Reload, Some(route)) = (answer.is_ok(), asked, table.reloaded_route) {
        expiry::run_event(worker, route, None);
    }
    worker.outbox.effects.push(Effect::Answer { ticket: call, answer });
    true
}
