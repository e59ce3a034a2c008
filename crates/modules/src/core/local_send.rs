//! Sending bytes as they are to a URI or host: `send_udp`, `send_data`, `sendx` of corex.

use crate::next_hop::{self, NextHop};
use crate::run::Target;
use crate::worker::Worker;

/// Sends `bytes` where `uri` leads. Err: an internal error code; names are not looked up here.
pub fn send_to_uri(worker: &mut Worker, uri: &[u8], socket: Option<u16>, bytes: &[u8]) -> Result<(), i32> {
    let NextHop::Address(hop) = next_hop::of_uri(uri, None)? else { return Err(next_hop::error::BAD_ADDRESS) };
    let target = Target { socket, ..Target::default() };
    let to = next_hop::endpoint(&worker.node.sockets, hop, &target, Some(worker.run.source.socket))?;
    worker.outbox.send(&to, bytes);
    Ok(())
}
