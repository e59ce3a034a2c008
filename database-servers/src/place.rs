//! Where a server runs and as whom: account, directory, port, programs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

/// Whom the processes of a server belong to.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// The user of this process.
    Own,
    /// Another one, because database servers refuse to run as root: user and group.
    Other(u32, u32),
}

impl Account {
    /// Our own, or for root the first of `preferred` that exists.
    pub(crate) fn choose(preferred: &[&str]) -> Result<Account, String> {
        let own = fs::metadata("/proc/self").map_err(|error| format!("/proc is needed: {error}"))?;
        if own.uid() != 0 {
            return Ok(Account::Own);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
        let entry = |name: &str| {
            let mut fields = users.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?.skip(2);
            Some(Account::Other(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        preferred.iter().find_map(|name| entry(name)).ok_or_else(|| format!("none of the users {} exists", preferred.join(", ")))
    }

    /// A command run as this account.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        match self {
            Account::Own => Command::new(program.as_ref()),
            Account::Other(user, group) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
                command.arg(program.as_ref());
                command
            }
        }
    }

    /// A new directory that belongs to it, closed to everybody else.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf, String> {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("duolog-{name}-{}-{number}", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        // What a process with our number once left behind.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        if let Account::Other(user, group) = self {
            chown(&path, Some(*user), Some(*group)).map_err(failed)?;
        }
        Ok(path)
    }
}

/// A program on the path, in the directories of system programs, or in one of `more`.
pub(crate) fn find_program(name: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = more.iter().cloned().chain(std::env::split_paths(&path)).chain(["/usr/sbin".into(), "/sbin".into()]);
    directories.map(|directory| directory.join(name)).find(|program| program.is_file())
}
