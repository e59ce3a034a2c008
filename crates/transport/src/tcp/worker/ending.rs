//! How connections end: closed with a reason that is counted, what was not sent reported to the driver.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use super::{PONG, Running};
use crate::limits::STREAM_SWEEP_PERIOD;
use crate::tcp::{ConnectionId, StreamDriver, StreamError, StreamFailure};

impl<D: StreamDriver> Running<D> {
    /// Closes what has waited for too long.
    pub(super) fn sweep(&mut self) {
        self.next_sweep = self.now + STREAM_SWEEP_PERIOD;
        for (id, reason) in self.table.overdue(&self.worker.limits, self.now) {
            self.close(id, &reason);
        }
        if !self.accepting {
            self.watch_listeners(true);
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId, reason: &StreamError) {
        let Some(mut connection) = self.table.remove(id) else {
            return;
        };
        let _ = self.worker.epoll.remove(connection.stream.as_fd());
        self.worker.streams.records().remove(id);
        self.note_open();
        self.note_queued();
        self.count_end(reason);
        if connection.is_connecting {
            self.counters().connect_failures.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(reason, StreamError::BadFrame(_) | StreamError::ReadTimeout | StreamError::QueueFull) {
            self.counters().misbehaved.fetch_add(1, Ordering::Relaxed);
        }
        for bytes in connection.take_unsent() {
            if bytes != PONG {
                self.report(Some(id), Some(connection.peer), bytes, reason);
            }
        }
        self.driver.closed(id, connection.peer, reason);
    }

    pub(super) fn close_all(&mut self) {
        for id in self.table.ids() {
            // What fits into the kernel's buffer still leaves.
            let _ = self.write(id);
            self.close(id, &StreamError::ClosedByUs);
        }
    }

    pub(super) fn report(
        &mut self,
        connection: Option<ConnectionId>,
        destination: Option<SocketAddr>,
        bytes: Vec<u8>,
        error: &StreamError,
    ) {
        self.counters().send_failures.fetch_add(1, Ordering::Relaxed);
        self.driver.send_failed(StreamFailure { destination, connection, bytes, error: error.to_string() });
    }

    /// Counts why a connection ended.
    fn count_end(&self, reason: &StreamError) {
        let counters = self.counters();
        let counter = match reason {
            StreamError::Reset => &counters.resets,
            StreamError::ConnectTimeout => &counters.connect_timeouts,
            StreamError::SendTimeout => &counters.send_timeouts,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
