//! Observers: what they are told, what they may do meanwhile, and what their faults cannot do.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::Mutex;

use super::{CALLEE, ack, at, bye, create, engine, invite, reply, within};
use crate::effect::{Begin, Expiry, ExpiryStep, NewDialog, RequestMethod, Restored};
use crate::engine::DialogId;
use crate::leg::Direction;
use crate::limits::{LISTING_FIELDS_MAX, OBSERVERS_MAX};
use crate::observer::{Cause, Kinds, Notice, Observer, Occurrence, OccurrenceKind};
use crate::state::State;
use crate::view::{AttributeValue, DialogView};
use crate::wish::Wish;

/// Does something at each kind it wants, and remembers what it was told.
struct Actor<F> {
    wants: Kinds,
    act: F,
    told: Mutex<Vec<(Occurrence, State)>>,
}

impl<F: Fn(&Notice<'_>) + Send + Sync + 'static> Actor<F> {
    fn new(wants: Kinds, act: F) -> Arc<Actor<F>> {
        Arc::new(Actor { wants, act, told: Mutex::new(Vec::new()) })
    }

    fn kinds(&self) -> Vec<OccurrenceKind> {
        self.told.lock().unwrap().iter().map(|(occurrence, _)| occurrence.kind).collect()
    }
}

impl<F: Fn(&Notice<'_>) + Send + Sync + 'static> Observer for Actor<F> {
    fn wants(&self) -> Kinds {
        self.wants
    }

    fn on(&self, notice: &Notice<'_>) {
        self.told.lock().unwrap().push((notice.occurrence, notice.dialog.state));
        (self.act)(notice);
    }
}

#[test]
fn an_observer_reads_and_writes_while_it_is_told() {
    let engine = engine(&[]);
    let actor = Actor::new(Kinds::of(&[OccurrenceKind::Answered]), |notice| {
        let id = notice.dialog.id;
        assert_eq!(notice.engine.state(id), Some(State::ConfirmedNoAck));
        assert_eq!(notice.engine.set_variable(notice.now, id, b"seen", Some(b"yes")), Ok(true));
        assert!(notice.engine.set_timeout(notice.now, id, 90).is_ok());
        assert!(notice.engine.hold(id));
    });
    assert!(engine.observe(actor.clone()));
    let id = create(&engine, at(0.0), b"o@x");
    reply(&engine, at(1.0), id, 200);
    assert_eq!(engine.variable(id, b"seen"), Some(b"yes".to_vec()));
    let view = engine.view(at(1.0), id).unwrap();
    assert_eq!((view.lifetime, view.variable(b"seen"), view.variable(b"other")), (90, Some(&b"yes"[..]), None));
    assert_eq!(
        *actor.told.lock().unwrap(),
        [(
            Occurrence { old: Some(State::Unconfirmed), ..Occurrence::towards(OccurrenceKind::Answered, Direction::Upstream) },
            State::ConfirmedNoAck
        )]
    );
}

#[test]
fn a_panic_of_one_observer_harms_neither_the_call_nor_the_others() {
    let engine = engine(&[]);
    let calm = Actor::new(Kinds::ALL, |_| {});
    let wild = Actor::new(Kinds::of(&[OccurrenceKind::Early]), |_| std::panic::resume_unwind(Box::new("on purpose")));
    engine.observe(calm.clone());
    engine.observe(wild.clone());
    let id = create(&engine, at(0.0), b"p@x");
    reply(&engine, at(0.1), id, 180);
    reply(&engine, at(0.2), id, 183);
    reply(&engine, at(0.3), id, 200);
    ack(&engine, at(0.4), id);
    use OccurrenceKind::*;
    assert_eq!(calm.kinds(), [Created, Early, Early, Answered, Confirmed]);
    assert_eq!((wild.kinds(), engine.observer_panics()), (vec![Early, Early], 2));
    assert_eq!((engine.state(id), engine.statistics().active), (Some(State::Confirmed), 1));
}

#[test]
fn later_observers_are_told_first_and_their_number_is_bounded() {
    let engine = engine(&[]);
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..OBSERVERS_MAX + 1 {
        let order = Arc::clone(&order);
        let taken = engine.observe(Actor::new(Kinds::of(&[OccurrenceKind::Created]), move |_| order.lock().unwrap().push(number)));
        assert_eq!(taken, number < OBSERVERS_MAX);
    }
    create(&engine, at(0.0), b"q@x");
    let expected: Vec<usize> = (0..OBSERVERS_MAX).rev().collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[test]
fn an_observer_can_end_the_call_it_is_told_of_or_any_other() {
    let engine = engine(&[]);
    let end = |dialog| Wish::End { dialog, leg: None, headers: b"Reason: SIP;cause=402\r\n".to_vec() };
    engine.observe(Actor::new(Kinds::of(&[OccurrenceKind::Confirmed]), move |notice| {
        assert_eq!(notice.engine.wish(end(notice.dialog.id)), Ok(()));
        assert_eq!(notice.engine.wish(end(DialogId { entry: 1, id: 1 })), Ok(()));
    }));
    let id = create(&engine, at(0.0), b"r@x");
    reply(&engine, at(0.1), id, 200);
    assert!(!engine.has_wishes());
    ack(&engine, at(0.2), id);
    assert!(engine.has_wishes());
    assert_eq!(
        (engine.take_wish(), engine.take_wish(), engine.take_wish()),
        (Some(end(id)), Some(end(DialogId { entry: 1, id: 1 })), None)
    );
}

#[test]
fn expiry_tells_whether_the_call_was_confirmed() {
    for (is_confirmed, old) in [(true, State::Confirmed), (false, State::ConfirmedNoAck)] {
        let engine = engine(&[("default_timeout", 5)]);
        let actor = Actor::new(Kinds::of(&[OccurrenceKind::Expired, OccurrenceKind::Destroyed]), |_| {});
        engine.observe(actor.clone());
        let id = create(&engine, at(0.0), b"s@x");
        reply(&engine, at(0.1), id, 200);
        if is_confirmed {
            ack(&engine, at(0.2), id);
        }
        assert_eq!(engine.expire(at(6.0)).len(), 1);
        let ExpiryStep::Ended { change } = engine.expiry_decide(at(6.0), id) else { panic!("no end") };
        engine.expiry_finish(at(6.0), change);
        let told = actor.told.lock().unwrap();
        let (expired, state) = told[0];
        assert_eq!((expired.was_confirmed, expired.old, state), (is_confirmed, Some(old), State::Deleted));
        assert_eq!((told[1].0.kind, told.len()), (OccurrenceKind::Destroyed, 2));
    }
}

#[test]
fn a_restored_dialog_is_told_as_loaded_with_its_answer_time() {
    let engine = engine(&[]);
    let actor = Actor::new(Kinds::ALL, |notice| assert!(notice.cause.is_made_here()));
    engine.observe(actor.clone());
    let entry = engine.slot_of(b"l@x");
    let start = super::START as u32 - 60;
    let stored = Restored {
        id: DialogId { entry, id: 7 },
        state: State::Confirmed,
        new: invite(b"l@x"),
        callee: CALLEE,
        callee_cseq: 1,
        start_time: start,
        timeout: start + 3600,
    };
    assert_eq!(engine.restore(at(0.0), &stored), Ok(()));
    assert_eq!(actor.kinds(), [OccurrenceKind::Loaded]);
    assert_eq!(engine.view(at(0.0), stored.id).unwrap().start_time, start);
}

#[test]
fn a_new_call_is_told_later_when_the_caller_wants_to_tell_it() {
    let engine = engine(&[]);
    let actor = Actor::new(Kinds::ALL, |_| {});
    engine.observe(actor.clone());
    let new = NewDialog { is_told_later: true, ..invite(b"n@x") };
    let Begin::Created(id) = engine.begin(at(0.0), &new) else { panic!("refused") };
    assert_eq!(engine.begin(at(0.0), &new), Begin::Spiral(id));
    assert_eq!(actor.kinds(), []);
    engine.report(at(0.0), id, Occurrence::of(OccurrenceKind::Created), Cause::HERE);
    assert_eq!(actor.kinds(), [OccurrenceKind::Created]);
}

#[test]
fn a_request_carries_itself_to_the_observer() {
    let text = b"INFO sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCall-ID: i@x\r\nCSeq: 9 INFO\r\n\r\n";
    let message = sip::message::Message::from_bytes(text).unwrap();
    let engine = engine(&[]);
    let actor = Actor::new(Kinds::of(&[OccurrenceKind::RequestWithin]), |notice| {
        let request = notice.cause.request.expect("the request");
        assert_eq!((request.call_id(), notice.cause.reply.is_none()), (&b"i@x"[..], true));
    });
    engine.observe(actor.clone());
    let id = create(&engine, at(0.0), b"i@x");
    reply(&engine, at(0.1), id, 200);
    ack(&engine, at(0.2), id);
    let info = within(RequestMethod::Other, Direction::Upstream, 9);
    let change = engine.request_begin(at(1.0), id, &info).unwrap();
    engine.request_finish(at(1.0), change, &crate::InDialogRequest { cause: Cause::request(&message), ..info });
    assert_eq!((actor.kinds().len(), engine.observer_panics()), (1, 0));
}

struct Chatty;

impl Observer for Chatty {
    fn wants(&self) -> Kinds {
        Kinds::NONE
    }

    fn on(&self, _: &Notice<'_>) {
        panic!("not wanted");
    }

    fn listing_context(&self, dialog: &DialogView) -> Vec<(Cow<'static, str>, AttributeValue)> {
        let field = |number: usize| (Cow::Owned(format!("field{number}")), AttributeValue::Text(dialog.call_id.clone()));
        (0..LISTING_FIELDS_MAX + 9).map(field).collect()
    }
}

#[test]
fn observers_add_bounded_fields_to_listings_and_are_found_by_their_type() {
    let engine = engine(&[]);
    assert!(engine.observer::<Chatty>().is_none());
    engine.observe(Arc::new(Chatty));
    assert!(engine.observer::<Chatty>().is_some());
    let id = create(&engine, at(0.0), b"c@x");
    let fields = engine.listing_context(&engine.view(at(0.0), id).unwrap());
    assert_eq!(fields.len(), LISTING_FIELDS_MAX);
    assert_eq!(fields[0], (Cow::Borrowed("field0"), AttributeValue::Text(b"c@x".to_vec())));
    assert_eq!(engine.observer_panics(), 0);
}

#[test]
fn a_call_never_answered_is_told_as_failed() {
    let engine = engine(&[("early_timeout", 5)]);
    let actor = Actor::new(Kinds::ALL, |_| {});
    engine.observe(actor.clone());
    create(&engine, at(0.0), b"e@x");
    for expiry in engine.expire(at(6.0)) {
        let Expiry::EarlyOver { change } = expiry else { panic!("{expiry:?}") };
        assert!(engine.expiry_finish(at(6.0), change).destroyed);
    }
    assert_eq!(actor.kinds(), [OccurrenceKind::Created, OccurrenceKind::Failed, OccurrenceKind::Destroyed]);
    assert_eq!(actor.told.lock().unwrap()[1].0.old, Some(State::Unconfirmed));
}

#[test]
fn every_call_on_every_thread_is_told_once_while_observers_change_it() {
    let engine = engine(&[("hash_size", 16), ("wait_ack", 0)]);
    let actor = Actor::new(Kinds::ALL, |notice| {
        // Gone already when it is told of as destroyed.
        let _ = notice.engine.set_variable(notice.now, notice.dialog.id, b"last", Some(b"told"));
        let end = Wish::End { dialog: notice.dialog.id, leg: None, headers: Vec::new() };
        if notice.occurrence.kind == OccurrenceKind::Confirmed {
            assert_eq!(notice.engine.wish(end), Ok(()));
        }
    });
    engine.observe(actor.clone());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for number in 0..250 {
                    let id = create(engine, at(0.0), format!("{thread}-{number}@x").as_bytes());
                    reply(engine, at(0.1), id, 180);
                    if number % 2 == 0 {
                        reply(engine, at(0.2), id, 486);
                        continue;
                    }
                    reply(engine, at(0.2), id, 200);
                    ack(engine, at(0.3), id);
                    bye(engine, at(0.4), id);
                    engine.release(at(0.5), id);
                }
            });
        }
    });
    let kinds = actor.kinds();
    let count = |kind| kinds.iter().filter(|told| **told == kind).count();
    use OccurrenceKind::*;
    let counts = [Created, Early, Failed, Answered, Confirmed, Terminated, Destroyed].map(count);
    assert_eq!((counts, engine.len(), engine.observer_panics()), ([1000, 1000, 500, 500, 500, 500, 1000], 0, 0));
    assert_eq!(std::iter::from_fn(|| engine.take_wish()).count(), 500);
}
