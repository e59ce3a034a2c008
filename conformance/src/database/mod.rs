//! The database of a case: made for it alone, filled before the start, asked by `sql` steps.

mod client;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::normalise::{addresses, value_after};
use crate::template::fill;

pub use client::{Server, is_sqlite_installed};

/// The mark of a configuration that wants a database; it becomes the URL.
pub const URL_MARK: &str = "DATABASE";
/// The mark that becomes the name of the driver, as in `loadmodule "db_@DRIVER@"`.
pub const DRIVER_MARK: &str = "DRIVER";
/// The mark that becomes the expression for the present moment in seconds.
pub const NOW_MARK: &str = "NOW";

/// What Kamailio says where its driver is not installed.
pub const NO_DRIVER: &str = "could not find module <db_";

/// Numbers above are moments, not counters.
const MOMENTS_FROM: i64 = 1_500_000_000;
/// A moment is told as its distance to now, in steps of so many seconds...
const MOMENT_STEP: i64 = 10;
/// ...of which so many may have passed since the value was made.
const MOMENT_AGE: i64 = 7;
/// Moments that lie further back are only `(past)`.
const PAST_FROM: i64 = -100_000;

/// Which database cases run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// A file in the folder of the case.
    #[default]
    Sqlite,
    /// A database of its own on a server that was started for the run.
    Server(Server),
}

impl Driver {
    /// As Kamailio's modules are called.
    pub fn name(&self) -> &'static str {
        match self {
            Driver::Sqlite => "sqlite",
            Driver::Server(server) => server.driver(),
        }
    }

    fn now(&self) -> &'static str {
        match self.name() {
            "postgres" => "cast(extract(epoch from now()) as integer)",
            "mysql" => "unix_timestamp()",
            _ => "unixepoch()",
        }
    }
}

/// A database that is there for one case.
pub enum Database {
    Sqlite(PathBuf),
    Server(Server, String),
}

impl Database {
    /// Makes the database with its tables and runs the statements of the case; its marks are added.
    pub fn make(driver: &Driver, folder: &Path, statements: &str, marks: &mut BTreeMap<String, String>) -> Result<Database, String> {
        let database = match driver {
            Driver::Sqlite => {
                std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
                Database::Sqlite(folder.join("db.sqlite"))
            }
            Driver::Server(server) => Database::Server(*server, server.make_database()?),
        };
        marks.insert(URL_MARK.to_owned(), database.url());
        marks.insert(DRIVER_MARK.to_owned(), driver.name().to_owned());
        marks.insert(NOW_MARK.to_owned(), driver.now().to_owned());
        let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables").join(driver.name()).with_extension("sql");
        let tables = std::fs::read_to_string(&tables).map_err(|error| format!("{}: {error}", tables.display()))?;
        database.run(&tables)?;
        database.run(&fill(statements, marks))?;
        Ok(database)
    }

    /// In Kamailio's form; of an absolute path the slash is the fourth.
    fn url(&self) -> String {
        match self {
            Database::Sqlite(file) => format!("sqlite:///{}", file.display()),
            Database::Server(server, name) => server.url(name),
        }
    }

    /// The answer to statements, a value a line as `name = value`, an empty line between rows; `(no rows)` for none.
    pub fn run(&self, statements: &str) -> Result<String, String> {
        let rows = match self {
            Database::Sqlite(file) => client::ask_sqlite(file, statements)?,
            Database::Server(server, name) => server.ask(name, statements)?,
        };
        Ok(if rows.is_empty() { "(no rows)\n".to_owned() } else { rows })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Database::Server(server, name) = self {
            server.drop_database(name);
        }
    }
}

/// Rows with addresses, identifiers and moments replaced by marks.
pub fn normalise_rows(rows: &str, marks: &BTreeMap<String, String>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(0));
    let mut out = String::new();
    for line in rows.lines() {
        let line = addresses(line, marks);
        let line = value_after(&line, "\"puid\":\"", |_| Some("(puid)"));
        let line = match line.split_once(" = ") {
            Some((name, value)) => match value.parse::<i64>() {
                Ok(number) if number > MOMENTS_FROM => format!("{name} = {}", moment(number - now)),
                Ok(number) if number > 0 && matches!(name, "id" | "hash_id") => format!("{name} = (number)"),
                _ => line,
            },
            None => line,
        };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A moment by its distance to now in seconds: `(now)`, `(now+600)`, `(now-60)`, `(past)`.
fn moment(distance: i64) -> String {
    let rounded = (distance + MOMENT_AGE).div_euclid(MOMENT_STEP) * MOMENT_STEP;
    match rounded {
        0 => "(now)".to_owned(),
        _ if rounded < PAST_FROM => "(past)".to_owned(),
        _ => format!("(now{rounded:+})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_their_distance() {
        assert_eq!([0, -3, -7, 2].map(moment), ["(now)", "(now)", "(now)", "(now)"]);
        assert_eq!([600, 593, 602].map(moment), ["(now+600)", "(now+600)", "(now+600)"]);
        assert_eq!([-60, -67, -46_000_000].map(moment), ["(now-60)", "(now-60)", "(past)"]);
    }

    #[test]
    fn identifiers_and_addresses_of_rows_become_marks() {
        let marks = BTreeMap::from([("PROXY".to_owned(), "127.0.0.1:14001".to_owned())]);
        let rows =
            "hash_id = 4711\ncaller_sock = udp:127.0.0.1:14001\nstate = 4\nxdata = {\"profiles\":[{\"name\":\"a\",\"puid\":\"x-1\"}]}\n";
        let expected =
            "hash_id = (number)\ncaller_sock = udp:PROXY\nstate = 4\nxdata = {\"profiles\":[{\"name\":\"a\",\"puid\":\"(puid)\"}]}\n";
        assert_eq!(normalise_rows(rows, &marks), expected);
    }
}
