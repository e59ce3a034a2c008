//! What a node knows of names as a whole: counters, the state of the name servers, the timer.

use super::record::{Kind, Record};
use super::*;
use crate::fixture::worker;
use crate::rpc::{Parameter, Parameters, Wire};

const DROP: &str = "request_route {\ndrop;\n}\n";

fn destination(host: &str) -> Destination {
    Destination { host: Box::from(host), port: Some(5060), protocol: None }
}

fn reply(name: &str, milliseconds: u32) -> Answer {
    Answer::Records(Reply { milliseconds, ..Reply::of_address(name, "192.0.2.1".parse().unwrap()) })
}

/// Searches a host; the answer to its one question.
fn look_up(worker: &mut Worker, host: &str, answer: Answer) -> Step {
    let mut search = search(worker, destination(host));
    match step(worker, &mut search) {
        Step::Ask(_) => proceed(worker, &mut search, answer),
        step => step,
    }
}

fn counters(worker: &Worker) -> (u64, u64) {
    let state = &worker.node.states.core.dns;
    (state.failed().load(Ordering::Relaxed), state.slow().load(Ordering::Relaxed))
}

#[test]
fn failed_and_slow_questions_are_counted() {
    let mut worker = worker(&format!("dns_slow_query_ms = 100\n{DROP}"));
    look_up(&mut worker, "quick.test", reply("quick.test", 100));
    assert_eq!(counters(&worker), (0, 0));
    look_up(&mut worker, "slow.test", reply("slow.test", 101));
    look_up(&mut worker, "gone.test", Answer::Records(Reply::default()));
    assert_eq!(counters(&worker), (1, 1));
}

#[test]
fn a_question_that_could_not_be_asked_says_nothing_about_the_name() {
    let mut worker = worker(DROP);
    assert_eq!(look_up(&mut worker, "busy.test", Answer::Awake), Step::Exhausted);
    assert!(matches!(look_up(&mut worker, "busy.test", reply("busy.test", 1)), Step::Go(_)), "it is asked again");
}

#[test]
fn while_the_name_servers_are_down_what_is_known_counts_and_nothing_is_asked() {
    let mut worker = worker(DROP);
    look_up(&mut worker, "known.test", reply("known.test", 1));
    let set = |worker: &mut Worker, value| {
        let mut parameters = Parameters::new(Wire::Binrpc, vec![Parameter::Integer(value)]);
        rpc::set_server_state(worker, &mut parameters).unwrap();
    };
    set(&mut worker, 0);
    worker.now.time = worker.now.time.plus(3_600_000);
    let mut known = search(&mut worker, destination("known.test"));
    assert!(matches!(step(&worker, &mut known), Step::Go(_)));
    let mut unknown = search(&mut worker, destination("unknown.test"));
    assert_eq!(step(&worker, &mut unknown), Step::Exhausted);
    set(&mut worker, 1);
    let mut again = search(&mut worker, destination("known.test"));
    assert!(matches!(step(&worker, &mut again), Step::Ask(_)));
}

#[test]
fn the_timer_drops_what_has_expired() {
    let mut worker = worker(&format!("dns_cache_gc_interval = 10\n{DROP}"));
    look_up(&mut worker, "known.test", reply("known.test", 1));
    let used = |worker: &Worker| worker.node.states.core.dns.read().bytes();
    worker.now.time = worker.now.time.plus(59_000);
    on_timer(&worker);
    assert!(used(&worker) > 0);
    worker.now.time = worker.now.time.plus(2_000);
    on_timer(&worker);
    assert!(used(&worker) > 0, "ten seconds have not passed");
    worker.now.time = worker.now.time.plus(10_000);
    on_timer(&worker);
    assert_eq!(used(&worker), 0);
}

#[test]
fn what_a_hostile_answer_holds_is_kept_within_bounds() {
    let mut worker = worker(DROP);
    let records = (0..5_000_u32)
        .map(|number| Record {
            owner: Arc::from(if number % 2 == 0 { "big.test".to_owned() } else { format!("other{number}.test") }),
            kind: Kind::A,
            seconds: u32::MAX,
            data: record::Data::Address(std::net::IpAddr::V4(number.into())),
        })
        .collect();
    look_up(&mut worker, "big.test", Answer::Records(Reply { records, milliseconds: 0 }));
    let state = worker.node.states.core.dns.read();
    let kept: usize = state.entries(worker.now.time).map(|entry| entry.records.len()).sum();
    assert_eq!(kept, limits::RECORDS_PER_ENTRY_MAX, "only what was asked for, and only so much of it");
}
