//! Collects datagrams during a batch and sends them per socket with as few system calls as possible.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use crate::batch::{Outgoing, PollSet, SendBatch};
use crate::limits::{OUTBOX_BYTES_MAX, OUTBOX_DATAGRAMS_MAX, SEND_RETRIES_MAX, SEND_RETRY_WAIT};

/// A datagram that the kernel refused. The bytes are handed back so that the sender's transaction can be found.
#[derive(Debug)]
pub struct SendFailure {
    pub socket: usize,
    pub destination: SocketAddr,
    pub error: io::Error,
    pub bytes: Vec<u8>,
}

/// Where a driver puts datagrams: they leave together when the round ends, or before, when something must come after them.
pub struct Datagrams<'a> {
    outbox: &'a mut Outbox,
    sockets: &'a [UdpSocket],
}

impl<'a> Datagrams<'a> {
    /// Datagrams for these sockets.
    pub fn new(outbox: &'a mut Outbox, sockets: &'a [UdpSocket]) -> Datagrams<'a> {
        Datagrams { outbox, sockets }
    }

    /// Adds a datagram (copied) for the socket with this index.
    pub fn push(&mut self, socket: usize, destination: SocketAddr, bytes: &[u8]) {
        self.outbox.push(self.sockets, socket, destination, bytes);
    }

    /// Sends what was added so far.
    pub fn flush(&mut self) {
        self.outbox.flush(self.sockets);
    }
}

/// Datagrams waiting for the end of the batch. All buffers are reused.
pub struct Outbox {
    arena: Vec<u8>,
    /// One queue per socket.
    queues: Vec<Vec<Outgoing>>,
    waiting: usize,
    batch: SendBatch,
    failures: Vec<SendFailure>,
    sent: u64,
    failed: u64,
}

impl Outbox {
    /// An outbox for `sockets` sockets.
    pub fn new(sockets: usize) -> Outbox {
        Outbox {
            arena: Vec::with_capacity(65_536),
            queues: (0..sockets).map(|_| Vec::new()).collect(),
            waiting: 0,
            batch: SendBatch::new(),
            failures: Vec::new(),
            sent: 0,
            failed: 0,
        }
    }

    /// Adds a datagram; sends at once what waits when a bound is reached.
    pub fn push(&mut self, sockets: &[UdpSocket], socket: usize, destination: SocketAddr, bytes: &[u8]) {
        if self.waiting >= OUTBOX_DATAGRAMS_MAX || self.arena.len() + bytes.len() > OUTBOX_BYTES_MAX {
            self.flush(sockets);
        }
        let start = self.arena.len();
        let (Ok(first), Ok(last)) = (u32::try_from(start), u32::try_from(start + bytes.len())) else {
            return;
        };
        let Some(queue) = self.queues.get_mut(socket) else {
            self.note_failure(socket, destination, io::Error::from(io::ErrorKind::NotFound), bytes.to_vec());
            return;
        };
        self.arena.extend_from_slice(bytes);
        queue.push(Outgoing { start: first, end: last, destination });
        self.waiting += 1;
    }

    /// Sends everything that waits.
    pub fn flush(&mut self, sockets: &[UdpSocket]) {
        if self.waiting == 0 {
            return;
        }
        for (index, socket) in sockets.iter().enumerate() {
            let Some(mut queue) = self.queues.get_mut(index).map(std::mem::take) else {
                break;
            };
            self.send_queue(index, socket, &queue);
            queue.clear();
            self.queues[index] = queue;
        }
        self.arena.clear();
        self.waiting = 0;
    }

    fn send_queue(&mut self, index: usize, socket: &UdpSocket, queue: &[Outgoing]) {
        let mut next = 0;
        let mut retries = 0;
        while let Some(rest) = queue.get(next..).filter(|rest| !rest.is_empty()) {
            match self.batch.send(socket.as_fd(), &self.arena, rest) {
                Ok(count) => {
                    // The kernel stops at the first refused message and tells why when that one is tried again.
                    next += count;
                    self.sent += count as u64;
                    if count > 0 {
                        retries = 0;
                        continue;
                    }
                    retries += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    retries += 1;
                    let mut set = PollSet::new();
                    set.add(socket.as_fd(), true);
                    let _ = set.wait(Some(SEND_RETRY_WAIT));
                }
                Err(error) => {
                    // May also be the late report of an earlier datagram (ICMP): a second try tells.
                    if is_late_report(&error) && retries == 0 {
                        retries = 1;
                        continue;
                    }
                    self.give_up(index, rest[0], error);
                    next += 1;
                    retries = 0;
                    continue;
                }
            }
            if retries > SEND_RETRIES_MAX {
                self.give_up(index, rest[0], io::Error::from(io::ErrorKind::WouldBlock));
                next += 1;
                retries = SEND_RETRIES_MAX; // the others get one try each while the buffer stays full
            }
        }
    }

    fn give_up(&mut self, socket: usize, message: Outgoing, error: io::Error) {
        let bytes = self.arena.get(message.start as usize..message.end as usize).unwrap_or(&[]).to_vec();
        self.note_failure(socket, message.destination, error, bytes);
    }

    fn note_failure(&mut self, socket: usize, destination: SocketAddr, error: io::Error, bytes: Vec<u8>) {
        self.failed += 1;
        if self.failures.len() < OUTBOX_DATAGRAMS_MAX {
            self.failures.push(SendFailure { socket, destination, error, bytes });
        }
    }

    /// Failures since the last call, at most [`OUTBOX_DATAGRAMS_MAX`].
    pub fn take_failures(&mut self) -> Vec<SendFailure> {
        std::mem::take(&mut self.failures)
    }

    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Datagrams (sent, given up) since the last call.
    pub fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.sent), std::mem::take(&mut self.failed))
    }
}

fn is_late_report(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    #[test]
    fn datagrams_leave_on_their_own_socket_in_order() {
        let sockets = [socket(), socket()];
        let sink = socket();
        let to = sink.local_addr().unwrap();
        let mut outbox = Outbox::new(2);
        for number in 0..200u32 {
            outbox.push(&sockets, (number % 2) as usize, to, &number.to_be_bytes());
        }
        outbox.flush(&sockets);
        let mut seen = [Vec::new(), Vec::new()];
        for _ in 0..200 {
            let mut bytes = [0u8; 16];
            let (length, from) = sink.recv_from(&mut bytes).unwrap();
            assert_eq!(length, 4);
            let number = u32::from_be_bytes(bytes[..4].try_into().unwrap());
            assert_eq!(from, sockets[(number % 2) as usize].local_addr().unwrap());
            seen[(number % 2) as usize].push(number);
        }
        assert!(seen.iter().all(|numbers| numbers.len() == 100 && numbers.is_sorted()));
        assert_eq!(outbox.take_counts(), (200, 0));
    }

    #[test]
    fn one_refused_datagram_does_not_stop_the_others() {
        let sockets = [socket()];
        let sink = socket();
        let to = sink.local_addr().unwrap();
        let mut outbox = Outbox::new(1);
        outbox.push(&sockets, 0, to, b"first");
        outbox.push(&sockets, 0, to, &vec![0u8; 65_530]); // larger than UDP can carry
        outbox.push(&sockets, 0, "[::1]:9".parse().unwrap(), b"wrong family");
        outbox.push(&sockets, 7, to, b"no such socket");
        outbox.push(&sockets, 0, to, b"last");
        outbox.flush(&sockets);
        let mut bytes = [0u8; 16];
        assert_eq!(sink.recv(&mut bytes).unwrap(), 5);
        assert_eq!(sink.recv(&mut bytes).unwrap(), 4);
        let failures = outbox.take_failures();
        assert_eq!(failures.len(), 3);
        assert!(failures.iter().any(|failure| failure.bytes == b"wrong family"));
        assert!(failures.iter().any(|failure| failure.bytes.len() == 65_530));
        assert!(failures.iter().any(|failure| failure.socket == 7));
        assert_eq!(outbox.take_counts(), (2, 3));
    }

    #[test]
    fn more_than_the_bound_is_sent_in_between_and_never_lost() {
        let sockets = [socket()];
        let sink = socket();
        let to = sink.local_addr().unwrap();
        sink.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let total = OUTBOX_DATAGRAMS_MAX * 2 + 10;
        let reader = std::thread::spawn(move || {
            let mut bytes = [0u8; 16];
            (0..total).take_while(|_| sink.recv(&mut bytes).is_ok()).count()
        });
        let mut outbox = Outbox::new(1);
        for number in 0..total {
            outbox.push(&sockets, 0, to, &(number as u32).to_be_bytes());
            if number % 100 == 99 {
                std::thread::yield_now();
            }
        }
        outbox.flush(&sockets);
        assert_eq!(outbox.take_counts().0 as usize, total);
        // The sink's own receive buffer may overflow on a busy host; sending is what is tested here.
        assert!(reader.join().unwrap() >= OUTBOX_DATAGRAMS_MAX / 2);
    }
}
