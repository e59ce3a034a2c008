//! What is to be done, in order: effects are the only way out of the pure rooms (invariant A1).

use std::net::SocketAddr;
use std::ops::Range;

use transaction::{Endpoint, Protocol};

/// One thing for the shell to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A datagram from the local socket with this index.
    Send { socket: u16, destination: SocketAddr, bytes: Range<usize> },
    /// Bytes on a stream connection; opened on demand when `connection` is 0 or gone and `may_connect`.
    StreamSend {
        protocol: Protocol,
        socket: u16,
        connection: u64,
        destination: SocketAddr,
        may_connect: bool,
        then_close: bool,
        bytes: Range<usize>,
    },
    /// Let what goes to the peer's address and this port use the connection (RFC 5923).
    StreamAlias { connection: u64, port: u16 },
    /// Ask a name server; answered by an input with the same ticket.
    Resolve { ticket: u64, question: crate::dns::record::Question },
    /// Answer the ticket at this time (monotonic milliseconds): `sleep()`.
    Wake { ticket: u64, at: sip::time::Time },
    /// The answer to a remote call that waits for it ([`crate::rpc::Reply::later`]).
    Answer { ticket: u64, answer: Result<crate::rpc::Reply, crate::rpc::Fault> },
    /// Read a file of at most so many bytes; answered under the ticket.
    ReadFile { ticket: u64, path: String, bytes_max: usize },
    /// Write a file anew; answered under the ticket unless that is 0.
    WriteFile { ticket: u64, path: String, bytes: Vec<u8> },
    /// Ask the database with this place; answered under the ticket unless that is 0.
    Query { ticket: u64, connection: usize, work: crate::database::Work },
    /// Take dialogs of the database into the engine before others; answered under the ticket once they are there.
    LoadDialogs { ticket: u64, which: StoredDialogs },
    /// Append each item as a JSON line to a plain file of this name in the folder; the call with this ticket is answered when it
    /// is done.
    AppendFile { ticket: u64, folder: String, name: String, lines: crate::listing::Listing },
    /// A log line: level -5 alert .. 3 debug.
    Log { level: i32, facility: Option<u8>, source: LogSource, text: Vec<u8> },
    /// Stop the process (`core.kill`, `abort()`).
    Stop,
}

/// Which stored dialogs are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredDialogs {
    /// Those of a hash slot that is not loaded yet: a request within one of them waits.
    OfSlot(u32),
    /// `dlg_db_load_callid()`.
    OfCallId(Vec<u8>),
    /// `dlg_db_load_extra()`.
    All,
}

/// Who writes a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// A script, on purpose: every line counts.
    Script,
    /// The proxy itself: a peer could provoke its lines at will.
    Proxy,
}

/// What a script wants of the stream connection a message leaves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connecting {
    /// A connection is opened when there is none.
    pub may_connect: bool,
    /// The connection the message leaves on is closed once the message is written.
    pub then_close: bool,
}

impl Default for Connecting {
    fn default() -> Connecting {
        Connecting { may_connect: true, then_close: false }
    }
}

/// Effects of one or several inputs, with one buffer for all bytes to send.
#[derive(Debug, Default)]
pub struct Outbox {
    pub effects: Vec<Effect>,
    pub bytes: Vec<u8>,
}

impl Outbox {
    /// Forgets what was drained; keeps the memory.
    pub fn clear(&mut self) {
        self.effects.clear();
        self.bytes.clear();
    }

    /// Sends bytes to an endpoint: copies them behind what is already there.
    pub fn send(&mut self, to: &Endpoint, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.send_written(to, start);
    }

    /// Sends what was appended to `self.bytes` since `start`.
    pub fn send_written(&mut self, to: &Endpoint, start: usize) {
        self.send_written_with(to, start, Connecting::default());
    }

    /// As [`Outbox::send_written`], with the script's wishes about a stream connection.
    pub fn send_written_with(&mut self, to: &Endpoint, start: usize, connecting: Connecting) {
        let range = start..self.bytes.len();
        self.effects.push(match to.protocol {
            Protocol::Udp => Effect::Send { socket: to.socket, destination: to.address, bytes: range },
            protocol => Effect::StreamSend {
                protocol,
                socket: to.socket,
                connection: to.connection,
                destination: to.address,
                may_connect: connecting.may_connect,
                then_close: connecting.then_close,
                bytes: range,
            },
        });
    }
}
