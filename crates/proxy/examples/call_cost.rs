//! Cost of the pure part of a call: INVITE 180 200 ACK BYE 200 through `Proxy::handle`, no sockets.
//!
//! `cargo run --release -p proxy --example call_cost -- 20000` prints microseconds per call; under
//! `valgrind --tool=callgrind` the instruction count is exact.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

struct OneFile(&'static str);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

const CONFIGURATION: &str = include_str!("../../../examples/call-limit.cfg");

fn main() {
    let calls: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let options = LoadOptions {
        defines: vec!["DEFAULT_LIMIT=1000000".to_owned(), "LOG_LEVEL=0".to_owned(), "NO_DATABASE".to_owned()],
        ..LoadOptions::default()
    };
    let checked = proxy::check("call-limit.cfg", &mut OneFile(CONFIGURATION), &options).unwrap_or_else(|error| panic!("{error}"));
    let address: SocketAddr = "127.0.0.1:5060".parse().expect("an address");
    let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address, None, None)], aliases: Vec::new() };
    let mut now = Now { time: Time(1_000), date: Date(1_700_000_000_000) };
    let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
    let proxy = Proxy::new(proxy::start(prepared, now).unwrap_or_else(|error| panic!("{error}")));
    let mut worker = proxy.worker(0, 7, now);
    let mut sent = 0_u64;
    let began = Instant::now();
    for number in 0..calls {
        // Eight hundred calls a second on the clock of the run, so that timers and tables turn over.
        now.time.0 += u64::from(number % 4 != 0) + 1;
        sent += call(&proxy, &mut worker, now, number);
        proxy.handle(&mut worker, now, Input::Tick);
        sent += drain(&mut worker).len() as u64;
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / calls as f64;
    println!(
        "{calls} calls, {sent} datagrams out, {each:.2} µs per call, {} transactions and {} dialogs left",
        proxy.node.transactions.len(),
        {
            let counts = proxy.node.dialogs.state_counts(false);
            format!("{counts:?}")
        }
    );
}

fn drain(worker: &mut Worker) -> Vec<(SocketAddr, Vec<u8>)> {
    let outbox = &worker.outbox;
    let sent = outbox
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { destination, bytes, .. } => Some((*destination, outbox.bytes.get(bytes.clone())?.to_vec())),
            _ => None,
        })
        .collect();
    worker.outbox.clear();
    sent
}

fn call(proxy: &Proxy, worker: &mut Worker, now: Now, number: u64) -> u64 {
    let caller: SocketAddr = "127.0.0.1:5070".parse().expect("an address");
    let callee: SocketAddr = "127.0.0.1:5080".parse().expect("an address");
    let mut count = 0;
    let mut give = |worker: &mut Worker, bytes: &[u8], from: SocketAddr| {
        proxy.handle(worker, now, Input::Message { bytes, from: Endpoint::udp(from, 0) });
        let sent = drain(worker);
        count += sent.len() as u64;
        sent
    };
    let body = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    let common = |method: &str, cseq: u32, to_tag: &str, branch: &str| {
        format!(
            "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{number}-{branch}\r\nFrom: sipp <sip:sipp@127.0.0.1:5070>;tag=f{number}\r\n\
             To: bob <sip:bob@127.0.0.1:5060>{to_tag}\r\nCall-ID: {number}-4711@127.0.0.1\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:sipp@127.0.0.1:5070>\r\nMax-Forwards: 70\r\n"
        )
    };
    let invite = format!(
        "INVITE sip:bob@127.0.0.1:5060 SIP/2.0\r\n{}Subject: Performance Test\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        common("INVITE", 1, "", "i"),
        body.len()
    );
    let sent = give(worker, invite.as_bytes(), caller);
    let Some((_, forwarded)) = sent.into_iter().find(|(to, _)| *to == callee) else { panic!("the INVITE was not forwarded") };
    give(worker, &answer(&forwarded, "180 Ringing", ""), callee);
    let sent = give(worker, &answer(&forwarded, "200 OK", body), callee);
    let route = sent.first().map(|(_, bytes)| header(bytes, "Record-Route: ")).unwrap_or_default();
    let tag = ";tag=callee";
    let ack = format!("ACK sip:127.0.0.1:5080 SIP/2.0\r\nRoute: {route}\r\n{}Content-Length: 0\r\n\r\n", common("ACK", 1, tag, "a"));
    give(worker, ack.as_bytes(), caller);
    let bye = format!("BYE sip:127.0.0.1:5080 SIP/2.0\r\nRoute: {route}\r\n{}Content-Length: 0\r\n\r\n", common("BYE", 2, tag, "b"));
    let sent = give(worker, bye.as_bytes(), caller);
    let Some((_, forwarded)) = sent.into_iter().find(|(to, _)| *to == callee) else { panic!("the BYE was not forwarded") };
    give(worker, &answer(&forwarded, "200 OK", ""), callee);
    count
}

fn header(bytes: &[u8], name: &str) -> String {
    String::from_utf8_lossy(bytes).split("\r\n").find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap_or_default()
}

/// The callee's reply: Via, Record-Route, From, To with a tag, Call-ID, CSeq of the request.
fn answer(request: &[u8], status: &str, body: &str) -> Vec<u8> {
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for line in String::from_utf8_lossy(request).split("\r\n") {
        if ["Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
            reply.push_str(line);
            reply.push_str("\r\n");
        } else if line.starts_with("To:") {
            reply.push_str(line);
            reply.push_str(if line.contains(";tag=") { "\r\n" } else { ";tag=callee\r\n" });
        }
    }
    reply.push_str(&format!("Contact: <sip:127.0.0.1:5080>\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    reply.into_bytes()
}
