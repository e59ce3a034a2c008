//! A proxy with parties around it: messages in, messages out, seconds passing.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::rpc::{Fault, Parameter, Parameters, Reply, Wire};
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

pub const ALICE: &str = "192.0.2.1:5090";
pub const BOB: &str = "192.0.2.2:5080";
pub const CAROL: &str = "192.0.2.3:5080";

/// How often timers get a chance in a wait of minutes, and in one of hours.
const STEP_MILLISECONDS: u64 = 250;
const LONG_STEP_MILLISECONDS: u64 = 20_000;

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// What the proxy sent, line ends as LF.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: String,
    pub text: String,
}

impl Sent {
    /// Method or status.
    pub fn kind(&self) -> &str {
        let mut words = self.text.split([' ', '\n']);
        let first = words.next().unwrap_or_default();
        if first == "SIP/2.0" { words.next().unwrap_or_default() } else { first }
    }

    pub fn request_uri(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }

    /// All headers of the name, with their line ends.
    fn lines(&self, name: &str) -> String {
        let start = format!("{name}: ");
        self.text.lines().filter(|line| line.starts_with(&start)).map(|line| format!("{line}\n")).collect()
    }

    pub fn cseq(&self) -> u32 {
        self.header("CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// A proxy under test.
pub struct Stage {
    pub proxy: Proxy,
    worker: Worker,
    now: Now,
    sent: Vec<Sent>,
    log: Vec<String>,
    /// Connections that something was sent on since the last `forget`.
    connections: Vec<u64>,
    branch: u32,
    /// What the proxy put into the Record-Route of the INVITE; the routes of requests within.
    record_route: String,
}

/// Modules, parameters and routes of an ordinary proxy; `parameters` are lines before the routes.
pub fn ordinary(parameters: &str) -> String {
    with_routes(
        parameters,
        r#"
	if (has_totag()) {
		loose_route();
		route(WITHIN);
		t_relay();
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
	dlg_manage();
	record_route();
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#,
        "route[WITHIN] {\n\treturn;\n}\n",
    )
}

/// A main route whose replies go through `onreply_route[RINGS]`.
pub const RINGS_ROUTE: &str = r#"
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	t_on_reply("RINGS");
	$du = "sip:192.0.2.2:5080";
	t_relay();
"#;

/// A main route that calls bob and carol at the same time.
pub const PARALLEL_ROUTE: &str = r#"
	if (has_totag()) { loose_route(); t_relay(); exit; }
	dlg_manage();
	record_route();
	$ru = "sip:bob@192.0.2.2:5080";
	append_branch("sip:carol@192.0.2.3:5080");
	t_relay();
"#;

/// The same with another main route and further routes.
pub fn with_routes(parameters: &str, main: &str, routes: &str) -> String {
    format!(
        r#"#!KAMAILIO
debug = 2
loadmodule "tm"
loadmodule "sl"
loadmodule "rr"
loadmodule "pv"
loadmodule "siputils"
loadmodule "textops"
loadmodule "xlog"
loadmodule "dialog"
modparam("dialog", "profiles_no_value", "all")
{parameters}
request_route {{{main}}}
{routes}
event_route[dialog:start] {{
	xlog("L_ERR", "EV start $dlg(state)\n");
}}
event_route[dialog:end] {{
	xlog("L_ERR", "EV end $dlg(state) $dlg(callid) $dlg(end_reason)\n");
}}
event_route[dialog:failed] {{
	xlog("L_ERR", "EV failed $dlg(state) $dlg(end_reason)\n");
}}
"#
    )
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

impl Stage {
    /// Starts the configuration on UDP and TCP 198.51.100.1:5060 and UDP 198.51.100.1:5070.
    pub fn new(configuration: &str) -> Stage {
        let checked = proxy::check("test.cfg", &mut OneFile(configuration.to_owned()), &LoadOptions::default());
        let checked = checked.unwrap_or_else(|error| panic!("{error}"));
        let socket = |protocol, text: &str| Socket::new(protocol, address(text), None, None);
        let sockets = Sockets {
            list: vec![
                socket(Protocol::Udp, "198.51.100.1:5060"),
                socket(Protocol::Udp, "198.51.100.1:5070"),
                socket(Protocol::Tcp, "198.51.100.1:5060"),
            ],
            aliases: Vec::new(),
        };
        let now = Now { time: Time(10_000), date: Date(1_795_392_000_000) };
        let process = Process { secret: [7; 32], ..Process::default() };
        let prepared = Prepared { checked, sockets, process, environment: BTreeMap::new() };
        let node = proxy::start(prepared, now).unwrap_or_else(|error| panic!("{error}"));
        let proxy = Proxy::new(node);
        let worker = proxy.worker(0, 1, now);
        Stage { proxy, worker, now, sent: Vec::new(), log: Vec::new(), connections: Vec::new(), branch: 0, record_route: String::new() }
    }

    pub fn now(&self) -> Now {
        self.now
    }

    fn drain(&mut self) {
        for effect in std::mem::take(&mut self.worker.outbox.effects) {
            match effect {
                Effect::Send { destination, ref bytes, .. } | Effect::StreamSend { destination, ref bytes, .. } => {
                    if let Effect::StreamSend { connection, .. } = effect {
                        self.connections.push(connection);
                    }
                    let bytes = bytes.clone();
                    let bytes = self.worker.outbox.bytes.get(bytes).unwrap_or_default();
                    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
                    self.sent.push(Sent { to: destination.to_string(), text });
                }
                Effect::Log { text, .. } => self.log.push(String::from_utf8_lossy(&text).into_owned()),
                _ => {}
            }
        }
        self.worker.outbox.clear();
    }

    fn input(&mut self, input: Input<'_>) {
        self.proxy.handle(&mut self.worker, self.now, input);
        self.drain();
    }

    /// A message from a party; line ends are LF here.
    pub fn receive(&mut self, from: &str, text: &str) {
        self.receive_over(Endpoint::udp(address(from), 0), text);
    }

    pub fn receive_over(&mut self, from: Endpoint, text: &str) {
        let bytes = text.replace('\n', "\r\n");
        self.input(Input::Message { bytes: bytes.as_bytes(), from });
    }

    /// The shell could not send this.
    pub fn unsent(&mut self, message: &Sent) {
        let bytes = message.text.replace('\n', "\r\n");
        self.input(Input::Unsent { bytes: bytes.as_bytes() });
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: u64) {
        let end = self.now.time.0 + milliseconds;
        let longest = if milliseconds < 600_000 { STEP_MILLISECONDS } else { LONG_STEP_MILLISECONDS };
        while self.now.time.0 < end {
            let step = longest.min(end - self.now.time.0);
            self.now.time.0 += step;
            self.now.date.0 += step;
            self.input(Input::Tick);
        }
    }

    /// The next message of this kind to the party; those before it are left.
    pub fn take(&mut self, to: &str, kind: &str) -> Sent {
        self.find(to, kind).unwrap_or_else(|| panic!("no {kind} to {to} among {:?}", self.summary()))
    }

    /// The same, when there is one.
    pub fn find(&mut self, to: &str, kind: &str) -> Option<Sent> {
        let place = self.sent.iter().position(|sent| sent.to == to && sent.kind() == kind)?;
        Some(self.sent.remove(place))
    }

    /// Party and kind of everything sent and not taken.
    pub fn summary(&self) -> Vec<(String, String)> {
        self.sent.iter().map(|sent| (sent.to.clone(), sent.kind().to_owned())).collect()
    }

    /// Forgets what was sent so far.
    pub fn forget(&mut self) {
        self.sent.clear();
        self.connections.clear();
    }

    /// The connections something was sent on since then.
    pub fn connections(&self) -> &[u64] {
        &self.connections
    }

    /// What scripts logged that begins so.
    pub fn logged(&self, start: &str) -> Vec<&str> {
        self.log.iter().filter_map(|line| line.get(line.find(start)?..)).map(str::trim_end).collect()
    }

    /// The text is somewhere in the log.
    pub fn has_logged(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }

    /// A reply of a party to a request it got.
    pub fn answer(&mut self, request: &Sent, status: &str, tag: &str, more: &str) {
        let to = request.header("To");
        let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
        let text = format!(
            "SIP/2.0 {status}\n{}{}From: {}\nTo: {to}\nCall-ID: {}\nCSeq: {}\n{more}Content-Length: 0\n\n",
            request.lines("Via"),
            request.lines("Record-Route"),
            request.header("From"),
            request.header("Call-ID"),
            request.header("CSeq"),
        );
        self.receive(&request.to.clone(), &text);
    }

    /// Alice calls with this Call-ID.
    pub fn invite(&mut self, call_id: &str) {
        self.receive(ALICE, &invite(call_id, "UDP"));
    }

    /// A request within the call; from the caller unless `is_callee`.
    pub fn within(&mut self, method: &str, call_id: &str, is_callee: bool, cseq: u32, to_tag: &str) {
        self.within_with(method, call_id, is_callee, cseq, to_tag, "");
    }

    pub fn within_with(&mut self, method: &str, call_id: &str, is_callee: bool, cseq: u32, to_tag: &str, more: &str) {
        self.branch += 1;
        let route = self.record_route.replace("Record-Route", "Route");
        let branch = self.branch;
        let caller = "<sip:alice@example.com>;tag=A".to_owned();
        let callee = format!("<sip:bob@example.com>;tag={to_tag}");
        let (party, uri, from, to) =
            if is_callee { (BOB, "sip:alice@192.0.2.1:5090", callee, caller) } else { (ALICE, "sip:bob@192.0.2.2:5080", caller, callee) };
        let text = format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {party};branch=z9hG4bKwithin{branch}\n{route}From: {from}\nTo: {to}\n\
             Call-ID: {call_id}\nCSeq: {cseq} {method}\nMax-Forwards: 70\n{more}Content-Length: 0\n\n"
        );
        self.receive(party, &text);
    }

    /// Alice calls; Bob's INVITE.
    pub fn calls(&mut self, call_id: &str) -> Sent {
        self.invite(call_id);
        let invite = self.take(BOB, "INVITE");
        self.record_route = invite.lines("Record-Route");
        invite
    }

    /// A call in state 4 with Bob's tag `B`; nothing of it is left in what was sent.
    pub fn confirmed(&mut self, call_id: &str) {
        self.confirmed_at(call_id, "sip:bob@192.0.2.2:5080");
    }

    /// The same with another contact of Bob.
    pub fn confirmed_at(&mut self, call_id: &str, contact: &str) {
        let invite = self.calls(call_id);
        self.answer(&invite, "200 OK", "B", &format!("Contact: <{contact}>\n"));
        self.take(ALICE, "200");
        self.within("ACK", call_id, false, 1, "B");
        assert_eq!(self.states(), [4]);
        self.forget();
    }

    /// An RPC command with integers and texts.
    pub fn rpc(&mut self, name: &str, parameters: Vec<Parameter>) -> Result<Reply, Fault> {
        let result = self.proxy.call(&mut self.worker, self.now, name, &mut Parameters::new(Wire::Binrpc, parameters));
        self.drain();
        result
    }

    /// `dlg.end_dlg` for the only dialog.
    pub fn end_by_rpc(&mut self) {
        let id = self.only().id;
        let numbers = vec![Parameter::Integer(i64::from(id.entry)), Parameter::Integer(i64::from(id.id))];
        assert!(self.rpc("dlg.end_dlg", numbers).is_ok());
    }

    /// A copy of every dialog.
    pub fn dialogs(&self) -> Vec<dialog::view::DialogView> {
        let mut out = Vec::new();
        self.proxy.node.dialogs.for_each(self.now, |view| {
            out.push(view.clone());
            true
        });
        out
    }

    pub fn only(&self) -> dialog::view::DialogView {
        let mut dialogs = self.dialogs();
        assert_eq!(dialogs.len(), 1);
        dialogs.remove(0)
    }

    /// The states of all dialogs, sorted.
    pub fn states(&self) -> Vec<u32> {
        let mut states: Vec<u32> = self.dialogs().iter().map(|view| view.state.number()).collect();
        states.sort_unstable();
        states
    }

    /// Counters equal a recount, and ended dialogs are in no profile.
    pub fn check(&self) {
        let counts = self.proxy.node.dialogs.statistics();
        let walked = self.proxy.node.dialogs.state_counts(false);
        assert_eq!(
            (counts.unconfirmed, counts.early, counts.active),
            (walked.unconfirmed, walked.early, walked.confirmed_no_ack + walked.confirmed)
        );
        for view in self.dialogs() {
            assert!(view.state != dialog::State::Deleted || view.profiles.is_empty());
        }
    }
}

/// The INVITE of Alice.
pub fn invite(call_id: &str, transport: &str) -> String {
    format!(
        "INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/{transport} {ALICE};branch=z9hG4bKinvite{call_id}\nFrom: <sip:alice@example.com>;tag=A\n\
         To: <sip:bob@example.com>\nCall-ID: {call_id}\nCSeq: 1 INVITE\nContact: <sip:alice@{ALICE}>\nMax-Forwards: 70\nContent-Length: 0\n\n"
    )
}
