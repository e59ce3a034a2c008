//! What observers do to calls: end them, cut them, panic.

use std::sync::Arc;

use dialog::flags::internal_flag::{TIMEOUT_BYE, TIMER_NO_RESET};
use dialog::{Kinds, Notice, Observer, OccurrenceKind, Wish};
use modules::outbox::Effect;
use proxy::Input;
use sip::time::Time;

use crate::SET_UP;
use crate::stage::{CALLEE, CALLER, ROUTES, Scene, address, answer, answer_byes, header, request, to};

#[test]
fn an_observer_ends_an_answered_call_with_byes_after_the_ack() {
    let mut scene = Scene::with("", ROUTES, Some(OccurrenceKind::Confirmed));
    scene.answered();
    scene.told();
    let route = format!("Route: {}\r\n", scene.route);
    let sent = scene.give(&request("ACK", 1, ";tag=callee", "ACK1", &route), CALLER);
    to(&sent, CALLEE, "ACK ");
    for party in [CALLER, CALLEE] {
        assert_eq!(header(&to(&sent, party, "BYE "), "X-Credit"), "0");
    }
    let acks_before_byes =
        sent.iter().position(|(_, text)| text.starts_with("ACK ")) < sent.iter().position(|(_, text)| text.starts_with("BYE "));
    assert!(acks_before_byes, "what caused the wish leaves first");
    assert_eq!(scene.told(), ["Confirmed >ACK [start]", "Terminated - [start] application"]);
    answer_byes(&mut scene, &sent);
    scene.wait(20);
    assert_eq!(scene.told(), ["TerminatedConfirmed - [start end] application", "Destroyed - [start end] application"]);
}

#[test]
fn an_observer_ends_a_call_before_it_is_answered() {
    for kind in [OccurrenceKind::Created, OccurrenceKind::Early] {
        let mut scene = Scene::with("", ROUTES, Some(kind));
        let mut sent = scene.give(&request("INVITE", 1, "", "i", ""), CALLER);
        scene.invite = to(&sent, CALLEE, "INVITE ");
        if kind == OccurrenceKind::Early {
            sent = scene.give(&answer(&scene.invite.clone(), "180 Ringing"), CALLEE);
        }
        to(&sent, CALLER, "SIP/2.0 480 ");
        assert!(scene.told().contains(&"Failed <INVITE [failed] application".to_owned()));
        assert_eq!(scene.proxy.node.dialogs.statistics().failed, 1);
        assert!(!scene.proxy.node.dialogs.has_wishes());
    }
}

#[test]
fn a_wish_made_on_another_thread_is_carried_out_at_once_by_the_next_tick() {
    let mut scene = Scene::new("");
    scene.confirmed();
    let id = scene.proxy.node.dialogs.of_call_id(b"one@test")[0];
    std::thread::scope(|scope| {
        let engine = &scene.proxy.node.dialogs;
        scope
            .spawn(move || engine.wish(Wish::End { dialog: id, leg: Some(dialog::Leg::Callee), headers: Vec::new() }))
            .join()
            .unwrap()
            .unwrap();
    });
    assert_eq!(scene.proxy.next_deadline(), Some(Time(0)));
    scene.proxy.handle(&mut scene.worker, scene.now, Input::Tick);
    let sent = scene.drain();
    to(&sent, CALLEE, "BYE ");
    assert!(sent.iter().all(|(destination, _)| *destination == address(CALLEE)));
}

/// Prepaid: the credit of three seconds becomes the lifetime.
struct Credit;

impl Observer for Credit {
    fn wants(&self) -> Kinds {
        Kinds::of(&[OccurrenceKind::Answered])
    }

    fn on(&self, notice: &Notice<'_>) {
        let (engine, now, id) = (notice.engine, notice.now, notice.dialog.id);
        engine.set_internal_flags(now, id, TIMEOUT_BYE | TIMER_NO_RESET, 0).unwrap();
        engine.set_timeout(now, id, 3).unwrap();
    }
}

#[test]
fn an_observer_that_sets_the_lifetime_ends_the_call_in_time_whatever_the_parties_send() {
    let mut scene = Scene::new("");
    scene.proxy.node.dialogs.observe(Arc::new(Credit));
    scene.confirmed();
    assert!(scene.wait(2).is_empty());
    let reinvite = scene.within("INVITE", 2);
    scene.answer_within(&reinvite, "200 OK");
    scene.within("ACK", 2);
    scene.told();
    let sent = scene.wait(2);
    assert_eq!(answer_byes(&mut scene, &sent), 2);
    assert_eq!(
        scene.told(),
        ["Terminated - [start] timeout", "TerminatedConfirmed - [start end] timeout", "Destroyed - [start end] timeout"]
    );
}

struct Wild;

impl Observer for Wild {
    fn on(&self, _: &Notice<'_>) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

#[test]
fn an_observer_that_panics_ends_no_call_and_is_complained_about() {
    let mut scene = Scene::new("");
    scene.proxy.node.dialogs.observe(Arc::new(Wild));
    scene.confirmed();
    assert_eq!(scene.told(), SET_UP);
    scene.now.time.0 += 1000;
    scene.proxy.handle(&mut scene.worker, scene.now, Input::Tick);
    let lines = scene.worker.outbox.effects.iter().filter_map(|effect| match effect {
        Effect::Log { text, .. } => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    let complaints: Vec<String> = lines.filter(|line| line.contains("observers of dialogs panicked 6 times")).collect();
    assert_eq!(complaints.len(), 1);
}
