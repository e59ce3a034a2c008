//! The command lines of the three databases, and their answers in one form.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use database_servers::{ADMINISTRATOR, DATABASE, DatabaseServer, PASSWORD, Product};

/// How long a statement waits for the subject to unlock the file, in milliseconds.
const LOCK_PATIENCE: &str = ".timeout 2000";

static DATABASES_MADE: AtomicU32 = AtomicU32::new(0);

/// A PostgreSQL or MariaDB server on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    product: Product,
    port: u16,
}

/// Is the command line of SQLite installed?
pub fn is_sqlite_installed() -> bool {
    Command::new("sqlite3").arg("-version").output().is_ok_and(|output| output.status.success())
}

/// The rows statements give from a SQLite file.
pub fn ask_sqlite(file: &Path, statements: &str) -> Result<String, String> {
    let mut command = Command::new("sqlite3");
    command.args(["-batch", "-bail", "-line", "-nullvalue", "NULL", "-cmd", LOCK_PATIENCE]).arg(file);
    // The last statement may lack its end.
    Ok(rows(&answer(command, &format!("{statements}\n;\n"))?, " = "))
}

impl Server {
    /// How to reach a server that runs.
    pub fn of(server: &DatabaseServer) -> Server {
        Server { product: server.product(), port: server.port() }
    }

    /// As Kamailio's modules are called.
    pub fn driver(self) -> &'static str {
        match self.product {
            Product::Postgres => "postgres",
            Product::Mariadb => "mysql",
        }
    }

    /// The URL of one of its databases.
    pub fn url(self, database: &str) -> String {
        format!("{}://{ADMINISTRATOR}:{PASSWORD}@127.0.0.1:{}/{database}", self.driver(), self.port)
    }

    /// A new database; its name.
    pub fn make_database(self) -> Result<String, String> {
        let name = format!("case_{}", DATABASES_MADE.fetch_add(1, Ordering::Relaxed));
        self.ask(DATABASE, &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// Removes a database. A subject that was killed may have left its connection behind.
    pub fn drop_database(self, name: &str) {
        let force = if self.product == Product::Postgres { " WITH (FORCE)" } else { "" };
        let _ = self.ask(DATABASE, &format!("DROP DATABASE {name}{force}"));
    }

    /// The rows statements give from one of its databases.
    pub fn ask(self, database: &str, statements: &str) -> Result<String, String> {
        let port = self.port.to_string();
        match self.product {
            Product::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-X", "-q", "-x", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-P", "null=NULL", "-h", "127.0.0.1"]);
                command.args(["-p", &port, "-U", ADMINISTRATOR, database]).env("PGPASSWORD", PASSWORD);
                Ok(rows(&answer(command, statements)?, "|"))
            }
            Product::Mariadb => {
                let mut command = Command::new("mariadb");
                // Otherwise the machine's locale says what letters are.
                command.args(["--no-defaults", "--default-character-set=utf8mb4", "-E", "-h", "127.0.0.1"]);
                command.args(["-P", &port, "-u", ADMINISTRATOR, database]);
                command.env("MYSQL_PWD", PASSWORD);
                // A backslash in a text is a backslash, as in the other two.
                let text = answer(command, &format!("SET sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES');\n{statements}\n"))?;
                Ok(rows(&text, ": "))
            }
        }
    }
}

/// What a command line prints for statements on its standard input.
fn answer(mut command: Command, statements: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| format!("{name}: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(statements.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A line a value, an empty line between rows, whatever stands between name and value. MariaDB has a line of stars before each row.
fn rows(text: &str, between: &str) -> String {
    let mut rows = String::new();
    for line in text.lines() {
        if line.starts_with("****") {
            if !rows.is_empty() {
                rows.push('\n');
            }
            continue;
        }
        match line.trim_start().split_once(between) {
            Some((name, value)) => rows.push_str(&format!("{name} = {value}\n")),
            None => rows.push_str(&format!("{}\n", line.trim_start())),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn rows_of_all_three_look_alike() {
        let expected = "state = 4\nxdata = NULL\n\nstate = 3\nxdata = a|b: c\n";
        assert_eq!(rows("state = 4\nxdata = NULL\n\nstate = 3\nxdata = a|b: c\n", " = "), expected);
        assert_eq!(rows("state|4\nxdata|NULL\n\nstate|3\nxdata|a|b: c\n", "|"), expected);
        let vertical = "*** 1. row ***\nstate: 4\nxdata: NULL\n*** 2. row ***\nstate: 3\nxdata: a|b: c\n".replace("***", "****");
        assert_eq!(rows(&vertical, ": "), expected);
    }
}
