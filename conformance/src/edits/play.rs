//! Plays a batch on one subject: requests from alice, replies from bob and carol; what each receives is the transcript.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::Sequence;
use super::configuration::configuration;
use super::messages;
use super::random::Random;
use super::statements::Route;
use crate::Options;
use crate::message::{Message, parameter, same};
use crate::normalise::normalise;
use crate::subject::Subject;
use crate::template::fill;

/// How long the answer to the message that marks the end of a step may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Messages taken from one socket in one step.
const MESSAGES_MAX: usize = 16;

/// The users of a batch: plain sockets.
struct Users {
    alice: UdpSocket,
    bob: UdpSocket,
    carol: UdpSocket,
    proxy: String,
    pings: usize,
}

/// Plays the sequences one by one; a transcript for each.
pub fn play(options: &Options, sequences: &[Sequence]) -> Result<Vec<String>, String> {
    let played = play_once(options, sequences);
    // Another process took the port between the look and the start.
    if played.as_ref().is_err_and(|reason| reason.contains("Address already in use")) {
        return play_once(options, sequences);
    }
    played
}

fn play_once(options: &Options, sequences: &[Sequence]) -> Result<Vec<String>, String> {
    let proxy = format!("127.0.0.1:{}", loopback_ports::free_port()?);
    let socket = || UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string());
    let mut users = Users { alice: socket()?, bob: socket()?, carol: socket()?, proxy: proxy.clone(), pings: 0 };
    for socket in [&users.bob, &users.carol] {
        socket.set_nonblocking(true).map_err(|error| error.to_string())?;
    }
    let mut marks = BTreeMap::from([("PROXY".to_owned(), proxy.clone())]);
    for (name, socket) in [("ALICE", &users.alice), ("BOB", &users.bob), ("CAROL", &users.carol)] {
        marks.insert(name.to_owned(), socket.local_addr().map_err(|error| error.to_string())?.to_string());
    }
    let text = fill(&configuration(sequences), &marks);
    let mut subject =
        Subject::start(options, &format!("edits-{}", options.subject), &text, &proxy).map_err(|reason| refused(&reason, &text))?;
    let mut transcripts = Vec::new();
    let mut logged = subject.log().len();
    for (index, sequence) in sequences.iter().enumerate() {
        let mut transcript = play_one(&mut users, &marks, index, sequence);
        if !subject.is_alive() {
            transcript.push_str("the subject died\n");
            drop(subject);
            subject = Subject::start(options, &format!("edits-{}", options.subject), &text, &proxy)?;
            logged = subject.log().len();
        }
        let log = subject.log();
        for line in log.get(logged..).unwrap_or_default().lines() {
            if let Some((_, seen)) = line.split_once("@@") {
                transcript.push_str(&format!("log {}\n", normalise(seen, &marks).trim_end()));
            }
        }
        logged = log.len();
        transcripts.push(transcript);
    }
    Ok(transcripts)
}

/// Lines the runner writes in front of a configuration.
const LINES_BEFORE: usize = 10;

/// Why a batch was refused, with the line it names.
fn refused(reason: &str, text: &str) -> String {
    let number = reason
        .split_once("case.cfg:")
        .or_else(|| reason.split_once("line "))
        .and_then(|(_, rest)| rest.split([',', ' ', ':']).next()?.parse::<usize>().ok());
    let line = number.and_then(|number| text.lines().nth(number.saturating_sub(LINES_BEFORE))).unwrap_or_default();
    format!("{reason}\nline: {line}")
}

/// The messages of one sequence.
fn play_one(users: &mut Users, marks: &BTreeMap<String, String>, index: usize, sequence: &Sequence) -> String {
    let (seed, number) = sequence.origin;
    let mut random = Random::new(seed.wrapping_add(7), number);
    let call = format!("call-{index}");
    let alice = marks.get("ALICE").cloned().unwrap_or_default();
    let request = fill(&messages::request(&mut random, index, &call), marks);
    let mut transcript = format!("=== alice ->\n{}", shown(request.as_bytes(), marks));
    let _ = users.alice.send_to(request.as_bytes(), &users.proxy);
    let mut arrived = users.settle(&mut transcript, marks);
    // A reply finds its way back only by the Via of alice.
    let is_whole = |received: &Vec<u8>| {
        let text = String::from_utf8_lossy(received).into_owned();
        text.contains(&format!("SIP/2.0/UDP {alice}")) && text.contains(&format!("branch=z9hG4bK-{call}"))
    };
    if let Some(received) = arrived.bob.take().filter(is_whole) {
        let reply = messages::reply(random, sequence.route == Route::Failure, index).complete(copied(&received));
        if sequence.route == Route::Reply {
            transcript.push_str(&format!("=== bob ->\n{}", shown(reply.as_bytes(), marks)));
        }
        let _ = users.bob.send_to(reply.as_bytes(), &users.proxy);
        arrived = users.settle(&mut transcript, marks);
    }
    if let Some(received) = arrived.carol.take() {
        let reply = messages::reply(Random::new(seed, number), false, index).complete(copied(&received));
        let _ = users.carol.send_to(reply.as_bytes(), &users.proxy);
        users.settle(&mut transcript, marks);
    }
    transcript
}

/// Requests that arrived at the called users.
struct Arrived {
    bob: Option<Vec<u8>>,
    carol: Option<Vec<u8>>,
}

/// Answers leave before the lines that were logged with them.
const PINGS: usize = 2;

impl Users {
    /// Waits until everything sent before was worked on, then takes what arrived. The subject has one worker, so the answer to
    /// one more request says so; that to a second one, that the log is written, too.
    fn settle(&mut self, transcript: &mut String, marks: &BTreeMap<String, String>) -> Arrived {
        let mut replies = Vec::new();
        for _ in 0..PINGS {
            self.pings += 1;
            let mark = format!("ping-{}", self.pings);
            let address = self.alice.local_addr().map(|address| address.to_string()).unwrap_or_default();
            let ping = format!(
                "OPTIONS sip:ping SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK-{mark}\r\nFrom: <sip:p>;tag=1\r\nTo: <sip:p>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\nX-Case: ping\r\nContent-Length: 0\r\n\r\n"
            );
            let _ = self.alice.send_to(ping.as_bytes(), &self.proxy);
            let end = Instant::now() + PATIENCE;
            loop {
                if Instant::now() > end {
                    transcript.push_str("no answer\n");
                    break;
                }
                let Some(bytes) = receive(&self.alice, PATIENCE) else { continue };
                if String::from_utf8_lossy(&bytes).contains(&mark) {
                    break;
                }
                replies.push(bytes);
            }
        }
        for bytes in &replies {
            transcript.push_str(&format!("=== alice <-\n{}", shown(bytes, marks)));
        }
        let mut arrived = Arrived { bob: None, carol: None };
        for (name, socket, slot) in [("bob", &self.bob, &mut arrived.bob), ("carol", &self.carol, &mut arrived.carol)] {
            for _ in 0..MESSAGES_MAX {
                let Some(bytes) = received(socket) else { break };
                transcript.push_str(&format!("=== {name} <-\n{}", shown(&bytes, marks)));
                *slot = Some(bytes);
            }
        }
        arrived
    }
}

fn receive(socket: &UdpSocket, patience: Duration) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(patience)).ok()?;
    received(socket)
}

fn received(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = [0_u8; 65_535];
    let length = socket.recv(&mut buffer).ok()?;
    buffer.get(..length).map(<[u8]>::to_vec)
}

/// The header lines that a reply has from its request.
fn copied(request: &[u8]) -> Vec<String> {
    let message = Message::parse(request);
    let mut lines = Vec::new();
    for (name, value) in &message.headers {
        if ["Via", "From", "Call-ID", "CSeq"].iter().any(|wanted| same(name, wanted)) {
            lines.push(format!("{name}: {value}\r\n"));
        } else if same(name, "To") {
            let tag = if parameter(value, "tag").is_some() { "" } else { ";tag=tag-bob" };
            lines.push(format!("{name}: {value}{tag}\r\n"));
        }
    }
    lines
}

/// A message as text: what differs by nature is marked, what a terminal would hide is written out.
fn shown(bytes: &[u8], marks: &BTreeMap<String, String>) -> String {
    // Where `received` stands in the Via of a local reply is a deliberate difference.
    let text = String::from_utf8_lossy(bytes)
        .replace(";received=127.0.0.1", "")
        .replace("\r\n", "\u{1e}")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\u{1e}', "\r\n");
    let mut out: String =
        normalise(&text, marks).chars().map(|letter| if letter < ' ' && letter != '\n' && letter != '\t' { '~' } else { letter }).collect();
    out.push('\n');
    out
}
