//! Why calls ended, what they remember, and how long (docs/end-reasons.md).

use super::*;
use crate::effect::{Expiry, ExpiryStep, Termination};
use crate::engine::{Explanation, InviteReply};
use crate::flags::internal_flag;
use crate::history::Moment;
use crate::leg::Leg;
use crate::state::State;

const TEXT: &[u8] = b"Q.850;cause=16;text=\"Normal call clearing\"";

fn explained(engine: &Engine, now: Now, call_id: &[u8]) -> Explanation {
    let mut found = engine.explain(now, call_id, None);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Reason, code and text as a reader sees them at this moment.
fn end(engine: &Engine, call_id: &[u8]) -> (Option<EndReason>, u16, Vec<u8>) {
    let dialog = explained(engine, at(0.0), call_id).dialog;
    (dialog.end_reason, dialog.end_code, dialog.end_text)
}

fn because(reason: EndReason, code: u16, text: &[u8]) -> (Option<EndReason>, u16, Vec<u8>) {
    (Some(reason), code, text.to_vec())
}

fn moments(engine: &Engine, now: Now, call_id: &[u8]) -> Vec<Moment> {
    explained(engine, now, call_id).history.iter().map(|past| past.moment).collect()
}

fn fail(engine: &Engine, now: Now, id: DialogId, reply: InviteReply<'_>) {
    let change = engine.reply_begin(now, id, reply).unwrap();
    engine.reply_finish(now, change, None, Cause::HERE);
}

fn failure(code: u16, is_local: bool) -> InviteReply<'static> {
    InviteReply { kind: ReplyKind::Failure, code, is_local, text: b"" }
}

#[test]
fn a_party_that_hangs_up_is_named_with_what_its_bye_says() {
    for (direction, reason) in [(Direction::Downstream, EndReason::CallerBye), (Direction::Upstream, EndReason::CalleeBye)] {
        let engine = engine(&[]);
        let id = confirmed(&engine, at(0.0), b"b@x");
        assert_eq!(end(&engine, b"b@x"), (None, 0, Vec::new()));
        let bye = InDialogRequest { stated: StatedCause { code: 16, text: TEXT }, ..within(RequestMethod::Bye, direction, 4) };
        let change = engine.request_begin(at(1.0), id, &bye).unwrap();
        assert_eq!(end(&engine, b"b@x"), because(reason, 16, TEXT), "seen by the end route already");
        engine.request_finish(at(1.0), change, &bye);
        let again =
            InDialogRequest { stated: StatedCause { code: 31, text: b"other" }, ..within(RequestMethod::Bye, direction.reversed(), 5) };
        request(&engine, at(1.1), id, &again);
        assert_eq!(end(&engine, b"b@x"), because(reason, 16, TEXT), "the first cause counts");
        assert_eq!(engine.ended_by(reason), 1);
        assert_recount(&engine);
    }
}

#[test]
fn a_failure_is_the_callees_this_proxys_or_nobodys() {
    let cases = [
        (failure(486, false), EndReason::CalleeReject),
        (failure(408, false), EndReason::CalleeReject),
        (failure(403, true), EndReason::ProxyReject),
        (failure(408, true), EndReason::NoAnswer),
    ];
    for (reply, reason) in cases {
        let engine = engine(&[]);
        let id = create(&engine, at(0.0), b"f@x");
        fail(&engine, at(1.0), id, reply);
        assert_eq!(end(&engine, b"f@x"), because(reason, reply.code, b""));
        assert_eq!(moments(&engine, at(2.0), b"f@x"), [Moment::Created, Moment::Failed { code: reply.code }]);
    }
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"t@x");
    fail(&engine, at(1.0), id, InviteReply { text: TEXT, ..failure(486, false) });
    assert_eq!(end(&engine, b"t@x"), because(EndReason::CalleeReject, 486, TEXT));
}

#[test]
fn a_cancel_is_to_blame_for_the_487_but_not_for_what_follows_an_answer() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"c@x");
    reply(&engine, at(0.1), id, 180);
    engine.cancelled(at(1.0), id, StatedCause { code: 200, text: b"SIP;cause=200" });
    assert_eq!(end(&engine, b"c@x"), (None, 0, Vec::new()), "nothing has ended yet");
    fail(&engine, at(1.1), id, InviteReply { text: TEXT, ..failure(487, false) });
    assert_eq!(end(&engine, b"c@x"), because(EndReason::Cancel, 487, b"SIP;cause=200"));

    let id = create(&engine, at(2.0), b"d@x");
    engine.cancelled(at(2.1), id, StatedCause { code: 200, text: b"SIP;cause=200" });
    reply(&engine, at(2.2), id, 200);
    ack(&engine, at(2.3), id);
    engine.cancelled(at(2.4), id, StatedCause::default());
    bye(&engine, at(3.0), id);
    assert_eq!(end(&engine, b"d@x"), because(EndReason::CallerBye, 0, b""));
    let expected = [Moment::Created, Moment::Cancelled, Moment::Answered { code: 0 }, Moment::Confirmed, Moment::Bye { leg: Leg::Caller }];
    assert_eq!(moments(&engine, at(3.0), b"d@x"), expected);
}

#[test]
fn a_revived_call_ends_for_its_second_reason_and_is_counted_once() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"r@x");
    engine.cancelled(at(0.5), id, StatedCause { code: 0, text: TEXT });
    fail(&engine, at(1.0), id, failure(487, true));
    assert_eq!(engine.ended_by(EndReason::Cancel), 1);
    reply(&engine, at(1.1), id, 200);
    assert_eq!((end(&engine, b"r@x"), engine.ended_by(EndReason::Cancel)), ((None, 0, Vec::new()), 0));
    bye(&engine, at(2.0), id);
    assert_eq!(end(&engine, b"r@x"), because(EndReason::CallerBye, 0, b""));
    assert!(moments(&engine, at(2.0), b"r@x").contains(&Moment::Revived { code: 0 }));
    assert_recount(&engine);
}

#[test]
fn lifetimes_end_by_timeout_missing_ack_or_dead_parties() {
    let engine = engine(&[("default_timeout", 100), ("ka_timer", 10), ("ka_interval", 30)]);
    let expire = |now: Now, id: DialogId| {
        engine.expire(now);
        let ExpiryStep::Ended { change } = engine.expiry_decide(now, id) else { panic!("no end") };
        engine.expiry_finish(now, change);
    };
    let id = confirmed(&engine, at(0.0), b"t@x");
    expire(at(101.0), id);
    assert_eq!(end(&engine, b"t@x"), because(EndReason::Timeout, 0, b""));

    let id = create(&engine, at(200.0), b"n@x");
    reply(&engine, at(200.0), id, 200);
    assert!(engine.expire(at(260.5)).is_empty());
    expire(at(271.0), id);
    assert_eq!(end(&engine, b"n@x"), because(EndReason::NoAck, 0, b""));
    let last = [Moment::AckMissing, Moment::LifetimeOver, Moment::Ended];
    assert!(moments(&engine, at(271.0), b"n@x").ends_with(&last));

    let id = create(&engine, at(300.0), b"k@x");
    engine.set_internal_flags(at(300.0), id, internal_flag::KEEPALIVE_CALLEE, 0);
    reply(&engine, at(300.0), id, 200);
    ack(&engine, at(300.1), id);
    engine.keepalives_due(at(331.0));
    assert!(engine.keepalive_answered(at(331.0), id, Leg::Callee, 481));
    assert_eq!(end(&engine, b"k@x"), (None, 0, Vec::new()));
    expire(at(342.0), id);
    assert_eq!(end(&engine, b"k@x"), because(EndReason::Keepalive, 0, b""));
    assert!(moments(&engine, at(342.0), b"k@x").contains(&Moment::KeepaliveFailed { leg: Leg::Callee, code: 481 }));
}

#[test]
fn an_ack_that_comes_late_makes_the_timeout_a_plain_one_again() {
    let engine = engine(&[("default_timeout", 100)]);
    let id = create(&engine, at(0.0), b"l@x");
    reply(&engine, at(0.0), id, 200);
    engine.expire(at(61.0));
    let refresh = InDialogRequest { timeout: Some(100), ..within(RequestMethod::Ack, Direction::Downstream, 3) };
    request(&engine, at(62.0), id, &refresh);
    engine.expire(at(163.0));
    let ExpiryStep::Ended { change } = engine.expiry_decide(at(163.0), id) else { panic!("no end") };
    engine.expiry_finish(at(163.0), change);
    assert_eq!(end(&engine, b"l@x"), because(EndReason::Timeout, 0, b""));
}

#[test]
fn a_call_ended_from_here_keeps_the_reason_of_who_asked() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"p@x");
    let Ok(Termination::Byes { .. }) = engine.terminate(at(1.0), id, EndReason::Rpc) else { panic!("no BYEs") };
    assert_eq!((end(&engine, b"p@x"), engine.state(id)), (because(EndReason::Rpc, 0, b""), Some(State::Confirmed)));
    engine.local_bye_finished(at(1.2), id, Leg::Callee, 200);
    engine.local_bye_finished(at(1.4), id, Leg::Caller, 481);
    assert_eq!(end(&engine, b"p@x"), because(EndReason::Rpc, 0, b""));
    let expected = [
        Moment::Created,
        Moment::Early { code: 0 },
        Moment::Answered { code: 0 },
        Moment::Confirmed,
        Moment::Asked { reason: EndReason::Rpc },
        Moment::ByeAnswered { leg: Leg::Callee, code: 200 },
        Moment::Ended,
        Moment::ByeAnswered { leg: Leg::Caller, code: 481 },
    ];
    assert_eq!(moments(&engine, at(2.0), b"p@x"), expected, "the second answer comes when the record has gone");

    let id = confirmed(&engine, at(0.0), b"q@x");
    let Ok(Termination::Byes { .. }) = engine.terminate_leg(at(1.0), id, Leg::Caller, EndReason::Script) else { panic!("no BYE") };
    let crossing = InDialogRequest { stated: StatedCause { code: 16, text: TEXT }, ..within(RequestMethod::Bye, Direction::Upstream, 1) };
    request(&engine, at(1.1), id, &crossing);
    assert_eq!(end(&engine, b"q@x"), because(EndReason::Script, 0, b""));
}

#[test]
fn a_call_ended_before_its_answer_fails_for_who_asked() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"e@x");
    let Ok(Termination::Early(early)) = engine.terminate(at(1.0), id, EndReason::Script) else { panic!("not early") };
    assert_eq!(end(&engine, b"e@x"), (None, 0, Vec::new()));
    fail(&engine, at(1.0), id, failure(early.code, true));
    assert_eq!(end(&engine, b"e@x"), because(EndReason::Script, 480, b""));
}

#[test]
fn a_bye_within_the_timeout_route_is_the_timeouts() {
    let engine = engine(&[("default_timeout", 30)]);
    let id = confirmed(&engine, at(0.0), b"w@x");
    assert!(matches!(engine.expire(at(31.0))[..], [Expiry::Lifetime { .. }]));
    assert!(engine.terminate(at(31.0), id, EndReason::Script).is_ok());
    assert_eq!(end(&engine, b"w@x"), because(EndReason::Timeout, 0, b""));
}

#[test]
fn an_early_timeout_a_forced_state_and_an_abandoned_call_have_reasons_too() {
    let engine = engine(&[]);
    create(&engine, at(0.0), b"s@x");
    let Some(Expiry::EarlyOver { change }) = engine.expire(at(301.0)).pop() else { panic!("not due") };
    engine.expiry_finish(at(301.0), change);
    assert_eq!(end(&engine, b"s@x"), because(EndReason::EarlyTimeout, 0, b""));

    let id = create(&engine, at(302.0), b"a@x");
    assert!(engine.abandon(at(302.0), id));
    assert_eq!(end(&engine, b"a@x"), because(EndReason::Abandoned, 0, b""));

    let id = confirmed(&engine, at(303.0), b"o@x");
    engine.force_state(at(304.0), id, State::Deleted, EndReason::Rpc);
    assert_eq!(end(&engine, b"o@x"), because(EndReason::Rpc, 0, b""));
    engine.force_state(at(305.0), id, State::Confirmed, EndReason::Rpc);
    assert_eq!(end(&engine, b"o@x"), (None, 0, Vec::new()));
    assert_recount(&engine);
}

#[test]
fn a_caller_who_hung_up_before_the_answer_ends_the_call_by_race() {
    let engine = engine(&[("race_condition_timeout", 5)]);
    let id = create(&engine, at(0.0), b"x@x");
    reply(&engine, at(0.1), id, 180);
    engine.early_bye(at(1.0), id, CALLEE.tag);
    reply(&engine, at(1.1), id, 200);
    ack(&engine, at(1.2), id);
    engine.expire(at(7.0));
    let ExpiryStep::SendByes { termination: Termination::Byes { caller: Some(_), callee: Some(_), .. } } =
        engine.expiry_decide(at(7.0), id)
    else {
        panic!("no BYEs")
    };
    assert_eq!(end(&engine, b"x@x"), because(EndReason::Race, 0, b""));
    assert!(moments(&engine, at(7.0), b"x@x").contains(&Moment::EarlyBye { leg: Leg::Caller }));
}

#[test]
fn attributes_tell_the_end_and_nothing_before_it() {
    use crate::view::{Attribute, AttributeValue};
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"v@x");
    let read = || [Attribute::EndReason, Attribute::EndCode, Attribute::EndText].map(|attribute| engine.attribute(id, attribute).unwrap());
    assert_eq!(read(), [None, None, None]);
    bye(&engine, at(1.0), id);
    assert_eq!(read(), [Some(AttributeValue::Text(b"caller_bye".to_vec())), None, None]);
    let id = confirmed(&engine, at(2.0), b"w@x");
    let with_text = InDialogRequest { stated: StatedCause { code: 16, text: TEXT }, ..within(RequestMethod::Bye, Direction::Upstream, 4) };
    request(&engine, at(3.0), id, &with_text);
    let told = [Attribute::EndCode, Attribute::EndText].map(|attribute| engine.attribute(id, attribute).unwrap().unwrap());
    assert_eq!(told, [AttributeValue::Number(16), AttributeValue::Text(TEXT.to_vec())]);
}

#[test]
fn calls_are_explained_while_they_live_and_ten_minutes_longer() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.25), b"m@x");
    let living = explained(&engine, at(1.0), b"m@x");
    assert!(!living.is_gone);
    let times: Vec<u64> = living.history.iter().map(|past| past.at.0).collect();
    assert_eq!(times, [START * 1000 + 250; 4], "times are exact to the millisecond");
    bye(&engine, at(60.0), id);
    assert!(engine.release(at(65.0), id));
    assert!(engine.is_empty());
    let gone = explained(&engine, at(66.0), b"m@x");
    assert_eq!((gone.is_gone, gone.dialog.id, gone.dialog.duration(0)), (true, id, 60));
    assert_eq!((gone.dialog.caller.tag, gone.dialog.callee.tag), (b"A".to_vec(), b"B".to_vec()));
    assert!(engine.explain(at(66.0), b"m@x", Some(b"B")).is_empty(), "the tag is that of the INVITE");
    assert_eq!(engine.explain(at(66.0), b"m@x", Some(b"A")).len(), 1);
    assert!(engine.explain(at(66.0), b"unknown@x", None).is_empty());
    engine.forget_ended(at(664.0));
    assert_eq!(engine.ended_calls(), 1);
    engine.forget_ended(at(675.1));
    assert_eq!(engine.ended_calls(), 0, "the memory is back");
}

#[test]
fn a_call_that_goes_in_a_profile_leaves_nothing_of_it_behind() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"g@x");
    let caller = engine.profiles().find("caller").unwrap();
    engine.profile_join(at(0.0), id, caller, Some(b"alice")).unwrap();
    assert!(engine.destroy(at(1.0), id));
    assert!(explained(&engine, at(1.0), b"g@x").dialog.profiles.is_empty());
    assert_eq!(engine.profiles().size(caller, None), Some(0));
}

#[test]
fn of_many_calls_with_one_call_id_the_latest_are_explained() {
    let engine = engine(&[]);
    for second in 0..70 {
        let id = create(&engine, at(f64::from(second)), b"m@x");
        engine.abandon(at(f64::from(second)), id);
    }
    create(&engine, at(70.0), b"m@x");
    let found = engine.explain(at(71.0), b"m@x", None);
    assert_eq!(found.len(), crate::limits::EXPLANATIONS_MAX);
    assert!(found.last().is_some_and(|call| !call.is_gone && call.dialog.init_time == START as u32 + 70));
}

#[test]
fn explaining_can_be_turned_off() {
    let engine = engine(&[("explain_time", 0)]);
    let id = create(&engine, at(0.0), b"o@x");
    assert_eq!(engine.explain(at(0.0), b"o@x", None).len(), 1, "living calls are explained all the same");
    engine.abandon(at(0.0), id);
    assert_eq!(engine.ended_calls(), 0);
}

#[test]
fn a_cancel_that_comes_again_is_remembered_once() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"a@x");
    reply(&engine, at(0.1), id, 180);
    for repetition in 0..8 {
        engine.cancelled(at(1.0 + f64::from(repetition) / 2.0), id, StatedCause { code: 200, text: b"SIP;cause=200" });
    }
    assert_eq!(moments(&engine, at(9.0), b"a@x"), [Moment::Created, Moment::Early { code: 0 }, Moment::Cancelled]);
}
