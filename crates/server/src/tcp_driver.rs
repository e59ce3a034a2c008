//! What the stream thread does: one proxy worker for SIP, the JSON-RPC door for HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use control::limits::SIP_PORT_ANSWER_BYTES_MAX;
use control::{Caller, Outcome};
use modules::Worker;
use proxy::Input;
use sip::time::Now;
use transaction::{Endpoint, Protocol};
use transport::outbox::{Datagrams, SendFailure};
use transport::tcp::{ConnectionId, StreamDriver, StreamFailure, Target};

use crate::logging::level;
use crate::shell::Shell;
use crate::udp_driver::is_hopeless;

/// The stream thread's worker.
pub struct TcpDriver {
    shell: Arc<Shell>,
    worker: Worker,
    caller: Option<Arc<dyn Caller>>,
    now: Now,
}

impl TcpDriver {
    /// `caller`: answers JSON-RPC over HTTP on SIP ports; None refuses it.
    pub fn new(shell: Arc<Shell>, number: u32, seed: u64, caller: Option<Arc<dyn Caller>>) -> TcpDriver {
        let now = shell.clock.now();
        let worker = shell.proxy.worker(number, seed, now);
        TcpDriver { shell, worker, caller, now }
    }
}

impl StreamDriver for TcpDriver {
    fn batch_begin(&mut self) {
        self.now = self.shell.clock.now();
    }

    fn stream_message(&mut self, bytes: &[u8], source: SocketAddr, socket: usize, connection: ConnectionId) {
        let Some(place) = self.shell.tcp_places.get(socket) else { return };
        let from = Endpoint { protocol: Protocol::Tcp, address: source, socket: *place, connection: u64::from(connection) };
        self.shell.handle(&mut self.worker, self.now, Input::Message { bytes, from });
    }

    fn http_request(&mut self, bytes: &[u8], source: SocketAddr, _socket: usize, connection: ConnectionId) {
        let shell = Arc::clone(&self.shell);
        let body = bytes.windows(4).position(|window| window == b"\r\n\r\n").and_then(|at| bytes.get(at + 4..)).unwrap_or_default();
        let answer = match &self.caller {
            // Only this machine may command the proxy through a SIP port.
            Some(caller) if source.ip().is_loopback() && bytes.starts_with(b"POST ") => {
                control::http::answer(body, true, SIP_PORT_ANSWER_BYTES_MAX, caller.as_ref())
            }
            _ => Outcome::Done(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()),
        };
        answer.hand_over(move |answer| {
            if let Some(streams) = shell.streams.get() {
                let _ = streams.send(Target::connection(connection), &answer);
            }
        });
    }

    fn send_failed(&mut self, failure: StreamFailure) {
        let destination = failure.destination.map_or_else(|| "its connection".to_owned(), |destination| destination.to_string());
        self.shell.log(self.worker.number, level::ERROR, format!("<core>: nothing sent to {destination}: {}", failure.error).as_bytes());
        self.shell.handle(&mut self.worker, self.now, Input::Unsent { bytes: &failure.bytes });
    }

    fn datagram_failed(&mut self, failure: SendFailure) {
        if is_hopeless(&failure.error) {
            self.shell.handle(&mut self.worker, self.now, Input::Unsent { bytes: &failure.bytes });
        }
    }

    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>) {
        self.shell.carry_out(&mut self.worker, datagrams);
        // A timer may have come closer than the UDP leader knows.
        if let Some(crew) = self.shell.crew.get() {
            crew.wake();
        }
    }
}
