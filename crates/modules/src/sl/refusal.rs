//! Refusing an INVITE that nobody has parsed, with as little work as a correct reply needs.

use std::sync::atomic::Ordering;

use sip::{Outline, ReplyParts, Via};
use transaction::Endpoint;

use super::endpoint::endpoint_of;
use super::statistics::Counter;
use super::{ACK_WAIT_MILLISECONDS, tag};
use crate::worker::Worker;

/// Sends `503 Service Unavailable` with a Retry-After of one digit statelessly; `via` is the INVITE's topmost. No route of the script sees it; its ACK ends before the
/// script as that of every stateless reply does.
pub fn refuse(worker: &mut Worker, (invite, via): (&Outline<'_>, &Via<'_>), from: Endpoint, retry_after_seconds: u8) {
    const CODE: u16 = 503;
    let node = &worker.node;
    let mut retry_after = *b"Retry-After: 0\r\n";
    if let Some(digit) = retry_after.get_mut(13) {
        *digit = b'0' + retry_after_seconds.min(9);
    }
    let tag = tag::tag_of(node, Some(via), invite.call_id, tag::STATELESS);
    let parts = ReplyParts {
        to_tag: &tag,
        force_rport: node.core.forces_rport(),
        extra_headers: &retry_after,
        server: node.core.server_signature.then(|| node.core.server_value()),
        ..ReplyParts::new(CODE, b"Service Unavailable", from.address)
    };
    let start = worker.outbox.bytes.len();
    invite.write_refusal(&mut worker.outbox.bytes, via, &parts);
    worker.outbox.send_written(&endpoint_of(node, via, from, false), start);
    let state = &node.states.sl;
    state.statistics.add_reply(CODE);
    state.statistics.add(Counter::Sent);
    let until = worker.now.time.0.saturating_add(ACK_WAIT_MILLISECONDS);
    if state.ack_expected_until.load(Ordering::Relaxed) < until {
        state.ack_expected_until.fetch_max(until, Ordering::Relaxed);
    }
}
