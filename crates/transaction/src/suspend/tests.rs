//! Suspended once, resumed once or timed out (T8).

use super::*;
use crate::TimerStep;
use crate::sample::{Bench, reply};
use crate::server::Origin;

fn suspend(bench: &mut Bench) -> Result<u32, SuspendError> {
    bench.transaction.suspend(bench.now, &bench.settings)
}

#[test]
fn a_suspension_is_resumed_once_by_its_serial() {
    let mut bench = Bench::new("INVITE");
    let serial = suspend(&mut bench).expect("may be suspended");
    assert_eq!(suspend(&mut bench), Err(SuspendError::Suspended));
    assert_eq!(bench.transaction.resume(Some(serial + 1)), ResumeStep::NotSuspended);
    assert_eq!(bench.transaction.resume(Some(serial)), ResumeStep::Run);
    assert_eq!(bench.transaction.resume(Some(serial)), ResumeStep::NotSuspended);
    let again = suspend(&mut bench).expect("may be suspended again");
    assert_eq!(bench.transaction.resume(Some(serial)), ResumeStep::NotSuspended, "a late resume of the first");
    assert_eq!(bench.transaction.resume(Some(again)), ResumeStep::Run);
    assert_eq!(bench.transaction.branches.len(), 1, "the blind branch is used again");
}

#[test]
fn a_resumed_route_that_does_nothing_leaves_an_error_reply() {
    let mut bench = Bench::new("INVITE");
    suspend(&mut bench).expect("may be suspended");
    bench.transaction.resume(None);
    let decision = bench.transaction.after_resume(&bench.settings);
    assert!(matches!(decision, Some(Decision::RelayLocal { code: 500, .. })), "{decision:?}");
    bench.fork(1);
    assert_eq!(bench.transaction.after_resume(&bench.settings), None, "a branch is under way");
    bench.send_reply(486, Origin::Local);
    assert_eq!(bench.transaction.after_resume(&bench.settings), None);
}

#[test]
fn a_suspension_that_is_never_resumed_times_out_with_408_and_the_failure_route() {
    let mut bench = Bench::new("INVITE");
    bench.transaction.armed.failure = Some(4);
    suspend(&mut bench).expect("may be suspended");
    assert_eq!(bench.tick(), Some((30_000, TimerStep::BranchTimedOut { branch: 0, replied: false })));
    let decision = bench.transaction.fail_branch(bench.now, 0, 408, &bench.settings, &mut bench.actions);
    assert_eq!(decision, Decision::FailureRoute { winner: 0, code: 408, route: Some(4) });
    assert!(bench.actions.is_empty(), "there is nobody to cancel");
    assert_eq!(bench.transaction.resume(None), ResumeStep::NotSuspended);
}

#[test]
fn a_cancel_while_suspended_ends_it() {
    let mut bench = Bench::new("INVITE");
    suspend(&mut bench).expect("may be suspended");
    let answer = bench.transaction.cancel_received(bench.now, b"", &bench.settings, &mut bench.actions);
    assert_eq!(answer, crate::CancelAnswer::NothingPending { answer_invite: true });
    bench.send_reply(487, Origin::Local);
    assert_eq!(bench.transaction.resume(None), ResumeStep::NotSuspended);
    assert_eq!(suspend(&mut bench), Err(SuspendError::Canceled));
}

#[test]
fn a_suspended_failure_route_keeps_the_earlier_failure_for_later() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    assert!(matches!(bench.answer(0, 486), Decision::FailureRoute { .. }));
    suspend(&mut bench).expect("may be suspended");
    assert_eq!(bench.transaction.after_failure_route(&bench.settings), Decision::Store);
    assert_eq!(bench.transaction.resume(None), ResumeStep::Run);
    assert_eq!(bench.transaction.after_resume(&bench.settings), Some(Decision::Relay { branch: 0 }));
}

#[test]
fn a_suspended_provisional_leaves_the_branch_with_its_timer() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.receive(0, 180);
    let message = reply(180, "INVITE");
    bench.transaction.suspend_reply(bench.now, 0, &message);
    assert!(bench.transaction.resume_reply(bench.now, 0).is_some());
    assert_eq!(bench.tick(), Some((120_000, TimerStep::BranchTimedOut { branch: 0, replied: true })));
    let mut late = Bench::new("INVITE");
    late.fork(1);
    late.receive(0, 180);
    late.transaction.suspend_reply(late.now, 0, &message);
    assert_eq!(late.tick(), Some((30_000, TimerStep::ReplyResumed { branch: 0 })));
    assert_eq!(late.tick(), Some((150_000, TimerStep::BranchTimedOut { branch: 0, replied: true })));
}

#[test]
fn a_suspended_reply_comes_back_once_or_by_timer() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.receive(0, 200);
    let message = reply(200, "INVITE");
    assert!(bench.transaction.suspend_reply(bench.now, 0, &message));
    assert!(!bench.transaction.suspend_reply(bench.now, 0, &message));
    assert_eq!(bench.transaction.resume_reply(bench.now, 0).map(|kept| kept.status()), Some(200));
    assert!(bench.transaction.resume_reply(bench.now, 0).is_none());
    bench.transaction.suspend_reply(bench.now, 0, &message);
    assert_eq!(bench.tick(), Some((30_000, TimerStep::ReplyResumed { branch: 0 })));
    assert!(bench.transaction.branches[0].reply.is_some());
}
