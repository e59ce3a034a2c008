//! One TCP connection: its framer, its write queue and its clocks.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use sip::{Framer, Limits};

use super::StreamError;
use super::records::{Record, StreamState};
use crate::limits::StreamLimits;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) socket: usize,
    pub(super) framer: Framer,
    /// Accepted from the peer (not opened by us): counts against its source address.
    pub(super) is_accepted: bool,
    pub(super) is_connecting: bool,
    /// Write interest is registered.
    pub(super) wants_write: bool,
    /// Close once the queue is empty.
    pub(super) closing: bool,
    pub(super) aliases: Vec<SocketAddr>,
    /// What other threads see of this connection.
    pub(super) record: Arc<Record>,
    queue: VecDeque<Vec<u8>>,
    /// Bytes of the first queued message that have left.
    written: usize,
    queued: usize,
    opened: Instant,
    last_traffic: Instant,
    /// Since when an unfinished message waits for its rest.
    partial_since: Option<Instant>,
    /// Since when the peer has taken no byte of the queue.
    stalled_since: Option<Instant>,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        socket: usize,
        is_accepted: bool,
        limits: &StreamLimits,
        now: Instant,
    ) -> Connection {
        let mut frames = Limits::stream();
        frames.body_bytes_max = u32::try_from(limits.message_bytes_max).unwrap_or(u32::MAX);
        let state = if is_accepted { StreamState::Accepted } else { StreamState::Connecting };
        let record = Arc::new(Record::new(peer, stream.local_addr().ok(), state, now));
        Connection {
            record,
            stream,
            peer,
            socket,
            framer: Framer::with_limits(frames),
            is_accepted,
            is_connecting: !is_accepted,
            wants_write: false,
            closing: false,
            aliases: Vec::new(),
            queue: VecDeque::new(),
            written: 0,
            queued: 0,
            opened: now,
            last_traffic: now,
            partial_since: None,
            stalled_since: None,
        }
    }

    /// Reads once into `buffer` and gives the bytes to the framer. Ok(0): nothing more waits. The end of the stream is
    /// an error.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Instant) -> Result<usize, StreamError> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(StreamError::ClosedByPeer),
                Ok(count) => {
                    self.last_traffic = now;
                    self.record.traffic(now);
                    self.framer.push(buffer.get(..count).unwrap_or(&[]));
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(StreamError::Reset),
                Err(error) => return Err(StreamError::Io(error)),
            }
        }
    }

    /// After all whole messages were taken: starts or stops the clock of the unfinished one. A message that trickles in
    /// does not restart it; `finished_one` does.
    pub(super) fn note_remainder(&mut self, finished_one: bool, now: Instant) {
        if self.framer.pending() == 0 {
            self.partial_since = None;
        } else if finished_one || self.partial_since.is_none() {
            self.partial_since = Some(now);
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Adds a message to the write queue.
    pub(super) fn queue(&mut self, bytes: Vec<u8>, now: Instant) {
        self.queued += bytes.len();
        if self.queue.is_empty() {
            self.stalled_since = Some(now);
        }
        self.queue.push_back(bytes);
    }

    /// Writes as much as the kernel takes; returns the number of messages that left completely.
    pub(super) fn write(&mut self, now: Instant) -> Result<u64, StreamError> {
        let mut finished = 0;
        while let Some(first) = self.queue.front() {
            match self.stream.write(first.get(self.written..).unwrap_or(&[])) {
                Ok(count) => {
                    self.last_traffic = now;
                    self.record.traffic(now);
                    self.stalled_since = Some(now);
                    self.queued = self.queued.saturating_sub(count);
                    self.written += count;
                    if self.written >= first.len() {
                        self.queue.pop_front();
                        self.written = 0;
                        finished += 1;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(finished),
                Err(error) => return Err(StreamError::Io(error)),
            }
        }
        self.stalled_since = None;
        Ok(finished)
    }

    /// Messages that did not leave completely.
    pub(super) fn take_unsent(&mut self) -> VecDeque<Vec<u8>> {
        self.queued = 0;
        std::mem::take(&mut self.queue)
    }

    /// Which of the connection's clocks has run out, if any.
    pub(super) fn overdue(&self, limits: &StreamLimits, now: Instant) -> Option<StreamError> {
        let older = |since: Instant, bound| now.saturating_duration_since(since) >= bound;
        if self.is_connecting {
            return older(self.opened, limits.connect_timeout).then_some(StreamError::ConnectTimeout);
        }
        if self.partial_since.is_some_and(|since| older(since, limits.read_timeout)) {
            return Some(StreamError::ReadTimeout);
        }
        if self.stalled_since.is_some_and(|since| older(since, limits.send_timeout)) {
            return Some(StreamError::SendTimeout);
        }
        older(self.last_traffic, limits.lifetime).then_some(StreamError::Idle)
    }
}
