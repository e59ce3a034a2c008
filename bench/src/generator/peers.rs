//! The sockets of callers and callees: what comes is taken and what is sent leaves many datagrams at a time.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use transport::batch::{Outgoing, PollSet, ReceiveBatch, SendBatch};

use super::call::Side;
use super::plan::Plan;

/// Bytes asked of the kernel for what has not been read.
const RECEIVE_BYTES: usize = 8 << 20;
/// Messages taken from one socket before others have their turn, and messages that wait to be sent together.
pub(super) const TURN_MAX: usize = 64;

/// How a peer names itself in what it sends.
#[derive(Debug)]
pub(super) struct Identity {
    /// `127.0.0.1:5080`.
    pub address: String,
    /// `sip:callee@127.0.0.1:5080`.
    pub contact: String,
}

/// One socket and what waits to be sent on it.
struct Peer {
    socket: UdpSocket,
    identity: Identity,
    arena: Vec<u8>,
    outgoing: Vec<Outgoing>,
    batch: SendBatch,
}

impl Peer {
    fn open(user: &str, address: SocketAddr) -> Result<Peer, String> {
        let told = |error: io::Error| format!("{address:?}: {error}");
        let socket = UdpSocket::bind(address).map_err(told)?;
        socket.set_nonblocking(true).map_err(told)?;
        // Less than asked for is no failure.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES)
            .or_else(|_| rustix::net::sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BYTES));
        let address = socket.local_addr().map_err(told)?.to_string();
        let identity = Identity { contact: format!("sip:{user}@{address}"), address };
        Ok(Peer { socket, identity, arena: Vec::new(), outgoing: Vec::with_capacity(TURN_MAX), batch: SendBatch::new() })
    }

    /// Hands to the kernel what waits. A full buffer is a lost datagram, as on any network; what matters is sent again.
    fn flush(&mut self) -> Result<(), String> {
        let mut left = self.outgoing.as_slice();
        while let Some(first) = left.first() {
            let gone = match self.batch.send(self.socket.as_fd(), &self.arena, left) {
                Ok(sent) => sent.max(1),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 1,
                Err(error) => return Err(format!("cannot send to {}: {error}", first.destination)),
            };
            left = left.get(gone..).unwrap_or_default();
        }
        self.outgoing.clear();
        self.arena.clear();
        Ok(())
    }
}

/// All peers, by their places: callers first.
pub(super) struct Peers {
    peers: Vec<Peer>,
    callers: usize,
    proxy: SocketAddr,
    waiting: PollSet,
}

impl Peers {
    /// Opens the sockets of the plan.
    pub fn open(plan: &Plan) -> Result<Peers, String> {
        let free = |address: SocketAddr| SocketAddr::new(address.ip(), 0);
        let callers = usize::from(plan.callers.max(1));
        let mut peers = Vec::new();
        for _ in 0..callers {
            peers.push(Peer::open("caller", SocketAddr::from(([127, 0, 0, 1], 0)))?);
        }
        peers.push(Peer::open("callee", plan.callee)?);
        for _ in 1..plan.callees {
            peers.push(Peer::open("callee", free(plan.callee))?);
        }
        let mut waiting = PollSet::new();
        for peer in &peers {
            waiting.add(peer.socket.as_fd(), false);
        }
        Ok(Peers { peers, callers, proxy: plan.proxy, waiting })
    }

    pub fn count(&self) -> usize {
        self.peers.len()
    }

    pub fn side(&self, place: usize) -> Side {
        if place < self.callers { Side::Caller } else { Side::Callee }
    }

    /// The place of the caller of a call.
    pub fn caller(&self, number: u32) -> usize {
        number as usize % self.callers
    }

    /// The place of the callee that is meant by a call.
    pub fn callee(&self, number: u32) -> usize {
        self.callers + number as usize % (self.peers.len() - self.callers)
    }

    /// None of a place that there is not.
    pub fn identity(&self, place: usize) -> Option<&Identity> {
        self.peers.get(place).map(|peer| &peer.identity)
    }

    /// Hosts of Request-URIs: the proxy's when there is one callee, to whom it sends all calls, else those of the callees.
    pub fn hosts(&self, plan: &Plan) -> Vec<String> {
        match self.peers.get(self.callers..) {
            Some(callees) if callees.len() > 1 => callees.iter().map(|callee| callee.identity.address.clone()).collect(),
            _ => vec![plan.proxy.to_string()],
        }
    }

    /// Sends to the proxy what `write` appends, together with others.
    pub fn send(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>, &Identity)) -> Result<(), String> {
        let Some(peer) = self.peers.get_mut(place) else { return Err(format!("there is no peer {place}")) };
        let start = peer.arena.len();
        write(&mut peer.arena, &peer.identity);
        let range = u32::try_from(start).ok().zip(u32::try_from(peer.arena.len()).ok());
        let (start, end) = range.ok_or("too many bytes to send")?;
        peer.outgoing.push(Outgoing { start, end, destination: self.proxy });
        if peer.outgoing.len() < TURN_MAX { Ok(()) } else { peer.flush() }
    }

    /// Sends what waits.
    pub fn flush(&mut self) -> Result<(), String> {
        self.peers.iter_mut().try_for_each(Peer::flush)
    }

    /// Waits until something comes or the time is over.
    pub fn wait(&mut self, longest: Duration) -> Result<(), String> {
        self.waiting.wait(Some(longest)).map(|_| ()).map_err(|error| format!("poll: {error}"))
    }

    /// Takes what came to a peer; how many messages that were.
    pub fn receive(&self, place: usize, batch: &mut ReceiveBatch) -> Result<usize, String> {
        match self.peers.get(place).filter(|_| self.waiting.is_ready(place)) {
            Some(peer) => batch.receive(peer.socket.as_fd()).map_err(|error| format!("cannot receive: {error}")),
            None => Ok(0),
        }
    }
}
