//! One running server of either product: start, outage, hang, end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::caretaker::{Caretaker, output, quoted};
use crate::place::Account;
use crate::{DATABASE, PASSWORD, USER, mariadb, postgres};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    Postgres,
    Mariadb,
}

impl fmt::Display for Product {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Product::Postgres => "PostgreSQL",
            Product::Mariadb => "MariaDB",
        })
    }
}

/// Why there is no server.
#[derive(Debug)]
pub enum Trouble {
    /// Its programs are not there.
    NotInstalled(Product),
    /// They are, but something went wrong.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NotInstalled(product) => write!(out, "{product} is not installed"),
            Trouble::Failed(why) => out.write_str(why),
        }
    }
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble::Failed(why)
    }
}

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

enum Programs {
    Postgres(postgres::Programs),
    Mariadb(mariadb::Programs),
}

/// A server; ended and removed when dropped.
pub struct DatabaseServer {
    programs: Programs,
    caretaker: Caretaker,
    directory: PathBuf,
    port: u16,
    is_durable: bool,
}

/// Starts a server, or says on standard output that the test is skipped because it is not installed.
///
/// # Panics
/// When it is installed and does not start.
pub fn start_or_skip(product: Product) -> Option<DatabaseServer> {
    match DatabaseServer::start(product) {
        Ok(server) => Some(server),
        Err(trouble @ Trouble::NotInstalled(_)) => {
            println!("skipped: {trouble}");
            None
        }
        Err(Trouble::Failed(why)) => panic!("{product} does not start: {why}"),
    }
}

impl DatabaseServer {
    /// Starts a server that writes durably, as those of operators do.
    pub fn start(product: Product) -> Result<DatabaseServer, Trouble> {
        DatabaseServer::start_with(product, true)
    }

    /// Starts a server; one that is not durable loses data when the machine stops, and is faster on slow disks.
    pub fn start_with(product: Product, is_durable: bool) -> Result<DatabaseServer, Trouble> {
        let (programs, accounts) = match product {
            Product::Postgres => (postgres::Programs::find().map(Programs::Postgres), postgres::ACCOUNTS),
            Product::Mariadb => (mariadb::Programs::find().map(Programs::Mariadb), mariadb::ACCOUNTS),
        };
        let programs = programs.ok_or(Trouble::NotInstalled(product))?;
        let account = Account::choose(&accounts)?;
        let directory = account.directory(&product.to_string().to_lowercase())?;
        let caretaker = match Caretaker::start(&account, &directory) {
            Ok(caretaker) => caretaker,
            Err(why) => {
                let _ = std::fs::remove_dir_all(&directory);
                return Err(Trouble::Failed(why));
            }
        };
        match &programs {
            Programs::Postgres(programs) => postgres::initialise(programs, &account, &directory)?,
            Programs::Mariadb(programs) => mariadb::initialise(programs, &account, &directory)?,
        }
        let mut server = DatabaseServer { programs, caretaker, directory, port: loopback_ports::free_port()?, is_durable };
        server.start_again()?;
        if product == Product::Postgres {
            server.run(postgres::FIRST_DATABASE, &postgres::first_statements())?;
        }
        Ok(server)
    }

    /// Its URL in Kamailio's form, with the account that owns the database.
    pub fn url(&self) -> String {
        self.url_of(USER, PASSWORD, DATABASE)
    }

    /// The same with another account or database.
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        let scheme = match self.programs {
            Programs::Postgres(_) => "postgres",
            Programs::Mariadb(_) => "mysql",
        };
        format!("{scheme}://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Which product it is.
    pub fn product(&self) -> Product {
        match self.programs {
            Programs::Postgres(_) => Product::Postgres,
            Programs::Mariadb(_) => Product::Mariadb,
        }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its socket is: a directory for PostgreSQL, the socket itself for MariaDB.
    pub fn socket(&self) -> PathBuf {
        match self.programs {
            Programs::Postgres(_) => self.directory.clone(),
            Programs::Mariadb(_) => mariadb::socket(&self.directory),
        }
    }

    /// Where its data and its log (`log`) are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs statements as the administrator through the database's own client; the rows, columns separated by `|`
    /// (PostgreSQL) or tabs.
    pub fn execute(&self, statements: &str) -> Result<String, String> {
        self.run(DATABASE, statements)
    }

    fn run(&self, database: &str, statements: &str) -> Result<String, String> {
        output(self.client(database), statements)
    }

    fn client(&self, database: &str) -> Command {
        match &self.programs {
            Programs::Postgres(programs) => postgres::client(programs, self.port, database),
            Programs::Mariadb(programs) => mariadb::client(programs, self.port, database),
        }
    }

    /// Stops the server as an operator does: connections are ended, what was committed is written.
    pub fn stop(&mut self) -> Result<(), String> {
        let signal = match self.programs {
            Programs::Postgres(_) => "INT",
            Programs::Mariadb(_) => "TERM",
        };
        self.tell(&format!("[ -z \"$server\" ] || {{ kill -{signal} $server; ended; }}"))
    }

    /// Ends it from one moment to the next, as a crash does.
    pub fn kill(&mut self) -> Result<(), String> {
        // Standing still it makes no more processes.
        self.tell("[ -z \"$server\" ] || { signal STOP; all=$(family); kill -KILL $all 2>/dev/null; ended; gone \"$all\"; }")
    }

    /// Starts a stopped server on the same data and the same port, and waits until it serves.
    pub fn start_again(&mut self) -> Result<(), String> {
        let command = match &self.programs {
            Programs::Postgres(programs) => postgres::server(programs, &self.directory, self.port, self.is_durable),
            Programs::Mariadb(programs) => mariadb::server(programs, &self.directory, self.port, self.is_durable),
        };
        let words: Vec<String> = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
        self.tell(&format!("[ -n \"$server\" ] || {{ {} >>\"$directory/log\" 2>&1 & server=$!; }}", words.join(" ")))?;
        self.wait_until_it_serves()
    }

    /// Every process of it stands still: connections are taken by the kernel, nothing answers.
    pub fn freeze(&mut self) -> Result<(), String> {
        // The second time meets processes that were made during the first.
        self.tell("signal STOP; signal STOP")
    }

    /// They go on.
    pub fn thaw(&mut self) -> Result<(), String> {
        self.tell("signal CONT")
    }

    fn tell(&mut self, line: &str) -> Result<(), String> {
        if self.caretaker.tell(line)? { Ok(()) } else { Err(format!("the shell that cares for the server failed at: {line}")) }
    }

    fn wait_until_it_serves(&mut self) -> Result<(), String> {
        let database = match self.programs {
            Programs::Postgres(_) => postgres::FIRST_DATABASE,
            Programs::Mariadb(_) => mariadb::FIRST_DATABASE,
        };
        let end = Instant::now() + PATIENCE;
        loop {
            let Err(why) = self.run(database, "SELECT 1;\n") else { return Ok(()) };
            let is_running = self.caretaker.tell("kill -0 $server 2>/dev/null")?;
            if !is_running || Instant::now() > end {
                return Err(format!("{why}\n{}", self.last_lines_of_log()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn last_lines_of_log(&self) -> String {
        let log = std::fs::read(self.directory.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
