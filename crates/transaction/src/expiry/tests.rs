//! Timers: T1 to T2, fr, fr_inv, lifetime, wait (spec proxy-core 7.12, T6).

use super::*;
use crate::Protocol;
use crate::sample::{Bench, endpoint, resends};
use crate::server::Origin;

/// Ticks until something else than `Idle` comes, and returns the times of the resends and the step.
fn run(bench: &mut Bench, buffer: Buffer) -> (Vec<u64>, u64, TimerStep) {
    let mut times = Vec::new();
    for _ in 0..1_000 {
        let Some((at, step)) = bench.tick() else { panic!("no timer runs") };
        times.extend(std::iter::repeat_n(at, resends(&bench.taken(), buffer)));
        if step != TimerStep::Idle {
            return (times, at, step);
        }
    }
    panic!("the timers never end");
}

#[test]
fn a_request_over_udp_is_repeated_at_t1_doubling_to_t2_until_fr() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    let (times, at, step) = run(&mut bench, Buffer::Request(0));
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500]);
    assert_eq!((at, step), (30_000, TimerStep::BranchTimedOut { branch: 0, replied: false }));
}

#[test]
fn over_a_reliable_transport_nothing_is_repeated() {
    for protocol in [Protocol::Tcp, Protocol::Tls, Protocol::Sctp, Protocol::Ws, Protocol::Wss] {
        let mut bench = Bench::new("INVITE");
        let index = bench.transaction.add_branch(Default::default(), &bench.settings).expect("room");
        bench.transaction.branch_sent(bench.now, index, endpoint(protocol, 5060), b"INVITE");
        assert_eq!(run(&mut bench, Buffer::Request(0)).0, [], "{protocol:?}");
    }
}

#[test]
fn a_non_invite_goes_to_t2_on_a_provisional_and_keeps_its_bound() {
    let mut bench = Bench::new("OPTIONS");
    bench.fork(1);
    bench.receive(0, 100);
    let (times, at, step) = run(&mut bench, Buffer::Request(0));
    assert_eq!(times, [4_000, 8_000, 12_000, 16_000, 20_000, 24_000, 28_000]);
    assert_eq!((at, step), (30_000, TimerStep::BranchTimedOut { branch: 0, replied: true }));
}

#[test]
fn a_failure_is_repeated_until_its_ack_or_fr_and_then_the_transaction_waits() {
    let mut bench = Bench::new("INVITE");
    bench.send_reply(486, Origin::Relayed);
    let (times, at, step) = run(&mut bench, Buffer::Reply);
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500]);
    assert_eq!((at, step), (35_000, TimerStep::Ended));
    let mut stream = Bench::over("INVITE", Protocol::Tcp, Settings::default());
    stream.send_reply(486, Origin::Relayed);
    assert_eq!(run(&mut stream, Buffer::Reply), (vec![], 35_000, TimerStep::Ended));
}

#[test]
fn our_own_2xx_is_repeated_even_over_a_stream_and_a_relayed_one_never() {
    let mut own = Bench::over("INVITE", Protocol::Tcp, Settings::default());
    own.send_reply(200, Origin::Local);
    assert_eq!(run(&mut own, Buffer::Reply).0[..4], [500, 1_500, 3_500, 7_500]);
    let mut relayed = Bench::new("INVITE");
    relayed.fork(1);
    relayed.answer(0, 200);
    relayed.send_reply(200, Origin::Relayed);
    assert_eq!(run(&mut relayed, Buffer::Reply), (vec![], 5_000, TimerStep::Ended));
}

#[test]
fn a_completed_non_invite_waits_and_answers_retransmissions_meanwhile() {
    let mut bench = Bench::new("OPTIONS");
    assert_eq!(bench.transaction.on_retransmission(), None, "nothing was sent yet");
    bench.send_reply(200, Origin::Local);
    assert_eq!(bench.transaction.on_retransmission(), Some(Buffer::Reply));
    assert!(bench.transaction.buffer(Buffer::Reply).is_some_and(|(_, bytes)| bytes == b"REPLY"));
    assert_eq!(run(&mut bench, Buffer::Reply), (vec![], 5_000, TimerStep::Ended));
}

#[test]
fn lifetimes_cap_what_scripts_set() {
    let mut bench = Bench::new("INVITE");
    bench.transaction.change_final_response(bench.now, 999_000, 999_000);
    bench.fork(1);
    bench.answer(0, 180);
    assert_eq!(bench.transaction.branches[0].final_response_at(), Some(Time(1_180_000)));
    bench.transaction.change_lifetime(100_000, 0);
    assert_eq!(bench.transaction.branches[0].final_response_at(), Some(Time(1_100_000)));
    bench.transaction.change_final_response(bench.now, 1_500, 0);
    assert_eq!(run(&mut bench, Buffer::Reply).1, 1_500, "running branches are changed too");
    let mut other = Bench::new("OPTIONS");
    other.transaction.change_final_response(other.now, 0, 999_000);
    other.fork(1);
    assert_eq!(run(&mut other, Buffer::Reply).1, 32_000);
}

#[test]
fn script_chosen_retransmission_times_hold() {
    let mut bench = Bench::new("INVITE");
    bench.transaction.change_retransmission(100, 300);
    bench.transaction.change_final_response(bench.now, 0, 1_000);
    bench.fork(1);
    assert_eq!(run(&mut bench, Buffer::Request(0)).0, [100, 300, 600, 900]);
}

#[test]
fn the_wait_is_prolonged_for_a_branch_that_owes_its_487_but_not_for_ever() {
    let mut bench = Bench::new("INVITE");
    bench.fork(2);
    bench.answer(1, 180);
    bench.answer(0, 200);
    bench.send_reply(200, Origin::Relayed);
    bench.transaction.cancel_sent(bench.now, 1, b"CANCEL");
    let (_, at, step) = run(&mut bench, Buffer::Cancel(1));
    assert_eq!(step, TimerStep::Ended);
    assert!((30_000..=30_001).contains(&at), "{at}");
}

#[test]
fn every_transaction_ends_when_all_peers_are_dead() {
    for method in ["INVITE", "OPTIONS"] {
        for replies in [&[][..], &[100], &[180], &[180, 183]] {
            for forks in 0..4 {
                let mut bench = Bench::new(method);
                bench.fork(forks);
                for branch in 0..forks {
                    for &code in replies {
                        bench.answer(branch, code);
                    }
                }
                let mut finals = 0;
                for _ in 0..10_000 {
                    let (at, step) = bench.tick().expect("a live transaction has a timer");
                    assert!(at < 400_000, "{method} {replies:?} {forks} lives at {at}");
                    let decision = match step {
                        TimerStep::Ended => break,
                        TimerStep::BranchTimedOut { branch, .. } => {
                            let now = bench.now;
                            bench.transaction.fail_branch(now, branch, 408, &bench.settings, &mut bench.actions)
                        }
                        TimerStep::Stalled => crate::Decision::RelayLocal { code: 408, reason: "".into(), branch: None },
                        _ => continue,
                    };
                    if let crate::Decision::RelayLocal { code, .. } = bench.pass_failure(decision) {
                        finals += usize::from(bench.send_reply(code, Origin::Local));
                    }
                }
                assert!(bench.transaction.is_ended(), "{method} {replies:?} {forks}");
                assert_eq!(finals, 1, "{method} {replies:?} {forks}: one final reply upstream (T2)");
            }
        }
    }
}

#[test]
fn a_quiet_timeout_ends_an_invite_without_a_reply() {
    let settings = Settings { noisy_timeout: false, ..Settings::default() };
    let mut bench = Bench::over("INVITE", Protocol::Udp, settings);
    bench.fork(1);
    let (_, at, step) = run(&mut bench, Buffer::Reply);
    assert_eq!((at, step), (30_000, TimerStep::BranchTimedOut { branch: 0, replied: false }));
    let decision = bench.transaction.fail_branch(bench.now, 0, 408, &bench.settings, &mut bench.actions);
    assert_eq!(decision, crate::Decision::Silent);
    assert_eq!(run(&mut bench, Buffer::Reply), (vec![], 35_000, TimerStep::Ended));
}

#[test]
fn a_late_worker_does_not_send_a_burst() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.now = Time(1_000_000 + 20_000);
    bench.transaction.on_timer(bench.now, &bench.settings, &mut bench.actions);
    assert_eq!(resends(&bench.taken(), Buffer::Request(0)), 1);
}

#[test]
fn a_released_transaction_says_nothing_and_ends() {
    let mut bench = Bench::new("OPTIONS");
    bench.fork(1);
    bench.transaction.release(bench.now, &bench.settings, &mut bench.actions);
    assert_eq!(run(&mut bench, Buffer::Request(0)), (vec![], 5_000, TimerStep::Ended));
}

#[test]
fn a_transaction_ends_quietly_when_nothing_but_its_wait_is_due() {
    let mut bench = Bench::new("BYE");
    bench.fork(1);
    assert!(!bench.transaction.ends_quietly(bench.now), "nothing is due");
    bench.send_reply(200, Origin::Relayed);
    bench.now = bench.transaction.next_deadline().time().expect("it waits");
    assert!(bench.transaction.ends_quietly(bench.now) && bench.transaction.is_ended());
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.receive(0, 180);
    bench.transaction.cancel_branches(bench.now, crate::Which::All, crate::CancelReason::None, &bench.settings, &mut bench.actions);
    assert!(bench.transaction.cancel_sent(bench.now, 0, b"CANCEL"));
    bench.transaction.release(bench.now, &bench.settings, &mut bench.actions);
    bench.now = Time(bench.now.0 + 5_000);
    let before = format!("{:?}", bench.transaction);
    assert!(!bench.transaction.ends_quietly(bench.now), "the CANCEL is to be sent again");
    assert_eq!(format!("{:?}", bench.transaction), before);
}
