//! Sending bytes as they are to a URI or host: `send_udp`, `send_data`, `sendx` of corex.

use crate::dns;
use crate::next_hop::{self, NextHop};
use crate::run::Target;
use crate::worker::Worker;

/// Sends `bytes` where `uri` leads; to a name once it is looked up. Err: an internal error code.
pub fn send_to_uri(worker: &mut Worker, uri: &[u8], socket: Option<u16>, bytes: &[u8]) -> Result<(), i32> {
    let hop = match next_hop::of_uri(uri, None)? {
        NextHop::Address(hop) => hop,
        NextHop::Name(destination) => return dns::post(worker, destination, bytes, socket, 0),
    };
    let target = Target { socket, ..Target::default() };
    let to = next_hop::endpoint(&worker.node.sockets, hop, &target, Some(worker.run.source.socket))?;
    worker.outbox.send(&to, bytes);
    Ok(())
}
