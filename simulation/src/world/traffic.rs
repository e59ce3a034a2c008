//! What travels: datagrams and pieces of streams to proxies and parties, and the effects of proxies.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use modules::dns::record::{Kind, Question, Reply};
use modules::outbox::{Effect, Outbox};
use modules::run::Answer;
use proxy::Input;
use sip::message::Message;
use sip::method::Method;
use transaction::{Endpoint, Protocol};

use super::{Event, World};
use crate::checkers::Sight;
use crate::limits::OVERHEARD_MAX;
use crate::streams::{Towards, pieces};

/// Indexes of a proxy's sockets.
const UDP_SOCKET: u16 = 0;
const TCP_SOCKET: u16 = 1;
/// Longest time a name server takes, milliseconds.
const LOOKUP_MAX: u64 = 3_000;

/// What the name servers of this world know: one name with one address.
fn looked_up(question: &Question) -> Reply {
    if &*question.name == "resolves.example" && question.kind == Kind::A {
        Reply::of_address(&question.name, IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1)))
    } else {
        Reply::default()
    }
}

impl World {
    /// A datagram arrives.
    pub(super) fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.trace.message(self.now, from, to, bytes);
        match self.proxy_at(to) {
            Some(proxy) => self.receive(proxy, Endpoint::udp(from, UDP_SOCKET), bytes),
            None => self.deliver_to_agent(to, bytes),
        }
    }

    /// A piece of a stream arrives; whole messages go on.
    pub(super) fn deliver_piece(&mut self, number: u64, towards: Towards, bytes: &[u8]) {
        let Some((proxy, agent)) = self.streams.get(number).map(|stream| (stream.proxy, stream.agent)) else { return };
        let Some(address) = self.proxies.get(proxy).map(|node| node.address) else { return };
        let messages = match self.streams.arrived(number, towards, bytes) {
            Ok(messages) => messages,
            Err(error) => {
                self.trace.note(self.now, &format!("connection {number} of {agent} is closed: {error}"));
                return self.streams.close(number);
            }
        };
        for message in messages {
            if towards == Towards::Proxy {
                self.trace.message(self.now, agent, address, &message);
                let from = Endpoint { protocol: Protocol::Tcp, address: agent, socket: TCP_SOCKET, connection: number };
                self.receive(proxy, from, &message);
            } else {
                self.trace.message(self.now, address, agent, &message);
                self.deliver_to_agent(agent, &message);
            }
        }
    }

    fn proxy_at(&self, address: SocketAddr) -> Option<usize> {
        self.proxies.iter().position(|proxy| proxy.address == address)
    }

    fn receive(&mut self, proxy: usize, from: Endpoint, bytes: &[u8]) {
        if self.proxies.get(proxy).is_none_or(|node| node.is_down) {
            return;
        }
        let message = Message::from_bytes(bytes).ok();
        if let Some(message) = &message {
            self.show(proxy, &Sight::Received { message, from: from.address });
        }
        self.input(proxy, None, Input::Message { bytes, from }, message.as_ref());
    }

    fn deliver_to_agent(&mut self, to: SocketAddr, bytes: &[u8]) {
        let Ok(message) = Message::from_bytes(bytes) else { return };
        let known = self.places.get(&(to, message.call_id().to_vec())).copied();
        match known {
            Some(party) => self.step(party, |party, step| party.receive(step, &message)),
            None => self.refuse(to, &message),
        }
    }

    /// A callee that knows nothing of the call, such as one a liar made.
    fn refuse(&mut self, own: SocketAddr, message: &Message) {
        if !message.is_request() || message.method() == Method::Ack {
            return;
        }
        let code = if message.method() == Method::Invite { 404 } else { 481 };
        if let Some(to) = crate::party::reply_address(message) {
            let reply = crate::party::reply_bytes(message, code, "Not Here", "nobody", "");
            self.transmit(own, to, &reply);
        }
    }

    /// Sends a datagram into the weather.
    pub(super) fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.overhear(bytes);
        for delay in self.network.carry(from, to, bytes.len(), &mut self.random) {
            self.push(delay, Event::Datagram { from, to, bytes: bytes.to_vec() });
        }
    }

    fn overhear(&mut self, bytes: &[u8]) {
        if self.overheard.len() < OVERHEARD_MAX {
            self.overheard.push(bytes.to_vec());
        } else if let Some(place) = self.overheard.get_mut(self.random.below(OVERHEARD_MAX as u64 * 8) as usize) {
            *place = bytes.to_vec();
        }
    }

    /// An agent writes to its connection, which it opens when there is none.
    pub(super) fn transmit_on_stream(&mut self, agent: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let Some(proxy) = self.proxy_at(to) else { return };
        if self.proxies.get(proxy).is_none_or(|node| node.is_down) {
            return;
        }
        if let Some(number) = self.streams.find(proxy, agent).or_else(|| self.streams.connect(proxy, agent)) {
            self.overhear(bytes);
            self.write(number, Towards::Proxy, bytes);
        }
    }

    /// Cuts bytes into pieces and sends them after each other; a reset loses the rest and the connection.
    pub(super) fn write(&mut self, number: u64, towards: Towards, bytes: &[u8]) {
        for piece in pieces(bytes, &mut self.random) {
            let Some(delay) = self.network.carry_piece(&mut self.random) else {
                self.trace.note(self.now, &format!("connection {number} is reset"));
                return self.streams.close(number);
            };
            let at = self.streams.arrival(number, towards, self.now, delay);
            self.push(at - self.now, Event::Piece { stream: number, towards, bytes: piece });
        }
    }

    /// Everything a proxy wants done.
    pub(super) fn carry_out(&mut self, proxy: usize, worker: usize, mut outbox: Outbox, cause: Option<&Message>) {
        let Some(start) = self.proxies.get(proxy).map(|node| node.starts) else { return };
        let answer = |ticket: u64, answer: Answer| Event::Answer { proxy, start, worker, ticket, answer };
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    self.show_sent(proxy, *destination, bytes, cause);
                }
                Effect::StreamSend { destination, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    self.show_sent(proxy, *destination, bytes, cause);
                }
                Effect::Resolve { ticket, question } => {
                    let delay = self.random.below(LOOKUP_MAX);
                    self.push(delay, answer(*ticket, Answer::Records(looked_up(question))));
                }
                Effect::Wake { ticket, at } => {
                    let delay = at.0.saturating_sub(self.now);
                    self.push(delay, answer(*ticket, Answer::Awake));
                }
                Effect::Log { text, level, .. } => {
                    let text = String::from_utf8_lossy(text);
                    self.trace.line(self.now, proxy, *level, &text);
                    self.show(proxy, &Sight::Line(&text));
                }
                Effect::Stop => self.verdicts.add("A2", self.now, proxy, String::from("the proxy wants to stop")),
                Effect::ReadFile { ticket, .. } => {
                    self.push(1, answer(*ticket, Answer::FileRead(Err(String::from("there are no files here")))));
                }
                Effect::Query { ticket, .. } => {
                    self.push(1, answer(*ticket, Answer::Rows(Err(String::from("there is no database here")))));
                }
                Effect::LoadDialogs { ticket, which } => self.ask_for_slot(proxy, worker, *ticket, which),
                Effect::WriteFile { ticket, .. } => {
                    self.push(1, answer(*ticket, Answer::FileWritten(Err(String::from("there are no files here")))));
                }
                // Answers to commands are read by who gave them, aliases of connections and the rest are not of this world.
                _ => {}
            }
        }
        outbox.effects.retain(|effect| matches!(effect, Effect::Send { .. } | Effect::StreamSend { .. }));
        if !outbox.effects.is_empty()
            && let Some(outbox) = self.hold(proxy, outbox)
        {
            self.send_all(proxy, &outbox);
        }
    }

    /// Everything an outbox sends leaves.
    pub(super) fn send_all(&mut self, proxy: usize, outbox: &Outbox) {
        let Some(own) = self.proxies.get(proxy).map(|node| node.address) else { return };
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    self.transmit(own, *destination, bytes);
                }
                Effect::StreamSend { connection, destination, may_connect, then_close, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    let open = self.streams.get(*connection).map(|_| *connection).or_else(|| self.streams.find(proxy, *destination));
                    let number = open.or_else(|| may_connect.then(|| self.streams.connect(proxy, *destination)).flatten());
                    if let Some(number) = number {
                        self.write(number, Towards::Agent, bytes);
                    }
                    if let Some(number) = number.filter(|_| *then_close) {
                        self.streams.close(number);
                    }
                }
                _ => {}
            }
        }
    }

    fn show_sent(&mut self, proxy: usize, to: SocketAddr, bytes: &[u8], cause: Option<&Message>) {
        match Message::from_bytes(bytes) {
            Ok(message) => self.show(proxy, &Sight::Sent { message: &message, to, cause }),
            Err(error) => self.trace.note(self.now, &format!("proxy {proxy} sends what does not parse: {error}")),
        }
    }
}
