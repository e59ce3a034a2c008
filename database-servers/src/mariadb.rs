//! MariaDB: how its directory is made, its server started and its client called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::caretaker::output;
use crate::place::{Account, find_program};
use crate::{ADMINISTRATOR, DATABASE, PASSWORD, USER};

/// Users as whom it may run when we are root.
pub(crate) const ACCOUNTS: [&str; 2] = ["mysql", "nobody"];

/// The programs used: server, maker of directories, client.
#[derive(Clone)]
pub(crate) struct Programs {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
}

impl Programs {
    pub(crate) fn find() -> Option<Programs> {
        let find = |name| find_program(name, &[]);
        Some(Programs { server: find("mariadbd")?, install: find("mariadb-install-db")?, client: find("mariadb")? })
    }
}

/// Where the server's socket is.
pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join("socket")
}

fn first_statements_file(directory: &Path) -> PathBuf {
    directory.join("first.sql")
}

/// Makes the data directory. The accounts are made by the first start: the server reads their statements from a file.
pub(crate) fn initialise(programs: &Programs, account: &Account, directory: &Path) -> Result<(), String> {
    let file = first_statements_file(directory);
    fs::write(&file, first_statements()).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut command = account.command(&programs.install);
    // Servers remove each other's temporary tables when they share a directory for them.
    command
        .current_dir(directory)
        .env("TMPDIR", directory)
        .arg("--no-defaults")
        .arg(format!("--datadir={}", directory.join("data").display()));
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=16M"]);
    output(command, "").map(drop)
}

/// The command that starts the server in the foreground.
pub(crate) fn server(programs: &Programs, directory: &Path, port: u16, is_durable: bool) -> Command {
    let mut command = Command::new(&programs.server);
    command.arg("--no-defaults").arg(format!("--datadir={}", directory.join("data").display()));
    command.arg(format!("--socket={}", socket(directory).display())).arg(format!("--port={port}"));
    command.arg(format!("--pid-file={}", directory.join("pid").display())).arg(format!("--tmpdir={}", directory.display()));
    command.arg(format!("--init-file={}", first_statements_file(directory).display()));
    command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"]);
    if !is_durable {
        command.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]);
    }
    command
}

/// The client, connected as the administrator; reads statements from its input and stops at the first that fails.
pub(crate) fn client(programs: &Programs, port: u16, database: &str) -> Command {
    let mut command = Command::new(&programs.client);
    command.args(["--no-defaults", "--batch", "--skip-column-names", "--protocol=tcp", "--host=127.0.0.1", "--connect-timeout=5"]);
    // Otherwise the machine's locale says what letters are.
    command.arg("--default-character-set=utf8mb4");
    command.arg(format!("--user={ADMINISTRATOR}")).arg(format!("--port={port}")).arg(database).env("MYSQL_PWD", PASSWORD);
    command
}

/// The database every server has.
pub(crate) const FIRST_DATABASE: &str = "mysql";

/// Read at every start, one statement a line. The first account of a new directory has no password: it is closed.
fn first_statements() -> String {
    format!(
        "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
         CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'%';\n\
         CREATE USER IF NOT EXISTS '{ADMINISTRATOR}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON *.* TO '{ADMINISTRATOR}'@'%' WITH GRANT OPTION;\n\
         ALTER USER 'root'@'localhost' IDENTIFIED BY '{PASSWORD}';\n"
    )
}
