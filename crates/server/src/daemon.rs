//! Leaving the terminal and telling the service manager how far we are.
//!
//! A process with threads cannot be forked safely, so the background is reached by starting the program again in a
//! session of its own before anything is opened; the first process ends.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};

/// Marks the second start, so that it does not start a third.
const DETACHED: &str = "DUOLOG_DETACHED";

/// Goes to the background. Ok(true): we are the first process and should end with code 0; Ok(false): we are in the
/// background already. Relative paths keep their meaning, the working directory is not changed.
pub fn detach() -> io::Result<bool> {
    if env::var_os(DETACHED).is_some() {
        // Fails only in the leader of a process group, which a fresh child is not.
        transport::batch::start_session()?;
        return Ok(false);
    }
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    Command::new(env::current_exe()?)
        .args(arguments)
        .env(DETACHED, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(true)
}

/// What the service manager is told (`sd_notify`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State<'a> {
    Ready,
    Stopping,
    /// A line for `systemctl status`.
    Status(&'a str),
}

/// Tells the manager named by `NOTIFY_SOCKET`; without one nothing happens. Errors are worth a log line, not more.
pub fn notify(state: &State<'_>) -> io::Result<()> {
    match env::var_os("NOTIFY_SOCKET") {
        Some(path) if !path.is_empty() => notify_at(&path.to_string_lossy(), state),
        _ => Ok(()),
    }
}

fn notify_at(path: &str, state: &State<'_>) -> io::Result<()> {
    let text = match state {
        State::Ready => format!("READY=1\nMAINPID={}", std::process::id()),
        State::Stopping => "STOPPING=1".to_string(),
        State::Status(line) => format!("STATUS={}", line.replace('\n', " ")),
    };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_each_state() {
        let name = format!("duolog-notify-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let path = format!("@{name}");
        let mut bytes = [0u8; 200];
        notify_at(&path, &State::Ready).unwrap();
        let length = manager.recv(&mut bytes).unwrap();
        assert!(bytes[..length].starts_with(b"READY=1\nMAINPID="));
        notify_at(&path, &State::Status("5 calls\nREADY=0")).unwrap();
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"STATUS=5 calls READY=0");
        notify_at(&path, &State::Stopping).unwrap();
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"STOPPING=1");
    }

    #[test]
    fn a_missing_manager_is_an_error_not_a_crash() {
        assert!(notify_at("/nonexistent/notify", &State::Ready).is_err());
    }
}
