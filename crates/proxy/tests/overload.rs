//! New calls that come while the receive queue stays full: which are refused, how, and what is left alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use modules::Worker;
use modules::core::overload::{Levels, OVER_AFTER_MILLISECONDS};
use modules::node::Process;
use modules::outbox::Effect;
use modules::run::Answer;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

const ALICE: &str = "127.0.0.1:5070";
const BOB: &str = "127.0.0.1:5080";
/// A script that forwards everything, and counts what it sees.
const FORWARDS: &str = "\t$shv(seen) = $shv(seen) + 1;\n\tif (has_totag()) { loose_route(); t_relay(); exit; }\n\trecord_route();\n\
                        \t$du = \"sip:127.0.0.1:5080\";\n\tt_relay();\n";

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

struct Stage {
    proxy: Proxy,
    worker: Worker,
    milliseconds: u64,
    logged: Vec<String>,
    /// Tickets of scripts that sleep.
    asleep: Vec<u64>,
}

impl Stage {
    fn new(settings: &str, main: &str) -> Stage {
        let modules = ["tm", "sl", "rr", "pv", "siputils", "cfgutils"].map(|name| format!("loadmodule \"{name}\"\n")).concat();
        let configuration = format!("debug = 0\n{settings}\n{modules}request_route {{\n{main}}}\n");
        let checked = proxy::check("overload.cfg", &mut OneFile(configuration), &LoadOptions::default());
        let checked = checked.unwrap_or_else(|error| panic!("{error}"));
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let now = now(0);
        let proxy = Proxy::new(proxy::start(prepared, now).unwrap_or_else(|error| panic!("{error}")));
        let worker = proxy.worker(0, 1, now);
        Stage { proxy, worker, milliseconds: 0, logged: Vec::new(), asleep: Vec::new() }
    }

    /// A stage whose receive queue has been that full for a while.
    fn at(percent: u8) -> Stage {
        let mut stage = Stage::new("", FORWARDS);
        stage.fill(percent);
        stage
    }

    /// The queue is that full for a second.
    fn fill(&mut self, percent: u8) {
        for _ in 0..1_000 {
            self.tell(percent);
            self.milliseconds += 1;
        }
    }

    fn tell(&mut self, percent: u8) {
        self.worker.backlog.told(now(self.milliseconds).time, percent);
    }

    fn give(&mut self, input: Input<'_>) -> Vec<(SocketAddr, String)> {
        self.proxy.handle(&mut self.worker, now(self.milliseconds), input);
        let outbox = &self.worker.outbox;
        let mut sent = Vec::new();
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    sent.push((*destination, String::from_utf8_lossy(outbox.bytes.get(bytes.clone()).unwrap_or_default()).into_owned()));
                }
                Effect::Log { text, .. } => self.logged.push(String::from_utf8_lossy(text).into_owned()),
                Effect::Wake { ticket, .. } => self.asleep.push(*ticket),
                _ => {}
            }
        }
        self.worker.outbox.clear();
        sent
    }

    fn message(&mut self, text: &str, from: &str) -> Vec<(SocketAddr, String)> {
        self.give(Input::Message { bytes: text.as_bytes(), from: Endpoint::udp(address(from), 0) })
    }

    /// Of so many new calls, which were refused.
    fn calls(&mut self, first: u32, count: u32) -> Vec<bool> {
        (first..first + count).map(|number| refusal(&self.message(&invite(number), ALICE)).is_some()).collect()
    }

    fn statistic(&self, name: &str) -> i64 {
        let all = modules::registry::ALL.iter().flat_map(|module| module.statistics);
        let statistic = all.into_iter().find(|statistic| statistic.group == "core" && statistic.name == name);
        (statistic.expect("a statistic").read)(&self.proxy.node)
    }

    /// How often the script ran.
    fn seen(&self) -> i64 {
        self.proxy.node.states.pv.shared.read(b"seen").to_integer()
    }
}

fn now(milliseconds: u64) -> Now {
    Now { time: Time(1_000 + milliseconds), date: Date(1_700_000_000_000 + milliseconds) }
}

fn invite(number: u32) -> String {
    request("INVITE", number, "", "")
}

fn request(method: &str, number: u32, to_tag: &str, headers: &str) -> String {
    format!(
        "{method} sip:bob@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{number};rport\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-inner\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a{number}\r\n\
         To: <sip:bob@example.com>{to_tag}\r\nCall-ID: {number}@x\r\nCSeq: 1 {method}\r\n{headers}\
         Contact: <sip:alice@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The 503 among what left.
fn refusal(sent: &[(SocketAddr, String)]) -> Option<&str> {
    sent.iter().find(|(_, text)| text.starts_with("SIP/2.0 503 ")).map(|(_, text)| &text[..])
}

fn line<'a>(text: &'a str, name: &str) -> &'a str {
    text.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

#[test]
fn a_queue_below_the_lower_level_refuses_nobody_and_one_above_the_upper_level_everybody() {
    let Levels { low, high } = Levels::default();
    for percent in [0, 1, low] {
        assert!(Stage::at(percent).calls(0, 50).iter().all(|refused| !refused), "{percent} %");
    }
    for percent in [high, 100] {
        assert!(Stage::at(percent).calls(0, 50).iter().all(|refused| *refused), "{percent} %");
    }
}

#[test]
fn between_the_levels_a_share_is_refused_evenly() {
    let Levels { low, high } = Levels::default();
    let mut stage = Stage::at(low + (high - low) / 5);
    let refused = stage.calls(0, 100);
    assert!(refused.chunks(5).all(|part| part == [false, false, false, false, true]), "{refused:?}");
    assert_eq!((stage.statistic("overload_refused"), stage.statistic("rcv_requests_invite"), stage.seen()), (20, 100, 80));
}

#[test]
fn what_piled_up_in_a_moment_is_no_overload() {
    let mut stage = Stage::new("", FORWARDS);
    stage.tell(100);
    assert!(stage.calls(0, 10).iter().all(|refused| !refused));
    stage.fill(100);
    assert!(stage.calls(10, 10).iter().all(|refused| *refused));
    stage.tell(0);
    assert!(stage.calls(20, 10).iter().all(|refused| !refused));
    stage.tell(100);
    assert!(stage.calls(30, 10).iter().all(|refused| *refused), "the overload goes on");
}

#[test]
fn nothing_but_new_calls_is_refused_while_the_queue_is_full() {
    let mut stage = Stage::at(100);
    let within = [
        request("INVITE", 1, ";tag=b", ""),
        request("BYE", 2, ";tag=b", ""),
        request("ACK", 3, ";tag=b", ""),
        request("OPTIONS", 4, "", ""),
        request("REGISTER", 5, "", ""),
        request("CANCEL", 6, "", ""),
        request("MESSAGE", 7, "", ""),
    ];
    for (place, text) in within.iter().enumerate() {
        let sent = stage.message(text, ALICE);
        assert_eq!((refusal(&sent), stage.seen()), (None, place as i64 + 1), "{text}");
    }
}

#[test]
fn an_invite_that_was_taken_is_absorbed_when_it_comes_again_while_the_queue_is_full() {
    let mut stage = Stage::new("", FORWARDS);
    let first = stage.message(&invite(1), ALICE);
    assert!(first.iter().any(|(to, _)| *to == address(BOB)), "{first:?}");
    stage.fill(100);
    let again = stage.message(&invite(1), ALICE);
    assert_eq!(again.iter().map(|(_, text)| &text[..12]).collect::<Vec<_>>(), ["SIP/2.0 100 "]);
    assert_eq!((stage.seen(), stage.statistic("overload_refused")), (1, 0));
}

#[test]
fn an_invite_whose_script_waits_is_not_refused_when_it_comes_again() {
    let mut stage = Stage::new("", "\tsleep(1);\n\t$du = \"sip:127.0.0.1:5080\";\n\tt_relay();\n");
    stage.message(&invite(1), ALICE);
    assert_eq!(stage.proxy.parked(), 1);
    stage.fill(100);
    assert!(refusal(&stage.message(&invite(1), ALICE)).is_none(), "the first one goes on");
    assert!(refusal(&stage.message(&invite(2), ALICE)).is_some());
    assert_eq!(stage.proxy.parked(), 2);
    for ticket in std::mem::take(&mut stage.asleep) {
        stage.give(Input::Answer { ticket, answer: Answer::Awake });
    }
    assert_eq!(stage.proxy.parked(), 0);
}

#[test]
fn a_refusal_is_a_whole_reply_and_its_ack_never_meets_the_script() {
    let mut stage = Stage::at(100);
    let text = invite(7).replace("Via: SIP/2.0/UDP 127.0.0.1:5070", "Via: SIP/2.0/UDP 10.0.0.9:5070");
    let sent = stage.message(&text, "127.0.0.1:5099");
    let [(to, reply)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(*to, address("127.0.0.1:5099"), "rport");
    assert!(reply.starts_with("SIP/2.0 503 Service Unavailable\r\n"), "{reply}");
    let vias: Vec<&str> = reply.split("\r\n").filter(|line| line.starts_with("Via: ")).collect();
    assert_eq!(vias.len(), 2, "{reply}");
    assert!(vias[0].contains(";rport=5099;received=127.0.0.1"), "{reply}");
    assert_eq!(vias[1], "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-inner");
    for name in ["From", "Call-ID", "CSeq"] {
        assert_eq!(line(reply, name), line(&text, name));
    }
    let tag = line(reply, "To").strip_prefix("<sip:bob@example.com>;tag=").expect("a tag");
    let again = stage.message(&text, "127.0.0.1:5099");
    assert_eq!(refusal(&again), Some(&reply[..]), "the same refusal, with the same tag");
    let ack = text.replace("INVITE", "ACK").replace("To: <sip:bob@example.com>", &format!("To: <sip:bob@example.com>;tag={tag}"));
    assert!(stage.message(&ack, "127.0.0.1:5099").is_empty());
    assert_eq!((stage.seen(), stage.statistic("rcv_requests_ack")), (0, 1));
    stage.message(&ack.replace("z9hG4bK-7", "z9hG4bK-8"), "127.0.0.1:5099");
    assert_eq!(stage.seen(), 1, "an ACK of another transaction is none to the refusal");
}

#[test]
fn refused_callers_do_not_come_back_at_once() {
    let mut stage = Stage::at(100);
    let mut waits: BTreeMap<String, u32> = BTreeMap::new();
    for number in 0..500 {
        let sent = stage.message(&invite(number), ALICE);
        *waits.entry(line(refusal(&sent).expect("a refusal"), "Retry-After").to_owned()).or_default() += 1;
    }
    assert_eq!(waits.keys().map(|wait| wait.parse().expect("seconds")).collect::<Vec<u32>>(), [2, 3, 4, 5, 6]);
    assert!(waits.values().all(|count| *count > 50), "{waits:?}");
}

#[test]
fn an_overload_is_told_when_it_begins_and_when_it_is_over() {
    let mut stage = Stage::at(100);
    stage.calls(0, 10);
    stage.milliseconds += 500;
    stage.calls(10, 10);
    assert_eq!(stage.statistic("overload"), 1);
    stage.tell(0);
    stage.milliseconds += OVER_AFTER_MILLISECONDS;
    stage.give(Input::Tick);
    assert_eq!(stage.statistic("overload"), 0);
    let told: Vec<&str> = stage.logged.iter().map(String::as_str).filter(|line| line.contains("overload")).collect();
    assert_eq!(
        told,
        [
            "core: overload begins: the receive queue stays full, new calls are refused with 503",
            "core: overload is over: 20 calls were refused in 0.5 s",
        ]
    );
}

#[test]
fn the_control_can_be_switched_off() {
    let mut stage = Stage::new("overload_control = no", FORWARDS);
    stage.fill(100);
    assert!(stage.calls(0, 20).iter().all(|refused| !refused));
}

#[test]
fn calls_over_a_stream_are_left_to_its_back_pressure() {
    let mut stage = Stage::at(100);
    let from = Endpoint { protocol: Protocol::Tcp, connection: 5, ..Endpoint::udp(address(ALICE), 0) };
    let text = invite(1).replace("/UDP 127", "/TCP 127");
    stage.give(Input::Message { bytes: text.as_bytes(), from });
    assert_eq!((stage.seen(), stage.statistic("overload_refused")), (1, 0));
}

#[test]
fn what_cannot_be_read_is_dropped_as_always() {
    let mut stage = Stage::at(100);
    for text in [invite(1).replace("CSeq: 1", "CSeq: x"), invite(2).replace("Call-ID", "Call"), "INVITE \r\n\r\n".to_owned()] {
        assert!(stage.message(&text, ALICE).is_empty(), "{text}");
    }
    assert_eq!((stage.seen(), stage.statistic("overload_refused")), (0, 0));
}
