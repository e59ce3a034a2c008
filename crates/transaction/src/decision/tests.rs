//! What goes upstream, and when (spec proxy-core 7.8 and 7.11, conformance 13 and 16).

use super::*;
use crate::action::Buffer;
use crate::sample::Bench;
use crate::server::Origin;

fn local(decision: &Decision) -> Option<(u16, &str)> {
    match decision {
        Decision::RelayLocal { code, reason, .. } => Some((*code, reason)),
        _ => None,
    }
}

fn relayed(codes: [u16; 2]) -> Decision {
    let mut bench = Bench::new("INVITE");
    bench.fork(2);
    assert_eq!(bench.settle(0, codes[0]), Decision::Store, "the other branch is pending");
    bench.settle(1, codes[1])
}

#[test]
fn two_failures_end_as_on_the_wire() {
    assert_eq!(relayed([486, 404]), Decision::Relay { branch: 1 });
    assert_eq!(relayed([404, 401]), Decision::Relay { branch: 1 });
    assert_eq!(relayed([302, 486]), Decision::Relay { branch: 0 });
    assert_eq!(relayed([486, 500]), Decision::Relay { branch: 0 });
    assert_eq!(relayed([401, 407]), Decision::AggregateChallenges { code: 401, branch: 0 });
    assert_eq!(local(&relayed([503, 503])), Some((500, "Service Unavailable")));
    assert_eq!(relayed([302, 603]), Decision::Relay { branch: 1 });
}

#[test]
fn a_single_challenge_is_relayed_as_it_is() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    assert_eq!(bench.settle(0, 407), Decision::Relay { branch: 0 });
}

#[test]
fn challenges_stay_apart_and_503_stays_503_when_set_so() {
    let mut bench = Bench::new("INVITE");
    bench.settings.aggregate_challenges = false;
    bench.settings.remap_503 = false;
    bench.fork(2);
    bench.settle(0, 401);
    assert_eq!(bench.settle(1, 407), Decision::Relay { branch: 0 });
    let mut bench503 = Bench::new("INVITE");
    bench503.settings.remap_503 = false;
    bench503.fork(1);
    assert_eq!(bench503.settle(0, 503), Decision::Relay { branch: 0 });
}

#[test]
fn a_6xx_cancels_the_ringing_branch_and_is_relayed_after_its_487() {
    let mut bench = Bench::new("INVITE");
    bench.fork(2);
    bench.answer(1, 180);
    assert_eq!(bench.settle(0, 603), Decision::Store);
    let cancel = Action::Cancel { branch: 1, reason: CancelReason::Cause(603) };
    assert!(bench.taken().contains(&cancel));
    assert_eq!(bench.settle(1, 487), Decision::Relay { branch: 0 });
}

#[test]
fn a_6xx_stops_no_other_branch_when_disabled_and_still_wins() {
    let mut bench = Bench::new("INVITE");
    bench.transaction.flags.disable_6xx = true;
    bench.fork(2);
    bench.answer(1, 180);
    assert_eq!(bench.settle(0, 603), Decision::Store);
    assert_eq!(bench.taken(), [Action::Acknowledge { branch: 0 }]);
    assert_eq!(bench.settle(1, 486), Decision::Relay { branch: 0 });
}

#[test]
fn a_2xx_cancels_the_others_with_cause_200_once_it_was_relayed() {
    let mut bench = Bench::new("INVITE");
    bench.fork(3);
    bench.answer(1, 180);
    assert_eq!(bench.answer(0, 200), Decision::Relay { branch: 0 });
    bench.send_reply(200, Origin::Relayed);
    assert_eq!(bench.taken(), [Action::Cancel { branch: 1, reason: CancelReason::Cause(200) }]);
    assert_eq!(bench.transaction.branches[2].cancel.stage, CancelStage::Wanted, "not answered yet (RFC 3261 §9.1)");
}

#[test]
fn only_the_first_2xx_of_a_non_invite_counts() {
    let mut bench = Bench::new("OPTIONS");
    bench.fork(2);
    assert_eq!(bench.answer(0, 200), Decision::Relay { branch: 0 });
    bench.send_reply(200, Origin::Relayed);
    assert_eq!(bench.receive(1, 200), crate::ReplyStep::Absorbed);
    assert!(!bench.send_reply(200, Origin::Relayed));
}

#[test]
fn a_100_is_consumed_and_ringing_relayed_and_a_dropped_one_is_not() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    assert_eq!(bench.answer(0, 100), Decision::Discard);
    assert_eq!(bench.answer(0, 180), Decision::Relay { branch: 0 });
    let message = crate::sample::reply(183, "INVITE");
    let routed = |code, dropped| RoutedReply { message: &message, code, dropped };
    let now = bench.now;
    let mut decide = |routed| bench.transaction.decide(now, 0, routed, &bench.settings, &mut bench.actions);
    assert_eq!(decide(routed(183, true)), Decision::Discard);
    assert_eq!(decide(routed(200, true)), Decision::Relay { branch: 0 }, "a final reply cannot be dropped");
}

#[test]
fn the_failure_route_runs_once_per_failed_set_and_never_after_a_2xx() {
    let mut bench = Bench::new("INVITE");
    bench.transaction.armed.failure = Some(7);
    for _ in 0..2 {
        let start = crate::BranchStart { armed: bench.transaction.armed, ..Default::default() };
        let index = bench.transaction.add_branch(start, &bench.settings).expect("room");
        bench.transaction.branch_sent(bench.now, index, crate::sample::callee(), b"INVITE");
    }
    assert_eq!(bench.answer(0, 486), Decision::Store);
    assert_eq!(bench.answer(1, 486), Decision::FailureRoute { winner: 0, code: 486, route: Some(7) });
    bench.fork(1);
    assert_eq!(bench.transaction.after_failure_route(&bench.settings), Decision::Store);
    assert_eq!(bench.answer(2, 404), Decision::FailureRoute { winner: 2, code: 404, route: None });
    let mut answered = Bench::new("INVITE");
    answered.transaction.armed.failure = Some(7);
    answered.fork(2);
    answered.answer(0, 200);
    answered.send_reply(200, Origin::Relayed);
    assert_eq!(answered.answer(1, 487), Decision::Discard);
}

#[test]
fn serial_forking_forgets_earlier_replies_only_if_branches_were_added() {
    let run = |mode, added: bool| {
        let mut bench = Bench::new("INVITE");
        bench.settings.failure_replies = mode;
        bench.transaction.armed.failure = Some(9);
        bench.fork(2);
        bench.transaction.branches[0].armed.failure = Some(1);
        bench.answer(0, 404);
        let failed = bench.answer(1, 404);
        assert!(matches!(failed, Decision::FailureRoute { route: Some(1), .. }), "the route the winner was sent with");
        bench.transaction.branches[0].armed.failure = None;
        if !added {
            return bench.transaction.after_failure_route(&bench.settings);
        }
        bench.fork(1);
        assert_eq!(bench.transaction.after_failure_route(&bench.settings), Decision::Store);
        assert!(bench.transaction.branches[2].flags.first_of_step);
        bench.settle(2, 486)
    };
    assert_eq!(run(FailureReplies::DropIfBranchesAdded, false), Decision::Relay { branch: 0 });
    assert_eq!(run(FailureReplies::DropIfBranchesAdded, true), Decision::Relay { branch: 2 });
    assert_eq!(run(FailureReplies::Keep, true), Decision::Relay { branch: 0 });
    assert_eq!(run(FailureReplies::DropLastStep, true), Decision::Relay { branch: 2 });
    assert_eq!(local(&run(FailureReplies::DropAll, false)).map(|(code, _)| code), Some(500));
}

#[test]
fn dropped_replies_and_failed_new_branches_end_in_the_last_error() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 486);
    bench.transaction.drop_replies(DropReplies::All);
    assert_eq!(
        local(&bench.transaction.after_failure_route(&bench.settings)),
        Some((500, "I'm terribly sorry, server error occurred (1/TM)"))
    );
    bench.transaction.last_error = Some((478, "Unresolvable destination".into()));
    let decision = bench.transaction.choose(bench.now, &bench.settings, &mut bench.actions);
    assert_eq!(local(&decision), Some((478, "Unresolvable destination")));
}

#[test]
fn a_reply_of_the_failure_route_itself_ends_the_matter() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 486);
    assert!(bench.send_reply(480, Origin::Local));
    assert_eq!(bench.transaction.after_failure_route(&bench.settings), Decision::Discard);
}

#[test]
fn the_branch_failure_route_comes_first_and_once() {
    let mut bench = Bench::new("INVITE");
    bench.fork(2);
    bench.transaction.branches[0].armed.branch_failure = Some(3);
    assert_eq!(bench.answer(0, 486), Decision::BranchFailureRoute { branch: 0, code: 486, route: 3 });
    assert_eq!(bench.transaction.choose(bench.now, &bench.settings, &mut bench.actions), Decision::Store);
    assert_eq!(bench.transaction.branches[0].armed.branch_failure, None);
}

#[test]
fn a_faked_winner_is_408_or_487_after_a_cancel() {
    for (canceled, expected) in [(false, (408, "Request Timeout")), (true, (487, "Request Terminated"))] {
        let mut bench = Bench::new("INVITE");
        bench.fork(1);
        bench.transaction.flags.canceled = canceled;
        let decision = bench.transaction.fail_branch(bench.now, 0, 408, &bench.settings, &mut bench.actions);
        assert_eq!(local(&bench.pass_failure(decision)), Some(expected));
    }
}

#[test]
fn a_branch_that_could_not_be_sent_never_wins() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    let index = bench.transaction.add_branch(Default::default(), &bench.settings).expect("room");
    bench.transaction.branch_not_sent(bench.now, index, &bench.settings);
    assert_eq!(bench.settle(0, 500), Decision::Relay { branch: 0 });
}

#[test]
fn with_failure_exec_mode_an_unsent_branch_times_out_like_a_sent_one() {
    let mut bench = Bench::new("INVITE");
    bench.settings.failure_route_on_send_error = true;
    let index = bench.transaction.add_branch(Default::default(), &bench.settings).expect("room");
    bench.transaction.branch_not_sent(bench.now, index, &bench.settings);
    let step = bench.tick();
    assert_eq!(step, Some((30_000, crate::TimerStep::BranchTimedOut { branch: 0, replied: false })));
    assert_eq!(bench.transaction.buffer(Buffer::Request(0)), None);
}

#[test]
fn branches_are_refused_beyond_the_bound_and_after_the_end() {
    let mut bench = Bench::new("INVITE");
    bench.fork(12);
    let refused = bench.transaction.add_branch(Default::default(), &bench.settings);
    assert_eq!(refused, Err(crate::AddBranchError::TooMany));
    bench.transaction.flags.canceled = true;
    let refused = bench.transaction.add_branch(Default::default(), &bench.settings);
    assert_eq!(refused, Err(crate::AddBranchError::Canceled));
    bench.transaction.flags.canceled = false;
    bench.send_reply(404, Origin::Local);
    let refused = bench.transaction.add_branch(Default::default(), &bench.settings);
    assert_eq!(refused, Err(crate::AddBranchError::Final));
}
