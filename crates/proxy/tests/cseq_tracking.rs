//! Whole calls by chance, with challenges that the proxy answers and requests it makes itself: no party ever sees a CSeq
//! number at or below one it has seen, and each gets its own numbers back (invariants D8, D10).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use sip::{HeaderId, Message};
use transaction::{Endpoint, Protocol};

const CALLER: usize = 0;
const CALLEE: usize = 1;
const ADDRESSES: [&str; 2] = ["127.0.0.1:5070", "127.0.0.1:5080"];
const SEEDS: u64 = 300;
const STEPS: usize = 40;

const CONFIGURATION: &str = r#"
loadmodule "tm"
loadmodule "rr"
loadmodule "sl"
loadmodule "pv"
loadmodule "textops"
loadmodule "siputils"
loadmodule "dialog"
loadmodule "uac"
modparam("dialog", "track_cseq_updates", 1)
modparam("uac", "credential", "trunk:x:secret")
request_route {
	if (is_method("CANCEL")) { t_relay(); exit; }
	if (has_totag()) {
		loose_route();
		if (is_method("PUBLISH")) { dlg_bye("all"); exit; }
		if (is_method("MESSAGE")) { dlg_req_within("all", "OPTIONS"); exit; }
		t_on_failure("CHALLENGED");
		t_relay();
		exit;
	}
	dlg_manage();
	record_route();
	$du = "sip:127.0.0.1:5080";
	t_on_failure("CHALLENGED");
	t_relay();
}
failure_route[CHALLENGED] {
	if (t_check_status("401|407") && uac_auth()) {
		t_on_failure("CHALLENGED");
		t_relay();
	}
}
"#;

struct OneFile;

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(CONFIGURATION.as_bytes().to_vec())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// Seeded numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[derive(Default)]
struct Party {
    /// Last number sent, and the numbers of requests by the branch they were sent with.
    number: u32,
    sent: BTreeMap<String, u32>,
    /// Highest number seen, and requests not answered yet.
    seen: u32,
    open: Vec<Message>,
    /// Numbers of INVITEs that were answered with 200 and wait for their ACK.
    owed: Vec<u32>,
}

struct Call {
    proxy: Proxy,
    worker: Worker,
    now: Now,
    parties: [Party; 2],
    route: String,
    branches: u32,
    challenges: usize,
    made_here: usize,
    seed: u64,
}

impl Call {
    fn new(seed: u64) -> Call {
        let checked = proxy::check("cseq.cfg", &mut OneFile, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
        let now = Now { time: Time(10_000), date: Date(1_700_000_000_000) };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let proxy = Proxy::new(proxy::start(prepared, now).unwrap_or_else(|error| panic!("{error}")));
        let worker = proxy.worker(0, seed, now);
        let parties = [Party::default(), Party::default()];
        Call { proxy, worker, now, parties, route: String::new(), branches: 0, challenges: 0, made_here: 0, seed }
    }

    /// A request of a party; ACKs name the number of their INVITE.
    fn request(&mut self, from: usize, method: &str, acknowledged: Option<u32>) {
        self.branches += 1;
        let branch = format!("z9hG4bK-{}", self.branches);
        let party = &mut self.parties[from];
        party.number += u32::from(acknowledged.is_none());
        let number = acknowledged.unwrap_or(party.number);
        party.sent.insert(branch.clone(), number);
        let is_first = self.route.is_empty();
        let (own, other) = if from == CALLER { ("a", "b") } else { ("b", "a") };
        let tag = if is_first {
            ""
        } else if from == CALLER {
            ";tag=callee"
        } else {
            ";tag=caller"
        };
        let own_tag = if from == CALLER { "caller" } else { "callee" };
        let uri = if is_first { "sip:b@example.com".to_owned() } else { format!("sip:{other}@{}", ADDRESSES[1 - from]) };
        let message = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch={branch}\r\n{route}From: <sip:{own}@example.com>;tag={own_tag}\r\n\
             To: <sip:{other}@example.com>{tag}\r\nCall-ID: chance\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:{own}@{address}>\r\nContent-Length: 5\r\n\r\nv=0\r\n",
            address = ADDRESSES[from],
            route = self.route,
        );
        self.give(from, message.as_bytes());
    }

    /// Answers the open request at `index` of a party.
    fn answer(&mut self, party: usize, index: usize, code: u16) {
        let request = self.parties[party].open.remove(index);
        let line = |header: &sip::Header| String::from_utf8_lossy(request.text(header.line)).into_owned();
        let kept: String = request
            .headers()
            .iter()
            .filter(|header| {
                matches!(header.id, HeaderId::Via | HeaderId::RecordRoute | HeaderId::From | HeaderId::CallId | HeaderId::CSeq)
            })
            .map(line)
            .collect();
        let to = String::from_utf8_lossy(request.value(HeaderId::To).unwrap()).into_owned();
        let tag = if request.to_tag().is_empty() { ";tag=callee" } else { "" };
        let challenge = if code == 407 { "Proxy-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\n" } else { "" };
        let name = if party == CALLER { "a" } else { "b" };
        let reply = format!(
            "SIP/2.0 {code} Answer\r\n{kept}To: {to}{tag}\r\nContact: <sip:{name}@{}>\r\n{challenge}Content-Length: 0\r\n\r\n",
            ADDRESSES[party]
        );
        self.challenges += usize::from(code == 407);
        if code == 200 && request.method_text() == b"INVITE" {
            self.parties[party].owed.push(request.cseq().unwrap().number);
        }
        self.give(party, reply.as_bytes());
    }

    fn give(&mut self, from: usize, bytes: &[u8]) {
        let source = Endpoint::udp(address(ADDRESSES[from]), 0);
        self.proxy.handle(&mut self.worker, self.now, Input::Message { bytes, from: source });
        let outbox = &self.worker.outbox;
        let sent: Vec<(SocketAddr, Vec<u8>)> = outbox
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { destination, bytes, .. } => Some((*destination, outbox.bytes.get(bytes.clone())?.to_vec())),
                _ => None,
            })
            .collect();
        self.worker.outbox.clear();
        for (to, bytes) in sent {
            let party = ADDRESSES.iter().position(|own| address(own) == to).unwrap_or_else(|| panic!("sent to {to}"));
            let message = Message::from_bytes(&bytes).unwrap();
            if message.is_request() { self.request_came(party, message) } else { self.reply_came(party, &message) }
        }
    }

    fn request_came(&mut self, party: usize, message: Message) {
        let number = message.cseq().unwrap().number;
        let place = format!("seed {}, party {party}: {}", self.seed, String::from_utf8_lossy(message.bytes()));
        let own = &mut self.parties[party];
        if message.method_text() == b"ACK" {
            // The ACK to a challenge is for an INVITE of long ago; the one to a 200 settles what is owed.
            if let Some(at) = own.owed.iter().position(|owed| *owed == number) {
                own.owed.remove(at);
            } else {
                assert!(message.vias().count() == 1, "an ACK for no INVITE: {place}");
            }
            return;
        }
        assert!(number > own.seen, "the number {number} after {}: {place}", own.seen);
        own.seen = number;
        self.made_here += usize::from(message.method_text() == b"OPTIONS");
        own.open.push(message);
    }

    fn reply_came(&mut self, party: usize, reply: &Message) {
        if reply.status() < 200 {
            return;
        }
        let branch = String::from_utf8_lossy(reply.top_via().unwrap().branch).into_owned();
        let cseq = reply.cseq().unwrap();
        let sent = self.parties[party].sent.get(&branch).copied();
        assert_eq!(Some(cseq.number), sent, "seed {}: {}", self.seed, String::from_utf8_lossy(reply.bytes()));
        if cseq.method_text == b"INVITE" && reply.status() == 200 {
            if self.route.is_empty() {
                self.route = reply.record_routes().map(|entry| format!("Route: {}\r\n", String::from_utf8_lossy(entry.whole))).collect();
            }
            let number = cseq.number;
            self.request(party, "ACK", Some(number));
        }
    }

    fn play(&mut self) {
        let mut chance = Chance(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        self.request(CALLER, "INVITE", None);
        while self.route.is_empty() {
            let code = if chance.below(2) == 0 { 407 } else { 200 };
            self.answer(CALLEE, 0, code);
        }
        for _ in 0..STEPS {
            let party = chance.below(2);
            match (chance.below(8), self.parties[party].open.len()) {
                (0, _) => self.request(party, "MESSAGE", None),
                (1 | 2, _) => self.request(party, "INFO", None),
                (3, _) => self.request(party, "INVITE", None),
                (_, 0) => {}
                (code, open) => {
                    let index = chance.below(open);
                    self.answer(party, index, if code < 6 { 407 } else { 200 });
                }
            }
        }
        for party in [CALLER, CALLEE, CALLER] {
            while !self.parties[party].open.is_empty() {
                self.answer(party, 0, 200);
            }
        }
        // The caller hangs up, or the proxy ends the call on both sides.
        let (method, ended): (_, &[usize]) = if self.seed.is_multiple_of(2) { ("BYE", &[CALLEE]) } else { ("PUBLISH", &[CALLER, CALLEE]) };
        self.request(CALLER, method, None);
        for party in ended {
            assert_eq!(self.parties[*party].open.last().map(Message::method_text), Some(&b"BYE"[..]), "seed {}", self.seed);
            self.answer(*party, 0, 200);
        }
        for party in &self.parties {
            assert!(party.owed.is_empty(), "seed {}: no ACK came for {:?}", self.seed, party.owed);
        }
        assert_eq!(self.proxy.node.dialogs.statistics().active, 0);
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn numbers_rise_at_both_parties_and_come_back_unchanged() {
    let (mut challenges, mut made_here) = (0, 0);
    for seed in 1..=SEEDS {
        let mut call = Call::new(seed);
        call.play();
        challenges += call.challenges;
        made_here += call.made_here;
    }
    assert!(challenges > 500 && made_here > 500, "{challenges} challenges, {made_here} requests made here");
}
