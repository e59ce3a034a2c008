//! The database under a subject: a SQLite file, or a throw-away server on loopback; and its outages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use database_servers::{DatabaseServer, Product, Trouble};

use crate::subject::workspace;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

impl Kind {
    /// By its name on the command line.
    pub fn of(name: &str) -> Result<Kind, String> {
        match name {
            "sqlite" => Ok(Kind::Sqlite),
            "postgres" => Ok(Kind::Postgres),
            "mysql" => Ok(Kind::Mysql),
            other => Err(format!("no database {other}: use sqlite, postgres or mysql")),
        }
    }

    /// Its name in URLs.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::Mysql => "mysql",
        }
    }
}

/// How a database goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// SQLite: another process holds the lock for writing.
    Locked,
    /// The server is stopped as an operator stops it.
    Stopped,
    /// Its processes stand still: connections stay open, nothing answers.
    Frozen,
    /// It answers and refuses to write.
    ReadOnly,
}

impl Outage {
    /// By its name on the command line.
    pub fn of(name: &str) -> Result<Outage, String> {
        match name {
            "locked" => Ok(Outage::Locked),
            "stopped" => Ok(Outage::Stopped),
            "frozen" => Ok(Outage::Frozen),
            "read-only" => Ok(Outage::ReadOnly),
            other => Err(format!("no outage {other}: use locked (sqlite), stopped, frozen or read-only")),
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Outage::Locked => "locked",
            Outage::Stopped => "stopped",
            Outage::Frozen => "frozen",
            Outage::ReadOnly => "read-only",
        }
    }
}

/// Where the rows are.
enum Place {
    File(PathBuf),
    Server(Box<DatabaseServer>),
}

/// A database with Kamailio's tables, empty at first; gone when dropped.
pub struct Database {
    pub kind: Kind,
    place: Place,
    /// Who holds the lock of a SQLite file.
    holder: Option<Child>,
}

/// A row as text; None: NULL.
pub type Row = Vec<Option<String>>;

/// How an error begins that only says that a program is not installed.
pub const SKIPPED: &str = "skipped: ";

/// How NULL is shown by the clients of SQLite and PostgreSQL, and by MariaDB's.
const NULL: &str = "\\N";
const NULL_OF_MARIADB: &str = "NULL";

impl Database {
    /// A new one with its tables; a file lies in the folder and keeps this journal mode, unless the subject changes it.
    pub fn start(kind: Kind, journal: &str, folder: &Path) -> Result<Database, String> {
        let product = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Product::Postgres),
            Kind::Mysql => Some(Product::Mariadb),
        };
        let place = match product {
            None => Place::File(folder.join("calls.sqlite")),
            Some(product) => Place::Server(Box::new(DatabaseServer::start(product).map_err(|trouble| match trouble {
                Trouble::NotInstalled(_) => format!("{SKIPPED}{trouble}"),
                Trouble::Failed(why) => why,
            })?)),
        };
        let database = Database { kind, place, holder: None };
        if kind == Kind::Sqlite {
            database.run(&format!("PRAGMA journal_mode={journal};"))?;
        }
        let tables = workspace().join(format!("conformance/tables/{}.sql", kind.name()));
        database.run(&std::fs::read_to_string(&tables).map_err(|error| format!("{}: {error}", tables.display()))?)?;
        if let Place::Server(server) = &database.place
            && kind == Kind::Postgres
        {
            // The tables were made by the administrator.
            let tables = ["version", "dialog", "dialog_vars"];
            let texts = tables.map(|table| format!("ALTER TABLE {table} OWNER TO {};\n", database_servers::USER));
            server.execute(&texts.concat())?;
        }
        Ok(database)
    }

    /// As a configuration names it.
    pub fn url(&self) -> String {
        match &self.place {
            // Kamailio 5.6 takes three slashes for the beginning of a relative path.
            Place::File(file) => format!("sqlite:///{}", file.display()),
            Place::Server(server) => server.url(),
        }
    }

    /// The module that serves it.
    pub fn module(&self) -> String {
        format!("db_{}.so", self.kind.name())
    }

    /// Runs statements and gives the rows of the last ones.
    pub fn run(&self, statements: &str) -> Result<Vec<Row>, String> {
        let (text, null) = match &self.place {
            Place::File(file) => {
                let mut command = Command::new("sqlite3");
                command.args(["-batch", "-bail", "-noheader", "-separator", "\t", "-nullvalue", NULL, "-cmd", ".timeout 20000"]).arg(file);
                (feed(command, statements)?, NULL)
            }
            Place::Server(server) if self.kind == Kind::Postgres => {
                (server.execute(&format!("\\pset fieldsep '\\t'\n\\pset null '\\\\N'\n{statements}\n"))?, NULL)
            }
            Place::Server(server) => (server.execute(statements)?, NULL_OF_MARIADB),
        };
        Ok(text.lines().map(|line| line.split('\t').map(|cell| (cell != null).then(|| cell.to_owned())).collect()).collect())
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> Result<u64, String> {
        let rows = self.run(&format!("SELECT count(*) FROM {table};"))?;
        rows.first().and_then(|row| row.first()?.as_ref()?.parse().ok()).ok_or_else(|| format!("no count of {table}"))
    }

    /// The outage that this kind of database has when none is asked for.
    pub fn usual_outage(&self) -> Outage {
        if self.kind == Kind::Sqlite { Outage::Locked } else { Outage::Stopped }
    }

    /// The outage begins.
    pub fn go_away(&mut self, outage: Outage) -> Result<(), String> {
        match (&mut self.place, outage) {
            (Place::File(file), Outage::Locked) => {
                self.holder = Some(hold_lock(file)?);
                Ok(())
            }
            (Place::Server(server), Outage::Stopped) => server.stop(),
            (Place::Server(server), Outage::Frozen) => server.freeze(),
            (Place::Server(server), Outage::ReadOnly) => set_read_only(server, self.kind, true),
            (_, outage) => Err(format!("{} cannot be {}", self.kind.name(), outage.name())),
        }
    }

    /// It is over.
    pub fn come_back(&mut self, outage: Outage) -> Result<(), String> {
        if let Some(holder) = self.holder.take() {
            return let_go(holder);
        }
        match (&mut self.place, outage) {
            (Place::Server(server), Outage::Stopped) => server.start_again(),
            (Place::Server(server), Outage::Frozen) => server.thaw(),
            (Place::Server(server), Outage::ReadOnly) => set_read_only(server, self.kind, false),
            _ => Ok(()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(holder) = self.holder.take() {
            let _ = let_go(holder);
        }
    }
}

fn set_read_only(server: &DatabaseServer, kind: Kind, is_read_only: bool) -> Result<(), String> {
    let word = if is_read_only { "on" } else { "off" };
    let statements = match kind {
        Kind::Postgres => format!("ALTER SYSTEM SET default_transaction_read_only = {word};\nSELECT pg_reload_conf();\n"),
        _ => format!("SET GLOBAL read_only = {word};\n"),
    };
    server.execute(&statements).map(|_| ())
}

/// A process that has begun to write and does not end.
fn hold_lock(file: &Path) -> Result<Child, String> {
    let told = |error: std::io::Error| format!("sqlite3: {error}");
    let mut command = Command::new("sqlite3");
    command.args(["-batch", "-bail", "-cmd", ".timeout 20000"]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(told)?;
    let mut line = String::new();
    if let (Some(stdin), Some(stdout)) = (&mut child.stdin, child.stdout.take()) {
        stdin.write_all(b"BEGIN IMMEDIATE;\nSELECT 'held';\n").and_then(|()| stdin.flush()).map_err(told)?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).map_err(told)?;
    }
    if line.trim() == "held" {
        return Ok(child);
    }
    let _ = child.kill();
    let _ = child.wait();
    Err("sqlite3 did not get the lock".to_owned())
}

/// The end of its input rolls it back.
fn let_go(mut holder: Child) -> Result<(), String> {
    drop(holder.stdin.take());
    holder.wait().map(|_| ()).map_err(|error| format!("sqlite3: {error}"))
}

/// Runs a program with this input; its output.
fn feed(mut command: Command, input: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{SKIPPED}{name} is not installed"),
        _ => format!("{name}: {error}"),
    };
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(told)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(told)?;
    }
    let output = child.wait_with_output().map_err(told)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
