//! A user agent in one call: transactions with retransmissions (RFC 3261 §17, §13), dialogs, and the behaviour of its plan.

mod client;
mod leg;
mod script;
mod server;
mod wire;

use std::net::SocketAddr;

use modules::worker::Random;
use sip::message::Message;

use crate::plan::Plan;
pub use client::Client;
pub use leg::Leg;
pub use server::Server;

/// RFC 3261 T1, T2 and 64·T1, milliseconds.
pub const T1: u64 = 500;
pub const T2: u64 = 4_000;
pub const TIMEOUT: u64 = 64 * T1;

/// What wakes a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The call begins.
    Begin,
    /// The request of a client transaction is due again.
    Request(usize),
    /// The final reply of an INVITE server transaction is due again.
    Reply(usize),
    /// Ringing, then the answer, of a server transaction.
    Ring(usize),
    Answer(usize),
    /// The caller gives up.
    Cancel,
    /// A dialog ends, or changes.
    HangUp(usize),
    Renegotiate(usize),
    /// A request of this method is sent within a dialog.
    Within(usize, &'static str),
    /// The suspended call is to go on.
    Continue,
}

/// What a party may use in one step, and what it wants done.
pub struct Step<'a> {
    pub now: u64,
    pub random: &'a mut Random,
    pub sends: Vec<(SocketAddr, Vec<u8>)>,
    /// (delay, alarm)
    pub alarms: Vec<(u64, Alarm)>,
}

impl<'a> Step<'a> {
    /// An empty step at a time.
    pub fn new(now: u64, random: &'a mut Random) -> Step<'a> {
        Step { now, random, sends: Vec::new(), alarms: Vec::new() }
    }

    fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        self.sends.push((to, bytes.to_vec()));
    }

    fn wake(&mut self, delay: u64, alarm: Alarm) {
        self.alarms.push((delay, alarm));
    }
}

/// One user agent in one call.
#[derive(Debug)]
pub struct Party {
    pub plan: Plan,
    pub is_caller: bool,
    pub address: SocketAddr,
    /// Where the first INVITE goes.
    pub proxy: SocketAddr,
    pub clients: Vec<Client>,
    pub servers: Vec<Server>,
    pub legs: Vec<Leg>,
    /// No packet is sent or taken any more.
    pub is_gone: bool,
    wants_cancel: bool,
    tokens: u64,
}

impl Party {
    /// A party that has done nothing yet.
    pub fn new(plan: Plan, is_caller: bool, address: SocketAddr, proxy: SocketAddr) -> Party {
        Party {
            plan,
            is_caller,
            address,
            proxy,
            clients: Vec::new(),
            servers: Vec::new(),
            legs: Vec::new(),
            is_gone: false,
            wants_cancel: false,
            tokens: 0,
        }
    }

    /// A message came in.
    pub fn receive(&mut self, step: &mut Step<'_>, message: &Message) {
        if self.is_gone {
            return;
        }
        if message.is_request() {
            self.receive_request(step, message);
        } else {
            self.receive_reply(step, message);
        }
    }

    /// A moment it waited for came.
    pub fn woken(&mut self, step: &mut Step<'_>, alarm: Alarm) {
        if self.is_gone {
            return;
        }
        match alarm {
            Alarm::Begin => self.begin(step),
            Alarm::Request(client) => self.repeat_request(step, client),
            Alarm::Reply(server) => self.repeat_reply(step, server),
            Alarm::Ring(server) => self.ring(step, server),
            Alarm::Answer(server) => self.answer(step, server),
            Alarm::Cancel => self.give_up(step),
            Alarm::HangUp(leg) => self.hang_up(step, leg),
            Alarm::Renegotiate(leg) => self.renegotiate(step, leg),
            Alarm::Within(leg, method) => self.speak(step, leg, method),
            Alarm::Continue => self.ask_to_continue(step),
        }
    }

    /// It speaks over TCP.
    pub fn is_stream(&self) -> bool {
        self.is_caller && self.plan.is_stream
    }

    fn contact(&self) -> String {
        let transport = if self.is_stream() { ";transport=tcp" } else { "" };
        format!("<sip:user@{}{transport}>", self.address)
    }

    /// A token unique in the world: tags and branches are made of it.
    fn token(&mut self) -> String {
        self.tokens += 1;
        let side = if self.is_caller { "a".to_owned() } else { format!("b{}", self.address.ip().to_string().replace('.', "x")) };
        let call = self.plan.call_id.split('@').next().unwrap_or_default();
        format!("{side}{}{call}", self.tokens)
    }
}

pub use wire::{address_of, reply as reply_bytes, reply_address};
