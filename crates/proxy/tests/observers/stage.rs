//! A proxy without I/O, its clock, an observer that writes a diary, and the two parties of one call.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dialog::{Direction, Notice, Observer, OccurrenceKind, Wish};
use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

pub(crate) const CALLER: &str = "127.0.0.1:5070";
pub(crate) const CALLEE: &str = "127.0.0.1:5080";

const HEAD: &str = "loadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"sl\"\nloadmodule \"pv\"\nloadmodule \"textops\"\nloadmodule \"siputils\"\nloadmodule \"dialog\"\n";
pub(crate) const ROUTES: &str = r#"
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
pub(crate) struct Diary {
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) ends_at: Option<OccurrenceKind>,
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
pub(crate) struct Scene {
    pub(crate) proxy: Proxy,
    pub(crate) worker: Worker,
    pub(crate) now: Now,
    pub(crate) diary: Arc<Diary>,
    /// The INVITE as the callee got it.
    pub(crate) invite: String,
    pub(crate) route: String,
}

impl Scene {
    pub(crate) fn new(parameters: &str) -> Scene {
        Scene::with(parameters, ROUTES, None)
    }

    pub(crate) fn with(parameters: &str, routes: &str, ends_at: Option<OccurrenceKind>) -> Scene {
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

    pub(crate) fn give(&mut self, message: &str, from: &str) -> Vec<(SocketAddr, String)> {
        self.proxy.handle(&mut self.worker, self.now, Input::Message { bytes: message.as_bytes(), from: Endpoint::udp(address(from), 0) });
        self.drain()
    }

    pub(crate) fn drain(&mut self) -> Vec<(SocketAddr, String)> {
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
    pub(crate) fn wait(&mut self, seconds: u64) -> Vec<(SocketAddr, String)> {
        let mut sent = Vec::new();
        for _ in 0..seconds * 2 {
            self.now = Now { time: Time(self.now.time.0 + 500), date: Date(self.now.date.0 + 500) };
            self.proxy.handle(&mut self.worker, self.now, Input::Tick);
            sent.extend(self.drain());
        }
        sent
    }

    pub(crate) fn invite(&mut self) {
        let sent = self.give(&request("INVITE", 1, "", "i", ""), CALLER);
        self.invite = to(&sent, CALLEE, "INVITE ");
    }

    /// The callee's reply to the INVITE; what the caller got.
    pub(crate) fn reply(&mut self, status: &str) -> String {
        let reply = answer(&self.invite, status);
        let sent = self.give(&reply, CALLEE);
        let got = to(&sent, CALLER, "SIP/2.0 ");
        self.route = header(&got, "Record-Route");
        got
    }

    /// A request of the caller within the dialog; as the callee got it.
    pub(crate) fn within(&mut self, method: &str, cseq: u32) -> String {
        let route = format!("Route: {}\r\n", self.route);
        let sent = self.give(&request(method, cseq, ";tag=callee", &format!("{method}{cseq}"), &route), CALLER);
        to(&sent, CALLEE, method)
    }

    pub(crate) fn answer_within(&mut self, request: &str, status: &str) {
        let reply = answer(request, status);
        self.give(&reply, CALLEE);
    }

    pub(crate) fn answered(&mut self) {
        self.invite();
        self.reply("180 Ringing");
        self.reply("200 OK");
    }

    pub(crate) fn confirmed(&mut self) {
        self.answered();
        self.within("ACK", 1);
    }

    /// What was told since the last look.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.diary.lines.lock().unwrap())
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The message to this party that begins so.
pub(crate) fn to(sent: &[(SocketAddr, String)], party: &str, start: &str) -> String {
    let found = sent.iter().find(|(destination, text)| *destination == address(party) && text.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} to {party} in {sent:#?}")).1.clone()
}

pub(crate) fn header(message: &str, name: &str) -> String {
    message.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn request(method: &str, cseq: u32, to_tag: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{branch}\r\n{more}\
         From: <sip:alice@example.com>;tag=caller\r\nTo: <sip:bob@example.com>{to_tag}\r\nCall-ID: one@test\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:alice@{CALLER}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The reply to a request as it arrived.
pub(crate) fn answer(request: &str, status: &str) -> String {
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

/// Answers each BYE once; how many there were.
pub(crate) fn answer_byes(scene: &mut Scene, sent: &[(SocketAddr, String)]) -> usize {
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
