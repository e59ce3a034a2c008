//! The generator against a proxy of a few lines that forwards between its two ends.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// What the wire does with a message.
enum Act {
    Forward,
    /// Behind the next one that is forwarded.
    HoldBack,
    Drop,
    /// Nobody else sees it; the sender gets these.
    Answer(Vec<String>),
}

type Decide = fn(&str) -> Act;

/// Forwards requests to whom their Request-URI names, or to the callee when that is the wire, and replies to whom their Via names.
struct Wire {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Wire {
    fn start(proxy: UdpSocket, callee: SocketAddr, decide: Decide) -> Wire {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        proxy.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let own = proxy.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut buffer, mut held) = ([0_u8; 8_192], Vec::new());
            while !is_over.load(Ordering::Acquire) {
                let Ok((length, source)) = proxy.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                match decide(&text) {
                    Act::Forward => {
                        held.insert(0, text);
                        for text in held.drain(..) {
                            proxy.send_to(text.as_bytes(), destination(&text, own, callee)).unwrap();
                        }
                    }
                    Act::HoldBack => held.push(text),
                    Act::Drop => {}
                    Act::Answer(replies) => replies.iter().for_each(|reply| {
                        proxy.send_to(reply.as_bytes(), source).unwrap();
                    }),
                }
            }
        });
        Wire { stop, thread: Some(thread) }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn destination(text: &str, own: SocketAddr, callee: SocketAddr) -> SocketAddr {
    let word = text.split(' ').nth(1).unwrap();
    if text.starts_with("SIP/2.0") {
        text.split("SIP/2.0/UDP ").nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
    } else {
        let address = word.split('@').nth(1).unwrap().parse().unwrap();
        if address == own { callee } else { address }
    }
}

fn generator(decide: Decide, change: impl FnOnce(&mut Plan)) -> (Generator, Wire) {
    let proxy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let callee = SocketAddr::from(([127, 0, 0, 1], loopback_ports::free_port().unwrap()));
    let mut plan = Plan::plain(proxy.local_addr().unwrap(), callee);
    change(&mut plan);
    let generator = Generator::new(plan).unwrap();
    (generator, Wire::start(proxy, callee, decide))
}

/// A reply of the wire itself.
fn reply(text: &str, status: &str) -> String {
    let head = text.split("\r\n\r\n").next().unwrap();
    let lines: Vec<&str> = head.split("\r\n").skip(1).filter(|line| !line.starts_with("Content")).collect();
    format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n"))
}

const WHOLE: Decide = |_| Act::Forward;

#[test]
fn calls_are_made_updated_and_ended_by_either_side() {
    let (mut generator, _wire) = generator(WHOLE, |plan| {
        (plan.updates_max, plan.callee_ends_share) = (2, 0.5);
        plan.hold = Duration::from_millis(5)..Duration::from_millis(40);
        plan.ring = Duration::ZERO..Duration::from_millis(5);
    });
    generator.set_rate(500.0);
    generator.run_until(Instant::now() + Duration::from_millis(200)).unwrap();
    assert!(generator.finish(Duration::from_secs(20)).unwrap());
    let totals = generator.totals();
    assert!(totals.begun > 20, "{totals:?}");
    assert_eq!((totals.answered, totals.ended, totals.failures(), totals.strays), (totals.begun, totals.begun, 0, 0), "{totals:?}");
    assert!(totals.updated > 0);
    assert!(generator.calls().iter().all(|call| call.stage == Stage::Ended && call.is_confirmed && call.accepted == call.offered));
    assert_eq!((totals.invites.total(), totals.byes.total()), (u64::from(totals.begun), u64::from(totals.begun)));
}

#[test]
fn held_calls_stay_until_they_are_ended() {
    let (mut generator, _wire) = generator(WHOLE, |plan| plan.held_share = 1.0);
    generator.fill(50, 10, Duration::from_secs(20)).unwrap();
    assert!(generator.finish(Duration::from_secs(5)).unwrap());
    assert!(generator.calls().iter().all(|call| call.stage == Stage::Up));
    for number in 0..25 {
        generator.end(number).unwrap();
    }
    assert!(generator.finish(Duration::from_secs(20)).unwrap());
    let up = generator.calls().iter().filter(|call| call.stage == Stage::Up).count();
    assert_eq!((up, generator.totals().ended), (25, 25));
}

#[test]
fn a_refused_call_is_counted_by_its_status() {
    let refuse: Decide = |text| if text.starts_with("ACK") { Act::Drop } else { Act::Answer(vec![reply(text, "486 Busy Here")]) };
    let (mut generator, _wire) = generator(refuse, |_| {});
    generator.fill(10, 2, Duration::from_secs(20)).unwrap();
    assert_eq!(generator.totals().refused.get(&(Method::Invite, 486)), Some(&10));
    assert!(generator.calls().iter().all(|call| call.stage == Stage::Failed));
}

#[test]
fn a_refusal_that_comes_again_is_acknowledged_again_and_counted_once() {
    let refuse: Decide = |text| match text.starts_with("ACK") {
        true => Act::Drop,
        false => Act::Answer(vec![reply(text, "503 Service Unavailable"); 2]),
    };
    let (mut generator, _wire) = generator(refuse, |_| {});
    generator.fill(10, 1, Duration::from_secs(20)).unwrap();
    // Each INVITE is refused twice, and the second refusal of all but the last is there before the next call.
    assert_eq!(generator.totals().refused.get(&(Method::Invite, 503)), Some(&10));
    assert!(generator.totals().repeated >= 9, "{:?}", generator.totals());
}

#[test]
fn several_callers_and_callees_have_sockets_of_their_own() {
    let (mut generator, _wire) = generator(WHOLE, |plan| {
        (plan.callers, plan.callees, plan.callee_ends_share, plan.spins) = (3, 2, 0.5, true);
    });
    generator.fill(60, 7, Duration::from_secs(20)).unwrap();
    assert!(generator.finish(Duration::from_secs(20)).unwrap());
    let totals = generator.totals();
    assert_eq!((totals.ended, totals.failures(), totals.strays, totals.reordered), (60, 0, 0, 0), "{totals:?}");
    assert_eq!((totals.invites.total(), totals.ringing.total(), totals.byes.total()), (60, 60, 60));
    assert!(generator.calls().iter().all(|call| call.stage == Stage::Ended && call.is_confirmed));
}

#[test]
fn a_180_behind_its_200_is_counted_and_none_is_sent_by_callees_that_do_not_ring() {
    let swap: Decide = |text| if text.starts_with("SIP/2.0 180") { Act::HoldBack } else { Act::Forward };
    for (rings, reordered) in [(true, 20), (false, 0)] {
        let (mut generator, _wire) = generator(swap, |plan| plan.rings = rings);
        generator.fill(20, 1, Duration::from_secs(20)).unwrap();
        assert!(generator.finish(Duration::from_secs(20)).unwrap());
        let totals = generator.totals();
        assert_eq!((totals.ended, totals.reordered, totals.ringing.total()), (20, reordered, 0), "{totals:?}");
    }
}

#[test]
fn when_the_proxy_dies_unanswered_calls_are_given_up_and_answered_ones_stay() {
    let (mut generator, wire) = generator(WHOLE, |plan| plan.held_share = 1.0);
    generator.fill(5, 5, Duration::from_secs(20)).unwrap();
    drop(wire);
    generator.set_rate(1_000.0);
    generator.run_until(Instant::now() + Duration::from_millis(20)).unwrap();
    generator.set_rate(0.0);
    generator.proxy_died().unwrap();
    let stages: Vec<Stage> = generator.calls().iter().map(|call| call.stage).collect();
    assert!(stages.len() > 5, "{stages:?}");
    assert!(stages.iter().take(5).all(|stage| *stage == Stage::Up) && stages.iter().skip(5).all(|stage| *stage == Stage::Abandoned));
    assert_eq!(generator.open(), 0);
}
