//! The database of a case: made in its folder, filled before the start, asked by `sql` steps.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::case::Case;
use crate::normalise::{addresses, value_after};

/// The mark of a configuration that wants a database; it becomes the URL.
pub const URL_MARK: &str = "DATABASE";
/// The mark that becomes the name of the driver, as in `loadmodule "db_@DRIVER@"`.
pub const DRIVER_MARK: &str = "DRIVER";

/// What Kamailio says where its driver is not installed.
pub const NO_DRIVER: &str = "could not find module <db_sqlite>";

/// Numbers above are moments, not counters.
const MOMENTS_FROM: i64 = 1_500_000_000;
/// A moment is told as its distance to now, in steps of so many seconds...
const MOMENT_STEP: i64 = 10;
/// ...of which so many may have passed since the value was made.
const MOMENT_AGE: i64 = 7;
/// Moments that lie further back are only `(past)`.
const PAST_FROM: i64 = -100_000;

/// How long a statement waits for the subject to unlock the file, in milliseconds.
const LOCK_PATIENCE: &str = ".timeout 2000";

/// A database of its own for each case.
pub struct Database {
    file: PathBuf,
}

impl Database {
    /// Makes the tables in `folder` and runs the statements of the case; none when the case has no use for a database.
    pub fn prepare(case: &Case, path: &Path, folder: &Path, marks: &mut BTreeMap<String, String>) -> Result<Option<Database>, String> {
        if !case.configuration.contains(&format!("@{URL_MARK}@")) {
            return Ok(None);
        }
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let database = Database { file: folder.join("db.sqlite") };
        marks.insert(URL_MARK.to_owned(), format!("sqlite:///{}", database.file.display()));
        marks.insert(DRIVER_MARK.to_owned(), "sqlite".to_owned());
        let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/sqlite.sql");
        database.run(&std::fs::read_to_string(&tables).map_err(|error| format!("{}: {error}", tables.display()))?)?;
        if !case.statements.is_empty() {
            database.run(&crate::template::fill(&case.statements, marks)).map_err(|reason| format!("{}: {reason}", path.display()))?;
        }
        Ok(Some(database))
    }

    /// The answer to statements, a value a line as `name = value`, an empty line between rows; `(no rows)` for none.
    pub fn run(&self, statements: &str) -> Result<String, String> {
        let mut child = Command::new("sqlite3")
            .args(["-batch", "-bail", "-line", "-nullvalue", "NULL", "-cmd", LOCK_PATIENCE])
            .arg(&self.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("sqlite3: {error} (package sqlite3)"))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(format!("{statements}\n;\n").as_bytes()).map_err(|error| error.to_string())?;
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("sqlite3: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = text.lines().fold(String::new(), |rows, line| rows + line.trim_start() + "\n");
        Ok(if rows.is_empty() { "(no rows)\n".to_owned() } else { rows })
    }
}

/// Is the command line of the database installed?
pub fn is_installed() -> bool {
    Command::new("sqlite3").arg("-version").output().is_ok_and(|output| output.status.success())
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
        out.push_str(&line);
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
