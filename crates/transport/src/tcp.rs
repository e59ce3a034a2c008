//! TCP streams on one thread: accepts, connects on demand, cuts messages, writes; other threads send through a handle.

mod connection;
mod handle;
mod records;
mod table;
mod worker;

use std::io;
use std::net::SocketAddr;

use crate::outbox::Datagrams;

pub use handle::{StreamCounters, Streams};
pub use records::{StreamInfo, StreamState};
pub use worker::{StreamWorker, stream_worker};

/// Number of a connection, never 0, unique until 2³² connections later. Written into Via as the `i` parameter
/// (spec proxy-core 3.1).
pub type ConnectionId = u32;

/// Where bytes are to go on a stream (spec proxy-core 2.9): the connection when it is still open, else an open one to
/// `destination` (an alias counts), else a new one when `may_connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub connection: Option<ConnectionId>,
    pub destination: Option<SocketAddr>,
    /// Index of the listener whose address a new connection starts from.
    pub socket: usize,
    /// False after `set_forward_no_connect()` and `set_reply_no_connect()`.
    pub may_connect: bool,
    /// Close the connection once these bytes are written (`set_forward_close()`, `set_reply_close()`, HTTP).
    pub then_close: bool,
}

impl Target {
    /// Back on the connection a request came from.
    pub fn connection(connection: ConnectionId) -> Target {
        Target { connection: Some(connection), destination: None, socket: 0, may_connect: false, then_close: false }
    }

    /// To an address, over an open connection or a new one that starts from listener `socket`.
    pub fn address(destination: SocketAddr, socket: usize) -> Target {
        Target { connection: None, destination: Some(destination), socket, may_connect: true, then_close: false }
    }
}

/// Why bytes could not be sent or a connection ended.
#[derive(Debug)]
pub enum StreamError {
    /// The commands waiting for the stream thread are at their bound.
    Overloaded,
    /// The stream thread has stopped.
    Stopped,
    /// The connection is gone and connecting is not allowed or no destination is known.
    NotConnected,
    /// As many connections as allowed are open.
    TooManyConnections,
    /// The peer does not read: its write queue is full.
    QueueFull,
    /// Connecting took too long.
    ConnectTimeout,
    /// The peer took no byte for too long.
    SendTimeout,
    /// A message was begun and not finished in time.
    ReadTimeout,
    /// No traffic for the connection's lifetime.
    Idle,
    /// The peer closed.
    ClosedByPeer,
    /// The peer reset the connection.
    Reset,
    /// We were told to close, or are stopping.
    ClosedByUs,
    /// The peer sent what cannot be cut into messages.
    BadFrame(sip::FrameError),
    Io(io::Error),
}

impl std::fmt::Display for StreamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            StreamError::Overloaded => "too many stream commands wait",
            StreamError::Stopped => "streams have stopped",
            StreamError::NotConnected => "no open connection",
            StreamError::TooManyConnections => "too many connections",
            StreamError::QueueFull => "write queue is full",
            StreamError::ConnectTimeout => "connect timed out",
            StreamError::SendTimeout => "send timed out",
            StreamError::ReadTimeout => "message was not completed in time",
            StreamError::Idle => "connection was idle",
            StreamError::ClosedByPeer => "closed by peer",
            StreamError::Reset => "reset by peer",
            StreamError::ClosedByUs => "closed",
            StreamError::BadFrame(error) => return write!(f, "unreadable stream: {error}"),
            StreamError::Io(error) => return error.fmt(f),
        };
        f.write_str(text)
    }
}

impl std::error::Error for StreamError {}

/// Bytes that did not leave. Handed back so that the sender's transaction can be found and fail (RFC 3261 §18.4).
#[derive(Debug)]
pub struct StreamFailure {
    pub destination: Option<SocketAddr>,
    pub connection: Option<ConnectionId>,
    pub bytes: Vec<u8>,
    pub error: String,
}

/// What the stream thread does with messages. It runs the same core as the UDP workers.
pub trait StreamDriver {
    /// A round begins: read the clock once.
    fn batch_begin(&mut self);
    /// One whole SIP message. `socket` is the listener's index (for connections we opened: that of [`Target::socket`]).
    fn stream_message(&mut self, bytes: &[u8], source: SocketAddr, socket: usize, connection: ConnectionId);
    /// One whole HTTP request; the answer is sent raw with [`Streams::send`] to [`Target::connection`].
    fn http_request(&mut self, bytes: &[u8], source: SocketAddr, socket: usize, connection: ConnectionId);
    /// Hand over the datagrams that resulted (a call may change transport). Stream sends go through [`Streams`] at any time.
    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>);
    /// Bytes accepted by [`Streams::send`] did not leave.
    fn send_failed(&mut self, failure: StreamFailure) {
        let _ = failure;
    }
    /// A datagram of `outgoing` could not be sent.
    fn datagram_failed(&mut self, failure: crate::outbox::SendFailure) {
        let _ = failure;
    }
    /// A connection was accepted or finished connecting.
    fn opened(&mut self, connection: ConnectionId, peer: SocketAddr, socket: usize) {
        let _ = (connection, peer, socket);
    }
    /// A connection ended.
    fn closed(&mut self, connection: ConnectionId, peer: SocketAddr, reason: &StreamError) {
        let _ = (connection, peer, reason);
    }
}
