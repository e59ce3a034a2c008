//! Which databases the loaded modules want, and whether the module that serves each is loaded (spec dialog 3.4).

use std::time::Duration;

use script::value::Text;

use super::limits::{CONNECTIONS_MAX, SESSIONS_MAX};
use crate::settings::Settings;

/// Bounds of `query_timeout` of sqlops, in milliseconds.
const QUERY_TIMEOUT: std::ops::RangeInclusive<i64> = 10..=600_000;

/// Which database speaks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Sqlite,
    Postgres,
    Mysql,
}

impl Driver {
    /// The module that has to be loaded for it.
    pub fn module(self) -> &'static str {
        match self {
            Driver::Sqlite => "db_sqlite",
            Driver::Postgres => "db_postgres",
            Driver::Mysql => "db_mysql",
        }
    }
}

/// The driver of a database URL, whose module has to be loaded as in Kamailio. The error tells neither user nor password.
pub fn driver_of(settings: &Settings, url: &str) -> Result<Driver, String> {
    let (scheme, _) = url.split_once("://").ok_or("the database URL has no ://")?;
    let driver = match scheme.to_ascii_lowercase().trim_start_matches("db_") {
        "sqlite" => Driver::Sqlite,
        "postgres" | "postgresql" => Driver::Postgres,
        "mysql" | "mariadb" => Driver::Mysql,
        _ => return Err(format!("{scheme}:// is none of the databases sqlite, postgres and mysql")),
    };
    let module = driver.module();
    if settings.is_loaded(module) {
        Ok(driver)
    } else {
        Err(format!("{scheme}:// needs the module {module}: add loadmodule \"{module}.so\""))
    }
}

/// A database that is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// With its password.
    pub url: String,
    pub driver: Driver,
    /// The start goes on when the database does not answer (`connect_mode` 1 of sqlops).
    pub may_be_away: bool,
    /// How many statements are carried out at a time.
    pub sessions: usize,
    /// Longest time of one statement, and longest time it waits for its turn.
    pub timeout: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Connection({})", self.driver.module())
    }
}

/// Every database of the configuration; modules name one by its place.
#[derive(Debug, Default)]
pub struct State {
    pub connections: Vec<Connection>,
    /// Connections of sqlops: the name in `sqlcon` and its place.
    pub(crate) named: Vec<(Text, usize)>,
}

impl State {
    /// Reads `sqlcon` of sqlops and `db_url` of htable.
    pub fn start(settings: &Settings) -> Result<State, String> {
        let mut state = State::default();
        if settings.is_loaded("sqlops") {
            state.read_named(settings)?;
        }
        if let Some(url) = crate::htable::database_url(settings) {
            state.add(settings, &url, false).map_err(|error| format!("htable: db_url: {error}"))?;
        }
        Ok(state)
    }

    /// The place of a database that a module wants.
    pub(crate) fn place_of(&self, url: &str) -> Option<usize> {
        self.connections.iter().position(|connection| connection.url == url)
    }

    fn read_named(&mut self, settings: &Settings) -> Result<(), String> {
        let may_be_away = settings.integer("sqlops", "connect_mode") != 0;
        for text in settings.texts("sqlops", "sqlcon") {
            let (name, url) = named(&text).ok_or("sqlops: sqlcon is not NAME=>URL")?;
            if self.named.iter().any(|(own, _)| own[..] == *name) {
                return Err(format!("sqlops: the connection {} is defined twice", Text::from(name)));
            }
            let wrong = |error| format!("sqlops: sqlcon {}: {error}", Text::from(name));
            let url = std::str::from_utf8(url).map_err(|_| wrong("the URL is not valid UTF-8".to_owned()))?;
            let place = self.add(settings, url, may_be_away).map_err(wrong)?;
            self.named.push((Text::from(name), place));
        }
        Ok(())
    }

    fn add(&mut self, settings: &Settings, url: &str, may_be_away: bool) -> Result<usize, String> {
        let driver = driver_of(settings, url)?;
        if let Some(place) = self.place_of(url) {
            if let Some(connection) = self.connections.get_mut(place) {
                connection.may_be_away &= may_be_away;
            }
            return Ok(place);
        }
        if self.connections.len() >= CONNECTIONS_MAX {
            return Err(format!("more than {CONNECTIONS_MAX} databases"));
        }
        let (sessions, timeout) = (settings.integer("sqlops", "connections"), settings.integer("sqlops", "query_timeout"));
        if !(1..=SESSIONS_MAX).contains(&sessions) {
            return Err(format!("connections {sessions} of sqlops is not 1 to {SESSIONS_MAX}"));
        }
        if !QUERY_TIMEOUT.contains(&timeout) {
            return Err(format!("query_timeout {timeout} of sqlops is not {} to {}", QUERY_TIMEOUT.start(), QUERY_TIMEOUT.end()));
        }
        self.connections.push(Connection {
            url: url.to_owned(),
            driver,
            may_be_away,
            sessions: usize::try_from(sessions).unwrap_or(1),
            timeout: Duration::from_millis(timeout.unsigned_abs()),
        });
        Ok(self.connections.len() - 1)
    }
}

/// Name and URL of a `sqlcon`.
pub(crate) fn named(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(text, b"=>")?;
    let name = text.get(..at)?.trim_ascii();
    (!name.is_empty()).then(|| (name, text.get(at + 2..).unwrap_or_default().trim_ascii()))
}
