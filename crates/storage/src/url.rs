//! Where a database is, in Kamailio's forms: `sqlite:///path`, `postgres://user:password@host:port/database`, `mysql://…`.

use std::fmt;

use crate::error::{ErrorKind, StorageError};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Driver {
    Sqlite,
    Postgres,
    Mysql,
}

impl Driver {
    /// The module that serves it in Kamailio: `db_sqlite`.
    pub fn module(self) -> &'static str {
        match self {
            Driver::Sqlite => "db_sqlite",
            Driver::Postgres => "db_postgres",
            Driver::Mysql => "db_mysql",
        }
    }
}

/// A parsed URL. `Display` leaves the password out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    pub driver: Driver,
    pub user: String,
    pub password: String,
    /// Empty for SQLite.
    pub host: String,
    /// 0: the database's own.
    pub port: u16,
    /// Database name, or the path of the SQLite file.
    pub database: String,
    /// What stands behind `?`, in pairs: `synchronous=full`.
    pub options: Vec<(String, String)>,
}

impl Url {
    /// Reads a URL in one of Kamailio's forms.
    pub fn parse(text: &str) -> Result<Url, StorageError> {
        let wrong = |reason: &str| {
            // The text may hold a password, so only its beginning is told, and nothing of one that has none.
            let shown = text.split_once("://").map(|(scheme, _)| format!(" {scheme}://…")).unwrap_or_default();
            StorageError::new(ErrorKind::Configuration, format!("database URL{shown}"), reason)
                .remedy("use sqlite:///path/to/file, postgres://user:password@host/database or mysql://user:password@host/database")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("has no ://"))?;
        let driver = match scheme.to_ascii_lowercase().trim_start_matches("db_") {
            "sqlite" => Driver::Sqlite,
            "postgres" | "postgresql" => Driver::Postgres,
            "mysql" | "mariadb" => Driver::Mysql,
            _ => return Err(wrong("names a database that is not known")),
        };
        // A password may hold @, : and ?, a host may not. A file has neither user nor host.
        let (credentials, place) = if driver == Driver::Sqlite { ("", rest) } else { rest.rsplit_once('@').unwrap_or(("", rest)) };
        let (rest, options) = place.split_once('?').unwrap_or((place, ""));
        let options = options.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut url = Url {
            driver,
            user: String::new(),
            password: String::new(),
            host: String::new(),
            port: 0,
            database: String::new(),
            options: options.collect(),
        };
        if driver == Driver::Sqlite {
            if rest.is_empty() || rest.ends_with('/') {
                return Err(wrong("names no file"));
            }
            // Kamailio demands something between the slashes and passes over it: `sqlite://./file`.
            url.database = rest.strip_prefix("./").unwrap_or(rest).to_owned();
            return Ok(url);
        }
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (authority, database) = rest.split_once('/').ok_or_else(|| wrong("names no database behind the host"))?;
        if database.is_empty() {
            return Err(wrong("names no database behind the host"));
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or("")),
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        url.port = if port.is_empty() { 0 } else { port.parse().map_err(|_| wrong("has a port that is no number"))? };
        (url.user, url.password) = (user.to_owned(), password.to_owned());
        (url.host, url.database) = (host.to_owned(), database.to_owned());
        Ok(url)
    }

    /// The value of an option behind `?`.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.driver.module().trim_start_matches("db_");
        write!(out, "{scheme}://")?;
        if !self.user.is_empty() {
            write!(out, "{}@", self.user)?;
        }
        out.write_str(&self.host)?;
        if self.port != 0 {
            write!(out, ":{}", self.port)?;
        }
        if self.driver != Driver::Sqlite {
            out.write_str("/")?;
        }
        out.write_str(&self.database)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Url({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kamailios_forms_are_read_and_passwords_are_not_shown() {
        let url = Url::parse("mysql://kamailio:kamailiorw@localhost/kamailio").unwrap();
        assert_eq!(
            (url.driver, &*url.user, &*url.password, &*url.host, url.port, &*url.database),
            (Driver::Mysql, "kamailio", "kamailiorw", "localhost", 0, "kamailio")
        );
        assert_eq!(url.to_string(), "mysql://kamailio@localhost/kamailio");
        assert_eq!(format!("{url:?}"), "Url(mysql://kamailio@localhost/kamailio)");
        let url = Url::parse("postgres://u:p@s:s@[::1]:5433/calls?sslmode=disable").unwrap();
        assert_eq!((&*url.user, &*url.password, &*url.host, url.port, &*url.database), ("u", "p@s:s", "::1", 5433, "calls"));
        assert_eq!(url.option("sslmode"), Some("disable"));
        let url = Url::parse("mysql://u:what?/@h/d?socket=/s").unwrap();
        assert_eq!((&*url.password, &*url.host, &*url.database, url.option("socket")), ("what?/", "h", "d", Some("/s")));
        let url = Url::parse("sqlite:///var/lib/calls.sqlite?synchronous=full").unwrap();
        assert_eq!((&*url.database, url.option("synchronous")), ("/var/lib/calls.sqlite", Some("full")));
        assert_eq!(url.to_string(), "sqlite:///var/lib/calls.sqlite");
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_a_password() {
        for text in [
            "",
            "sqlite",
            "mysql:/u:secret@h/d",
            "u:secret@h/d",
            "oracle://u:secret@h/d",
            "mysql://u:secret@h",
            "mysql://u:secret@h/",
            "postgres://u:secret@h:x/d",
            "sqlite:///",
            "sqlite://",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Configuration, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
