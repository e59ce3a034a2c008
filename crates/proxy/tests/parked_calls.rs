//! INVITEs that come again while the script of the first one waits: the call keeps its dialog and its place.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Barrier;

use modules::Worker;
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

impl Stage {
    fn new(main: &str) -> Stage {
        let modules = ["tm", "sl", "rr", "pv", "siputils", "textops", "cfgutils", "dialog"].map(|name| format!("loadmodule \"{name}\"\n"));
        let configuration = format!(
            "debug = -5\n{}modparam(\"dialog\", \"profiles_with_value\", \"account\")\nrequest_route {{\n{main}}}\n",
            modules.concat()
        );
        let checked = proxy::check("parked.cfg", &mut OneFile(configuration), &LoadOptions::default());
        let checked = checked.unwrap_or_else(|error| panic!("{error}"));
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let proxy = Proxy::new(proxy::start(prepared, now(0)).unwrap_or_else(|error| panic!("{error}")));
        let worker = proxy.worker(0, 1, now(0));
        Stage { proxy, worker, milliseconds: 0 }
    }

    /// What leaves, as destination and text, and the tickets of scripts that sleep now.
    fn give(&mut self, input: Input<'_>) -> (Vec<(SocketAddr, String)>, Vec<u64>) {
        self.proxy.handle(&mut self.worker, now(self.milliseconds), input);
        let outbox = &self.worker.outbox;
        let (mut sent, mut sleeping) = (Vec::new(), Vec::new());
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    sent.push((*destination, String::from_utf8_lossy(outbox.bytes.get(bytes.clone()).unwrap_or_default()).into_owned()));
                }
                Effect::Wake { ticket, .. } => sleeping.push(*ticket),
                _ => {}
            }
        }
        self.worker.outbox.clear();
        (sent, sleeping)
    }

    fn message(&mut self, text: &str, from: &str) -> (Vec<(SocketAddr, String)>, Vec<u64>) {
        self.give(Input::Message { bytes: text.as_bytes(), from: Endpoint::udp(address(from), 0) })
    }
}

const INVITE: &str = "INVITE sip:bob@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-a\r\n\
    From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\nCall-ID: parked@x\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:alice@127.0.0.1:5070>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

/// What Bob answers to a request that came to him.
fn answer(request: &str, status: &str) -> String {
    let kept: Vec<&str> = request
        .split("\r\n")
        .filter(|line| ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"].iter().any(|name| line.starts_with(name)))
        .collect();
    format!(
        "SIP/2.0 {status}\r\n{}\r\nTo: <sip:bob@example.com>;tag=b\r\nContact: <sip:bob@127.0.0.1:5080>\r\nContent-Length: 0\r\n\r\n",
        kept.join("\r\n")
    )
}

#[test]
fn a_call_keeps_its_dialog_when_its_invite_came_again_while_the_script_waited() {
    keeps_its_dialog(false);
    keeps_its_dialog(true);
}

/// The INVITE comes again while its script sleeps; either may go on first.
fn keeps_its_dialog(is_copy_first: bool) {
    let mut stage = Stage::new("\tdlg_manage();\n\tsleep(1);\n\trecord_route();\n\t$du = \"sip:127.0.0.1:5080\";\n\tt_relay();\n");
    let (_, mut sleeping) = stage.message(INVITE, ALICE);
    stage.milliseconds = 500;
    sleeping.extend(stage.message(INVITE, ALICE).1);
    let mut forwarded = Vec::new();
    if is_copy_first {
        sleeping.reverse();
    }
    for ticket in sleeping {
        stage.milliseconds += 600;
        forwarded.extend(stage.give(Input::Answer { ticket, answer: Answer::Awake }).0);
    }
    let invites: Vec<&String> =
        forwarded.iter().filter(|(to, text)| *to == address(BOB) && text.starts_with("INVITE ")).map(|(_, text)| text).collect();
    assert_eq!(invites.len(), 1, "{forwarded:?}");
    assert!(invites[0].contains(";did="), "requests within the call find the dialog: {}", invites[0]);
    stage.message(&answer(invites[0], "200 OK"), BOB);
    let counts = stage.proxy.node.dialogs.statistics();
    assert_eq!((counts.active, counts.abandoned), (1, 0), "{counts:?}");
}

#[test]
fn a_place_is_not_refused_to_the_invite_that_comes_again() {
    let mut stage = Stage::new(
        "\tdlg_manage();\n\tif (dlg_profile_acquire(\"account\", \"$fU\", 1) != 1) { sl_send_reply(\"486\", \"Busy\"); exit; }\n\
         \tsleep(1);\n\t$du = \"sip:127.0.0.1:5080\";\n\tt_relay();\n",
    );
    let (_, mut sleeping) = stage.message(INVITE, ALICE);
    stage.milliseconds = 500;
    let (sent, again) = stage.message(INVITE, ALICE);
    assert!(sent.iter().all(|(_, text)| !text.contains("486")), "{sent:?}");
    sleeping.extend(again);
    for ticket in sleeping {
        stage.milliseconds += 600;
        stage.give(Input::Answer { ticket, answer: Answer::Awake });
    }
    let profiles = stage.proxy.node.dialogs.profiles();
    assert_eq!(profiles.size(profiles.find("account").expect("a profile"), Some(b"alice")), Some(1));
}

#[test]
fn two_workers_with_the_same_invite_make_one_call_that_stays() {
    const CALLS: usize = 2_000;
    let stage = Stage::new("\tdlg_manage();\n\trecord_route();\n\t$du = \"sip:127.0.0.1:5080\";\n\tt_relay();\n");
    let (proxy, barrier) = (&stage.proxy, Barrier::new(2));
    let forwarded: usize = std::thread::scope(|scope| {
        let worker = |number| {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut worker = proxy.worker(number, 1 + u64::from(number), now(0));
                let mut forwarded = 0;
                for call in 0..CALLS {
                    let invite = INVITE.replace("parked@x", &format!("{call}@x")).replace("z9hG4bK-a", &format!("z9hG4bK-{call}"));
                    barrier.wait();
                    let from = Endpoint::udp(address(ALICE), 0);
                    proxy.handle(&mut worker, now(0), Input::Message { bytes: invite.as_bytes(), from });
                    let is_to_bob = |effect: &&Effect| matches!(effect, Effect::Send { destination, .. } if *destination == address(BOB));
                    forwarded += worker.outbox.effects.iter().filter(is_to_bob).count();
                    worker.outbox.clear();
                }
                forwarded
            })
        };
        let workers = [worker(1), worker(2)];
        workers.into_iter().map(|worker| worker.join().expect("a worker")).sum()
    });
    let counts = proxy.node.dialogs.statistics();
    assert_eq!((forwarded, counts.processed, counts.unconfirmed), (CALLS, CALLS as u64, CALLS as u64), "{counts:?}");
}
