//! Calls ended from here: BYEs, early termination, repeats.

use std::sync::Arc;

use super::calls::Diary;
use super::*;
use crate::effect::{EarlyTermination, TerminateError, Termination};
use crate::engine::SequenceStep;
use crate::leg::Leg;
use crate::observer::{Cause, OccurrenceKind};
use crate::settings::ByeSequence;
use crate::state::State;

#[test]
fn both_byes_carry_what_the_original_puts_in_them() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"db@x");
    let Ok(Termination::Byes { caller: Some(caller), callee: Some(callee), route }) = engine.terminate(at(1.0), id, EndReason::Rpc) else {
        panic!("no BYEs")
    };
    assert_eq!(route, Some(EventRoute::End));
    assert_eq!(callee.request_uri, b"sip:bob@127.0.0.1:15080");
    assert_eq!((callee.to_uri.as_slice(), callee.to_tag.as_slice()), (&b"sip:bob@example.com"[..], &b"B"[..]));
    assert_eq!((callee.from_uri.as_slice(), callee.from_tag.as_slice()), (&b"sip:alice@example.com"[..], &b"A"[..]));
    assert_eq!((callee.cseq, callee.route_set.as_slice()), (104, CALLEE.route_set));
    assert_eq!((callee.call_id.as_slice(), callee.socket.as_slice()), (&b"db@x"[..], &b"udp:127.0.0.1:15061"[..]));
    assert_eq!(caller.request_uri, b"sip:alice@127.0.0.1:15070");
    assert_eq!((caller.to_tag.as_slice(), caller.from_tag.as_slice(), caller.cseq), (&b"A"[..], &b"B"[..], 101));
    assert_eq!((caller.route_set.as_slice(), caller.socket.as_slice()), (&b"<sip:127.0.0.1:15071;lr>"[..], &b"udp:127.0.0.1:15060"[..]));
    assert_eq!(engine.view(at(1.0), id).unwrap().caller.cseq, Some(3), "the stored CSeq stays");

    assert_eq!(engine.terminate(at(2.0), id, EndReason::Rpc), Err(TerminateError::Pending));
    assert_eq!(engine.state(id), Some(State::Confirmed));
    let finished = engine.local_bye_finished(at(3.0), id, Leg::Callee, 200);
    assert!(finished.destroyed && finished.store);
    assert_eq!(engine.terminate(at(4.0), id, EndReason::Rpc), Err(TerminateError::UnknownDialog));
    assert_recount(&engine);
}

#[test]
fn the_older_bye_sequence_can_be_chosen() {
    let mut old = settings(&[]);
    old.bye_sequence = ByeSequence::Plus1;
    let engine = Engine::new(at(0.0), old);
    let id = confirmed(&engine, at(0.0), b"1@x");
    let Ok(Termination::Byes { caller: Some(caller), callee: Some(callee), .. }) = engine.terminate(at(1.0), id, EndReason::Rpc) else {
        panic!("no BYEs")
    };
    assert_eq!((caller.cseq, callee.cseq), (1, 4));
    let id = create(&engine, at(0.0), b"2@x");
    reply(&engine, at(0.0), id, 180);
    request(&engine, at(0.0), id, &within(RequestMethod::Prack, Direction::Downstream, 4));
    reply(&engine, at(0.0), id, 200);
    let Ok(Termination::Byes { callee: Some(callee), .. }) = engine.terminate(at(1.0), id, EndReason::Rpc) else { panic!("no BYEs") };
    assert_eq!(callee.cseq, 4 + 81);
}

#[test]
fn one_side_can_be_ended_once_and_the_route_runs_once() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"o@x");
    let first = engine.terminate_leg(at(1.0), id, Leg::Caller, EndReason::Script).unwrap();
    assert!(matches!(first, Termination::Byes { caller: Some(_), callee: None, route: Some(EventRoute::End) }));
    assert_eq!(engine.terminate_leg(at(1.0), id, Leg::Caller, EndReason::Script), Err(TerminateError::Pending));
    let second = engine.terminate_leg(at(1.0), id, Leg::Callee, EndReason::Script).unwrap();
    assert!(matches!(second, Termination::Byes { caller: None, callee: Some(_), route: None }));
    let (route, _) = bye(&engine, at(2.0), id);
    assert_eq!(route, None, "a BYE that crosses runs no second end route");
    assert!(!engine.local_bye_finished(at(3.0), id, Leg::Caller, 200).destroyed);
    assert!(engine.release(at(5.0), id));
    assert_recount(&engine);
}

#[test]
fn an_ack_whose_route_still_runs_does_not_count_an_ended_call_as_active_again() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"k@x");
    reply(&engine, at(0.0), id, 200);
    let request = within(RequestMethod::Ack, Direction::Downstream, 1);
    let change = engine.request_begin(at(1.0), id, &request).unwrap();
    bye(&engine, at(1.0), id);
    assert_eq!(engine.request_finish(at(1.0), change, &request).occurrence, None);
    let counts = engine.statistics();
    assert_eq!((counts.active, counts.ended, counts.abandoned), (0, 1, 0));
    assert_recount(&engine);
}

#[test]
fn observers_hear_one_end_whatever_byes_cross() {
    let end = |work: &dyn Fn(&Engine, DialogId)| {
        let engine = engine(&[]);
        let diary = Arc::new(Diary::default());
        engine.observe(diary.clone());
        let id = confirmed(&engine, at(0.0), b"c@x");
        work(&engine, id);
        bye(&engine, at(2.0), id);
        let ends = [OccurrenceKind::Terminated, OccurrenceKind::Expired, OccurrenceKind::Failed];
        diary.0.lock().unwrap().iter().filter(|kind| ends.contains(kind)).count()
    };
    assert_eq!(end(&|_, _| {}), 1);
    assert_eq!(end(&|engine, id| assert!(engine.terminate(at(1.0), id, EndReason::Rpc).is_ok())), 1);
    assert_eq!(end(&|engine, id| assert!(engine.terminate_leg(at(1.0), id, Leg::Callee, EndReason::Script).is_ok())), 1);
}

#[test]
fn observers_hear_of_an_answer_before_the_end_its_route_brings() {
    let engine = engine(&[]);
    let diary = Arc::new(Diary::default());
    engine.observe(diary.clone());
    let id = create(&engine, at(0.0), b"a@x");
    reply(&engine, at(0.1), id, 180);
    let offer = within(RequestMethod::Invite, Direction::Upstream, 7);
    request(&engine, at(0.2), id, &InDialogRequest { contact: Some(b"sip:b@192.0.2.2"), ..offer });
    let change = engine.reply_begin(at(1.0), id, ReplyKind::Success).unwrap();
    for leg in Leg::BOTH {
        let too_early = engine.terminate_leg(at(1.0), id, leg, EndReason::Script);
        assert_eq!(too_early, Err(TerminateError::Incomplete(Leg::Callee)), "number and contact of the callee are known, its tag is not");
    }
    engine.callee_answers(at(1.0), id, &CALLEE);
    assert!(engine.terminate_leg(at(1.0), id, Leg::Caller, EndReason::Script).is_ok());
    engine.reply_finish(at(1.0), change, Some(&CALLEE), Cause::HERE);
    engine.local_bye_finished(at(1.2), id, Leg::Caller, 200);
    let told = diary.0.lock().unwrap().clone();
    let place = |kind| told.iter().position(|told| *told == kind);
    assert!(place(OccurrenceKind::Answered).is_some());
    assert!(place(OccurrenceKind::Answered) < place(OccurrenceKind::Terminated), "{told:?}");
    assert_eq!(told.iter().filter(|told| **told == OccurrenceKind::Terminated).count(), 1);
}

#[test]
fn a_bye_made_here_lies_above_every_number_its_party_used() {
    for codes in [&[][..], &[180], &[180, 200], &[200]] {
        let engine = engine(&[]);
        let id = create(&engine, at(0.0), b"n@x");
        for code in codes {
            reply(&engine, at(0.1), id, *code);
        }
        request(&engine, at(0.2), id, &within(RequestMethod::Invite, Direction::Upstream, 1001));
        if !codes.contains(&200) {
            reply(&engine, at(0.3), id, 200);
        }
        let Ok(Termination::Byes { caller: Some(caller), .. }) = engine.terminate(at(1.0), id, EndReason::Rpc) else { panic!("no BYE") };
        assert_eq!(caller.cseq, 1102, "after {codes:?}");
    }
}

#[test]
fn a_bye_that_could_not_be_sent_may_be_tried_again() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"a@x");
    assert!(engine.terminate(at(1.0), id, EndReason::Rpc).is_ok());
    engine.local_bye_unsent(at(1.0), id, Leg::Caller);
    engine.local_bye_unsent(at(1.0), id, Leg::Callee);
    let again = engine.terminate(at(2.0), id, EndReason::Rpc).unwrap();
    assert!(matches!(again, Termination::Byes { caller: Some(_), callee: Some(_), route: None }));
}

#[test]
fn an_ended_call_gets_no_bye_to_either_side() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"o@x");
    assert!(engine.hold(id) && engine.terminate(at(1.0), id, EndReason::Rpc).is_ok());
    engine.local_bye_finished(at(1.1), id, Leg::Caller, 200);
    assert_eq!(engine.state(id), Some(State::Deleted));
    assert_eq!(engine.terminate(at(2.0), id, EndReason::Rpc), Err(TerminateError::AlreadyOver));
    for leg in Leg::BOTH {
        assert!(engine.terminate_leg(at(2.0), id, leg, EndReason::Script).is_err(), "{leg:?}");
    }
}

#[test]
fn an_unanswered_call_is_ended_by_reply_and_cancel() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"y@x");
    reply(&engine, at(0.1), id, 180);
    let expected = EarlyTermination { code: 480, reason: String::from("Temporarily Unavailable") };
    assert_eq!(engine.terminate(at(1.0), id, EndReason::Rpc), Ok(Termination::Early(expected)));
    assert_eq!(engine.state(id), Some(State::Early));
    assert_eq!(reply(&engine, at(1.0), id, 480).0, Some(EventRoute::Failed), "once, when it really fails");
    assert_eq!(engine.terminate(at(1.1), id, EndReason::Rpc), Err(TerminateError::AlreadyOver));
}

#[test]
fn a_callee_that_has_not_answered_is_reached_by_what_its_provisional_reply_tells() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"e@x");
    reply(&engine, at(0.1), id, 183);
    let request = engine.early_request(id, &CALLEE, SequenceStep::Above(1)).unwrap();
    assert_eq!((request.request_uri.as_slice(), request.route_set.as_slice()), (CALLEE.contact, CALLEE.route_set));
    assert_eq!((request.to_uri.as_slice(), request.to_tag.as_slice()), (&b"sip:bob@example.com"[..], &b"B"[..]));
    assert_eq!((request.from_uri.as_slice(), request.from_tag.as_slice(), request.cseq), (&b"sip:alice@example.com"[..], &b"A"[..], 4));
    let silent = CalleeLeg { contact: b"", ..CALLEE };
    assert_eq!(engine.early_request(id, &silent, SequenceStep::Above(1)), Err(TerminateError::Incomplete(Leg::Callee)));
}

#[test]
fn without_a_contact_there_is_no_request() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"z@x");
    let change = engine.reply_begin(at(0.1), id, ReplyKind::Success).unwrap();
    engine.reply_finish(at(0.1), change, None, Cause::HERE);
    assert_eq!(engine.local_request(id, Leg::Callee, SequenceStep::Above(1)), Err(TerminateError::Incomplete(Leg::Callee)));
    assert_eq!(engine.terminate(at(1.0), id, EndReason::Rpc), Err(TerminateError::Incomplete(Leg::Callee)));
    assert!(engine.set_contact(at(1.0), id, Leg::Callee, b"sip:b@10.0.0.9;alias=192.0.2.4~5070~2"));
    let request = engine.local_request(id, Leg::Callee, SequenceStep::Above(1)).unwrap();
    assert_eq!((request.request_uri.as_slice(), request.cseq), (&b"sip:b@10.0.0.9"[..], 4));
    assert_eq!(request.destination.unwrap().port, 5070);
}

#[test]
fn early_byes_are_remembered_by_party_up_to_a_bound() {
    let tag = |number: usize| format!("party-{number:04}").into_bytes();
    let answered_by = |party: &[u8], byes: usize| {
        let engine = engine(&[]);
        let id = create(&engine, at(0.0), b"fork@x");
        reply(&engine, at(0.1), id, 180);
        for number in 0..byes {
            for _ in 0..2 {
                engine.early_bye(at(0.2), id, &tag(number));
            }
        }
        let change = engine.reply_begin(at(0.3), id, ReplyKind::Success).unwrap();
        engine.reply_finish(at(0.3), change, Some(&CalleeLeg { tag: party, ..CALLEE }), Cause::HERE);
        ack(&engine, at(0.4), id);
        engine.view(at(0.4), id).unwrap().lifetime
    };
    assert_eq!((answered_by(&tag(0), 3), answered_by(&tag(2), 3)), (5, 5));
    assert_eq!(answered_by(&tag(3), 3), 43_200, "another party answers");
    assert_eq!(answered_by(b"party", 3), 43_200, "a part of a tag is another tag");
    let room = crate::limits::EARLY_BYES_BYTES_MAX / (tag(0).len() + 1);
    assert_eq!((answered_by(&tag(room - 1), 9999), answered_by(&tag(room), 9999)), (5, 43_200));
}

#[test]
fn a_bye_that_goes_out_again_ends_the_call_only_when_it_was_answered() {
    use crate::bye_task::ByeOutcome;
    for (outcome, is_over) in [(ByeOutcome::Unreachable, false), (ByeOutcome::Answered { code: 500, retry_after: None }, true)] {
        let engine = engine(&[]);
        let id = confirmed(&engine, at(0.0), b"again@x");
        assert!(engine.terminate(at(1.0), id, EndReason::Rpc).is_ok());
        assert_eq!(engine.local_bye_repeated(at(1.1), id, Leg::Caller, outcome).destroyed, is_over);
        assert_eq!(engine.contains(id), !is_over);
        assert_recount(&engine);
    }
}

#[test]
fn one_side_that_cannot_be_reached_leaves_the_end_to_the_other() {
    let engine = engine(&[("default_timeout", 30), ("send_bye", 1)]);
    let id = confirmed(&engine, at(0.0), b"half@x");
    assert_eq!(engine.expire(at(31.0)).len(), 1);
    assert!(matches!(engine.expiry_decide(at(31.0), id), crate::effect::ExpiryStep::SendByes { .. }));
    assert!(!engine.local_bye_unsent(at(31.0), id, Leg::Caller).destroyed);
    assert!(engine.local_bye_finished(at(31.5), id, Leg::Callee, 200).destroyed);
    assert_recount(&engine);
}
