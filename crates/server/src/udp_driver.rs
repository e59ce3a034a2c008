//! What a UDP worker thread does: one proxy worker, driven by the transport room.

use std::hash::{DefaultHasher, Hasher};
use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use modules::Worker;
use modules::core::overload::Levels;
use proxy::Input;
use sip::time::Now;
use transaction::Endpoint;
use transport::outbox::{Datagrams, SendFailure};
use transport::udp::Driver;

use crate::logging::level;
use crate::shell::Shell;
use crate::storage_room::StorageRoom;

/// Would sending the same again fail the same? Full buffers and the like are losses, which retransmission makes good.
pub fn is_hopeless(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::PermissionDenied | ErrorKind::InvalidInput
    ) || error.raw_os_error() == Some(libc::EMSGSIZE)
}

/// One thread's worker.
pub struct UdpDriver {
    shell: Arc<Shell>,
    worker: Worker,
    now: Now,
}

impl UdpDriver {
    /// The driver of worker `number`.
    pub fn new(shell: Arc<Shell>, number: u32, seed: u64) -> UdpDriver {
        let now = shell.clock.now();
        let mut worker = shell.proxy.worker(number, seed, now);
        worker.backlog.levels = shell.crew.get().map(|crew| levels(crew.sockets())).unwrap_or_default();
        UdpDriver { shell, worker, now }
    }
}

/// From when on the receive queues are too full; the smallest counts.
fn levels(sockets: &[UdpSocket]) -> Levels {
    let sizes = sockets.iter().filter_map(|socket| rustix::net::sockopt::socket_recv_buffer_size(socket).ok());
    sizes.min().map(Levels::of).unwrap_or_default()
}

impl Driver for UdpDriver {
    fn batch_begin(&mut self) {
        self.now = self.shell.clock.now();
    }

    fn backlog(&mut self, percent: u8) {
        self.worker.backlog.told(self.now.time, percent);
    }

    fn call_of(&self, bytes: &[u8]) -> u32 {
        let mut hasher = DefaultHasher::new();
        hasher.write(sip::call_id::find(bytes));
        hasher.finish() as u32
    }

    fn datagram(&mut self, bytes: &[u8], source: SocketAddr, socket: usize) {
        let Some(place) = self.shell.udp_places.get(socket) else { return };
        let from = Endpoint::udp(source, *place);
        self.shell.handle(&mut self.worker, self.now, Input::Message { bytes, from });
    }

    fn send_failed(&mut self, failure: SendFailure) {
        if is_hopeless(&failure.error) {
            let text = format!("<core>: nothing sent to {}: {}", failure.destination, failure.error);
            self.shell.log(self.worker.number, level::ERROR, text.as_bytes());
            self.shell.handle(&mut self.worker, self.now, Input::Unsent { bytes: &failure.bytes });
        }
    }

    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>) {
        self.shell.carry_out(&mut self.worker, datagrams);
    }

    fn timers(&mut self) -> Option<Duration> {
        self.now = self.shell.clock.now();
        self.shell.handle(&mut self.worker, self.now, Input::Tick);
        self.shell.answers(&mut self.worker);
        let next = self.shell.until_next();
        // What is sent after this look may be held back, and is due then.
        let held = self.shell.storage.get().and_then(StorageRoom::hold_time).filter(|_| !self.worker.outbox.effects.is_empty());
        next.into_iter().chain(held).min()
    }

    fn woken(&mut self) {
        self.shell.answers(&mut self.worker);
    }

    fn patience(&self) -> Duration {
        self.shell.storage.get().map_or(Duration::ZERO, StorageRoom::patience)
    }
}
