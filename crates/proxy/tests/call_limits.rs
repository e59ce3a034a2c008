//! examples/atomic-limit.cfg under INVITEs that come at the same moment on several workers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::rpc::{Item, Parameters, Wire};
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

const CONFIGURATION: &str = include_str!("../../../examples/atomic-limit.cfg");
const GATEWAY: &str = "127.0.0.1:5080";
const NOW: Now = Now { time: Time(1_000), date: Date(1_700_000_000_000) };

struct OneFile;

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(CONFIGURATION.as_bytes().to_vec())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn proxy(defines: &[&str]) -> Proxy {
    let defines = defines.iter().chain(&["LOG_LEVEL=-5"]).map(|define| define.to_string()).collect();
    let options = LoadOptions { defines, ..LoadOptions::default() };
    let checked = proxy::check("atomic-limit.cfg", &mut OneFile, &options).unwrap_or_else(|error| panic!("{error}"));
    let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
    let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
    Proxy::new(proxy::start(prepared, NOW).unwrap_or_else(|error| panic!("{error}")))
}

/// What leaves: destination and text.
fn give(proxy: &Proxy, worker: &mut Worker, text: &str, from: &str) -> Vec<(SocketAddr, String)> {
    proxy.handle(worker, NOW, Input::Message { bytes: text.as_bytes(), from: Endpoint::udp(address(from), 0) });
    let outbox = &worker.outbox;
    let sends = outbox.effects.iter().filter_map(|effect| match effect {
        Effect::Send { destination, bytes, .. } => {
            Some((*destination, String::from_utf8_lossy(outbox.bytes.get(bytes.clone())?).into_owned()))
        }
        _ => None,
    });
    let sends = sends.collect();
    worker.outbox.clear();
    sends
}

fn invite(call: usize, account: &str, callee: &str) -> String {
    format!(
        "INVITE sip:{callee}@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{account}{call}\r\n\
         From: <sip:{account}@example.com>;tag=f{call}\r\nTo: <sip:{callee}@example.com>\r\nCall-ID: {account}-{call}@x\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:{account}@127.0.0.1:5070>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The INVITE that went to the gateway; none: the caller was refused with this status.
fn call(proxy: &Proxy, worker: &mut Worker, call: usize, account: &str, callee: &str) -> Result<String, String> {
    let sent = give(proxy, worker, &invite(call, account, callee), "127.0.0.1:5070");
    let status = |text: &str| text.split(' ').nth(1).unwrap_or_default().to_string();
    match sent.iter().find(|(to, _)| *to == address(GATEWAY)) {
        Some((_, forwarded)) => Ok(forwarded.clone()),
        None => Err(sent.last().map(|(_, reply)| status(reply)).unwrap_or_default()),
    }
}

fn size(proxy: &Proxy, profile: &str, value: &str) -> u64 {
    let profiles = proxy.node.dialogs.profiles();
    profiles.find(profile).and_then(|profile| profiles.size(profile, Some(value.as_bytes()))).expect("a profile")
}

#[test]
fn of_calls_at_the_same_moment_exactly_the_limit_passes() {
    const WORKERS: usize = 8;
    const CALLS: usize = 40;
    let proxy = proxy(&["ACCOUNT_LIMIT=25", "GATEWAY_LIMIT=60", "GATEWAY_HEADROOM=10"]);
    let barrier = Barrier::new(WORKERS);
    let passed = AtomicUsize::new(0);
    let busy = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..WORKERS {
            let (proxy, barrier, passed, busy) = (&proxy, &barrier, &passed, &busy);
            scope.spawn(move || {
                let mut worker = proxy.worker(number as u32, number as u64, NOW);
                barrier.wait();
                for turn in 0..CALLS {
                    match call(proxy, &mut worker, number * CALLS + turn, "alice", "bob") {
                        Ok(_) => passed.fetch_add(1, SeqCst),
                        Err(status) if status == "486" => busy.fetch_add(1, SeqCst),
                        Err(status) => panic!("refused with {status}"),
                    };
                }
            });
        }
    });
    assert_eq!((passed.load(SeqCst), busy.load(SeqCst)), (25, WORKERS * CALLS - 25));
    assert_eq!((size(&proxy, "account", "alice"), size(&proxy, "gateway", "gw1")), (25, 25));
    let audit = proxy.node.dialogs.profiles_audit().expect("no other audit runs");
    assert_eq!((audit.checked, audit.different), (2, 0));
}

#[test]
fn emergency_calls_find_a_place_when_the_gateway_is_full_and_failed_calls_give_theirs_back() {
    let proxy = proxy(&["ACCOUNT_LIMIT=5", "GATEWAY_LIMIT=2", "GATEWAY_HEADROOM=1"]);
    let mut worker = proxy.worker(0, 7, NOW);
    let first = call(&proxy, &mut worker, 1, "alice", "bob").expect("a place");
    call(&proxy, &mut worker, 2, "alice", "bob").expect("a place");
    assert_eq!(call(&proxy, &mut worker, 3, "alice", "bob").expect_err("the gateway is full"), "503");
    assert_eq!(size(&proxy, "account", "alice"), 2, "the place of the refused call is free again");
    call(&proxy, &mut worker, 4, "carol", "112").expect("a place in the headroom");
    assert_eq!(call(&proxy, &mut worker, 5, "carol", "112").expect_err("the headroom is full"), "503");
    assert_eq!(size(&proxy, "gateway", "gw1"), 3);
    let mut reply = String::from("SIP/2.0 486 Busy Here\r\n");
    for line in first.lines().filter(|line| ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))) {
        reply.push_str(&format!("{line}\r\n"));
    }
    reply.push_str("To: <sip:bob@example.com>;tag=t1\r\nContent-Length: 0\r\n\r\n");
    give(&proxy, &mut worker, &reply, GATEWAY);
    assert_eq!((size(&proxy, "account", "alice"), size(&proxy, "gateway", "gw1")), (1, 2));
    call(&proxy, &mut worker, 6, "alice", "bob").expect("the place of the call that failed");
    let command = modules::registry::ALL.iter().flat_map(|module| module.commands).find(|command| command.name == "dlg.profile_limits");
    let answer = (command.expect("a command").run)(&mut worker, &mut Parameters::new(Wire::Json, Vec::new())).expect("an answer");
    let shown: Vec<String> = answer.items.iter().map(line).collect();
    assert_eq!(
        shown,
        [
            "profile=account value=alice count=2 limit=5 headroom=0 priority=0 peak=3 refused=0",
            "profile=gateway value=gw1 count=3 limit=2 headroom=1 priority=1 peak=3 refused=2",
        ]
    );
}

fn line(item: &Item) -> String {
    let Item::Structure(fields) = item else { return String::new() };
    let field = |(name, item): &(std::borrow::Cow<'static, str>, Item)| match item {
        Item::Integer(number) => format!("{name}={number}"),
        Item::Text(text) => format!("{name}={}", String::from_utf8_lossy(text)),
        other => format!("{name}={other:?}"),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(" ")
}
