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
    if !node.states.core.dns.waiting.has_room(posted.bytes.len()) {
        return Err(next_hop::error::NO_ROOM);
    }
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

#[cfg(test)]
mod tests {
    use super::super::answered;
    use super::super::record::Reply;
    use super::*;
    use crate::fixture::{receive, request, run, sent, worker};
    use crate::outbox::Effect;

    const DROP: &str = "loadmodule \"sl\"\nloadmodule \"corex\"\nrequest_route {\ndrop;\n}\n";

    fn question(worker: &mut Worker) -> Option<(u64, String)> {
        let asked = worker.outbox.effects.iter().find_map(|effect| match effect {
            Effect::Resolve { ticket, question } => Some((*ticket, question.name.to_string())),
            _ => None,
        });
        worker.outbox.clear();
        asked
    }

    /// Answers the questions of a message: no records but this address.
    fn answer_all(worker: &mut Worker, name: &str, address: &str) -> Vec<String> {
        let mut asked = Vec::new();
        while let Some((ticket, about)) = question(worker) {
            let reply = if about == name { Reply::of_address(name, address.parse().unwrap()) } else { Reply::default() };
            asked.push(about.clone());
            let is_last = about == name;
            assert!(answered(worker, ticket, Answer::Records(reply)));
            if is_last {
                break;
            }
        }
        asked
    }

    #[test]
    fn a_reply_follows_the_name_in_its_second_via() {
        let mut worker = worker(DROP);
        let vias = "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\nVia: SIP/2.0/UDP peer.test;branch=z9hG4bK2\n";
        let text =
            format!("SIP/2.0 200 OK\n{vias}From: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
        receive(&mut worker, &text);
        assert!(crate::core::forward::reply(&mut worker));
        assert_eq!(answer_all(&mut worker, "peer.test", "192.0.2.7"), ["_sip._udp.peer.test", "peer.test"]);
        let sent = sent(&mut worker);
        assert_eq!(sent[0].0, "192.0.2.7:5060".parse().unwrap());
        assert!(sent[0].1.starts_with("SIP/2.0 200 OK\nVia: SIP/2.0/UDP peer.test;"), "{}", sent[0].1);
    }

    #[test]
    fn with_reply_to_via_our_own_reply_goes_to_the_name_in_the_top_via() {
        let mut worker = worker("reply_to_via = yes\nloadmodule \"sl\"\nrequest_route {\nsl_send_reply(\"404\", \"No\");\n}\n");
        run(&mut worker, &request("OPTIONS", "sip:bob@example.com", "", "").replace("192.0.2.1:5090", "peer.test:5099"));
        assert_eq!(answer_all(&mut worker, "peer.test", "192.0.2.8"), ["peer.test"]);
        assert_eq!(sent(&mut worker)[0].0, "192.0.2.8:5099".parse().unwrap());
    }

    #[test]
    fn a_message_to_a_name_without_address_is_dropped() {
        let mut worker = worker(DROP);
        let destination = Destination { host: Box::from("nowhere.test"), port: Some(5060), protocol: None };
        assert_eq!(post(&mut worker, destination.clone(), b"bytes", None, 0), Ok(()));
        let (ticket, _) = question(&mut worker).unwrap();
        assert!(answered(&mut worker, ticket, Answer::Records(Reply::default())));
        assert!(sent(&mut worker).is_empty());
        assert_eq!(post(&mut worker, destination, b"bytes", None, 0), Err(next_hop::error::BAD_ADDRESS), "known by now");
        assert!(!answered(&mut worker, ticket, Answer::Awake), "an answer counts once");
    }

    #[test]
    fn messages_that_wait_are_bounded() {
        let mut worker = worker(DROP);
        let mut refused = 0;
        for number in 0..=super::super::limits::WAITING_MAX {
            let destination = Destination { host: format!("n{number}.test").into_boxed_str(), port: Some(5060), protocol: None };
            refused += usize::from(post(&mut worker, destination, b"bytes", None, 0) == Err(next_hop::error::NO_ROOM));
        }
        assert_eq!(refused, 1);
        let asked = worker.outbox.effects.iter().filter(|effect| matches!(effect, Effect::Resolve { .. })).count();
        assert_eq!(asked, super::super::limits::WAITING_MAX, "what nobody can wait for is not asked");
    }
}
