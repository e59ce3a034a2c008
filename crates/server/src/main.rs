//! The `duolog` binary: the server with nothing added.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(std::env::args_os().skip(1), server::Extension::default())
}
