//! Whole calls through the one door: what observers of dialogs are told, in which order, with which message.

mod stage;
mod wishes;

use dialog::{CalleeLeg, DialogId, NewDialog, Restored, State};
use modules::rpc::{Parameter, Parameters, Wire};

use stage::{CALLEE, CALLER, ROUTES, Scene, answer, answer_byes, request, to};

/// What is told until the ACK.
pub(crate) const SET_UP: [&str; 6] =
    ["Created >INVITE", "ReplyForwarded <180", "Early <180", "ReplyForwarded <200", "Answered <200 [start]", "Confirmed >ACK [start]"];

#[test]
fn a_normal_call_is_told_in_order() {
    let mut scene = Scene::new("");
    scene.confirmed();
    assert_eq!(scene.told(), SET_UP);
    let bye = scene.within("BYE", 2);
    assert_eq!(scene.told(), ["Terminated >BYE [start end] caller_bye"]);
    scene.answer_within(&bye, "200 OK");
    assert_eq!(scene.told(), ["TerminatedConfirmed <200 [start end] caller_bye"]);
    scene.wait(20);
    assert_eq!(scene.told(), ["Destroyed - [start end] caller_bye"]);
}

#[test]
fn a_reinvite_its_replies_and_its_ack_are_told_as_within() {
    let mut scene = Scene::new("");
    scene.confirmed();
    scene.told();
    let reinvite = scene.within("INVITE", 2);
    scene.answer_within(&reinvite, "180 Ringing");
    scene.answer_within(&reinvite, "200 OK");
    scene.within("ACK", 2);
    assert_eq!(
        scene.told(),
        ["RequestWithin >INVITE [start]", "ReplyWithin <180 [start]", "ReplyWithin <200 [start]", "RequestWithin >ACK [start]"]
    );
    let info = scene.within("INFO", 3);
    scene.answer_within(&info, "500 No");
    assert_eq!(scene.told(), ["RequestWithin >INFO [start]"], "failures are not told, as in the original");
}

#[test]
fn what_the_callee_sends_is_told_with_its_way() {
    let mut scene = Scene::new("");
    scene.confirmed();
    scene.told();
    for (method, told) in [
        ("INVITE", ["RequestWithin <INVITE [start]", "ReplyWithin >200 [start]"]),
        ("BYE", ["Terminated <BYE [start end] callee_bye", "TerminatedConfirmed >200 [start end] callee_bye"]),
    ] {
        let reversed = request(method, 8, "", &format!("{method}8"), &format!("Route: {}\r\n", scene.route))
            .replace(
                "From: <sip:alice@example.com>;tag=caller\r\nTo: <sip:bob@example.com>",
                "From: <sip:bob@example.com>;tag=callee\r\nTo: <sip:alice@example.com>;tag=caller",
            )
            .replace(CALLER, CALLEE)
            .replace("sip:bob@127.0.0.1:5080 SIP", &format!("sip:alice@{CALLER} SIP"));
        let sent = scene.give(&reversed, CALLEE);
        let arrived = to(&sent, CALLER, method);
        scene.give(&answer(&arrived, "200 OK"), CALLER);
        assert_eq!(scene.told(), told);
    }
}

#[test]
fn a_loaded_call_goes_on_being_told() {
    let mut scene = Scene::new("modparam(\"dialog\", \"dlg_match_mode\", 2)");
    let engine = &scene.proxy.node.dialogs;
    let seconds = u32::try_from(scene.now.date.seconds()).unwrap();
    let stored = Restored {
        id: DialogId { entry: engine.slot_of(b"one@test"), id: 3 },
        state: State::Confirmed,
        new: NewDialog { call_id: b"one@test", from_tag: b"caller", contact: b"sip:alice@127.0.0.1:5070", cseq: 1, ..NewDialog::default() },
        callee: CalleeLeg { tag: b"callee", contact: b"sip:bob@127.0.0.1:5080", ..CalleeLeg::default() },
        callee_cseq: 0,
        start_time: seconds - 60,
        timeout: seconds + 60,
    };
    engine.restore(scene.now, &stored).unwrap();
    scene.route = "<sip:127.0.0.1:5060;lr;x=y>".to_owned();
    let bye = scene.within("BYE", 2);
    scene.answer_within(&bye, "200 OK");
    scene.wait(20);
    let ended = ["Terminated >BYE [ end] caller_bye", "TerminatedConfirmed <200 [ end] caller_bye", "Destroyed - [ end] caller_bye"];
    assert_eq!(scene.told(), [&["Loaded -"][..], &ended].concat());
}

#[test]
fn a_second_bye_is_told_neither_as_an_end_nor_as_an_answer() {
    let mut scene = Scene::new("");
    scene.confirmed();
    let (first, second) = (scene.within("BYE", 2), scene.within("BYE", 3));
    scene.told();
    scene.answer_within(&first, "200 OK");
    scene.answer_within(&second, "481 Gone");
    assert_eq!(scene.told(), ["TerminatedConfirmed <200 [start end] caller_bye"]);
}

#[test]
fn a_failed_call_ends_with_failed() {
    let mut scene = Scene::new("");
    scene.invite();
    scene.reply("486 Busy");
    assert_eq!(scene.told(), ["Created >INVITE", "Failed <486 [failed] callee_reject"]);
    scene.wait(40);
    assert_eq!(scene.told(), ["Destroyed - [failed] callee_reject"]);
}

#[test]
fn a_cancelled_call_ends_with_failed() {
    let mut scene = Scene::new("");
    scene.invite();
    scene.reply("180 Ringing");
    let sent = scene.give(&request("CANCEL", 1, "", "i", ""), CALLER);
    let cancel = to(&sent, CALLEE, "CANCEL ");
    scene.answer_within(&cancel, "200 OK");
    scene.reply("487 Request Terminated");
    scene.wait(40);
    let told = scene.told();
    assert_eq!(
        told,
        ["Created >INVITE", "ReplyForwarded <180", "Early <180", "Failed <487 [failed] cancel", "Destroyed - [failed] cancel"]
    );
}

#[test]
fn a_call_nobody_answers_fails_without_a_reply_of_a_peer() {
    let mut scene = Scene::new("modparam(\"tm\", \"fr_timer\", 3000)");
    scene.invite();
    scene.wait(20);
    assert_eq!(scene.told()[..2], ["Created >INVITE", "Failed <INVITE [failed] no_answer"], "the request is known, the 408 is made here");
}

#[test]
fn an_expiry_without_bye_is_told_as_expired() {
    let mut scene = Scene::new("modparam(\"dialog\", \"default_timeout\", 5)");
    scene.confirmed();
    scene.told();
    assert!(scene.wait(20).iter().all(|(_, text)| !text.starts_with("BYE")));
    assert_eq!(scene.told(), ["Expired - [start end] timeout", "Destroyed - [start end] timeout"]);
}

#[test]
fn an_expiry_with_bye_is_told_as_terminated() {
    let mut scene = Scene::new("modparam(\"dialog\", \"default_timeout\", 5)\nmodparam(\"dialog\", \"send_bye\", 1)");
    scene.confirmed();
    scene.told();
    let sent = scene.wait(6);
    assert_eq!(
        scene.told(),
        ["Terminated - [start] timeout"],
        "observers hear of it when the BYEs are made, the route runs when they are sent"
    );
    assert_eq!(answer_byes(&mut scene, &sent), 2);
    scene.wait(20);
    assert_eq!(scene.told(), ["TerminatedConfirmed - [start end] timeout", "Destroyed - [start end] timeout"]);
}

#[test]
fn an_end_by_remote_call_is_told_as_terminated() {
    let mut scene = Scene::new("");
    scene.confirmed();
    scene.told();
    let id = scene.proxy.node.dialogs.of_call_id(b"one@test")[0];
    let numbers = [id.entry, id.id].map(|number| Parameter::Integer(i64::from(number)));
    let mut parameters = Parameters::new(Wire::Json, numbers.to_vec());
    scene.proxy.call(&mut scene.worker, scene.now, "dlg.end_dlg", &mut parameters).unwrap();
    let sent = scene.drain();
    assert_eq!(scene.told(), ["Terminated - [start] rpc"]);
    assert_eq!(answer_byes(&mut scene, &sent), 2);
    scene.wait(20);
    assert_eq!(scene.told(), ["TerminatedConfirmed - [start end] rpc", "Destroyed - [start end] rpc"]);
}

#[test]
fn a_spiral_is_told_once_for_each_round() {
    let mut scene = Scene::new("");
    scene.invite();
    let round = scene.invite.clone();
    scene.give(&round, CALLEE);
    assert_eq!(scene.told(), ["Created >INVITE", "Spiralled >INVITE"]);
}

#[test]
fn new_calls_are_told_when_their_transaction_is_made_if_the_operator_wants_it_so() {
    let routes = ROUTES.replace("\trecord_route();", "\trecord_route();\n\t$dlg_var(routes) = \"script\";");
    let told = |value: u32| {
        let mut scene = Scene::with(&format!("modparam(\"dialog\", \"initial_cbs_inscript\", {value})"), &routes, None);
        scene.invite();
        let round = scene.invite.clone();
        scene.give(&round, CALLEE);
        scene.told()
    };
    assert_eq!(told(1), ["Created >INVITE", "Spiralled >INVITE [script]"]);
    assert_eq!(told(0), ["Created >INVITE [script]", "Spiralled >INVITE [script]"]);
}

#[test]
fn a_new_call_is_told_at_once_when_its_transaction_was_there_before_it() {
    let routes = ROUTES.replace("\tdlg_manage();", "\tt_newtran();\n\tdlg_manage();");
    let mut scene = Scene::with("modparam(\"dialog\", \"initial_cbs_inscript\", 0)", &routes, None);
    scene.invite();
    assert_eq!(scene.told(), ["Created >INVITE"]);
}
