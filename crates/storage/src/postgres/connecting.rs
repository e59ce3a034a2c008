//! Opening a connection to PostgreSQL.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

use crate::backend::{Backend, ConnectOptions};
use crate::error::{ErrorKind, StorageError};
use crate::line::Line;
use crate::lost_sessions::{self, Session};
use crate::url::Url;

use super::{Connection, Postgres, errors};

/// Where libpq looks for a server's socket when no host is given.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// How often it is looked whether a lost session has ended.
const LOOK_PERIOD: Duration = Duration::from_millis(10);

/// Opens a connection, without TLS: `sslmode=disable`.
pub fn connect(url: &Url, options: ConnectOptions) -> Result<Box<dyn Backend>, StorageError> {
    let config = config(url, options)?;
    let line = Line::open(url, options.connect_timeout, options.call_timeout, async || open(&config, url).await)?;
    Ok(Box::new(Postgres { line }))
}

fn config(url: &Url, options: ConnectOptions) -> Result<Config, StorageError> {
    if let Some(mode) = url.option("sslmode").filter(|mode| !["disable", "allow", "prefer"].contains(mode)) {
        return Err(StorageError::new(ErrorKind::Configuration, url.to_string(), format!("sslmode={mode} is not supported yet"))
            .remedy("reach the server over a trusted network or a tunnel, with sslmode=disable"));
    }
    let port = if url.port == 0 { PORT } else { url.port };
    let mut config = Config::new();
    config.dbname(&url.database).port(port).ssl_mode(SslMode::Disable).application_name("duolog");
    config.connect_timeout(options.connect_timeout).tcp_user_timeout(options.call_timeout);
    if !url.user.is_empty() {
        config.user(&url.user);
    }
    if !url.password.is_empty() {
        config.password(&url.password);
    }
    match socket_directory(url, port) {
        Some(directory) => config.host_path(directory),
        None if url.host.is_empty() => config.host("localhost"),
        None => config.host(&url.host),
    };
    Ok(config)
}

/// The directory of the server's socket, when the URL leads to one: `?socket=/directory`, a host that is a path (`%2Frun%2Fpg`),
/// or no host.
fn socket_directory(url: &Url, port: u16) -> Option<PathBuf> {
    if let Some(given) = url.option("socket").or(url.option("host")) {
        return Some(given.into());
    }
    let host = url.host.replace("%2F", "/").replace("%2f", "/");
    if host.starts_with('/') {
        return Some(host.into());
    }
    let holds_socket = |directory: &&str| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists();
    SOCKET_DIRECTORIES.iter().find(|directory| url.host.is_empty() && holds_socket(directory)).map(PathBuf::from)
}

async fn open(config: &Config, url: &Url) -> Result<Connection, StorageError> {
    let failed = |error: tokio_postgres::Error| errors::explained(url, &error);
    let (client, driver) = config.connect(NoTls).await.map_err(failed)?;
    let driver = tokio::spawn(async move {
        // What breaks it is told by the call that meets it.
        let _ = driver.await;
    });
    let about_us = "SELECT pid, backend_start::text, current_setting('server_encoding') FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let own = client.query_one(about_us, &[]).await.map_err(failed)?;
    if own.try_get::<_, &str>(2).map_err(failed)? == "SQL_ASCII" {
        // Such a database holds any bytes, and would refuse to send a whole table for one of them that is no UTF-8.
        client.batch_execute("SET client_encoding = 'SQL_ASCII'").await.map_err(failed)?;
    }
    let session =
        Session { number: own.try_get::<_, i32>(0).map_err(failed)?.into(), mark: own.try_get(1).map_err(failed)?, began: Instant::now() };
    while let Some(lost) = lost_sessions::of(url) {
        end(&client, &lost).await.map_err(failed)?;
        lost_sessions::forget(url, &lost);
    }
    Ok(Connection { client, driver, session, statements: None })
}

/// Ends a session of the same user and waits until it is gone.
async fn end(client: &Client, session: &Session) -> Result<(), tokio_postgres::Error> {
    let Ok(number) = i32::try_from(session.number) else { return Ok(()) };
    let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2";
    while !client.query(text, &[&number, &session.mark]).await?.is_empty() {
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(text: &str) -> Option<PathBuf> {
        socket_directory(&Url::parse(text).unwrap(), 1)
    }

    #[test]
    fn a_host_that_is_a_path_leads_to_a_socket() {
        assert_eq!(directory("postgres://u:p@%2Frun%2Fpg/d"), Some("/run/pg".into()));
        assert_eq!(directory("postgres://u:p@/d?socket=/run/pg"), Some("/run/pg".into()));
        assert_eq!(directory("postgres://u:p@localhost/d"), None);
        assert_eq!(directory("postgres://u:p@/d"), None, "no server listens on port 1");
    }

    #[test]
    fn encryption_that_is_asked_for_is_not_left_out() {
        let second = Duration::from_secs(1);
        let options = ConnectOptions { connect_timeout: second, call_timeout: second, may_create: false, fetch_rows: 0 };
        let error = config(&Url::parse("postgres://u:p@h/d?sslmode=require").unwrap(), options).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert!(config(&Url::parse("postgres://u:p@h/d?sslmode=disable").unwrap(), options).is_ok());
    }
}
