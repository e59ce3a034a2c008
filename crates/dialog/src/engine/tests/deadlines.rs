//! Every state ends by itself; nothing fires for a dead dialog.

use super::*;
use crate::effect::{Expiry, ExpiryStep, Termination, TimeoutError, TimeoutSet};
use crate::flags::internal_flag;
use crate::leg::Leg;
use crate::observer::OccurrenceKind;
use crate::state::State;

#[test]
fn calls_that_are_never_answered_are_counted_failed_and_removed() {
    let engine = engine(&[]);
    let silent = create(&engine, at(0.0), b"1@x");
    let ringing = create(&engine, at(10.0), b"2@x");
    reply(&engine, at(11.0), ringing, 180);
    assert!(engine.expire(at(299.0)).is_empty());
    assert_eq!(early_over(&engine, at(300.2)), [(silent, None)]);
    assert_eq!(early_over(&engine, at(310.2)), [(ringing, None)]);
    let counts = engine.statistics();
    assert_eq!((counts.early, counts.unconfirmed, counts.failed, engine.len()), (0, 0, 2, 0));
    assert_eq!(engine.next_deadline(), None);
    let mut loud = settings(&[]);
    loud.early_timeout_event = true;
    let engine = Engine::new(at(0.0), loud);
    let id = create(&engine, at(0.0), b"3@x");
    assert_eq!(early_over(&engine, at(301.0)), [(id, Some(EventRoute::Failed))]);
    assert!(engine.is_empty());
}

/// The dialogs whose early timeout is over, each seen in state 5 by its route and gone afterwards.
fn early_over(engine: &Engine, now: Now) -> Vec<(DialogId, Option<EventRoute>)> {
    let finish = |expiry| {
        let Expiry::EarlyOver { change } = expiry else { panic!("{expiry:?}") };
        let (id, route) = (change.id, change.route);
        assert_eq!(engine.state(id), Some(State::Deleted));
        assert!(engine.expiry_finish(now, change).destroyed);
        (id, route)
    };
    engine.expire(now).into_iter().map(finish).collect()
}

#[test]
fn an_answer_while_the_early_timeout_is_told_wins() {
    let mut loud = settings(&[]);
    loud.early_timeout_event = true;
    let engine = Engine::new(at(0.0), loud);
    let id = create(&engine, at(0.0), b"r@x");
    let Some(Expiry::EarlyOver { change }) = engine.expire(at(301.0)).pop() else { panic!("not due") };
    assert_eq!(reply(&engine, at(301.0), id, 200).0, Some(EventRoute::Start));
    assert!(!engine.expiry_finish(at(301.0), change).destroyed);
    ack(&engine, at(301.1), id);
    assert_eq!((engine.state(id), engine.statistics().active, engine.statistics().failed), (Some(State::Confirmed), 1, 0));
    assert_recount(&engine);
}

#[test]
fn a_missing_ack_cuts_the_lifetime_to_ten_seconds() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"n@x");
    reply(&engine, at(5.0), id, 200);
    assert!(engine.expire(at(64.0)).is_empty());
    assert!(engine.expire(at(65.2)).is_empty());
    let view = engine.view(at(65.2), id).unwrap();
    assert_eq!((view.lifetime, view.state), (10, State::ConfirmedNoAck));
    assert!(engine.expire(at(74.0)).is_empty());
    let due = engine.expire(at(75.5));
    assert!(matches!(&due[..], [Expiry::Lifetime { id: due, timeout_route: None }] if *due == id));
    let ExpiryStep::Ended { change } = engine.expiry_decide(at(75.5), id) else { panic!("no end") };
    assert_eq!((change.route, change.old), (Some(EventRoute::End), State::ConfirmedNoAck));
    let finished = engine.expiry_finish(at(75.5), change);
    assert!(finished.destroyed && !finished.occurrence.unwrap().was_confirmed);
    assert_eq!((engine.statistics().expired, engine.statistics().active), (1, 0));
    assert_recount(&engine);
}

#[test]
fn expiry_without_bye_ends_the_call_here_only() {
    let engine = engine(&[("default_timeout", 30)]);
    let new = NewDialog { timeout_route: Some((3, b"TO")), ..invite(b"e@x") };
    let Begin::Created(id) = engine.begin(at(0.0), &new) else { panic!("refused") };
    reply(&engine, at(0.0), id, 200);
    ack(&engine, at(0.1), id);
    let due = engine.expire(at(31.0));
    let [Expiry::Lifetime { timeout_route: Some((3, name)), .. }] = &due[..] else { panic!("{due:?}") };
    assert_eq!((name.as_slice(), engine.state(id)), (&b"TO"[..], Some(State::Confirmed)));
    assert!(engine.expire(at(32.0)).is_empty(), "handed out once");
    let ExpiryStep::Ended { change } = engine.expiry_decide(at(32.0), id) else { panic!("no end") };
    let finished = engine.expiry_finish(at(32.0), change);
    assert_eq!(finished.occurrence.map(|occurrence| (occurrence.kind, occurrence.was_confirmed)), Some((OccurrenceKind::Expired, true)));
    assert!(matches!(engine.expiry_decide(at(32.0), id), ExpiryStep::Nothing));
    assert_recount(&engine);
}

#[test]
fn expiry_with_bye_asks_both_sides_and_ends_at_the_first_answer() {
    let engine = engine(&[("default_timeout", 30), ("send_bye", 1)]);
    let id = confirmed(&engine, at(0.0), b"b@x");
    assert_eq!(engine.expire(at(30.5)).len(), 1);
    let ExpiryStep::SendByes { termination } = engine.expiry_decide(at(30.5), id) else { panic!("no BYEs") };
    let Termination::Byes { caller: Some(caller), callee: Some(callee), route } = termination else { panic!("not both") };
    assert_eq!((route, caller.cseq, callee.cseq), (Some(EventRoute::End), 101, 104));
    let view = engine.view(at(31.0), id).unwrap();
    assert_eq!((view.state, view.timeout, engine.statistics().expired, engine.statistics().active), (State::Confirmed, 0, 1, 1));
    assert!(!engine.local_bye_finished(at(31.0), id, Leg::Caller, 100).gone);
    assert!(engine.local_bye_finished(at(31.0), id, Leg::Caller, 481).destroyed);
    assert!(engine.local_bye_finished(at(32.0), id, Leg::Callee, 200).gone);
    assert_eq!((engine.statistics().active, engine.statistics().ended), (0, 1));
    assert!(engine.expire(at(100_000.0)).is_empty(), "nothing fires for a dead dialog");
}

#[test]
fn the_answer_to_a_local_bye_sets_the_end_time() {
    let engine = engine(&[("default_timeout", 30), ("send_bye", 1)]);
    let id = confirmed(&engine, at(0.0), b"e@x");
    assert!(engine.hold(id), "a transaction refers to it");
    engine.expire(at(30.5));
    assert!(matches!(engine.expiry_decide(at(30.5), id), ExpiryStep::SendByes { .. }));
    assert_eq!(engine.view(at(31.0), id).unwrap().end_time, 0);
    assert!(!engine.local_bye_finished(at(32.0), id, Leg::Caller, 200).destroyed);
    let view = engine.view(at(40.0), id).unwrap();
    assert_eq!((view.state, u64::from(view.end_time)), (State::Deleted, at(32.0).date.seconds()));
}

#[test]
fn byes_that_nobody_reports_do_not_keep_the_record_for_ever() {
    let engine = engine(&[("default_timeout", 30), ("send_bye", 1)]);
    let id = confirmed(&engine, at(0.0), b"u@x");
    engine.expire(at(30.5));
    assert!(matches!(engine.expiry_decide(at(30.5), id), ExpiryStep::SendByes { .. }));
    assert_eq!(bye_unanswered(&engine, at(331.0)), [(id, None)]);
    let id = confirmed(&engine, at(400.0), b"v@x");
    engine.expire(at(431.0));
    assert_eq!(bye_unanswered(&engine, at(740.0)), [(id, Some(EventRoute::End))]);
    assert!(engine.is_empty());
    assert_recount(&engine);
}

/// The dialogs whose BYEs nobody reported, each seen in state 5 by its route and gone afterwards.
fn bye_unanswered(engine: &Engine, now: Now) -> Vec<(DialogId, Option<EventRoute>)> {
    let finish = |expiry| {
        let Expiry::ByeUnanswered { change } = expiry else { panic!("{expiry:?}") };
        let (id, route) = (change.id, change.route);
        assert_eq!(engine.state(id), Some(State::Deleted));
        assert!(engine.expiry_finish(now, change).destroyed);
        (id, route)
    };
    engine.expire(now).into_iter().map(finish).collect()
}

#[test]
fn a_finished_record_nobody_releases_goes_after_the_end_timeout() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"k@x");
    bye(&engine, at(10.0), id);
    assert!(engine.expire(at(309.0)).is_empty());
    assert!(matches!(&engine.expire(at(310.5))[..], [Expiry::EndRemoved { dialog }] if dialog.end_time as u64 == START + 10));
    assert!(engine.is_empty() && !engine.release(at(311.0), id));
}

#[test]
fn set_timeout_acts_by_state() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"t@x");
    assert_eq!(engine.set_timeout(at(0.0), id, 0), Err(TimeoutError::NotPositive));
    assert_eq!(engine.set_timeout(at(0.0), id, 77), Ok(TimeoutSet::Stored));
    reply(&engine, at(1.0), id, 200);
    assert_eq!(u64::from(engine.view(at(1.0), id).unwrap().timeout), START + 78);
    ack(&engine, at(2.0), id);
    assert_eq!(engine.set_timeout(at(3.0), id, 20), Ok(TimeoutSet::Restarted));
    assert_eq!(engine.expire(at(23.2)).len(), 1);
    assert_eq!(engine.set_timeout(at(23.2), id, 50), Ok(TimeoutSet::NotRunning));
    assert_eq!(engine.set_timeout(at(1.0), DialogId { entry: 9, id: 9 }, 5), Err(TimeoutError::UnknownDialog));
}

#[test]
fn keepalive_failures_in_a_row_cut_the_lifetime() {
    let engine = engine(&[("ka_timer", 1), ("ka_interval", 30), ("ka_failed_limit", 2)]);
    let both = internal_flag::KEEPALIVE_CALLER | internal_flag::KEEPALIVE_CALLEE;
    let Begin::Created(id) = engine.begin(at(0.0), &NewDialog { internal_flags: both, ..invite(b"ka@x") }) else { panic!() };
    reply(&engine, at(0.0), id, 200);
    assert!(ack(&engine, at(1.0), id).keepalive);
    assert!(engine.keepalives_due(at(30.0)).is_empty());
    let probes = engine.keepalives_due(at(31.0));
    let seen: Vec<(Leg, u32)> = probes.iter().map(|probe| (probe.request.leg, probe.request.cseq)).collect();
    assert_eq!(seen, [(Leg::Caller, 1), (Leg::Callee, 2)]);
    assert_eq!(engine.keepalives_due(at(60.0)).len(), 0);
    assert_eq!(engine.keepalives_due(at(61.0)).len(), 2);
    assert!(!engine.keepalive_answered(at(61.0), id, Leg::Callee, 408));
    assert!(!engine.keepalive_answered(at(61.0), id, Leg::Caller, 481));
    assert!(!engine.keepalive_answered(at(61.0), id, Leg::Callee, 200));
    assert!(!engine.keepalive_answered(at(91.0), id, Leg::Callee, 481));
    assert!(engine.keepalive_answered(at(91.0), id, Leg::Caller, 408));
    assert_eq!(engine.view(at(91.0), id).unwrap().lifetime, 10);
    assert_eq!(engine.expire(at(101.2)).len(), 1);
    assert!(engine.keepalives_due(at(1000.0)).is_empty());
}

#[test]
fn deadlines_are_announced_and_expiries_bounded_per_call() {
    let engine = engine(&[]);
    for number in 0..3000 {
        create(&engine, at(0.0), format!("{number}@x").as_bytes());
    }
    let next = engine.next_deadline().unwrap();
    assert!(next <= at(300.1).time && next > at(0.0).time);
    let mut taken = Vec::new();
    while engine.next_deadline().is_some_and(|next| next <= at(301.0).time) {
        taken.push(engine.expire(at(301.0)).len());
    }
    assert_eq!(taken.iter().sum::<usize>(), 3000);
    assert!(taken.iter().all(|count| *count <= crate::limits::EXPIRIES_PER_CALL_MAX) && taken.len() < 10);
}

#[test]
fn with_the_filter_calls_without_a_local_socket_neither_expire_nor_get_probes() {
    let keepalive = internal_flag::KEEPALIVE_CALLEE;
    for (mode, is_filtered) in [(1, true), (2, false), (0, false)] {
        let engine = engine(&[("dlg_filter_mode", mode), ("default_timeout", 100), ("ka_timer", 1), ("ka_interval", 30)]);
        let foreign = NewDialog { socket: b"", internal_flags: keepalive, ..invite(b"foreign@x") };
        let Begin::Created(foreign) = engine.begin(at(0.0), &foreign) else { panic!() };
        let Begin::Created(own) = engine.begin(at(0.0), &NewDialog { internal_flags: keepalive, ..invite(b"own@x") }) else { panic!() };
        for id in [foreign, own] {
            reply(&engine, at(0.0), id, 200);
            ack(&engine, at(1.0), id);
        }
        let probed: Vec<DialogId> = engine.keepalives_due(at(31.0)).iter().map(|probe| probe.request.dialog).collect();
        assert_eq!((probed.contains(&foreign), probed.contains(&own)), (!is_filtered, true), "mode {mode}");
        let expired = engine.expire(at(101.5));
        let has_expired = |wanted: DialogId| expired.iter().any(|expiry| matches!(expiry, Expiry::Lifetime { id, .. } if *id == wanted));
        assert_eq!((has_expired(foreign), has_expired(own)), (!is_filtered, true), "mode {mode}");
        assert_eq!(engine.state(foreign), Some(State::Confirmed), "mode {mode}");
    }
}

#[test]
fn a_jump_of_the_wall_clock_does_not_end_a_call_that_rings() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"jump@x");
    let jumped = |seconds: f64| Now { date: Date(at(seconds).date.0 + 3_600_000), ..at(seconds) };
    reply(&engine, jumped(1.0), id, 180);
    assert!(engine.expire(jumped(299.0)).is_empty());
    assert_eq!(engine.state(id), Some(State::Early));
    assert_eq!(engine.expire(jumped(301.0)).len(), 1);
}
