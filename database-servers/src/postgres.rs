//! PostgreSQL: how its directory is made, its server started and its client called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::caretaker::output;
use crate::place::{Account, find_program};
use crate::{ADMINISTRATOR, DATABASE, PASSWORD, USER};

/// Users as whom it may run when we are root.
pub(crate) const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// The programs used: server, maker of directories, client.
#[derive(Clone)]
pub(crate) struct Programs {
    server: PathBuf,
    initdb: PathBuf,
    client: PathBuf,
}

impl Programs {
    pub(crate) fn find() -> Option<Programs> {
        let installed = installed_directories();
        let find = |name| find_program(name, &installed);
        Some(Programs { server: find("postgres")?, initdb: find("initdb")?, client: find("psql")? })
    }
}

/// Debian keeps the server's programs off the path, a directory for each version; the newest comes first.
fn installed_directories() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<(u32, PathBuf)> =
        versions.filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin")))).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// Makes the data directory; passwords are asked for on every way in.
pub(crate) fn initialise(programs: &Programs, account: &Account, directory: &Path) -> Result<(), String> {
    let password = directory.join("password");
    fs::write(&password, PASSWORD).map_err(|error| format!("{}: {error}", password.display()))?;
    let mut command = account.command(&programs.initdb);
    command.current_dir(directory).arg("-D").arg(directory.join("data")).arg("--pwfile").arg(password);
    command.args(["--username", ADMINISTRATOR, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    output(command, "").map(drop)
}

/// The command that starts the server in the foreground.
pub(crate) fn server(programs: &Programs, directory: &Path, port: u16, is_durable: bool) -> Command {
    let mut command = Command::new(&programs.server);
    command.arg("-D").arg(directory.join("data")).arg("-k").arg(directory).arg("-p").arg(port.to_string());
    command.args(["-h", "127.0.0.1", "-c", "shared_buffers=64MB", "-c", "max_connections=60"]);
    if !is_durable {
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    command
}

/// The client, connected as the administrator; reads statements from its input and stops at the first that fails.
pub(crate) fn client(programs: &Programs, port: u16, database: &str) -> Command {
    let mut command = Command::new(&programs.client);
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", ADMINISTRATOR, "-d", database]);
    command.arg("-p").arg(port.to_string()).env("PGPASSWORD", PASSWORD).env("PGCONNECT_TIMEOUT", "5");
    command
}

/// The database every cluster has.
pub(crate) const FIRST_DATABASE: &str = "postgres";

/// The statements that make account and database.
pub(crate) fn first_statements() -> String {
    format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE {DATABASE} OWNER {USER};\n")
}
