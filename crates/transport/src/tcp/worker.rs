//! The loop of the stream thread.

mod ending;

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use sip::Frame;

use super::connection::Connection;
use super::handle::{Command, Streams};
use super::table::Table;
use super::{ConnectionId, StreamDriver, StreamError, Target};
use crate::batch::Epoll;
use crate::crew::Crew;
use crate::error::TransportError;
use crate::limits::{ACCEPTS_PER_ROUND, STREAM_EVENTS_PER_ROUND, STREAM_READ_BYTES_PER_ROUND, STREAM_SWEEP_PERIOD, StreamLimits};
use crate::outbox::{Datagrams, Outbox};
use crate::socket::{keep_alive, start_connect};
use crate::waker::{self, Wakeups};

/// Token of listener `n` is this plus n; connections use their number, which is smaller.
const LISTENER_TOKENS: u64 = 1 << 32;
const WAKE_TOKEN: u64 = u64::MAX;
/// The answer to a keep-alive ping (RFC 5626 §3.5.1).
const PONG: &[u8] = b"\r\n";

/// The stream thread, ready to run.
pub struct StreamWorker {
    listeners: Vec<TcpListener>,
    crew: Arc<Crew>,
    limits: StreamLimits,
    tos: Option<u8>,
    streams: Streams,
    wakeups: Wakeups,
    epoll: Epoll,
}

/// Prepares a stream thread over `listeners` (non-blocking; their order gives the socket indexes). Datagrams that its
/// driver makes leave on the sockets of `crew`. Returns the worker and the handle for all threads.
pub fn stream_worker(
    listeners: Vec<TcpListener>,
    crew: Arc<Crew>,
    limits: StreamLimits,
    tos: Option<u8>,
) -> Result<(StreamWorker, Streams), TransportError> {
    let fail = |step| move |source| TransportError::Setup { step, source };
    let (waker, wakeups) = waker::pair().map_err(fail("make a wake-up pipe"))?;
    let epoll = Epoll::new(STREAM_EVENTS_PER_ROUND).map_err(fail("make an epoll instance"))?;
    epoll.add(wakeups.descriptor(), WAKE_TOKEN, true, false).map_err(fail("watch the wake-up pipe"))?;
    for (index, listener) in listeners.iter().enumerate() {
        epoll.add(listener.as_fd(), LISTENER_TOKENS + index as u64, true, false).map_err(fail("watch a listener"))?;
    }
    let streams = Streams::new(waker);
    Ok((StreamWorker { listeners, crew, limits, tos, streams: streams.clone(), wakeups, epoll }, streams))
}

impl StreamWorker {
    /// Runs until [`Streams::stop`], then gives the driver back.
    pub fn run<D: StreamDriver>(self, driver: D) -> Result<D, TransportError> {
        let outbox = Outbox::new(self.crew.sockets().len());
        let now = Instant::now();
        let mut running = Running {
            worker: self,
            driver,
            table: Table::default(),
            outbox,
            buffer: vec![0; 16_384],
            commands: VecDeque::new(),
            now,
            next_sweep: now + STREAM_SWEEP_PERIOD,
            accepting: true,
        };
        running.serve()?;
        Ok(running.driver)
    }
}

struct Running<D: StreamDriver> {
    worker: StreamWorker,
    driver: D,
    table: Table,
    outbox: Outbox,
    buffer: Vec<u8>,
    commands: VecDeque<Command>,
    now: Instant,
    next_sweep: Instant,
    /// False while the process is out of descriptors.
    accepting: bool,
}

impl<D: StreamDriver> Running<D> {
    fn serve(&mut self) -> Result<(), TransportError> {
        loop {
            let wait = self.next_sweep.saturating_duration_since(Instant::now());
            let ready = self.worker.epoll.wait(wait).map_err(TransportError::Wait)?;
            self.now = Instant::now();
            self.driver.batch_begin();
            self.worker.wakeups.stay_awake();
            for index in 0..ready {
                let Some(event) = self.worker.epoll.readiness(index) else {
                    break;
                };
                if event.token == WAKE_TOKEN {
                    continue;
                }
                if let Ok(id) = ConnectionId::try_from(event.token) {
                    self.serve_connection(id, event.readable, event.writable);
                } else {
                    self.accept((event.token - LISTENER_TOKENS) as usize);
                }
            }
            if self.now >= self.next_sweep {
                self.sweep();
            }
            self.send_datagrams();
            // Clear first, then look: a command that comes after the look wakes the next wait.
            self.worker.wakeups.clear();
            if self.obey() {
                self.close_all();
                return Ok(());
            }
        }
    }

    fn accept(&mut self, index: usize) {
        for _ in 0..ACCEPTS_PER_ROUND {
            let Some(listener) = self.worker.listeners.get(index) else {
                return;
            };
            match listener.accept() {
                Ok((stream, peer)) => self.admit(stream, peer, index),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_peers_fault(&error) => {}
                Err(_) => {
                    // Out of descriptors or memory: the listener stays ready, so look away until the next sweep.
                    self.watch_listeners(false);
                    return;
                }
            }
        }
    }

    fn watch_listeners(&mut self, accepting: bool) {
        self.accepting = accepting;
        for (index, listener) in self.worker.listeners.iter().enumerate() {
            let _ = self.worker.epoll.modify(listener.as_fd(), LISTENER_TOKENS + index as u64, accepting, false);
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr, socket: usize) {
        let limits = self.worker.limits;
        keep_alive(&stream, limits.keepalive);
        let prepared = self.table.check_room(Some(peer.ip()), &limits).is_ok()
            && stream.set_nonblocking(true).is_ok()
            && stream.set_nodelay(true).is_ok();
        if !prepared {
            self.counters().refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let id = self.table.free_id();
        if self.worker.epoll.add(stream.as_fd(), u64::from(id), true, false).is_err() {
            self.counters().refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.insert(id, Connection::new(stream, peer, socket, true, &limits, self.now));
        self.counters().accepted.fetch_add(1, Ordering::Relaxed);
        self.note_open();
        self.driver.opened(id, peer, socket);
    }

    fn serve_connection(&mut self, id: ConnectionId, readable: bool, writable: bool) {
        let result = if writable { self.write(id) } else { Ok(()) };
        let result = result.and_then(|()| if readable { self.read(id) } else { Ok(()) });
        if let Err(reason) = result {
            self.close(id, &reason);
        }
    }

    fn read(&mut self, id: ConnectionId) -> Result<(), StreamError> {
        let mut total = 0;
        while total < STREAM_READ_BYTES_PER_ROUND {
            let Some(connection) = self.table.connection(id) else {
                return Ok(());
            };
            if connection.is_connecting {
                return Ok(());
            }
            let count = connection.read(&mut self.buffer, self.now)?;
            if count == 0 {
                break;
            }
            total += count;
            if connection.record.establish() {
                self.counters().heard.fetch_add(1, Ordering::Relaxed);
            }
            self.deliver(id)?;
        }
        Ok(())
    }

    /// Hands all whole messages of the connection to the driver.
    fn deliver(&mut self, id: ConnectionId) -> Result<(), StreamError> {
        let Some(connection) = self.table.connection(id) else {
            return Ok(());
        };
        let (peer, socket) = (connection.peer, connection.socket);
        let (mut messages, mut pings) = (0u64, 0u32);
        let outcome = loop {
            match connection.framer.next() {
                Ok(Some(Frame::Message(bytes))) => {
                    messages += 1;
                    self.driver.stream_message(bytes, peer, socket, id);
                }
                Ok(Some(Frame::Http(bytes))) => {
                    messages += 1;
                    self.driver.http_request(bytes, peer, socket, id);
                }
                Ok(Some(Frame::KeepalivePing)) => pings += 1,
                Ok(None) => break Ok(()),
                Err(error) => break Err(StreamError::BadFrame(error)),
            }
        };
        connection.note_remainder(messages > 0, self.now);
        self.counters().messages.fetch_add(messages, Ordering::Relaxed);
        outcome?;
        // One answer for several pings: a peer that only pings must not fill our queue.
        if pings > 0 && self.worker.limits.answers_pings { self.enqueue(id, PONG.to_vec()).map_err(|(error, _)| error) } else { Ok(()) }
    }

    fn write(&mut self, id: ConnectionId) -> Result<(), StreamError> {
        let Some(connection) = self.table.connection(id) else {
            return Ok(());
        };
        if connection.is_connecting {
            if let Some(error) = connection.stream.take_error().unwrap_or_else(Some) {
                return Err(StreamError::Io(error));
            }
            if connection.stream.peer_addr().is_err() {
                return Ok(()); // not there yet
            }
            connection.is_connecting = false;
            connection.record.establish();
            let (peer, socket) = (connection.peer, connection.socket);
            self.counters().connected.fetch_add(1, Ordering::Relaxed);
            self.driver.opened(id, peer, socket);
        }
        let now = self.now;
        let Some(connection) = self.table.connection(id) else {
            return Ok(());
        };
        let before = connection.queued();
        let outcome = connection.write(now);
        let after = connection.queued();
        let wants_write = after > 0;
        let is_changed = std::mem::replace(&mut connection.wants_write, wants_write) != wants_write;
        let watched =
            if is_changed { self.worker.epoll.modify(connection.stream.as_fd(), u64::from(id), true, wants_write) } else { Ok(()) };
        let closing = connection.closing && !wants_write;
        // A connection that fails may have taken a part before.
        self.table.queued = self.table.queued.saturating_sub(before - after);
        self.note_queued();
        let finished = outcome?;
        watched.map_err(StreamError::Io)?;
        self.counters().sent.fetch_add(finished, Ordering::Relaxed);
        if closing { Err(StreamError::ClosedByUs) } else { Ok(()) }
    }

    /// Queues bytes on an open connection and writes what can be written. On error the bytes come back, unless they
    /// were queued already: then closing the connection reports them.
    fn enqueue(&mut self, id: ConnectionId, bytes: Vec<u8>) -> Result<(), (StreamError, Option<Vec<u8>>)> {
        let (now, limits, all) = (self.now, self.worker.limits, self.table.queued);
        let Some(connection) = self.table.connection(id) else {
            return Err((StreamError::NotConnected, Some(bytes)));
        };
        // A single message larger than the bound may pass when nothing else waits.
        let queued = connection.queued();
        let over = queued > 0 && queued + bytes.len() > limits.write_queue_bytes_max;
        if over || all + bytes.len() > limits.write_queues_bytes_max {
            self.counters().queue_full.fetch_add(1, Ordering::Relaxed);
            return Err((StreamError::QueueFull, Some(bytes)));
        }
        let length = bytes.len();
        connection.queue(bytes, now);
        let connecting = connection.is_connecting;
        self.table.queued += length;
        self.note_queued();
        if connecting || queued > 0 {
            return Ok(()); // epoll tells when it is writable
        }
        self.write(id).map_err(|error| (error, None))
    }

    /// Carries out what other threads (and our own driver) asked for; true: stop.
    fn obey(&mut self) -> bool {
        let stop = self.worker.streams.take(&mut self.commands);
        if self.commands.is_empty() {
            return stop;
        }
        while let Some(command) = self.commands.pop_front() {
            match command {
                Command::Send { target, bytes } => self.send(target, bytes),
                Command::Close(id) => self.close(id, &StreamError::ClosedByUs),
                Command::Limits(limits) => self.worker.limits = limits,
                Command::Alias { connection, port } => self.table.alias(connection, port),
            }
        }
        // Failures reported above may have made datagrams. Commands they made wait for the next round, so that a driver
        // that tries again and again cannot keep us here.
        self.send_datagrams();
        stop
    }

    fn send(&mut self, target: Target, bytes: Vec<u8>) {
        let open = target.connection.filter(|id| self.table.connection(*id).is_some());
        let open = open.or_else(|| target.destination.and_then(|peer| self.table.to_peer(peer)));
        let id = match open.map_or_else(|| self.connect(target), Ok) {
            Ok(id) => id,
            Err(error) => return self.report(target.connection, target.destination, bytes, &error),
        };
        if target.then_close
            && let Some(connection) = self.table.connection(id)
        {
            connection.closing = true;
        }
        if let Err((error, bytes)) = self.enqueue(id, bytes) {
            if let Some(bytes) = bytes {
                self.report(Some(id), target.destination, bytes, &error);
            }
            self.close(id, &error);
        }
    }

    fn connect(&mut self, target: Target) -> Result<ConnectionId, StreamError> {
        let limits = self.worker.limits;
        let destination = target.destination.filter(|_| target.may_connect && limits.connects).ok_or(StreamError::NotConnected)?;
        self.table.check_room(None, &limits)?;
        let local = self.worker.listeners.get(target.socket).and_then(|listener| listener.local_addr().ok());
        let stream = start_connect(destination, local.map(|address| address.ip()), self.worker.tos).map_err(|error| {
            self.counters().connect_failures.fetch_add(1, Ordering::Relaxed);
            StreamError::Io(error)
        })?;
        keep_alive(&stream, limits.keepalive);
        let id = self.table.free_id();
        self.worker.epoll.add(stream.as_fd(), u64::from(id), true, true).map_err(StreamError::Io)?;
        let mut connection = Connection::new(stream, destination, target.socket, false, &limits, self.now);
        connection.wants_write = true;
        self.insert(id, connection);
        self.note_open();
        Ok(id)
    }

    fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.worker.streams.records().insert(id, Arc::clone(&connection.record));
        self.table.insert(id, connection);
    }

    fn send_datagrams(&mut self) {
        let sockets = self.worker.crew.sockets();
        let outbox = &mut self.outbox;
        self.driver.outgoing(&mut Datagrams::new(outbox, sockets));
        outbox.flush(sockets);
        let (sent, failed) = outbox.take_counts();
        self.worker.crew.counters().sent.fetch_add(sent, Ordering::Relaxed);
        self.worker.crew.counters().send_failures.fetch_add(failed, Ordering::Relaxed);
        for failure in outbox.take_failures() {
            self.driver.datagram_failed(failure);
        }
    }

    fn counters(&self) -> &super::StreamCounters {
        self.worker.streams.counters()
    }

    fn note_queued(&self) {
        self.counters().queued.store(self.table.queued as u64, Ordering::Relaxed);
    }

    fn note_open(&self) {
        self.counters().open.store(self.table.len() as u64, Ordering::Relaxed);
    }
}

fn is_peers_fault(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionReset)
}
