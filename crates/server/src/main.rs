//! The `duolog` binary: the only room with threads, clocks, random numbers, signals and files.

mod clock;
mod command_line;
mod control_room;
mod daemon;
mod disk;
mod dump;
mod facts;
mod file_room;
mod listen;
mod logging;
mod names;
mod paced;
mod pid_file;
mod privileges;
mod rpc_client;
mod serve;
mod shell;
mod signals;
mod tcp_driver;
mod udp_driver;
mod waiting_calls;

use std::process::ExitCode;

fn main() -> ExitCode {
    serve::main()
}
