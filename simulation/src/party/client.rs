//! Client transactions of a user agent: requests sent until they are answered, ACKs, CANCEL.

use std::net::SocketAddr;

use sip::message::Message;
use sip::method::Method;

use super::{Alarm, Leg, Party, Step, T1, T2, TIMEOUT, wire};
use crate::limits::TRANSACTIONS_OF_PARTY_MAX;
use crate::plan::Behaviour;

/// The body of every INVITE.
const BODY: &str = "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// How far a client transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Trying,
    Proceeding,
    Completed,
}

/// One request on its way.
#[derive(Clone, Debug)]
pub struct Client {
    pub branch: String,
    pub method: Method,
    pub cseq: u32,
    pub bytes: Vec<u8>,
    pub destination: SocketAddr,
    pub progress: Progress,
    pub began: u64,
    interval: u64,
    /// Of a request within a dialog.
    pub leg: Option<usize>,
    is_cancelled: bool,
}

/// A request to be sent.
pub(super) struct Request<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub destination: SocketAddr,
    pub cseq: u32,
    /// Everything from To to the end of the headers, without CSeq.
    pub head: &'a str,
    /// The dialog it is within.
    pub leg: Option<usize>,
}

impl Party {
    /// Sends a new request.
    pub(super) fn request(&mut self, step: &mut Step<'_>, request: Request<'_>) {
        let Request { method, uri, destination, cseq, head, leg } = request;
        if self.clients.len() >= TRANSACTIONS_OF_PARTY_MAX {
            return;
        }
        let branch = format!("z9hG4bK{}", self.token());
        let bytes = self.request_bytes(method, uri, &branch, cseq, head);
        step.send(destination, &bytes);
        step.wake(T1, Alarm::Request(self.clients.len()));
        let method = Method::from_bytes(method.as_bytes());
        self.clients.push(Client {
            branch,
            method,
            cseq,
            bytes,
            destination,
            progress: Progress::Trying,
            began: step.now,
            interval: T1,
            leg,
            is_cancelled: false,
        });
    }

    pub(super) fn request_bytes(&self, method: &str, uri: &str, branch: &str, cseq: u32, head: &str) -> Vec<u8> {
        let own = self.address;
        let call_id = &self.plan.call_id;
        let protocol = if self.is_stream() { "TCP" } else { "UDP" };
        let contact = self.contact();
        // Lines that are legal and rarely seen: compact, folded, oddly spaced. A proxy has to keep them as they are.
        let odd = if method == "INVITE" { "s :  a call\r\nX-Folded: one\r\n\ttwo\r\nuser-agent:simulated\r\n" } else { "" };
        let body = if method == "INVITE" { BODY } else { "" };
        let length = body.len();
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{protocol} {own};branch={branch}\r\nMax-Forwards: 70\r\n{head}Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: {contact}\r\n{odd}Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Header lines of a request within a dialog.
    pub(super) fn head_of(leg: &Leg) -> String {
        format!("{}From: <{}>;tag={}\r\nTo: <{}>;tag={}\r\n", leg.route_lines(), leg.local, leg.local_tag, leg.remote, leg.remote_tag)
    }

    /// Sends a request within a dialog. `more`: header lines of its own.
    pub(super) fn request_within(&mut self, step: &mut Step<'_>, leg: usize, method: &str, more: &str) {
        let Some(dialog) = self.legs.get_mut(leg) else { return };
        dialog.cseq += self.plan.cseq_step;
        let dialog = dialog.clone();
        let Some(destination) = dialog.next_hop() else { return };
        let head = format!("{}{more}", Self::head_of(&dialog));
        let request = Request { method, uri: &dialog.target, destination, cseq: dialog.cseq, head: &head, leg: Some(leg) };
        self.request(step, request);
    }

    /// An own INVITE within this dialog waits for its final reply.
    pub(super) fn is_renegotiating(&self, leg: usize) -> bool {
        self.clients
            .iter()
            .any(|client| client.leg == Some(leg) && client.method == Method::Invite && client.progress != Progress::Completed)
    }

    pub(super) fn repeat_request(&mut self, step: &mut Step<'_>, index: usize) {
        let is_stream = self.is_stream();
        let Some(client) = self.clients.get_mut(index) else { return };
        let is_invite = client.method == Method::Invite;
        let is_waiting = client.progress == Progress::Trying || (client.progress == Progress::Proceeding && !is_invite);
        if !is_waiting {
            return;
        }
        if step.now >= client.began + TIMEOUT {
            client.progress = Progress::Completed;
            let (method, leg) = (client.method, client.leg);
            if let Some(leg) = leg.and_then(|leg| self.legs.get_mut(leg)).filter(|_| method == Method::Bye) {
                leg.is_over = true;
            }
            return;
        }
        if !is_stream {
            step.send(client.destination, &client.bytes);
        }
        client.interval = if is_invite { client.interval * 2 } else { (client.interval * 2).min(T2) };
        step.wake(client.interval, Alarm::Request(index));
    }

    pub(super) fn receive_reply(&mut self, step: &mut Step<'_>, reply: &Message) {
        let branch = reply.top_via().map(|via| wire::text(via.branch)).unwrap_or_default();
        let method = reply.method();
        let Some(index) = self.clients.iter().position(|client| client.branch == branch && client.method == method) else { return };
        let status = reply.status();
        let Some(client) = self.clients.get_mut(index) else { return };
        if status < 200 {
            if client.progress == Progress::Trying {
                client.progress = Progress::Proceeding;
            }
            if method == Method::Invite && self.wants_cancel {
                self.send_cancel(step, index);
            }
            if self.plan.behaviour == Behaviour::EarlyBye && method == Method::Invite && self.legs.is_empty() && !reply.to_tag().is_empty()
            {
                let leg = self.open_called_leg(reply, 1);
                self.hang_up(step, leg);
            }
            if method == Method::Invite && reply.headers_named(b"RSeq").next().is_some() {
                self.acknowledge_provisional(step, reply);
            }
            return;
        }
        let was = client.progress;
        if method != Method::Invite {
            client.progress = Progress::Completed;
            let leg = client.leg;
            if let Some(leg) = leg.and_then(|leg| self.legs.get_mut(leg)).filter(|_| method == Method::Bye) {
                leg.is_over = true;
            }
            return;
        }
        client.progress = Progress::Completed;
        if status < 300 {
            self.invite_answered(step, index, reply, was);
        } else {
            let client = client.clone();
            let to = reply.value(sip::HeaderId::To).map(wire::text).unwrap_or_default();
            let ack = acknowledgement_of_failure(&client, &to);
            step.send(client.destination, &ack);
            if let Some(leg) = client.leg.filter(|_| status == 491 && was != Progress::Completed) {
                self.renegotiate_later(step, leg);
            }
        }
    }

    /// A 2xx to an INVITE: its ACK, and for a new dialog what the plan says (RFC 3261 §13.2.2.4).
    fn invite_answered(&mut self, step: &mut Step<'_>, index: usize, reply: &Message, was: Progress) {
        let Some(client) = self.clients.get(index).cloned() else { return };
        let tag = wire::text(reply.to_tag());
        let found = client.leg.or_else(|| self.legs.iter().position(|leg| leg.remote_tag == tag));
        if let Some(leg) = found.and_then(|leg| self.legs.get(leg))
            && let Some((to, ack, cseq)) = &leg.ack
            && *cseq == client.cseq
        {
            let (to, ack) = (*to, ack.clone());
            step.send(to, &ack);
            return;
        }
        let leg = match found {
            Some(leg) => leg,
            None => self.open_called_leg(reply, client.cseq),
        };
        self.acknowledge(step, leg, client.cseq);
        if client.leg.is_none() {
            self.call_answered(step, leg, was == Progress::Completed);
        }
    }

    /// PRACK, once for each callee (RFC 3262 §4).
    fn acknowledge_provisional(&mut self, step: &mut Step<'_>, reply: &Message) {
        let tag = wire::text(reply.to_tag());
        if self.legs.iter().any(|leg| leg.remote_tag == tag) {
            return;
        }
        let Some(cseq) = reply.cseq().map(|cseq| cseq.number) else { return };
        let leg = self.open_called_leg(reply, cseq);
        self.request_within(step, leg, "PRACK", &format!("RAck: 1 {cseq} INVITE\r\n"));
    }

    /// The dialog a reply makes for the caller (RFC 3261 §12.1.2).
    fn open_called_leg(&mut self, reply: &Message, cseq: u32) -> usize {
        self.legs.push(Leg {
            local: self.own_uri(),
            local_tag: wire::text(reply.from_tag()),
            remote: self.peer_uri(),
            remote_tag: wire::text(reply.to_tag()),
            target: reply.contacts().next().map(|contact| wire::text(contact.uri)).unwrap_or_default(),
            routes: Leg::routes_of(reply, true),
            cseq,
            is_answered: reply.status() >= 200,
            is_over: false,
            ack: None,
        });
        self.legs.len() - 1
    }

    fn acknowledge(&mut self, step: &mut Step<'_>, leg: usize, cseq: u32) {
        if !self.plan.acknowledges {
            return;
        }
        let branch = format!("z9hG4bK{}", self.token());
        let Some(dialog) = self.legs.get(leg).cloned() else { return };
        let Some(destination) = dialog.next_hop() else { return };
        let ack = self.request_bytes("ACK", &dialog.target, &branch, cseq, &Self::head_of(&dialog));
        step.send(destination, &ack);
        if let Some(dialog) = self.legs.get_mut(leg) {
            dialog.ack = Some((destination, ack, cseq));
        }
    }

    /// The caller wants no answer any more: CANCEL as soon as a provisional reply allows it (RFC 3261 §9.1).
    pub(super) fn give_up(&mut self, step: &mut Step<'_>) {
        self.wants_cancel = true;
        let proceeding = self
            .clients
            .iter()
            .position(|client| client.method == Method::Invite && client.progress == Progress::Proceeding && client.leg.is_none());
        if let Some(index) = proceeding {
            self.send_cancel(step, index);
        }
    }

    pub(super) fn gave_up(&self) -> bool {
        self.wants_cancel
    }

    fn send_cancel(&mut self, step: &mut Step<'_>, index: usize) {
        let Some(client) = self.clients.get_mut(index) else { return };
        if client.is_cancelled || client.progress != Progress::Proceeding || client.leg.is_some() {
            return;
        }
        client.is_cancelled = true;
        let client = client.clone();
        let text = wire::text(&client.bytes);
        let text = wire::without_body(&text);
        let bytes = text.replace(" INVITE\r\n", " CANCEL\r\n").replacen("INVITE ", "CANCEL ", 1).into_bytes();
        step.send(client.destination, &bytes);
        step.wake(T1, Alarm::Request(self.clients.len()));
        self.clients.push(Client { method: Method::Cancel, bytes, progress: Progress::Trying, began: step.now, interval: T1, ..client });
    }
}

/// The ACK of a failure: same branch, routes and request URI as the INVITE (RFC 3261 §17.1.1.3).
fn acknowledgement_of_failure(client: &Client, to: &str) -> Vec<u8> {
    let text = wire::without_body(&wire::text(&client.bytes));
    let lines = text.split("\r\n").filter(|line| !line.starts_with("Contact:"));
    let lines = lines.map(|line| match line {
        line if line.starts_with("INVITE ") => line.replacen("INVITE ", "ACK ", 1),
        line if line.starts_with("CSeq:") => line.replace("INVITE", "ACK"),
        line if line.starts_with("To:") => format!("To: {to}"),
        line => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\r\n").into_bytes()
}
