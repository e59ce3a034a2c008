//! CANCEL before and after a provisional reply (spec proxy-core 7.9, T5).

use super::*;
use crate::action::Buffer;
use crate::sample::{Bench, resends};
use crate::server::Origin;
use crate::{Decision, ReplyStep, TimerStep};

fn cancel(bench: &mut Bench) -> CancelAnswer {
    let Bench { now, transaction, settings, actions, .. } = bench;
    transaction.cancel_received(*now, b"Reason: SIP;cause=487\r\n", settings, actions)
}

#[test]
fn a_ringing_branch_is_cancelled_at_once_and_its_487_relayed() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 180);
    assert_eq!(cancel(&mut bench), CancelAnswer::Cancelling { choose: false });
    assert_eq!(bench.taken(), [Action::Cancel { branch: 0, reason: CancelReason::EndToEnd }]);
    assert_eq!(*bench.transaction.cancel_reasons, *b"Reason: SIP;cause=487\r\n");
    assert!(bench.transaction.cancel_sent(bench.now, 0, b"CANCEL"));
    bench.method = "CANCEL".to_owned();
    assert_eq!(bench.receive(0, 200), ReplyStep::Absorbed);
    bench.method = "INVITE".to_owned();
    assert_eq!(bench.settle(0, 487), Decision::Relay { branch: 0 });
    assert_eq!(bench.taken(), [Action::Acknowledge { branch: 0 }]);
}

#[test]
fn an_unanswered_branch_is_cancelled_upon_its_first_provisional() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    cancel(&mut bench);
    assert!(bench.actions.is_empty());
    assert_eq!(bench.tick(), Some((500, TimerStep::Idle)));
    assert_eq!(resends(&bench.taken(), Buffer::Request(0)), 1, "the INVITE is still retransmitted");
    assert_eq!(bench.receive(0, 180), ReplyStep::Absorbed, "nobody is told about the ringing");
    assert_eq!(bench.taken(), [Action::Cancel { branch: 0, reason: CancelReason::EndToEnd }]);
    assert_eq!(bench.receive(0, 183), ReplyStep::Absorbed);
    assert!(bench.actions.is_empty(), "one CANCEL only");
}

#[test]
fn a_cancel_is_retransmitted_until_answered() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 180);
    cancel(&mut bench);
    bench.transaction.cancel_sent(bench.now, 0, b"CANCEL");
    let times: Vec<u64> = (0..4).filter_map(|_| bench.tick()).map(|(at, _)| at).collect();
    assert_eq!(times, [500, 1_500, 3_500, 7_500]);
    assert_eq!(resends(&bench.taken(), Buffer::Cancel(0)), 4);
    bench.method = "CANCEL".to_owned();
    bench.receive(0, 200);
    assert_eq!(bench.tick(), Some((30_000, TimerStep::BranchTimedOut { branch: 0, replied: true })));
    assert_eq!(resends(&bench.taken(), Buffer::Cancel(0)), 0);
}

#[test]
fn with_nothing_pending_the_invite_is_answered_487() {
    let mut bench = Bench::new("INVITE");
    assert_eq!(cancel(&mut bench), CancelAnswer::NothingPending { answer_invite: true });
    assert!(bench.transaction.flags.canceled);
    bench.send_reply(487, Origin::Local);
    assert_eq!(cancel(&mut bench), CancelAnswer::NothingPending { answer_invite: false });
    assert_eq!(cancel(&mut bench).reason(), "ok -- no more pending branches");
}

#[test]
fn a_non_invite_is_never_cancelled() {
    let mut bench = Bench::new("OPTIONS");
    bench.fork(1);
    assert_eq!(cancel(&mut bench), CancelAnswer::NothingPending { answer_invite: false });
    assert!(bench.actions.is_empty());
    assert!(!bench.transaction.flags.canceled);
}

#[test]
fn the_other_cancel_methods_fake_or_send_at_once() {
    let mut bench = Bench::new("INVITE");
    bench.settings.cancel_unanswered = CancelUnanswered::Fake;
    bench.fork(1);
    assert_eq!(cancel(&mut bench), CancelAnswer::Cancelling { choose: true });
    let decision = bench.transaction.choose(bench.now, &bench.settings, &mut bench.actions);
    assert!(matches!(bench.pass_failure(decision), Decision::RelayLocal { code: 487, .. }));
    assert!(bench.actions.is_empty());
    bench.receive(0, 180);
    assert_eq!(bench.taken().len(), 1, "the callee that rings after all is cancelled");
    let mut bench = Bench::new("INVITE");
    bench.settings.cancel_unanswered = CancelUnanswered::SendNow;
    bench.fork(1);
    cancel(&mut bench);
    assert_eq!(bench.taken(), [Action::Cancel { branch: 0, reason: CancelReason::EndToEnd }]);
}

#[test]
fn chosen_branches_only_and_each_once() {
    let mut bench = Bench::new("INVITE");
    bench.fork(3);
    for branch in 0..3 {
        bench.answer(branch, 180);
    }
    let Bench { now, transaction, settings, actions, .. } = &mut bench;
    let mut run = |which| transaction.cancel_branches(*now, which, CancelReason::Cause(200), settings, actions).sent;
    assert_eq!(run(Which::This(1)), 1);
    assert_eq!(run(Which::Others(0)), 1);
    assert_eq!(run(Which::All), 1);
    assert_eq!(run(Which::All), 0);
}

#[test]
fn a_timed_out_branch_that_rang_is_cancelled_and_its_487_absorbed() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 180);
    assert_eq!(bench.tick(), Some((120_000, TimerStep::BranchTimedOut { branch: 0, replied: true })));
    let decision = bench.transaction.fail_branch(bench.now, 0, 408, &bench.settings, &mut bench.actions);
    assert!(matches!(bench.pass_failure(decision), Decision::RelayLocal { code: 408, .. }));
    assert_eq!(bench.taken(), [Action::Cancel { branch: 0, reason: CancelReason::None }]);
    assert_eq!(bench.receive(0, 487), ReplyStep::Absorbed);
    assert_eq!(bench.taken(), [Action::Acknowledge { branch: 0 }]);
}
