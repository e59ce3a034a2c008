//! Control sockets that carry one request in a datagram and the answer in another.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;

use modules::json_rpc;
use modules::rpc::Fault;

use crate::binrpc::{self, Decoded};
use crate::limits::DATAGRAM_BYTES_MAX;
use crate::listener::{Speech, accepted, run};
use crate::{Caller, Outcome, json};

/// A datagram socket and the addresses it knows peers by.
pub(crate) trait Datagrams: Send + Sync + 'static {
    type Peer: Send + 'static;
    /// Waits for a datagram. No peer: it cannot be answered.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Self::Peer>)>;
    fn send(&self, bytes: &[u8], peer: &Self::Peer) -> io::Result<usize>;
    /// The peer in a log line.
    fn shown(peer: &Self::Peer) -> String;
}

impl Datagrams for UdpSocket {
    type Peer = SocketAddr;

    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<SocketAddr>)> {
        self.recv_from(buffer).map(|(length, peer)| (length, Some(peer)))
    }

    fn send(&self, bytes: &[u8], peer: &SocketAddr) -> io::Result<usize> {
        self.send_to(bytes, peer)
    }

    fn shown(peer: &SocketAddr) -> String {
        peer.to_string()
    }
}

impl Datagrams for UnixDatagram {
    type Peer = PathBuf;

    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<PathBuf>)> {
        self.recv_from(buffer).map(|(length, peer)| (length, peer.as_pathname().map(PathBuf::from)))
    }

    fn send(&self, bytes: &[u8], peer: &PathBuf) -> io::Result<usize> {
        self.send_to(bytes, peer)
    }

    fn shown(peer: &PathBuf) -> String {
        peer.display().to_string()
    }
}

/// Answers datagrams as long as the process lives.
pub(crate) fn serve<S: Datagrams>(socket: &Arc<S>, speech: Speech, caller: &Arc<dyn Caller>) {
    let mut buffer = vec![0_u8; DATAGRAM_BYTES_MAX];
    loop {
        let Some((length, peer)) = accepted(socket.receive(&mut buffer)) else { continue };
        let request = buffer.get(..length).unwrap_or_default().to_vec();
        let answer = answer(caller, &request, speech);
        let (Some(answer), Some(peer)) = (answer, peer) else { continue };
        let (socket, caller) = (Arc::clone(socket), Arc::clone(caller));
        answer.hand_over(move |answer| {
            let Err(error) = socket.send(&answer, &peer) else { return };
            caller.log(0, &format!("answer of {} bytes did not reach {}: {error}", answer.len(), S::shown(&peer)));
            if error.raw_os_error() == Some(libc::EMSGSIZE) {
                let _ = socket.send(&too_long(&request, speech), &peer);
            }
        });
    }
}

/// The answer to one datagram; None: it was nonsense.
fn answer(caller: &Arc<dyn Caller>, bytes: &[u8], speech: Speech) -> Option<Outcome<Vec<u8>>> {
    match speech {
        Speech::Binrpc { body_bytes_max } => match binrpc::decode(bytes) {
            Decoded::Request(request, _) => {
                Some(run(caller, request, body_bytes_max.min(DATAGRAM_BYTES_MAX)).map(|packet| packet.into_parts().flatten().collect()))
            }
            Decoded::Incomplete | Decoded::Broken(..) => None,
        },
        Speech::Json { is_pretty } => {
            let answer = json::answer(caller.as_ref(), bytes, is_pretty);
            Some(answer.map(move |answer| answer.body.whole(DATAGRAM_BYTES_MAX, is_pretty).into_bytes()))
        }
    }
}

/// What a caller gets instead of an answer that fits into no datagram, so that it does not wait in vain.
fn too_long(request: &[u8], speech: Speech) -> Vec<u8> {
    let fault = Fault::new(500, "the answer is too long for a datagram; ask over a stream");
    match speech {
        Speech::Binrpc { .. } => match binrpc::decode(request) {
            Decoded::Request(request, _) => binrpc::encode(request.cookie, Err(fault), usize::MAX).into_parts().flatten().collect(),
            Decoded::Incomplete | Decoded::Broken(..) => Vec::new(),
        },
        Speech::Json { is_pretty } => {
            let id = json_rpc::decode(request).ok().and_then(|request| request.id);
            json_rpc::error(id, &fault, is_pretty).into_bytes()
        }
    }
}
