//! The server as a library: the only room with threads, clocks, random numbers, signals and files.
//!
//! The `duolog` binary is [`run`] with nothing added. Whoever builds on dialogs writes a binary of his own that adds
//! observers and modules (docs/building-on-dialogs.md, examples/talk-minutes):
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! struct Quiet;
//!
//! impl dialog::Observer for Quiet {
//!     fn on(&self, _: &dialog::Notice<'_>) {}
//! }
//!
//! let extension = server::Extension { observers: vec![Arc::new(Quiet)], ..server::Extension::default() };
//! server::run(std::env::args_os().skip(1), extension);
//! ```

mod clock;
mod command_line;
mod control_room;
mod daemon;
mod disk;
mod dump;
mod extension;
mod facts;
mod file_room;
mod listen;
mod loading;
mod logging;
mod names;
mod paced;
mod pid_file;
mod privileges;
mod query_room;
mod rpc_client;
mod serve;
mod shell;
mod signals;
mod storage_room;
mod tcp_driver;
mod udp_driver;
mod waiting_calls;

pub use extension::Extension;

use std::ffi::OsString;
use std::process::ExitCode;

/// Does what the arguments ask for, those of the `duolog` command line without the program's name: serves until a signal
/// ends it, checks a configuration, calls a command.
pub fn run(arguments: impl IntoIterator<Item = OsString>, extension: Extension) -> ExitCode {
    serve::run(arguments, &extension)
}
