//! Replies on their way through the state machine.

use super::*;
use crate::action::Buffer;
use crate::machine::ServerState;
use crate::sample::{Bench, plain, reply, resends};
use crate::server::Origin;

#[test]
fn a_provisional_stops_the_retransmission_of_an_invite() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.receive(0, 100);
    assert_eq!(bench.transaction.branches[0].state, ClientState::Proceeding);
    assert!(!bench.transaction.branches[0].retransmission.at.is_set());
    assert_eq!(bench.tick().map(|(at, _)| at), Some(120_000), "fr_inv_timer is all that runs");
    assert_eq!(resends(&bench.taken(), Buffer::Request(0)), 0);
}

#[test]
fn each_copy_of_a_failure_is_acknowledged_and_only_the_first_is_processed() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    assert_eq!(bench.receive(0, 486), ReplyStep::Process);
    assert_eq!(bench.receive(0, 486), ReplyStep::Absorbed);
    assert_eq!(bench.receive(0, 180), ReplyStep::Absorbed);
    assert_eq!(bench.taken(), [Action::Acknowledge { branch: 0 }, Action::Acknowledge { branch: 0 }]);
}

#[test]
fn a_non_invite_failure_is_not_acknowledged_and_its_copies_are_absorbed() {
    let mut bench = Bench::new("BYE");
    bench.fork(1);
    assert_eq!(bench.receive(0, 481), ReplyStep::Process);
    assert_eq!(bench.receive(0, 481), ReplyStep::Absorbed);
    assert!(bench.actions.is_empty());
}

#[test]
fn replies_of_another_method_branch_or_unsent_branch_do_not_match() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    assert_eq!(bench.receive(1, 200), ReplyStep::Unmatched);
    bench.method = "BYE".to_owned();
    assert_eq!(bench.receive(0, 200), ReplyStep::Unmatched);
    bench.method = "CANCEL".to_owned();
    assert_eq!(bench.receive(0, 200), ReplyStep::Unmatched, "no CANCEL was sent");
    bench.method = "INVITE".to_owned();
    let idle = bench.transaction.add_branch(Default::default(), &bench.settings).expect("room");
    assert_eq!(bench.receive(idle, 200), ReplyStep::Unmatched);
}

#[test]
fn unknown_methods_are_told_apart_by_their_name() {
    let mut bench = Bench::new("FOO");
    assert_eq!(plain("FOO").method(), sip::Method::Other);
    bench.fork(1);
    bench.method = "BAR".to_owned();
    assert_eq!(bench.receive(0, 200), ReplyStep::Unmatched);
    bench.method = "FOO".to_owned();
    assert_eq!(bench.receive(0, 200), ReplyStep::Process);
}

#[test]
fn the_2xx_of_a_local_invite_is_acknowledged_every_time_unless_told_not_to() {
    let mut bench = Bench::local("INVITE");
    bench.fork(1);
    assert_eq!(bench.receive(0, 200), ReplyStep::Process);
    assert_eq!(bench.receive(0, 200), ReplyStep::Process);
    let acknowledge = Action::AcknowledgeSuccess { branch: 0 };
    assert_eq!(bench.taken(), [acknowledge, acknowledge]);
    bench.transaction.flags.no_auto_ack = true;
    bench.receive(0, 200);
    assert!(bench.actions.is_empty());
}

#[test]
fn the_final_response_timer_restarts_only_as_set() {
    let mut bench = Bench::new("INVITE");
    bench.settings.restart_final_response_on_each_reply = false;
    bench.fork(1);
    let at = |bench: &mut Bench, later: u64, code: u16| {
        bench.now = Time(bench.now.0 + later);
        bench.answer(0, code);
        bench.transaction.branches[0].final_response_at().map(|time| time.0 - 1_000_000)
    };
    assert_eq!(at(&mut bench, 0, 100), Some(120_000));
    assert_eq!(at(&mut bench, 10_000, 183), Some(130_000), "first at or above 180");
    assert_eq!(at(&mut bench, 10_000, 180), Some(130_000));
    bench.settings.restart_final_response_on_each_reply = true;
    assert_eq!(at(&mut bench, 10_000, 180), Some(150_000));
    assert_eq!(at(&mut bench, 60_000, 180), Some(180_000), "max_inv_lifetime caps it");
}

#[test]
fn a_late_2xx_of_another_fork_still_goes_upstream() {
    let mut bench = Bench::new("INVITE");
    bench.fork(2);
    assert_eq!(bench.answer(0, 200), crate::Decision::Relay { branch: 0 });
    assert!(bench.send_reply(200, Origin::Relayed));
    assert_eq!(bench.answer(1, 200), crate::Decision::Relay { branch: 1 });
    assert!(bench.send_reply(200, Origin::Relayed));
    assert_eq!(bench.transaction.server.state, ServerState::Accepted);
    let message = reply(200, "INVITE");
    assert_eq!(
        bench.transaction.on_reply(bench.now, 0, &message, &bench.settings, &mut bench.actions),
        ReplyStep::Process,
        "the callee's own retransmission too (RFC 6026)"
    );
}
