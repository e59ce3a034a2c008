//! The handle through which any thread sends on streams: a bounded command queue and a wake-up.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::records::{Records, StreamInfo};
use super::{ConnectionId, StreamError, Target};
use crate::limits::{STREAM_COMMAND_BYTES_MAX, STREAM_COMMANDS_MAX, StreamLimits};
use crate::waker::Waker;

/// Counters of the stream thread, since start (`open` is a current value).
#[derive(Debug, Default)]
pub struct StreamCounters {
    pub open: AtomicU64,
    /// Bytes that wait to be written, on all connections: a current value.
    pub queued: AtomicU64,
    pub accepted: AtomicU64,
    pub connected: AtomicU64,
    pub connect_failures: AtomicU64,
    /// Connections refused at a bound.
    pub refused: AtomicU64,
    pub messages: AtomicU64,
    pub sent: AtomicU64,
    pub send_failures: AtomicU64,
    /// Connections closed because of what the peer sent or did not send.
    pub misbehaved: AtomicU64,
    /// Accepted connections on which something came.
    pub heard: AtomicU64,
    /// Connections that the peer reset.
    pub resets: AtomicU64,
    /// Connects that took too long.
    pub connect_timeouts: AtomicU64,
    /// Connections whose peer took no byte for too long.
    pub send_timeouts: AtomicU64,
    /// Messages refused because a write queue was full.
    pub queue_full: AtomicU64,
}

#[derive(Debug)]
pub(super) enum Command {
    Send { target: Target, bytes: Vec<u8> },
    Close(ConnectionId),
    Alias { connection: ConnectionId, port: u16 },
    Limits(StreamLimits),
}

#[derive(Debug, Default)]
struct Queue {
    commands: VecDeque<Command>,
    bytes: usize,
    stopped: bool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    waker: Waker,
    counters: StreamCounters,
    records: Records,
}

/// Sends on streams from any thread; clones are the same handle.
#[derive(Clone, Debug)]
pub struct Streams {
    shared: Arc<Shared>,
}

impl Streams {
    pub(super) fn new(waker: Waker) -> Streams {
        Streams {
            shared: Arc::new(Shared { queue: Mutex::default(), waker, counters: StreamCounters::default(), records: Records::default() }),
        }
    }

    /// Queues `bytes` (one message) for `target`. Ok means accepted, not sent; a later failure is reported to
    /// [`super::StreamDriver::send_failed`].
    pub fn send(&self, target: Target, bytes: &[u8]) -> Result<(), StreamError> {
        self.command(Command::Send { target, bytes: bytes.to_vec() }, bytes.len())
    }

    /// Closes a connection; bytes that still wait are reported as failed.
    pub fn close(&self, connection: ConnectionId) -> Result<(), StreamError> {
        self.command(Command::Close(connection), 0)
    }

    /// Lets sends to the peer's address with `port` use this connection (`force_tcp_alias()`, `;alias`, RFC 5923).
    pub fn alias(&self, connection: ConnectionId, port: u16) -> Result<(), StreamError> {
        self.command(Command::Alias { connection, port }, 0)
    }

    /// Other bounds from now on, also for the connections that are open.
    pub fn set_limits(&self, limits: StreamLimits) -> Result<(), StreamError> {
        self.command(Command::Limits(limits), 0)
    }

    /// Ends the stream thread and all connections.
    pub fn stop(&self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.shared.waker.wake();
    }

    pub fn counters(&self) -> &StreamCounters {
        &self.shared.counters
    }

    /// The open connections, by number.
    pub fn list(&self) -> Vec<StreamInfo> {
        self.shared.records.list()
    }

    pub(super) fn records(&self) -> &Records {
        &self.shared.records
    }

    fn command(&self, command: Command, bytes: usize) -> Result<(), StreamError> {
        {
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.stopped {
                return Err(StreamError::Stopped);
            }
            if queue.commands.len() >= STREAM_COMMANDS_MAX || queue.bytes + bytes > STREAM_COMMAND_BYTES_MAX {
                self.shared.counters.send_failures.fetch_add(1, Ordering::Relaxed);
                return Err(StreamError::Overloaded);
            }
            queue.bytes += bytes;
            queue.commands.push_back(command);
        }
        self.shared.waker.wake();
        Ok(())
    }

    /// Takes all commands into `into`; true when the thread shall stop.
    pub(super) fn take(&self, into: &mut VecDeque<Command>) -> bool {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        into.append(&mut queue.commands);
        queue.bytes = 0;
        queue.stopped
    }
}
