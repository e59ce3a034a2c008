//! Swallowing ACKs to our own stateless negative replies (spec proxy-core 10).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sip::Outline;
use sip::method::Method;

use super::statistics::Counter;
use super::{TAG_BYTES, tag, to_tag};
use crate::worker::Worker;

/// Is the current message the ACK to a stateless reply of ours? Then it must not reach the script.
///
/// Called before the main route. Looks only while a stateless final reply is young, and compares the To tag.
pub fn is_filtered_ack(worker: &mut Worker) -> bool {
    let node = Arc::clone(&worker.node);
    let state = &node.states.sl;
    let until = state.ack_expected_until.load(Ordering::Relaxed);
    let message = &worker.run.message;
    if until == 0 || worker.now.time.0 >= until || !message.is_request() || message.method() != Method::Ack {
        return false;
    }
    let given = message.to_tag();
    if given.len() != TAG_BYTES || given != to_tag(&node, message, tag::STATELESS) {
        return false;
    }
    state.statistics.add(Counter::ReceivedAcks);
    if let Some(route) = state.filtered_ack_route {
        worker.run_route_id(route);
    }
    true
}

/// The same for a message that nobody has parsed yet, at a fraction of the cost. False: it has to be parsed to know.
pub fn is_filtered_ack_unparsed(worker: &Worker, bytes: &[u8]) -> bool {
    let node = &worker.node;
    let state = &node.states.sl;
    let until = state.ack_expected_until.load(Ordering::Relaxed);
    if until == 0 || worker.now.time.0 >= until || !bytes.starts_with(b"ACK ") || state.filtered_ack_route.is_some() {
        return false;
    }
    let Some((ack, via)) = Outline::read(bytes).and_then(|ack| ack.top_via().map(|via| (ack, via))) else { return false };
    if !ack.ends_with_to_tag(&tag::tag_of(node, Some(&via), ack.call_id, tag::STATELESS)) {
        return false;
    }
    state.statistics.add(Counter::ReceivedAcks);
    true
}
