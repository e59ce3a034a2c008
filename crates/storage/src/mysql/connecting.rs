//! Opening a connection to MySQL or MariaDB.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Row};

use crate::backend::{Backend, ConnectOptions};
use crate::error::StorageError;
use crate::limits::MYSQL_STATEMENT_ROWS_MAX;
use crate::line::Line;
use crate::lost_sessions::{self, Session};
use crate::url::Url;

use super::{Connection, Mysql, State};

/// Where servers have their socket: Debian, Red Hat, built by hand.
const SOCKETS: [&str; 3] = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

/// The port of MySQL.
const PORT: u16 = 3306;

/// How often it is looked whether a lost session has ended.
const LOOK_PERIOD: Duration = Duration::from_millis(10);

/// Texts of statements that stay prepared: five that write, each for every number of rows.
const STATEMENTS_PREPARED: usize = 5 * MYSQL_STATEMENT_ROWS_MAX;

/// Opens a connection, without TLS.
pub fn connect(url: &Url, options: ConnectOptions) -> Result<Box<dyn Backend>, StorageError> {
    let candidates = candidates(url);
    let line = Line::open(url, options.connect_timeout, options.call_timeout, async || open(&candidates, url).await)?;
    Ok(Box::new(Mysql { line }))
}

/// Where the server may be: as MySQL's own client does, no host or `localhost` without a port of its own means the socket.
fn candidates(url: &Url) -> Vec<Opts> {
    let is_local = url.host.is_empty() || url.host == "localhost";
    let usual = is_local && [0, PORT].contains(&url.port);
    let mut sockets: Vec<&str> = url.option("socket").into_iter().collect();
    if sockets.is_empty() && usual {
        sockets.extend(SOCKETS.iter().filter(|socket| Path::new(socket).exists()));
    }
    let builder = OptsBuilder::default()
        .ip_or_hostname(if is_local { "127.0.0.1" } else { &url.host })
        .tcp_port(if url.port == 0 { PORT } else { url.port })
        .user(Some(&url.user).filter(|user| !user.is_empty()))
        .pass(Some(&url.password).filter(|password| !password.is_empty()))
        .db_name(Some(&url.database))
        .prefer_socket(false)
        .stmt_cache_size(STATEMENTS_PREPARED);
    let by_socket = sockets.iter().map(|socket| builder.clone().socket(Some(*socket)).into());
    let by_network = (url.option("socket").is_none()).then(|| builder.clone().into());
    by_socket.chain(by_network).collect()
}

async fn open(candidates: &[Opts], url: &Url) -> Result<Connection, StorageError> {
    let state = State { url: url.clone(), is_broken: Cell::new(false), is_strict: Cell::new(false) };
    let mut conn = first_that_answers(candidates).await.map_err(|error| state.failed(&error))?;
    let session = prepare(&mut conn, url).await.map_err(|error| state.failed(&error))?;
    Ok(Connection { conn, session, state })
}

/// The last error, when none does.
async fn first_that_answers(candidates: &[Opts]) -> Result<Conn, Error> {
    let mut last = None;
    for candidate in candidates {
        match Conn::new(candidate.clone()).await {
            // Somebody is there and says no.
            Err(error @ Error::Server(_)) => return Err(error),
            Err(error) => last = Some(error),
            Ok(conn) => return Ok(conn),
        }
    }
    Err(last.unwrap_or_else(|| Error::Driver(mysql_async::DriverError::ConnectionClosed)))
}

async fn prepare(conn: &mut Conn, url: &Url) -> Result<Session, Error> {
    conn.query_drop("SET autocommit = 1").await?;
    let from: Option<Row> = conn.query_first("SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()").await?;
    while let Some(lost) = lost_sessions::of(url) {
        if !began_after(conn, lost.began).await? {
            end(conn, &lost).await?;
        }
        lost_sessions::forget(url, &lost);
    }
    let mark = from.and_then(|row| row.get_opt(0)?.ok()).unwrap_or_default();
    Ok(Session { number: conn.id().into(), mark, began: Instant::now() })
}

/// Did the server begin after that moment? Then it gives the numbers of its sessions anew, and those through the socket all
/// come from one place: they are somebody else's.
async fn began_after(conn: &mut Conn, moment: Instant) -> Result<bool, Error> {
    let told: Option<Row> = conn.query_first("SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
    let seconds: Option<u64> = told.and_then(|row| row.get_opt(1)?.ok());
    Ok(seconds.is_some_and(|seconds| Duration::from_secs(seconds.saturating_add(1)) <= moment.elapsed()))
}

/// Ends a session of the same user and waits until it is gone.
async fn end(conn: &mut Conn, session: &Session) -> Result<(), Error> {
    let number = session.number;
    let text = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ? AND HOST = ?";
    while conn.exec_first::<u64, _, _>(text, (number, &session.mark)).await? != Some(0) {
        match conn.query_drop(format!("KILL CONNECTION {number}")).await {
            // It was just gone.
            Err(error) if !matches!(error, Error::Server(_)) => return Err(error),
            _ => tokio::time::sleep(LOOK_PERIOD).await,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let place = |opts: &Opts| opts.socket().map_or_else(|| format!("{}:{}", opts.ip_or_hostname(), opts.tcp_port()), str::to_owned);
        candidates(&Url::parse(text).unwrap()).iter().map(place).collect()
    }

    #[test]
    fn a_host_is_reached_by_the_network_and_a_socket_where_it_is_given() {
        assert_eq!(places("mysql://u:p@db.example/calls"), ["db.example:3306"]);
        assert_eq!(places("mysql://u:p@localhost:3307/calls"), ["127.0.0.1:3307"]);
        assert_eq!(places("mysql://u:p@localhost/calls?socket=/run/own.sock"), ["/run/own.sock"]);
        assert_eq!(places("mysql://u:p@localhost/calls").last().map(String::as_str), Some("127.0.0.1:3306"));
    }
}
