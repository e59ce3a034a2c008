//! The generator against a proxy of a few lines that forwards between its two ends.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// Forwards requests of the caller to the callee and the other way round by their Route-less ends, until it is stopped.
struct Wire {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What the wire does with a message: `None` drops it, a text answers it.
type Decide = fn(&str) -> Option<String>;

impl Wire {
    fn start(proxy: UdpSocket, callee: std::net::SocketAddr, decide: Decide) -> Wire {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        proxy.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut buffer, mut caller) = ([0_u8; 8_192], None);
            while !is_over.load(Ordering::Acquire) {
                let Ok((length, source)) = proxy.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if source != callee {
                    caller = Some(source);
                }
                match decide(&text) {
                    Some(answer) if !answer.is_empty() => proxy.send_to(answer.as_bytes(), source).unwrap(),
                    Some(_) => continue,
                    None => proxy.send_to(text.as_bytes(), if source == callee { caller.unwrap() } else { callee }).unwrap(),
                };
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

fn generator(decide: Decide, change: impl FnOnce(&mut Plan)) -> (Generator, Wire) {
    let proxy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let callee = std::net::SocketAddr::from(([127, 0, 0, 1], loopback_ports::free_port().unwrap()));
    let mut plan = Plan::plain(proxy.local_addr().unwrap(), callee);
    change(&mut plan);
    let generator = Generator::new(plan).unwrap();
    (generator, Wire::start(proxy, callee, decide))
}

const WHOLE: Decide = |_| None;

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
    let refuse: Decide = |text| {
        if text.starts_with("ACK") {
            return Some(String::new());
        }
        let head = text.split("\r\n\r\n").next()?;
        let lines: Vec<&str> = head.split("\r\n").skip(1).filter(|line| !line.starts_with("Content")).collect();
        Some(format!("SIP/2.0 486 Busy Here\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n")))
    };
    let (mut generator, _wire) = generator(refuse, |_| {});
    generator.fill(10, 2, Duration::from_secs(20)).unwrap();
    assert_eq!(generator.totals().refused.get(&(Method::Invite, 486)), Some(&10));
    assert!(generator.calls().iter().all(|call| call.stage == Stage::Failed));
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
