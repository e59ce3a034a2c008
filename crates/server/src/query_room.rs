//! Asks databases for scripts and for tables of `htable`: a few sessions with each database on threads of their own, so that
//! no worker waits (invariant A5).

mod pool;
mod session;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use modules::Node;
use modules::database::{Connection, Rows, Work};
use modules::run::Answer;

use crate::clock::Clock;
use pool::Pool;
use session::{Connect, Session, connect_to};

/// Most statements that wait for a session with one database; beyond, a statement fails at once.
const QUEUE_MAX: usize = 2_048;
/// How long a clean stop waits for statements under way and for tables to be stored.
const STOP_MAX: Duration = Duration::from_secs(10);

/// What is to be done for whom; ticket 0 wants no answer.
#[derive(Debug)]
pub struct Request {
    pub ticket: u64,
    /// Place of the database.
    pub connection: usize,
    pub work: Work,
}

/// What the room needs of the process.
#[derive(Clone)]
pub struct Surroundings {
    pub node: Arc<Node>,
    pub clock: Clock,
    /// Called whenever [`QueryRoom::answers`] has something new.
    pub notify: Arc<dyn Fn() + Send + Sync>,
    /// A line about what nobody waits for, or about a database that went away.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Answers that nobody took yet.
type Answers = Arc<Mutex<VecDeque<(u64, Answer)>>>;

/// The desk of the room.
pub struct QueryRoom {
    pools: Vec<Arc<Pool>>,
    answers: Answers,
    surroundings: Surroundings,
}

/// The first session with each database, tables already loaded, and how others are made.
pub struct Opened(Vec<(Session, Connect)>);

/// Connects to every database of the configuration and loads the tables of `htable`. The error stops the start.
pub fn open(node: &Node, clock: Clock) -> Result<Opened, String> {
    let begin = |connection: &Connection| {
        let connect = connect_to(connection)?;
        let mut session = Session::new(Arc::clone(&connect));
        match session.connect() {
            Err(error) if !connection.may_be_away => Err(error),
            _ => Ok((session, connect)),
        }
    };
    let mut sessions = node.states.database.connections.iter().map(begin).collect::<Result<Vec<_>, String>>()?;
    let tables = &node.states.htable;
    for place in tables.loaded() {
        let session = tables.database.as_ref().and_then(|database| sessions.get_mut(database.connection));
        let (session, _) = session.ok_or("htable: there is no database")?;
        session.carry_out(node, clock, &Work::LoadTable(place)).map_err(|error| format!("htable: {error}"))?;
    }
    Ok(Opened(sessions))
}

impl QueryRoom {
    /// Starts the threads.
    pub fn start(opened: Opened, surroundings: Surroundings) -> Result<QueryRoom, String> {
        let answers = Answers::default();
        let mut pools = Vec::new();
        for (connection, (first, connect)) in surroundings.node.states.database.connections.iter().zip(opened.0) {
            let pool = Arc::new(Pool::new(connection.timeout, QUEUE_MAX));
            let others = (1..connection.sessions).map(|_| Session::new(Arc::clone(&connect)));
            for session in std::iter::once(first).chain(others) {
                spawn(&pool, session, &answers, &surroundings)?;
            }
            pools.push(pool);
        }
        Ok(QueryRoom { pools, answers, surroundings })
    }

    /// Takes a request; one that is refused is answered at once.
    pub fn ask(&self, request: Request) {
        let Request { ticket, connection, work } = request;
        let refused = match self.pools.get(connection) {
            Some(pool) => pool.push(ticket, work),
            None => Err("there is no such database"),
        };
        if let Err(reason) = refused {
            tell(&self.answers, &self.surroundings, ticket, Err(reason.to_owned()));
        }
    }

    /// What was done since the last call.
    pub fn answers(&self) -> VecDeque<(u64, Answer)> {
        std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Finishes what was asked for, stores the tables of `htable` that want it, and ends the threads.
    pub fn stop(&self) {
        let tables = &self.surroundings.node.states.htable;
        let pool = tables.database.as_ref().and_then(|database| self.pools.get(database.connection));
        if let Some(pool) = pool {
            tables.stored_at_stop().for_each(|place| pool.push_last(Work::StoreTable(place)));
        }
        let end = Instant::now() + STOP_MAX;
        for pool in &self.pools {
            let left = pool.close(end);
            if left > 0 {
                (self.surroundings.log)(&format!("{left} statements were not carried out before the stop"));
            }
        }
    }
}

fn spawn(pool: &Arc<Pool>, mut session: Session, answers: &Answers, surroundings: &Surroundings) -> Result<(), String> {
    let (pool, answers, surroundings) = (Arc::clone(pool), Arc::clone(answers), surroundings.clone());
    let work = move || {
        while let Some((ticket, work)) = pool.next(|ticket| tell(&answers, &surroundings, ticket, Err(TOO_LATE.to_owned()))) {
            session.heed(pool.losses());
            let answer = session.carry_out(&surroundings.node, surroundings.clock, &work);
            if session.was_lost() {
                pool.lost();
            }
            tell(&answers, &surroundings, ticket, answer);
            pool.done(ticket);
        }
    };
    std::thread::Builder::new()
        .name("queries".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| format!("cannot start thread queries: {error}"))
}

/// A statement that waited for a session as long as it may take itself.
const TOO_LATE: &str = "the database is too slow: the statement was not carried out within its time (query_timeout)";

fn tell(answers: &Answers, surroundings: &Surroundings, ticket: u64, answer: Result<Rows, String>) {
    if ticket == 0 {
        if let Err(reason) = answer {
            (surroundings.log)(&reason);
        }
        return;
    }
    answers.lock().unwrap_or_else(PoisonError::into_inner).push_back((ticket, Answer::Rows(answer)));
    (surroundings.notify)();
}
