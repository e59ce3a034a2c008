//! Requests within stored dialogs while these are being loaded: they wait for their slot, and nothing else waits.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use dialog::{CalleeLeg, DialogId, NewDialog, Restored, State};
use modules::Worker;
use modules::node::Process;
use modules::outbox::{Effect, StoredDialogs};
use modules::run::Answer;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

const ALICE: &str = "127.0.0.1:5070";

const MAIN: &str = r#"
    if (has_totag()) {
        if (loose_route()) { $du = "sip:127.0.0.1:5080"; t_relay(); exit; }
        sl_send_reply("404", "Not Here");
        exit;
    }
    sl_send_reply("200", "Alive");
"#;

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

fn now(milliseconds: u64) -> Now {
    Now { time: Time(1_000 + milliseconds), date: Date(1_700_000_000_000 + milliseconds) }
}

struct Stage {
    proxy: Proxy,
    worker: Worker,
    milliseconds: u64,
}

/// What came of an input: first lines of what left, and what is to be loaded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    sent: Vec<String>,
    loads: Vec<StoredDialogs>,
    ticket: u64,
}

impl Stage {
    fn new() -> Stage {
        let modules = ["tm", "sl", "rr", "pv", "siputils", "textops", "dialog"].map(|name| format!("loadmodule \"{name}\"\n"));
        let configuration =
            format!("debug = -5\n{}modparam(\"dialog\", \"dlg_match_mode\", 1)\nrequest_route {{\n{MAIN}}}\n", modules.concat());
        let checked = proxy::check("slots.cfg", &mut OneFile(configuration), &LoadOptions::default());
        let checked = checked.unwrap_or_else(|error| panic!("{error}"));
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let proxy = Proxy::new(proxy::start(prepared, now(0)).unwrap_or_else(|error| panic!("{error}")));
        let worker = proxy.worker(0, 1, now(0));
        proxy.node.dialogs.begin_loading();
        Stage { proxy, worker, milliseconds: 0 }
    }

    fn give(&mut self, input: Input<'_>) -> Outcome {
        self.proxy.handle(&mut self.worker, now(self.milliseconds), input);
        let outbox = &self.worker.outbox;
        let mut outcome = Outcome::default();
        for effect in &outbox.effects {
            match effect {
                Effect::Send { bytes, .. } => {
                    let text = String::from_utf8_lossy(outbox.bytes.get(bytes.clone()).unwrap_or_default()).into_owned();
                    outcome.sent.push(text.split(" SIP/2.0\r\n").next().unwrap_or_default().lines().next().unwrap_or_default().to_owned());
                }
                Effect::LoadDialogs { ticket, which } => {
                    outcome.loads.push(which.clone());
                    outcome.ticket = *ticket;
                }
                _ => {}
            }
        }
        self.worker.outbox.clear();
        outcome
    }

    fn request(&mut self, method: &str, call_id: &str, number: u32, to_tag: &str) -> Outcome {
        let text = format!(
            "{method} sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{call_id}-{number}\r\n\
             Route: <sip:127.0.0.1:5060;lr;ftag=a>\r\nFrom: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>{to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        self.give(Input::Message { bytes: text.as_bytes(), from: Endpoint::udp(address(ALICE), 0) })
    }

    fn slot(&self, call_id: &str) -> u32 {
        self.proxy.node.dialogs.slot_of(call_id.as_bytes())
    }

    /// What the thread with the database does.
    fn restore(&self, call_id: &str) -> DialogId {
        let id = DialogId { entry: self.slot(call_id), id: 7 };
        let new = NewDialog {
            call_id: call_id.as_bytes(),
            from_tag: b"a",
            contact: b"sip:alice@127.0.0.1:5070",
            cseq: 1,
            ..NewDialog::default()
        };
        let callee = CalleeLeg { tag: b"b", contact: b"sip:bob@127.0.0.1:5080", ..CalleeLeg::default() };
        let stored =
            Restored { id, state: State::Confirmed, new, callee, callee_cseq: 0, start_time: 1_699_999_990, timeout: 1_700_003_600 };
        self.proxy.node.dialogs.restore(now(self.milliseconds), &stored).expect("a stored dialog");
        id
    }
}

#[test]
fn requests_of_a_slot_wait_for_one_load_and_go_on_in_their_order() {
    let mut stage = Stage::new();
    let first = stage.request("INFO", "stored@x", 2, ";tag=b");
    assert_eq!((first.sent.len(), first.loads), (0, vec![StoredDialogs::OfSlot(stage.slot("stored@x"))]));
    assert_eq!(stage.request("BYE", "stored@x", 3, ";tag=b"), Outcome::default(), "one load serves both");
    assert_eq!(stage.proxy.awaiting_dialogs(), 2);
    let id = stage.restore("stored@x");
    stage.proxy.node.dialogs.mark_slot_loaded(id.entry);
    let outcome = stage.give(Input::Answer { ticket: first.ticket, answer: Answer::DialogsLoaded(Ok(1)) });
    let methods: Vec<&str> = outcome.sent.iter().filter_map(|line| line.split(' ').next()).filter(|word| *word != "SIP/2.0").collect();
    assert_eq!(methods, ["INFO", "BYE"], "{outcome:?}");
    assert_eq!(stage.proxy.node.dialogs.statistics().active, 0, "the BYE ended it");
    assert_eq!(stage.proxy.awaiting_dialogs(), 0);
    assert_eq!(stage.request("OPTIONS", "stored@x", 4, ";tag=b").loads, [], "the slot is complete");
}

#[test]
fn new_calls_and_dialogs_that_are_there_do_not_wait() {
    let mut stage = Stage::new();
    assert_eq!(stage.request("OPTIONS", "new@x", 1, "").sent, ["SIP/2.0 200 Alive"]);
    stage.restore("there@x");
    let outcome = stage.request("INFO", "there@x", 2, ";tag=b");
    assert_eq!((outcome.sent.len(), outcome.loads), (1, vec![]));
}

#[test]
fn what_cannot_be_loaded_is_handled_without() {
    let mut stage = Stage::new();
    let waiting = stage.request("INFO", "gone@x", 2, ";tag=b");
    let answer = Answer::DialogsLoaded(Err(String::from("the database is away")));
    let outcome = stage.give(Input::Answer { ticket: waiting.ticket, answer });
    assert!(outcome.sent.iter().any(|line| line.starts_with("INFO ")), "loose routing needs no dialog: {outcome:?}");
    assert_eq!(outcome.loads, [], "it does not wait a second time");
}

#[test]
fn nobody_waits_longer_than_the_bound() {
    let mut stage = Stage::new();
    let waiting = stage.request("INFO", "late@x", 2, ";tag=b");
    assert_eq!(waiting.loads.len(), 1);
    stage.milliseconds = 4_000;
    assert_eq!(stage.give(Input::Tick), Outcome::default());
    stage.milliseconds = 7_000;
    let outcome = stage.give(Input::Tick);
    assert!(outcome.sent.iter().any(|line| line.starts_with("INFO ")), "{outcome:?}");
    let late = stage.give(Input::Answer { ticket: waiting.ticket, answer: Answer::DialogsLoaded(Ok(1)) });
    assert_eq!(late, Outcome::default());
}

#[test]
fn what_is_left_when_loading_ends_still_goes_on() {
    let mut stage = Stage::new();
    let waiting = stage.request("BYE", "last@x", 2, ";tag=b");
    stage.restore("last@x");
    stage.proxy.node.dialogs.finish_loading();
    assert_eq!(stage.request("BYE", "last@x", 2, ";tag=b"), Outcome::default(), "a copy does not overtake");
    let outcome = stage.give(Input::Answer { ticket: waiting.ticket, answer: Answer::DialogsLoaded(Ok(0)) });
    assert_eq!(outcome.sent.iter().filter(|line| line.starts_with("BYE ")).count(), 1, "{outcome:?}");
}
