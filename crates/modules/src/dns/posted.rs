//! Messages without a transaction on their way to a name: bytes that leave once an address is known.

use std::sync::Arc;

use super::record::Question;
use super::waiting::Waiter;
use super::{Destination, Search, Step, ask_apart};
use crate::next_hop::{self, Hop};
use crate::run::{Answer, Target};
use crate::worker::Worker;

/// A message that leaves as it is.
#[derive(Debug)]
pub struct Posted {
    pub bytes: Box<[u8]>,
    search: Search,
    /// The socket it should leave from; else one that fits.
    socket: Option<u16>,
    received_on: Option<u16>,
    connection: u64,
}

/// Sends `bytes` to a destination, at once if its address is known; `connection`: one that may be known to lead there.
/// Err: there is no address, or too many messages wait.
pub fn post(worker: &mut Worker, destination: Destination, bytes: &[u8], socket: Option<u16>, connection: u64) -> Result<(), i32> {
    let received_on = Some(worker.run.source.socket);
    let search = super::search(worker, destination);
    let posted = Posted { bytes: bytes.into(), search, socket, received_on, connection };
    advance(worker, posted, None)
}

/// Goes on with a message whose question was answered.
pub fn proceed(worker: &mut Worker, posted: Posted, answer: Answer) {
    let host = posted.search.destination().host.clone();
    if let Err(code) = advance(worker, posted, Some(answer)) {
        worker.log(-1, "core", &format!("a message to {host} was not sent ({code})"));
    }
}

/// Tries one address after the other until the message can leave (spec proxy-core 6.5).
fn advance(worker: &mut Worker, mut posted: Posted, answer: Option<Answer>) -> Result<(), i32> {
    let mut step = match answer {
        Some(answer) => super::proceed(worker, &mut posted.search, answer),
        None => super::step(worker, &mut posted.search),
    };
    let mut error = next_hop::error::BAD_ADDRESS;
    loop {
        match step {
            Step::Ask(question) => return wait(worker, posted, question),
            Step::Go(hop) => match send(worker, &posted, hop) {
                Ok(()) => return Ok(()),
                Err(code) => error = code,
            },
            Step::Unreachable => return Err(next_hop::error::NO_SOCKET),
            Step::Exhausted => return Err(error),
        }
        step = super::step(worker, &mut posted.search);
    }
}

fn wait(worker: &mut Worker, posted: Posted, question: Question) -> Result<(), i32> {
    let node = Arc::clone(&worker.node);
    let ticket = ask_apart(worker, question);
    node.states.core.dns.waiting.put(ticket, Waiter::Message(Box::new(posted))).map_err(|_| next_hop::error::NO_ROOM)
}

fn send(worker: &mut Worker, posted: &Posted, hop: Hop) -> Result<(), i32> {
    let target = Target { socket: posted.socket, ..Target::default() };
    let mut to = next_hop::endpoint(&worker.node.sockets, hop, &target, posted.received_on)?;
    to.connection = posted.connection;
    worker.outbox.send(&to, &posted.bytes);
    Ok(())
}
