//! One session with a database: connected when it is needed, made again when it broke.

use std::sync::Arc;
use std::time::{Duration, Instant};

use modules::Node;
use modules::database::{Connection, RESULT_BYTES_MAX, RESULT_ROWS_MAX, Rows, Work};
use modules::htable::TABLE_ITEMS_MAX;
use script::value::{Text, Value};
use storage::backend::ConnectOptions;
use storage::query::QueryBounds;
use storage::{Backend, ErrorKind, QueryResult, StorageError, Url};

use crate::clock::Clock;

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failed attempt to connect statements fail at once for so long.
const CONNECT_REST: Duration = Duration::from_millis(500);
/// Most bytes of a whole table.
const TABLE_BYTES_MAX: usize = 1 << 30;

const RESULT_BOUNDS: QueryBounds = QueryBounds { rows_max: RESULT_ROWS_MAX, bytes_max: RESULT_BYTES_MAX };
const TABLE_BOUNDS: QueryBounds = QueryBounds { rows_max: TABLE_ITEMS_MAX, bytes_max: TABLE_BYTES_MAX };

/// Makes a connection.
pub(super) type Connect = Arc<dyn Fn() -> Result<Box<dyn Backend>, StorageError> + Send + Sync>;

/// How connections to a database are made. Err: the URL cannot be understood.
pub(super) fn connect_to(connection: &Connection) -> Result<Connect, String> {
    let url = Url::parse(&connection.url).map_err(|error| error.to_string())?;
    let options = ConnectOptions {
        connect_timeout: CONNECT_TIMEOUT.min(connection.timeout),
        call_timeout: connection.timeout,
        // As in Kamailio.
        may_create: true,
        fetch_rows: 0,
    };
    Ok(Arc::new(move || storage::connect(&url, options)))
}

/// One owner, one statement at a time.
pub struct Session {
    connect: Connect,
    backend: Option<Box<dyn Backend>>,
    /// The last attempt to connect failed: when, and why.
    refusal: Option<(Instant, String)>,
    was_lost: bool,
    losses_seen: u64,
}

impl Session {
    /// Not connected yet.
    pub(super) fn new(connect: Connect) -> Session {
        Session { connect, backend: None, refusal: None, was_lost: false, losses_seen: 0 }
    }

    /// Connects unless it is connected.
    pub fn connect(&mut self) -> Result<(), String> {
        if self.backend.is_some() {
            return Ok(());
        }
        if let Some((_, reason)) = self.refusal.as_ref().filter(|(when, _)| when.elapsed() < CONNECT_REST) {
            return Err(reason.clone());
        }
        match (self.connect)() {
            Ok(backend) => {
                self.backend = Some(backend);
                self.refusal = None;
                Ok(())
            }
            Err(error) => {
                self.refusal = Some((Instant::now(), error.to_string()));
                Err(error.to_string())
            }
        }
    }

    /// Another session lost its connection: this one may be as dead, and is made anew before its next statement.
    pub fn heed(&mut self, losses: u64) {
        if self.losses_seen != losses {
            self.losses_seen = losses;
            self.backend = None;
        }
    }

    /// Did the last work lose the connection?
    pub fn was_lost(&self) -> bool {
        self.was_lost
    }

    /// Carries out one work; waits for the database.
    pub fn carry_out(&mut self, node: &Node, clock: Clock, work: &Work) -> Result<Rows, String> {
        self.was_lost = false;
        self.connect()?;
        let Some(backend) = &mut self.backend else { return Err("not connected".to_owned()) };
        let tables = &node.states.htable;
        let no_table = || "there is no such table".to_owned();
        let (outcome, table) = match work {
            Work::Statement(statement) => (backend.query(statement, RESULT_BOUNDS).map(rows), None),
            Work::LoadTable(place) => {
                let selection = tables.selection(*place).ok_or_else(no_table)?;
                (backend.query(selection.as_bytes(), TABLE_BOUNDS).map(rows), Some(*place))
            }
            Work::StoreTable(place) => {
                let mut statements = tables.storing(*place, clock.now()).ok_or_else(no_table)?;
                (backend.run_together(&mut statements).map(|()| Rows::default()), None)
            }
        };
        let rows = outcome.map_err(|error| self.failed(&error))?;
        match table {
            Some(place) => tables.fill(place, rows, clock.now()).map(|_| Rows::default()),
            None => Ok(rows),
        }
    }

    /// A connection that broke is given up; whether the statement was carried out is not known then, so it is not repeated.
    fn failed(&mut self, error: &StorageError) -> String {
        if !matches!(error.kind, ErrorKind::Refused | ErrorKind::Busy | ErrorKind::Schema | ErrorKind::Full) {
            self.backend = None;
            self.was_lost = true;
        }
        error.to_string()
    }
}

fn rows(result: QueryResult) -> Rows {
    let QueryResult { columns, rows, affected } = result;
    Rows {
        columns: columns.into_iter().map(Text::from).collect(),
        rows: rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect(),
        affected,
    }
}

/// A decimal number is its text: scripts know none.
fn value(value: storage::Value) -> Value {
    match value {
        storage::Value::Null => Value::Null,
        storage::Value::Integer(number) => Value::Integer(number),
        storage::Value::Real(number) => Value::text(number.to_string()),
        storage::Value::Text(text) => Value::text(text),
    }
}
