//! Calls as they go: setup, failure, spirals, crossings, event routes.

use super::*;
use crate::Verdict;
use crate::cookie;
use crate::effect::{PendingProfile, Refusal};
use crate::leg::Leg;
use crate::matching::MatchTrouble;
use crate::observer::{Cause, Notice, Observer, Occurrence, OccurrenceKind};
use crate::settings::MatchMode;
use crate::state::State;
use std::sync::{Arc, Mutex};

#[test]
fn a_plain_call_walks_through_all_states_and_counters() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"c1@x");
    assert_eq!((id.entry, engine.state(id)), (3837, Some(State::Unconfirmed)));
    assert_eq!(reply(&engine, at(1.0), id, 180).0, None);
    assert_eq!(engine.statistics().early, 1);
    let change = engine.reply_begin(at(2.0), id, ReplyKind::Success).unwrap();
    assert_eq!((change.old, change.new, change.route), (State::Early, State::ConfirmedNoAck, Some(EventRoute::Start)));
    let during = engine.view(at(2.0), id).unwrap();
    assert_eq!((during.callee.tag.len(), during.start_time, engine.statistics().active), (0, 0, 0));
    assert!(!engine.reply_finish(at(2.0), change, Some(&CALLEE), Cause::HERE).gone);
    let answered = engine.view(at(2.0), id).unwrap();
    assert_eq!((answered.callee.cseq, &*answered.callee.tag), (Some(0), &b"B"[..]));
    assert_eq!(u64::from(answered.timeout), START + 2 + 43_200);
    assert_eq!((engine.statistics().early, engine.statistics().active), (0, 1));
    let finished = ack(&engine, at(3.0), id);
    assert_eq!(finished.occurrence.unwrap().kind, OccurrenceKind::Confirmed);
    assert!(!finished.add_cookie);
    let view = engine.view(at(3.0), id).unwrap();
    assert_eq!((view.state, view.references, view.duration(START as u32 + 12)), (State::Confirmed, 2, 10));
    assert_eq!((view.caller.cseq, view.caller.socket), (Some(3), b"udp:127.0.0.1:15060".to_vec()));

    let hangup = within(RequestMethod::Bye, Direction::Upstream, 1);
    let change = engine.request_begin(at(9.0), id, &hangup).unwrap();
    assert_eq!((change.new, change.route, change.age, change.held), (State::Deleted, Some(EventRoute::End), 7, true));
    assert_eq!(engine.statistics().active, 1, "the route still sees the call counted");
    assert!(!engine.request_finish(at(9.0), change, &hangup).destroyed);
    assert_eq!((engine.statistics().active, engine.view(at(9.0), id).unwrap().references), (0, 1));
    let (route, _) = request(&engine, at(9.5), id, &hangup);
    assert_eq!((route, engine.statistics().ended), (None, 1), "a retransmitted BYE does nothing");
    assert!(engine.release(at(14.0), id));
    assert!(engine.is_empty());
    assert_recount(&engine);
}

#[test]
fn a_failed_call_runs_failed_once_and_stays_until_released() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"f@x");
    reply(&engine, at(0.1), id, 183);
    let (route, finished) = reply(&engine, at(0.2), id, 486);
    assert_eq!((route, finished.destroyed), (Some(EventRoute::Failed), false));
    assert_eq!((engine.state(id), engine.statistics().failed), (Some(State::Deleted), 1));
    assert!(engine.release(at(0.3), id) && !engine.contains(id));
    let quick = super::engine(&[("wait_ack", 0)]);
    let id = create(&quick, at(0.0), b"f@x");
    assert!(reply(&quick, at(0.2), id, 404).1.destroyed);
    assert_recount(&quick);
}

#[test]
fn a_200_that_crosses_the_cancel_revives_the_call() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"r@x");
    reply(&engine, at(0.1), id, 180);
    assert_eq!(reply(&engine, at(0.2), id, 487).0, Some(EventRoute::Failed));
    let (route, finished) = reply(&engine, at(0.3), id, 200);
    assert_eq!((route, finished.gone), (Some(EventRoute::Start), false));
    let counts = engine.statistics();
    assert_eq!((counts.failed, counts.active, counts.early), (0, 1, 0));
    assert_recount(&engine);
    assert!(!engine.release(at(0.4), id), "the failed transaction lets go, the call lives");
    ack(&engine, at(0.5), id);
    assert_eq!(bye(&engine, at(1.0), id).0, Some(EventRoute::End));
    let change = engine.reply_begin(at(1.1), id, ReplyKind::Success).unwrap();
    assert_eq!((change.verdict, change.new), (Verdict::Bogus, State::Deleted), "after a BYE nothing comes back");
    engine.reply_finish(at(1.1), change, None, Cause::HERE);
    assert_recount(&engine);
}

#[test]
fn a_bye_after_the_failure_forbids_the_revival() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"rb@x");
    reply(&engine, at(0.1), id, 180);
    assert_eq!(reply(&engine, at(0.2), id, 487).0, Some(EventRoute::Failed));
    assert_eq!(bye(&engine, at(0.3), id).0, None);
    let change = engine.reply_begin(at(0.4), id, ReplyKind::Success).unwrap();
    assert_eq!((change.verdict, change.new), (Verdict::Bogus, State::Deleted));
    engine.reply_finish(at(0.4), change, None, Cause::HERE);
    assert_recount(&engine);
}

#[test]
fn bye_in_early_state_changes_nothing() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"b@x");
    reply(&engine, at(0.1), id, 180);
    let (route, finished) = bye(&engine, at(0.2), id);
    assert_eq!((route, finished), (None, Finished::default()));
    assert_eq!((engine.state(id), engine.statistics().early), (Some(State::Early), 1));
}

#[test]
fn a_second_copy_of_the_invite_is_a_spiral_while_the_first_lives() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"s@x");
    assert_eq!(engine.begin(at(0.1), &invite(b"s@x")), Begin::Spiral(id));
    reply(&engine, at(0.2), id, 180);
    reply(&engine, at(0.3), id, 200);
    assert_eq!(engine.begin(at(0.4), &invite(b"s@x")), Begin::Spiral(id));
    ack(&engine, at(0.5), id);
    let Begin::Created(second) = engine.begin(at(0.6), &invite(b"s@x")) else { panic!("a confirmed call is no spiral") };
    assert_ne!(second, id);
    assert_eq!(engine.of_call_id(b"s@x"), [id, second]);
    assert_eq!(engine.find_by_identifiers(b"s@x", b"A", b"B", Direction::None), Some((id, Direction::Downstream)));
    assert_eq!(engine.find_by_identifiers(b"s@x", b"A", b"Z", Direction::None), Some((second, Direction::Downstream)));
    assert_eq!(engine.statistics().processed, 2);
    let plain = super::engine(&[("detect_spirals", 0)]);
    create(&plain, at(0.0), b"s@x");
    create(&plain, at(0.0), b"s@x");
    assert_eq!(plain.len(), 2);
}

#[test]
fn parallel_copies_of_one_invite_make_one_dialog() {
    let engine = engine(&[]);
    let made: Vec<bool> = std::thread::scope(|scope| {
        let copies: Vec<_> = (0..8).map(|_| scope.spawn(|| matches!(engine.begin(at(0.0), &invite(b"p@x")), Begin::Created(_)))).collect();
        copies.into_iter().map(|copy| copy.join().unwrap()).collect()
    });
    assert_eq!((made.iter().filter(|made| **made).count(), engine.len()), (1, 1));
}

#[test]
fn bounds_and_missing_parts_are_refused_with_a_reason() {
    let mut few = settings(&[]);
    few.dialogs_max = 1;
    let engine = Engine::new(at(0.0), few);
    for (new, refusal) in [
        (NewDialog { call_id: b"", ..invite(b"n@x") }, Refusal::NoCallId),
        (NewDialog { from_tag: b"", ..invite(b"n@x") }, Refusal::NoFromTag),
        (NewDialog { contact: b"", ..invite(b"n@x") }, Refusal::NoContact),
        (NewDialog { route_set: &[b'r'; 70_000], ..invite(b"n@x") }, Refusal::TooLarge),
    ] {
        assert_eq!(engine.begin(at(0.0), &new), Begin::Refused(refusal));
    }
    let id = create(&engine, at(0.0), b"n@x");
    assert_eq!(engine.begin(at(0.0), &invite(b"m@x")), Begin::Refused(Refusal::Full));
    assert_eq!(engine.statistics().refused, 5);
    assert!(engine.abandon(at(0.1), id));
    assert!(matches!(engine.begin(at(0.2), &invite(b"m@x")), Begin::Created(_)));
    assert_eq!((engine.statistics().failed, engine.statistics().abandoned, engine.statistics().processed), (0, 1, 2));
    assert_recount(&engine);
}

#[test]
fn one_call_id_cannot_fill_the_table() {
    let engine = engine(&[]);
    for number in 0..crate::limits::DIALOGS_OF_CALL_ID_MAX {
        let tag = number.to_string();
        let new = NewDialog { from_tag: tag.as_bytes(), ..invite(b"same@x") };
        assert!(matches!(engine.begin(at(0.0), &new), Begin::Created(_)));
    }
    let refused = engine.begin(at(0.0), &NewDialog { from_tag: b"one more", ..invite(b"same@x") });
    assert_eq!(refused, Begin::Refused(Refusal::TooManyOfCallId));
}

#[test]
fn what_the_script_set_before_is_in_the_dialog() {
    let engine = engine(&[("send_bye", 1)]);
    let caller = engine.profiles().find("caller").unwrap();
    let nov = engine.profiles().find("nov").unwrap();
    let all = engine.profiles().find("all").unwrap();
    let profiles = [PendingProfile::of(caller, Some(b"A")), PendingProfile::of(nov, None)];
    let new = NewDialog {
        lifetime: Some(600),
        timeout_route: Some((4, b"DLGTO")),
        script_flags: 6,
        variables: &[(b"second", b"2"), (b"first", b"1")],
        profiles: &profiles,
        ..invite(b"v@x")
    };
    let Begin::Created(id) = engine.begin(at(0.0), &new) else { panic!("refused") };
    engine.profile_join(at(0.0), id, caller, Some(b"C")).unwrap();
    engine.profile_join(at(0.0), id, all, None).unwrap();
    let view = engine.view(at(0.0), id).unwrap();
    let names: Vec<(&str, Option<&[u8]>)> = view.profiles.iter().map(|profile| (&*profile.name, profile.value.as_deref())).collect();
    assert_eq!(names, [("all", None), ("caller", Some(&b"C"[..])), ("caller", Some(b"A")), ("nov", None)]);
    assert_eq!(view.variables, [(b"second".to_vec(), b"2".to_vec()), (b"first".to_vec(), b"1".to_vec())]);
    assert_eq!((view.lifetime, view.script_flags, view.internal_flags, view.timeout), (600, 6, 1, 0));
    assert_eq!((view.timeout_route, view.timeout_route_name), (4, b"DLGTO".to_vec()));
}

#[test]
fn requests_within_keep_cseq_contact_and_lifetime_up() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"w@x");
    let target =
        InDialogRequest { contact: Some(b"sip:alice@new"), timeout: Some(900), ..within(RequestMethod::Invite, Direction::Downstream, 7) };
    let (_, finished) = request(&engine, at(10.0), id, &target);
    assert!(finished.add_cookie);
    request(&engine, at(20.0), id, &within(RequestMethod::Other, Direction::Upstream, 5));
    let view = engine.view(at(20.0), id).unwrap();
    assert_eq!((view.caller.cseq, view.callee.cseq, view.lifetime), (Some(7), Some(5), 900));
    assert_eq!((view.caller.contact, u64::from(view.timeout)), (b"sip:alice@new".to_vec(), START + 920));
    request(&engine, at(21.0), id, &within(RequestMethod::Other, Direction::Downstream, 2));
    assert_eq!(engine.view(at(21.0), id).unwrap().caller.cseq, Some(7), "the CSeq never falls");
    let fixed = super::engine(&[("timeout_noreset", 1)]);
    let id = confirmed(&fixed, at(0.0), b"w@x");
    request(&fixed, at(30.0), id, &within(RequestMethod::Other, Direction::Downstream, 4));
    assert_eq!(u64::from(fixed.view(at(30.0), id).unwrap().timeout), START + 43_200);
}

#[test]
fn the_cookie_decides_as_the_mode_says() {
    use MatchMode::{CookieOnly, CookieThenIdentifiers, IdentifiersOnly};
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"m@x");
    let other = confirmed(&engine, at(0.0), b"o@x");
    let written = |id| {
        let mut text = Vec::new();
        cookie::write(&mut text, id);
        text
    };
    let unknown = DialogId { entry: 1, id: 0xffff_0000 };
    let (good, foreign, nowhere) = (written(id), written(other), written(unknown));
    let outside = written(DialogId { entry: 4096, id: 1 });
    let down = Some((id, Direction::Downstream));
    let cases: [(Option<&[u8]>, Option<MatchTrouble>); 6] = [
        (Some(&good), None),
        (None, Some(MatchTrouble::NoCookie)),
        (Some(b"xyz"), Some(MatchTrouble::MalformedCookie)),
        (Some(&nowhere), Some(MatchTrouble::UnknownCookie(unknown))),
        (Some(&outside), Some(MatchTrouble::UnknownCookie(DialogId { entry: 4096, id: 1 }))),
        (Some(&foreign), Some(MatchTrouble::OtherIdentifiers(other))),
    ];
    for (cookie, trouble) in cases {
        let found = |mode| engine.match_request(mode, cookie, b"m@x", b"A", b"B");
        assert_eq!(found(CookieOnly).found, if trouble.is_none() { down } else { None }, "{cookie:?}");
        assert_eq!(found(CookieOnly).trouble, trouble);
        assert_eq!((found(CookieThenIdentifiers).found, found(CookieThenIdentifiers).trouble), (down, trouble));
        assert_eq!((found(IdentifiersOnly).found, found(IdentifiersOnly).trouble), (down, None));
    }
    let swapped = engine.match_request(CookieOnly, Some(&good), b"m@x", b"B", b"A");
    assert_eq!(swapped.found, Some((id, Direction::Upstream)));
    for (from, to) in [(&b"A"[..], &b"C"[..]), (b"B", b"B"), (b"", b"")] {
        assert_eq!(engine.match_request(CookieThenIdentifiers, Some(&good), b"m@x", from, to).found, None);
    }
}

#[derive(Default)]
pub(super) struct Diary(pub(super) Mutex<Vec<OccurrenceKind>>);

impl Observer for Diary {
    fn on(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap().push(notice.occurrence.kind);
    }
}

#[test]
fn observers_hear_a_call_in_order() {
    use OccurrenceKind::*;
    let engine = engine(&[]);
    let diary = Arc::new(Diary::default());
    engine.observe(diary.clone());
    let id = confirmed(&engine, at(0.0), b"d@x");
    request(&engine, at(1.0), id, &within(RequestMethod::Other, Direction::Upstream, 1));
    bye(&engine, at(2.0), id);
    engine.report(at(2.1), id, Occurrence::towards(TerminatedConfirmed, Direction::Upstream), Cause::HERE);
    engine.release(at(7.0), id);
    let id = create(&engine, at(8.0), b"e@x");
    engine.begin(at(8.0), &invite(b"e@x"));
    reply(&engine, at(8.1), id, 500);
    engine.release(at(9.0), id);
    let heard = diary.0.lock().unwrap().clone();
    let normal = [Created, Early, Answered, Confirmed, RequestWithin, Terminated, TerminatedConfirmed, Destroyed];
    let failing = [Created, Spiralled, Failed, Destroyed];
    assert_eq!(heard, [&normal[..], &failing[..]].concat());
}

#[test]
fn a_step_survives_a_dialog_that_vanishes_during_its_route() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"g@x");
    let change = engine.reply_begin(at(0.1), id, ReplyKind::Success).unwrap();
    assert!(engine.destroy(at(0.1), id));
    assert!(engine.reply_finish(at(0.1), change, Some(&CALLEE), Cause::HERE).gone);
    let id = confirmed(&engine, at(0.2), b"h@x");
    let hangup = within(RequestMethod::Bye, Direction::Downstream, 9);
    let change = engine.request_begin(at(0.3), id, &hangup).unwrap();
    engine.force_state(at(0.3), id, State::Deleted, EndReason::Rpc);
    assert!(!engine.request_finish(at(0.3), change, &hangup).gone);
    assert_eq!((engine.statistics().ended, engine.statistics().active), (1, 0));
    assert_recount(&engine);
    assert_eq!(engine.attribute(id, crate::view::Attribute::Tag(Leg::Callee)), Some(Some(crate::AttributeValue::Text(b"B".to_vec()))));
}

#[test]
fn a_revival_while_the_failed_route_runs_keeps_the_counts_right() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"q@x");
    reply(&engine, at(0.1), id, 180);
    let failing = engine.reply_begin(at(0.2), id, ReplyKind::Failure).unwrap();
    let answered = engine.reply_begin(at(0.2), id, ReplyKind::Success).unwrap();
    assert_eq!(engine.reply_finish(at(0.2), failing, None, Cause::HERE).occurrence, None);
    engine.reply_finish(at(0.2), answered, Some(&CALLEE), Cause::HERE);
    assert_eq!((engine.statistics().failed, engine.statistics().active), (0, 1));
    assert_recount(&engine);
}

#[test]
fn the_flag_word_reads_as_on_6x() {
    let engine = engine(&[]);
    let nov = [PendingProfile::of(engine.profiles().find("nov").unwrap(), None)];
    let new = NewDialog { profiles: &nov, transaction: true, ..invite(b"w@x") };
    let Begin::Created(id) = engine.begin(at(0.0), &new) else { panic!("refused") };
    assert_eq!(engine.view(at(0.0), id).unwrap().dialog_flags, 2048 + 512);
    reply(&engine, at(0.0), id, 200);
    ack(&engine, at(0.0), id);
    assert_eq!(engine.view(at(0.0), id).unwrap().dialog_flags, 2048 + 512 + 2 + 1);
    assert_eq!(engine.set_dialog_flags(at(0.0), id, 0, 3), Some(2048 + 512 + 3));
    bye(&engine, at(1.0), id);
    assert_eq!(engine.view(at(1.0), id).unwrap().dialog_flags & 4, 4);
}

#[test]
fn many_threads_leave_nothing_behind() {
    let engine = engine(&[("hash_size", 16), ("wait_ack", 0)]);
    let all = engine.profiles().find("all").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for number in 0..500 {
                    let id = create(engine, at(0.0), format!("{thread}-{number}@x").as_bytes());
                    engine.profile_join(at(0.0), id, all, None).unwrap();
                    reply(engine, at(0.1), id, 180);
                    if number % 3 == 0 {
                        reply(engine, at(0.2), id, 486);
                        continue;
                    }
                    reply(engine, at(0.2), id, 200);
                    ack(engine, at(0.3), id);
                    let found = engine.find_by_identifiers(format!("{thread}-{number}@x").as_bytes(), b"B", b"A", Direction::None);
                    assert_eq!(found, Some((id, Direction::Upstream)));
                    bye(engine, at(0.4), id);
                    engine.release(at(0.5), id);
                }
            });
        }
    });
    let counts = engine.statistics();
    assert_eq!((counts.processed, counts.failed, counts.ended, engine.len()), (2000, 668, 1332, 0));
    assert_eq!(engine.profiles().size(all, None), Some(0));
    assert_recount(&engine);
}

#[test]
fn the_engine_can_be_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Engine>();
}

#[test]
fn of_several_matching_dialogs_the_oldest_answered_or_the_newest_open_one_is_found() {
    let engine = engine(&[("detect_spirals", 0)]);
    let find = |to: &[u8]| engine.find_by_identifiers(b"t@x", b"A", to, Direction::None).map(|found| found.0);
    let first = create(&engine, at(0.0), b"t@x");
    let second = create(&engine, at(0.0), b"t@x");
    let third = create(&engine, at(0.0), b"t@x");
    assert_eq!(find(b"B"), Some(third));
    reply(&engine, at(0.1), second, 200);
    assert_eq!((find(b"B"), find(b"Z")), (Some(second), Some(third)));
    reply(&engine, at(0.2), first, 200);
    reply(&engine, at(0.2), third, 200);
    assert_eq!((find(b"B"), find(b"Z")), (Some(first), None));
}

#[test]
fn a_new_invite_after_a_failed_one_makes_a_new_dialog() {
    let engine = engine(&[]);
    let first = create(&engine, at(0.0), b"again@x");
    reply(&engine, at(0.1), first, 407);
    let second = create(&engine, at(0.2), b"again@x");
    assert!(engine.contains(first) && first != second, "the failed one is no spiral partner");
    assert_eq!(engine.statistics().processed, 2);
}
