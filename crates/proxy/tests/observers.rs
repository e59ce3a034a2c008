//! Whole calls through the one door: what observers of dialogs are told, in which order, with which message.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dialog::flags::internal_flag::{TIMEOUT_BYE, TIMER_NO_RESET};
use dialog::{CalleeLeg, DialogId, Direction, Kinds, NewDialog, Notice, Observer, OccurrenceKind, Restored, State, Wish};
use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::rpc::{Parameter, Parameters, Wire};
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

const CALLER: &str = "127.0.0.1:5070";
const CALLEE: &str = "127.0.0.1:5080";

const HEAD: &str = "loadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"sl\"\nloadmodule \"pv\"\nloadmodule \"textops\"\nloadmodule \"siputils\"\nloadmodule \"dialog\"\n";
const ROUTES: &str = r#"
request_route {
	if (is_method("CANCEL")) { t_relay(); exit; }
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	$du = "sip:127.0.0.1:5080";
	t_relay();
}
event_route[dialog:start] { $dlg_var(routes) = "start"; }
event_route[dialog:end] { $dlg_var(routes) = $dlg_var(routes) + " end"; }
event_route[dialog:failed] { $dlg_var(routes) = "failed"; }
"#;

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// Writes down what it is told: kind, way, message, the routes that ran before, the reason of the end. May end each call at one kind.
struct Diary {
    lines: Mutex<Vec<String>>,
    ends_at: Option<OccurrenceKind>,
}

impl Observer for Diary {
    fn on(&self, notice: &Notice<'_>) {
        let way = match notice.occurrence.direction {
            Direction::None => "",
            Direction::Downstream => ">",
            Direction::Upstream => "<",
        };
        let message = match (notice.cause.request, notice.cause.reply) {
            (_, Some(reply)) => reply.status().to_string(),
            (Some(request), None) => String::from_utf8_lossy(request.method_text()).into_owned(),
            (None, None) => "-".to_owned(),
        };
        let routes = notice.dialog.variable(b"routes").map(|text| format!(" [{}]", String::from_utf8_lossy(text))).unwrap_or_default();
        let reason = notice.dialog.end_reason.map(|reason| format!(" {reason}")).unwrap_or_default();
        self.lines.lock().unwrap().push(format!("{:?} {way}{message}{routes}{reason}", notice.occurrence.kind));
        if self.ends_at == Some(notice.occurrence.kind) {
            let wish = Wish::End { dialog: notice.dialog.id, leg: None, headers: b"X-Credit: 0\r\n".to_vec() };
            assert_eq!(notice.engine.wish(wish), Ok(()));
        }
    }
}

/// A proxy, its clock and the two parties of one call.
struct Scene {
    proxy: Proxy,
    worker: Worker,
    now: Now,
    diary: Arc<Diary>,
    /// The INVITE as the callee got it.
    invite: String,
    route: String,
}

impl Scene {
    fn new(parameters: &str) -> Scene {
        Scene::with(parameters, ROUTES, None)
    }

    fn with(parameters: &str, routes: &str, ends_at: Option<OccurrenceKind>) -> Scene {
        let mut file = OneFile(format!("{HEAD}{parameters}\n{routes}"));
        let checked = proxy::check("observers.cfg", &mut file, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, address("127.0.0.1:5060"), None, None)], aliases: Vec::new() };
        let now = Now { time: Time(10_000), date: Date(1_700_000_000_000) };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let node = proxy::start(prepared, now).unwrap_or_else(|error| panic!("{error}"));
        let diary = Arc::new(Diary { lines: Mutex::default(), ends_at });
        node.dialogs.observe(diary.clone());
        let proxy = Proxy::new(node);
        let worker = proxy.worker(0, 7, now);
        Scene { proxy, worker, now, diary, invite: String::new(), route: String::new() }
    }

    fn give(&mut self, message: &str, from: &str) -> Vec<(SocketAddr, String)> {
        self.proxy.handle(&mut self.worker, self.now, Input::Message { bytes: message.as_bytes(), from: Endpoint::udp(address(from), 0) });
        self.drain()
    }

    fn drain(&mut self) -> Vec<(SocketAddr, String)> {
        let outbox = &self.worker.outbox;
        let sent = outbox.effects.iter().filter_map(|effect| match effect {
            Effect::Send { destination, bytes, .. } => {
                Some((*destination, String::from_utf8_lossy(outbox.bytes.get(bytes.clone())?).into_owned()))
            }
            _ => None,
        });
        let sent = sent.collect();
        self.worker.outbox.clear();
        sent
    }

    /// Lets time pass; what was sent meanwhile.
    fn wait(&mut self, seconds: u64) -> Vec<(SocketAddr, String)> {
        let mut sent = Vec::new();
        for _ in 0..seconds * 2 {
            self.now = Now { time: Time(self.now.time.0 + 500), date: Date(self.now.date.0 + 500) };
            self.proxy.handle(&mut self.worker, self.now, Input::Tick);
            sent.extend(self.drain());
        }
        sent
    }

    fn invite(&mut self) {
        let sent = self.give(&request("INVITE", 1, "", "i", ""), CALLER);
        self.invite = to(&sent, CALLEE, "INVITE ");
    }

    /// The callee's reply to the INVITE; what the caller got.
    fn reply(&mut self, status: &str) -> String {
        let reply = answer(&self.invite, status);
        let sent = self.give(&reply, CALLEE);
        let got = to(&sent, CALLER, "SIP/2.0 ");
        self.route = header(&got, "Record-Route");
        got
    }

    /// A request of the caller within the dialog; as the callee got it.
    fn within(&mut self, method: &str, cseq: u32) -> String {
        let route = format!("Route: {}\r\n", self.route);
        let sent = self.give(&request(method, cseq, ";tag=callee", &format!("{method}{cseq}"), &route), CALLER);
        to(&sent, CALLEE, method)
    }

    fn answer_within(&mut self, request: &str, status: &str) {
        let reply = answer(request, status);
        self.give(&reply, CALLEE);
    }

    fn answered(&mut self) {
        self.invite();
        self.reply("180 Ringing");
        self.reply("200 OK");
    }

    fn confirmed(&mut self) {
        self.answered();
        self.within("ACK", 1);
    }

    /// What was told since the last look.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.diary.lines.lock().unwrap())
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The message to this party that begins so.
fn to(sent: &[(SocketAddr, String)], party: &str, start: &str) -> String {
    let found = sent.iter().find(|(destination, text)| *destination == address(party) && text.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} to {party} in {sent:#?}")).1.clone()
}

fn header(message: &str, name: &str) -> String {
    message.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned)).unwrap_or_default()
}

fn request(method: &str, cseq: u32, to_tag: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{branch}\r\n{more}\
         From: <sip:alice@example.com>;tag=caller\r\nTo: <sip:bob@example.com>{to_tag}\r\nCall-ID: one@test\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:alice@{CALLER}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The reply to a request as it arrived.
fn answer(request: &str, status: &str) -> String {
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for line in request.split("\r\n") {
        if ["Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
            reply.push_str(&format!("{line}\r\n"));
        } else if line.starts_with("To:") {
            reply.push_str(line);
            reply.push_str(if line.contains(";tag=") { "\r\n" } else { ";tag=callee\r\n" });
        }
    }
    reply + &format!("Contact: <sip:bob@{CALLEE}>\r\nContent-Length: 0\r\n\r\n")
}

const SET_UP: [&str; 6] =
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

/// Answers each BYE once; how many there were.
fn answer_byes(scene: &mut Scene, sent: &[(SocketAddr, String)]) -> usize {
    let mut branches = Vec::new();
    for (destination, text) in sent.iter().filter(|(_, text)| text.starts_with("BYE ")) {
        let branch = header(text, "Via");
        if !branches.contains(&branch) {
            scene.give(&answer(text, "200 OK"), &destination.to_string());
            branches.push(branch);
        }
    }
    branches.len()
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
