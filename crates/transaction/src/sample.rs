//! Messages and a small driver for the tests of this room.

use crate::action::{Action, Actions, Buffer};
use crate::branch::BranchStart;
use crate::decision::{Decision, RoutedReply};
use crate::endpoint::{Endpoint, Protocol};
use crate::key::request_key;
use crate::reply::ReplyStep;
use crate::server::{Origin, SentReply};
use crate::settings::Settings;
use crate::siphash::SecretKey;
use crate::spares::Spares;
use crate::table::{Creation, Table};
use crate::transaction::Transaction;
use sip::{Message, Time};

pub(crate) const SECRET: SecretKey = SecretKey(0x1234_5678, 0x9abc_def0);

pub(crate) fn endpoint(protocol: Protocol, port: u16) -> Endpoint {
    Endpoint { protocol, address: ([192, 0, 2, 1], port).into(), socket: 0, connection: 0 }
}

pub(crate) fn caller() -> Endpoint {
    endpoint(Protocol::Udp, 5060)
}

pub(crate) fn callee() -> Endpoint {
    endpoint(Protocol::Udp, 5070)
}

/// A request with these distinguishing parts.
pub(crate) fn request(method: &str, via: &str, to: &str) -> Message {
    let text = format!(
        "{method} sip:bob@example.com SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1\r\n\
         To: {to}\r\nCall-ID: call-1\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    parse(&text)
}

pub(crate) fn parse(text: &str) -> Message {
    Message::from_bytes(text.as_bytes()).expect("sample messages are well formed")
}

pub(crate) const VIA: &str = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-one";
pub(crate) const TO: &str = "<sip:bob@example.com>";

pub(crate) fn plain(method: &str) -> Message {
    request(method, VIA, TO)
}

pub(crate) fn reply(code: u16, method: &str) -> Message {
    parse(&format!(
        "SIP/2.0 {code} Text\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-ours\r\nVia: {VIA}\r\n\
         From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b1\r\nCall-ID: call-1\r\n\
         CSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// One transaction with its clock, doing what the proxy would do.
pub(crate) struct Bench {
    pub(crate) now: Time,
    pub(crate) settings: Settings,
    pub(crate) table: Table<u32>,
    pub(crate) transaction: Box<Transaction<u32>>,
    pub(crate) actions: Actions,
    pub(crate) method: String,
}

impl Bench {
    pub(crate) fn new(method: &str) -> Bench {
        Bench::over(method, Protocol::Udp, Settings::default())
    }

    pub(crate) fn over(method: &str, protocol: Protocol, settings: Settings) -> Bench {
        let now = Time(1_000_000);
        let table = Table::new(SECRET, 4, now);
        let message = plain(method);
        let key = request_key(SECRET, &message, &settings).expect("has a key");
        let created = table.create(&key, now, endpoint(protocol, 5060), &settings, &message, &mut Spares::default());
        let Creation::New(transaction) = created else { panic!("the table is empty") };
        Bench { now, settings, table, transaction, actions: Actions::new(), method: method.to_owned() }
    }

    pub(crate) fn local(method: &str) -> Bench {
        let mut bench = Bench::new(method);
        bench.transaction =
            bench.table.create_local(99, bench.transaction.method(), bench.now, &bench.settings).expect("the table has room");
        bench
    }

    pub(crate) fn fork(&mut self, branches: usize) {
        for _ in 0..branches {
            let index = self.transaction.add_branch(BranchStart::default(), &self.settings).expect("room for a branch");
            assert!(self.transaction.branch_sent(self.now, index, callee(), b"REQUEST"));
        }
    }

    pub(crate) fn receive(&mut self, branch: usize, code: u16) -> ReplyStep {
        let message = reply(code, &self.method);
        self.transaction.on_reply(self.now, branch, &message, &self.settings, &mut self.actions)
    }

    /// Receives a reply and decides on it, without running any route.
    pub(crate) fn answer(&mut self, branch: usize, code: u16) -> Decision {
        assert_eq!(self.receive(branch, code), ReplyStep::Process);
        let message = reply(code, &self.method);
        let routed = RoutedReply { message: &message, code, dropped: false };
        self.transaction.decide(self.now, branch, routed, &self.settings, &mut self.actions)
    }

    /// Answers, lets an unarmed failure route pass, and returns what is decided then.
    pub(crate) fn settle(&mut self, branch: usize, code: u16) -> Decision {
        let decision = self.answer(branch, code);
        self.pass_failure(decision)
    }

    pub(crate) fn pass_failure(&mut self, decision: Decision) -> Decision {
        match decision {
            Decision::FailureRoute { route: None, .. } => self.transaction.after_failure_route(&self.settings),
            other => other,
        }
    }

    pub(crate) fn send_reply(&mut self, code: u16, origin: Origin) -> bool {
        let sent = SentReply { code, origin, bytes: b"REPLY", to_tag: b"b1" };
        self.transaction.reply_sent(self.now, sent, &self.settings, &mut self.actions)
    }

    pub(crate) fn taken(&mut self) -> Actions {
        std::mem::take(&mut self.actions)
    }

    /// Moves the clock to the next deadline and returns the time and what the timer did.
    pub(crate) fn tick(&mut self) -> Option<(u64, crate::expiry::TimerStep)> {
        self.now = self.transaction.next_deadline().time()?;
        let step = self.transaction.on_timer(self.now, &self.settings, &mut self.actions);
        Some((self.now.0 - 1_000_000, step))
    }
}

pub(crate) fn resends(actions: &[Action], buffer: Buffer) -> usize {
    actions.iter().filter(|&&action| action == Action::Resend(buffer)).count()
}
