//! The case of an INVITE transaction, from its key to its end, while as many others linger as at eight hundred a second.

use sip::{Message, Time};
use transaction::key::request_key;
use transaction::{
    Actions, BranchId, BranchStart, CheckIn, Checkout, Creation, Decision, Endpoint, Key, Origin, ReplyStep, RoutedReply, SecretKey,
    SentReply, Settings, Spares, Table, TimerStep, Transaction, TransactionId, branch_id,
};

use crate::call::{CALLS_A_SECOND, CALLS_UNTIL_STEADY};
use crate::meter::{Meter, Uncounted};

const SECRET: SecretKey = SecretKey(0x1234_5678, 0x9abc_def0);
const SHARDS: usize = 256;
/// Timer steps of one transaction at one moment.
const STEPS_MAX: usize = 8;

pub(crate) fn run(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let mut room = Room::new();
    for _ in 0..CALLS_UNTIL_STEADY {
        room.one_more(&mut Uncounted)?;
    }
    for _ in 0..count {
        room.one_more(meter)?;
    }
    let left = room.table.len();
    if left <= CALLS_UNTIL_STEADY as usize { Ok(()) } else { Err(format!("{left} transactions are left, too few ended")) }
}

struct Room {
    table: Table<()>,
    spares: Spares<()>,
    settings: Settings,
    number: u64,
    actions: Actions,
    due: Vec<TransactionId>,
    branch: Vec<u8>,
}

impl Room {
    fn new() -> Room {
        Room {
            table: Table::new(SECRET, SHARDS, Time(0)),
            spares: Spares::default(),
            settings: Settings::default(),
            number: 0,
            actions: Actions::new(),
            due: Vec::new(),
            branch: Vec::new(),
        }
    }

    fn one_more(&mut self, meter: &mut impl Meter) -> Result<(), String> {
        let (invite, reply) = messages(self.number)?;
        let now = Time(1_000 + self.number * 1_000 / u64::from(CALLS_A_SECOND));
        self.number += 1;
        meter.run(|| self.whole(now, &invite, &reply)).ok_or_else(|| format!("transaction {} went another way", self.number))
    }

    /// One transaction begins and is answered, and those that are due end. None: a step was not the expected one.
    fn whole(&mut self, now: Time, invite: &Message, reply: &Message) -> Option<()> {
        let key = request_key(SECRET, invite, &self.settings)?;
        self.begin(now, &key, invite)?;
        self.answer(now, reply)?;
        self.end_due(now)
    }

    fn begin(&mut self, now: Time, key: &Key, invite: &Message) -> Option<()> {
        let Creation::New(mut transaction) = self.table.create(key, now, endpoint(5060), &self.settings, invite, &mut self.spares) else {
            return None;
        };
        self.send_reply(now, &mut transaction, 100, b"")?;
        let branch = transaction.add_branch(BranchStart::default(), &self.settings).ok()?;
        self.branch.clear();
        branch_id::write_branch(&mut self.branch, SECRET, transaction.id(), key.call, branch);
        let bytes = self.spares.buffer_with(invite.bytes());
        if !transaction.branch_sent(now, branch, endpoint(5070), bytes) {
            return None;
        }
        matches!(self.table.check_in(transaction), CheckIn::Done).then_some(())
    }

    fn answer(&mut self, now: Time, reply: &Message) -> Option<()> {
        let BranchId::Transaction { id, branch } = branch_id::read_branch(SECRET, &self.branch) else { return None };
        let Checkout::Taken(mut transaction) = self.table.checkout(id) else { return None };
        self.actions.clear();
        if transaction.on_reply(now, branch, reply, &self.settings, &mut self.actions) != ReplyStep::Process {
            return None;
        }
        let routed = RoutedReply { message: reply, code: 200, dropped: false };
        let Decision::Relay { .. } = transaction.decide(now, branch, routed, &self.settings, &mut self.actions) else { return None };
        self.send_reply(now, &mut transaction, 200, reply.to_tag())?;
        self.spares.collect(&mut transaction);
        matches!(self.table.check_in(transaction), CheckIn::Done).then_some(())
    }

    fn send_reply(&mut self, now: Time, transaction: &mut Transaction<()>, code: u16, to_tag: &[u8]) -> Option<()> {
        let origin = if code == 100 { Origin::Local } else { Origin::Relayed };
        let sent = SentReply { code, origin, bytes: REPLY_BYTES, to_tag };
        self.actions.clear();
        transaction.reply_sent(now, sent, &self.settings, &mut self.actions).then_some(())
    }

    fn end_due(&mut self, now: Time) -> Option<()> {
        self.due.clear();
        self.table.due(now, &mut self.due);
        for id in &self.due {
            let Checkout::Taken(mut transaction) = self.table.checkout(*id) else { return None };
            self.actions.clear();
            for _ in 0..STEPS_MAX {
                if matches!(transaction.on_timer(now, &self.settings, &mut self.actions), TimerStep::Idle | TimerStep::Ended) {
                    break;
                }
            }
            if let CheckIn::Freed(ended, _) = self.table.check_in(transaction) {
                self.spares.keep(ended, |()| {});
            }
        }
        Some(())
    }
}

/// As long as a reply is.
const REPLY_BYTES: &[u8] = &[b'x'; 480];

fn endpoint(port: u16) -> Endpoint {
    Endpoint::udp(std::net::SocketAddr::from(([192, 0, 2, 1], port)), 0)
}

fn messages(number: u64) -> Result<(Message, Message), String> {
    let dialog = format!("From: <sip:alice@example.com>;tag=a{number}\r\nCall-ID: {number}-4711@192.0.2.1\r\nCSeq: 1 INVITE\r\n");
    let via = format!("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{number}\r\n");
    let invite = format!(
        "INVITE sip:bob@example.com SIP/2.0\r\n{via}Max-Forwards: 70\r\nTo: <sip:bob@example.com>\r\n{dialog}Content-Length: 0\r\n\r\n"
    );
    let reply = format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-ours\r\n{via}To: <sip:bob@example.com>;tag=b\r\n{dialog}Content-Length: 0\r\n\r\n"
    );
    let parse = |text: String| Message::from_bytes(text.as_bytes()).map_err(|error| error.to_string());
    Ok((parse(invite)?, parse(reply)?))
}
