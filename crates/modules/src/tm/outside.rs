//! A request outside any dialog, as a script or a remote caller describes it (spec proxy-core 7.13, 7.16).

use std::sync::atomic::Ordering;

use script::exports::{Argument, Flow};
use sip::HeaderId;
use sip::message::Message;

use super::data::Purpose;
use super::local::{LocalRequest, send_local};
use crate::worker::Worker;

/// CSeq of requests outside a dialog.
const FIRST_CSEQ: u32 = 10;
/// Headers that are made here, whatever the caller gives.
const OWN_HEADERS: [HeaderId; 6] = [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq, HeaderId::Via, HeaderId::ContentLength];

/// A request outside any dialog as a caller gives it.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    pub method: Vec<u8>,
    pub request_uri: Vec<u8>,
    /// A URI; empty or `.`: none.
    pub next_hop: Vec<u8>,
    /// `proto:address:port`; empty or `.`: none.
    pub socket: Vec<u8>,
    /// Whole lines; From and To must be among them.
    pub headers: Vec<u8>,
    pub body: Vec<u8>,
    /// A 2xx to an INVITE is not acknowledged here.
    pub without_ack: bool,
    /// Milliseconds; 0: as configured.
    pub final_response: u32,
    pub final_response_invite: u32,
    pub purpose: Purpose,
}

/// Why such a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The description is wrong.
    Bad(String),
    /// Sending failed: internal error code.
    NotSent(i32),
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::Bad(text.into())
}

fn given(text: &[u8]) -> bool {
    !text.is_empty() && text != b"."
}

/// Checks the description and makes the request of it; Call-ID, CSeq and From tag are made when absent.
pub fn describe(worker: &mut Worker, outside: Outside) -> Result<LocalRequest, Refusal> {
    if outside.method.is_empty() {
        return Err(bad("Empty method"));
    }
    let quoted = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    if sip::Uri::parse(&outside.request_uri).is_err() {
        return Err(bad(format!("Invalid request uri \"{}\"", quoted(&outside.request_uri))));
    }
    if given(&outside.next_hop) && sip::Uri::parse(&outside.next_hop).is_err() {
        return Err(bad(format!("Invalid next-hop uri \"{}\"", quoted(&outside.next_hop))));
    }
    let socket = if given(&outside.socket) {
        let found = worker.node.sockets.find_text(&outside.socket);
        Some(found.ok_or_else(|| bad(format!("No local socket for \"{}\"", quoted(&outside.socket))))?)
    } else {
        None
    };
    if !outside.headers.ends_with(b"\r\n") {
        return Err(bad("Invalid headers"));
    }
    let probe = [b"OPTIONS sip:probe SIP/2.0\r\n".as_slice(), &outside.headers, b"\r\n"].concat();
    let probe = Message::from_bytes(&probe).map_err(|_| bad("Invalid headers"))?;
    let from = probe.from().ok_or_else(|| bad("From missing"))?;
    let to = probe.to().ok_or_else(|| bad("To missing"))?;
    if probe.cseq().is_some_and(|cseq| cseq.method_text != outside.method) {
        return Err(bad("CSeq method mismatch"));
    }
    if !outside.body.is_empty() && probe.header(HeaderId::ContentType).is_none() {
        return Err(bad("Content-Type missing"));
    }
    let headers = probe.headers().iter().filter(|header| !OWN_HEADERS.contains(&header.id));
    let headers: Vec<u8> = headers.flat_map(|header| probe.text(header.line).iter().copied()).collect();
    let mut from_value = from.whole.to_vec();
    if probe.from_tag().is_empty() {
        from_value.extend_from_slice(
            format!(";tag={:016x}{:016x}-{:08x}", worker.random.next_u64(), worker.random.next_u64(), worker.random.next_u64() as u32)
                .as_bytes(),
        );
    }
    let call_id = if probe.call_id().is_empty() { new_call_id(worker) } else { probe.call_id().to_vec() };
    Ok(LocalRequest {
        to: to.whole.to_vec(),
        from: from_value,
        call_id,
        cseq: probe.cseq().map_or(FIRST_CSEQ, |cseq| cseq.number),
        route_set: Vec::new(),
        headers,
        socket,
        next_hop: given(&outside.next_hop).then_some(outside.next_hop),
        method: outside.method,
        request_uri: outside.request_uri,
        body: outside.body,
        purpose: outside.purpose,
        without_ack: outside.without_ack,
        final_response: outside.final_response,
        final_response_invite: outside.final_response_invite,
        routed: None,
    })
}

/// Checks the description and sends the request.
pub fn send(worker: &mut Worker, outside: Outside) -> Result<(), Refusal> {
    let request = describe(worker, outside)?;
    send_local(worker, &request).map(|_| ()).map_err(Refusal::NotSent)
}

/// `t_uac_send(method, ruri, nexthop, socket, headers, body)`
pub fn t_uac_send(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |index: usize| arguments.get(index).map(|argument| argument.text().to_vec()).unwrap_or_default();
    let outside = Outside {
        method: text(0),
        request_uri: text(1),
        next_hop: text(2),
        socket: text(3),
        headers: text(4),
        body: text(5),
        ..Outside::default()
    };
    match send(worker, outside) {
        Ok(()) => Flow::Code(1),
        Err(refusal) => {
            let reason = match refusal {
                Refusal::Bad(reason) => reason,
                Refusal::NotSent(code) => crate::sl::error_reply(code, "TM").1,
            };
            worker.log(-1, "tm", &format!("t_uac_send: {reason}"));
            Flow::Code(-1)
        }
    }
}

/// A Call-ID made here: counter from a random start, process id, first socket's address.
pub fn new_call_id(worker: &mut Worker) -> Vec<u8> {
    let counter = worker.node.states.tm.call_ids.fetch_add(1, Ordering::Relaxed);
    let host = worker.node.sockets.at(0).map_or_else(|| "localhost".to_owned(), |socket| socket.address.ip().to_string());
    format!("{:016x}-{}@{host}", worker.random.next_u64().wrapping_add(counter), worker.node.process.pid).into_bytes()
}
