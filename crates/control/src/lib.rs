//! Control: BINRPC and JSON-RPC, their wire formats and the sockets they are served on.
//!
//! This room carries calls to a [`Caller`] and answers back. It knows no command, runs no script and touches no call; the
//! commands are declared by the modules. Listeners are unix sockets, FIFOs and, when told so, TCP or UDP addresses.

pub mod address;
pub mod binrpc;
pub mod connections;
mod datagrams;
pub mod fifo;
mod fifo_scanner;
pub mod http;
pub mod json;
pub mod limits;
pub mod listener;
pub mod outcome;

use modules::rpc::{Fault, Parameters, Reply};

pub use outcome::Outcome;

/// Who runs commands. One call at a time is enough; implementations may serialise.
pub trait Caller: Send + Sync + 'static {
    /// Runs a command. Its answer may come later, within a time the caller bounds.
    fn call(&self, name: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>>;
    /// Is the command declared to answer an array? None: no such command.
    fn is_array(&self, name: &str) -> Option<bool>;
    /// A line for the log: level -1 error .. 3 debug.
    fn log(&self, level: i32, text: &str);
}
