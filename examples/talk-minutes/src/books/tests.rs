//! The books on an engine alone: calls are charged once, on every way to end.

use std::sync::Arc;

use dialog::settings::ParameterValue;
use dialog::{
    Begin, CalleeLeg, Cause, Direction, EndReason, Engine, ExpiryStep, InDialogRequest, Leg, NewDialog, ReplyKind, RequestMethod, Restored,
    Settings, State, StatedCause, TimeoutSet,
};
use sip::time::Date;

use super::*;

const CALLEE: CalleeLeg<'static> =
    CalleeLeg { tag: b"B", contact: b"sip:b@192.0.2.2", route_set: b"", socket: b"udp:192.0.2.9:5060", caller_route_set: None };

fn at(seconds: u64) -> Now {
    Now { time: Time(77_000 + seconds * 1000), date: Date(1_795_380_000_000 + seconds * 1000) }
}

fn invite(call_id: &[u8]) -> NewDialog<'_> {
    let from_uri: &[u8] = b"sip:alice@example.com";
    NewDialog {
        call_id,
        from_uri,
        to_uri: b"sip:b@example.com",
        from_tag: b"A",
        contact: b"sip:a@192.0.2.1",
        cseq: 1,
        ..NewDialog::default()
    }
}

struct Scene {
    engine: Engine,
    books: Arc<Books>,
}

impl Scene {
    fn new() -> Scene {
        let mut settings = Settings::default();
        settings.set("default_timeout", ParameterValue::Integer(600)).unwrap();
        let engine = Engine::new(at(0), settings);
        let books = Arc::new(Books::default());
        assert!(engine.observe(books.clone()));
        Scene { engine, books }
    }

    /// A call answered at second 10.
    fn answered(&self, new: &NewDialog<'_>) -> DialogId {
        let Begin::Created(id) = self.engine.begin(at(0), new) else { panic!("refused") };
        let change = self.engine.reply_begin(at(10), id, ReplyKind::Success).unwrap();
        self.engine.reply_finish(at(10), change, Some(&CALLEE), Cause::HERE);
        self.within(at(11), id, RequestMethod::Ack);
        id
    }

    fn within(&self, now: Now, id: DialogId, method: RequestMethod) {
        let request = InDialogRequest {
            method,
            direction: Direction::Downstream,
            cseq: Some(2),
            contact: None,
            timeout: None,
            stated: StatedCause::default(),
            cause: Cause::HERE,
        };
        let change = self.engine.request_begin(now, id, &request).unwrap();
        self.engine.request_finish(now, change, &request);
    }

    fn alice(&self) -> Account {
        self.books.account(b"alice").unwrap()
    }
}

/// Alice's books after one call of so many seconds.
fn one(seconds: u64) -> Account {
    Account { calls: 1, milliseconds: seconds * 1000, minutes: seconds.div_ceil(60).max(1), talking: 0 }
}

#[test]
fn a_bye_ends_the_talk_and_its_retransmission_does_not_end_it_again() {
    let scene = Scene::new();
    let id = scene.answered(&invite(b"bye@x"));
    assert_eq!(scene.alice(), Account { talking: 1, ..Account::default() });
    scene.within(at(70), id, RequestMethod::Bye);
    scene.within(at(75), id, RequestMethod::Bye);
    assert!(scene.engine.release(at(80), id));
    assert_eq!(scene.alice(), one(60));
}

#[test]
fn a_command_ends_the_talk_when_its_byes_are_made() {
    let scene = Scene::new();
    let id = scene.answered(&invite(b"rpc@x"));
    assert!(scene.engine.terminate(at(40), id, EndReason::Rpc).is_ok());
    scene.engine.local_bye_finished(at(43), id, Leg::Caller, 200);
    scene.engine.local_bye_finished(at(44), id, Leg::Callee, 200);
    assert_eq!(scene.alice(), one(30));
}

#[test]
fn the_end_of_the_lifetime_ends_the_talk() {
    let scene = Scene::new();
    let id = scene.answered(&invite(b"late@x"));
    assert_eq!(scene.engine.set_timeout(at(11), id, 100), Ok(TimeoutSet::Restarted));
    assert_eq!(scene.engine.expire(at(112)).len(), 1);
    let ExpiryStep::Ended { change } = scene.engine.expiry_decide(at(112), id) else { panic!("no end") };
    scene.engine.expiry_finish(at(112), change);
    assert_eq!(scene.alice(), one(102));
}

#[test]
fn a_record_that_is_taken_away_ends_the_talk() {
    let scene = Scene::new();
    let id = scene.answered(&invite(b"gone@x"));
    assert!(scene.engine.destroy(at(20), id));
    assert_eq!(scene.alice(), one(10));
}

#[test]
fn a_call_that_fails_is_not_charged() {
    let scene = Scene::new();
    let Begin::Created(id) = scene.engine.begin(at(0), &invite(b"busy@x")) else { panic!("refused") };
    let change = scene.engine.reply_begin(at(5), id, ReplyKind::Failure).unwrap();
    scene.engine.reply_finish(at(5), change, None, Cause::HERE);
    assert_eq!(scene.books.accounts(), []);
}

#[test]
fn the_script_names_who_pays() {
    let scene = Scene::new();
    let variables: [(&[u8], &[u8]); 1] = [(b"account", b"4711")];
    let id = scene.answered(&NewDialog { variables: &variables, ..invite(b"pays@x") });
    let view = scene.engine.view(at(12), id).unwrap();
    assert_eq!(scene.engine.listing_context(&view), [(Cow::Borrowed("talk_account"), AttributeValue::Text(b"4711".to_vec()))]);
    assert_eq!((scene.books.account(b"4711").unwrap().talking, scene.books.account(b"alice")), (1, None));
    assert_eq!(scene.books.talks_of(b"4711"), [id]);
}

#[test]
fn a_restart_neither_ends_nor_charges_a_talk() {
    let scene = Scene::new();
    let answer = u32::try_from(at(0).date.seconds() - 50).unwrap();
    let stored = Restored {
        id: DialogId { entry: scene.engine.slot_of(b"kept@x"), id: 3 },
        state: State::Confirmed,
        new: invite(b"kept@x"),
        callee: CALLEE,
        callee_cseq: 0,
        start_time: answer,
        timeout: answer + 600,
    };
    scene.engine.restore(at(0), &stored).unwrap();
    assert_eq!(scene.alice(), Account { talking: 1, ..Account::default() });
    scene.within(at(10), stored.id, RequestMethod::Bye);
    assert_eq!(scene.alice(), one(60));
}

#[test]
fn accounts_beyond_the_bound_share_one_entry() {
    let scene = Scene::new();
    {
        let mut pages = scene.books.pages();
        pages.accounts = (0..ACCOUNTS_MAX).map(|number| (number.to_string().into_bytes(), Account::default())).collect();
    }
    scene.answered(&invite(b"many@x"));
    assert_eq!((scene.books.account(b"alice"), scene.books.account(OTHERS).unwrap().talking), (None, 1));
}
