//! Calls through `Proxy::handle` on `examples/call-limit.cfg`, without sockets: the messages of both users, step by step.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use modules::Worker;
use modules::node::Process;
use modules::outbox::Effect;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol};

use crate::meter::{Meter, Uncounted};

const CONFIGURATION: &str = include_str!("../../examples/call-limit.cfg");

const SDP: &str = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Milliseconds of the run's clock between calls, in turn, so that timers and tables turn over as at [`CALLS_A_SECOND`].
const BETWEEN_CALLS: [u64; 4] = [1, 1, 1, 2];

/// Calls a second on the clock of the run.
pub const CALLS_A_SECOND: u32 = 800;

/// Calls after which as many transactions are freed as are made: the longest of them linger for Kamailio's `wt_timer`, five
/// seconds.
pub const CALLS_UNTIL_STEADY: u32 = 4_400;

/// Calls after which no buffer of the worker grows any more.
pub const CALLS_BEFORE: u32 = 400;

/// One input of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Invite,
    Ringing,
    Answer,
    Ack,
    ReInvite,
    ReInviteAnswer,
    ReInviteAck,
    Bye,
    ByeAnswer,
    /// The timers that are due when the call is over.
    Tick,
}

/// The basic call, in order.
pub const BASIC_CALL: [Step; 7] = [Step::Invite, Step::Ringing, Step::Answer, Step::Ack, Step::Bye, Step::ByeAnswer, Step::Tick];

/// The same with a re-INVITE of the caller in it.
pub const CALL_WITH_RE_INVITE: [Step; 10] = [
    Step::Invite,
    Step::Ringing,
    Step::Answer,
    Step::Ack,
    Step::ReInvite,
    Step::ReInviteAnswer,
    Step::ReInviteAck,
    Step::Bye,
    Step::ByeAnswer,
    Step::Tick,
];

struct OneFile<'a>(&'a str);

impl Files for OneFile<'_> {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// A proxy with one worker, and the two users of its calls.
pub struct Scene {
    pub proxy: Arc<Proxy>,
    pub worker: Worker,
    pub now: Now,
    calls: u64,
    caller: SocketAddr,
    callee: SocketAddr,
}

impl Scene {
    /// A proxy on the example that has seen no message yet. The same seeds at every start: the same calls give the same bytes.
    pub fn new() -> Result<Scene, String> {
        Scene::on(CONFIGURATION)
    }

    /// The same on another configuration.
    pub fn on(configuration: &str) -> Result<Scene, String> {
        let options = LoadOptions {
            defines: ["DEFAULT_LIMIT=1000000", "LOG_LEVEL=0", "NO_DATABASE"].map(str::to_owned).to_vec(),
            ..LoadOptions::default()
        };
        let checked = proxy::check("call-limit.cfg", &mut OneFile(configuration), &options).map_err(|error| error.to_string())?;
        let sockets = Sockets { list: vec![Socket::new(Protocol::Udp, loopback(5060), None, None)], aliases: Vec::new() };
        let now = Now { time: Time(1_000), date: Date(1_700_000_000_000) };
        let prepared = Prepared { checked, sockets, process: Process::default(), environment: BTreeMap::new() };
        let proxy = Arc::new(Proxy::new(proxy::start(prepared, now).map_err(|error| error.to_string())?));
        let worker = proxy.worker(0, 7, now);
        Ok(Scene { proxy, worker, now, calls: 0, caller: loopback(5070), callee: loopback(5080) })
    }

    /// Another worker of the same proxy, with users and calls of its own.
    pub fn beside(&self, number: u32) -> Scene {
        let worker = self.proxy.worker(number, 7 + u64::from(number), self.now);
        Scene { proxy: Arc::clone(&self.proxy), worker, calls: u64::from(number) << 32, ..*self }
    }

    /// Sets its clock to the moment at which as many calls have been made, by all workers together.
    pub fn set_clock(&mut self, calls: u64) {
        let milliseconds = calls * 1_000 / u64::from(CALLS_A_SECOND);
        self.now = Now { time: Time(1_000 + milliseconds), date: Date(1_700_000_000_000 + milliseconds) };
    }

    /// One that has carried so many calls.
    pub fn after(calls: u32, steps: &[Step]) -> Result<Scene, String> {
        let mut scene = Scene::new()?;
        for _ in 0..calls {
            scene.call(steps, &[], &mut Uncounted)?;
        }
        Ok(scene)
    }

    /// One call, of which the steps in `counted` are shown to the meter.
    pub fn call(&mut self, steps: &[Step], counted: &[Step], meter: &mut impl Meter) -> Result<(), String> {
        let mut call = self.next_call();
        for step in steps {
            if counted.contains(step) { self.step(*step, &mut call, meter)? } else { self.step(*step, &mut call, &mut Uncounted)? }
        }
        self.end_call();
        Ok(())
    }

    /// Moves number and clock on to the next call.
    pub fn end_call(&mut self) {
        let pause = BETWEEN_CALLS.get(self.calls as usize % BETWEEN_CALLS.len()).copied().unwrap_or(1);
        self.calls += 1;
        self.now.time.0 += pause;
        self.now.date.0 += pause;
    }

    /// The call that comes next.
    pub fn next_call(&self) -> Call {
        Call::new(self.calls)
    }

    /// One step of a call; an error when the proxy does not send what belongs to it. The meter sees nothing but the input:
    /// the message is made, and effects are read, outside of it.
    pub fn step(&mut self, step: Step, call: &mut Call, meter: &mut impl Meter) -> Result<(), String> {
        let (proxy, worker, now) = (&self.proxy, &mut self.worker, self.now);
        if step == Step::Tick {
            meter.run(|| proxy.handle(worker, now, Input::Tick));
            worker.outbox.clear();
            return Ok(());
        }
        let (bytes, from) = if call.is_of_callee(step) { (call.reply(step), self.callee) } else { (call.request(step), self.caller) };
        let input = Input::Message { bytes: &bytes, from: Endpoint::udp(from, 0) };
        meter.run(|| proxy.handle(worker, now, input));
        self.learn(step, call)
    }

    /// Reads what was sent after a step, and forgets it.
    pub fn learn(&mut self, step: Step, call: &mut Call) -> Result<(), String> {
        let to = if call.is_of_callee(step) { self.caller } else { self.callee };
        let outbox = &self.worker.outbox;
        let sent = outbox.effects.iter().find_map(|effect| match effect {
            Effect::Send { destination, bytes, .. } if *destination == to => outbox.bytes.get(bytes.clone()),
            _ => None,
        });
        let sent = sent.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let sent = sent.ok_or_else(|| format!("{step:?} of call {} led to no message to {to}: {:?}", call.number, outbox.effects))?;
        match step {
            Step::Answer => call.route = header(&sent, "Record-Route: "),
            Step::Invite | Step::ReInvite | Step::Bye => call.forwarded = sent,
            _ => {}
        }
        self.worker.outbox.clear();
        Ok(())
    }
}

/// A call as its users see it.
pub struct Call {
    number: u64,
    /// The route set of the caller.
    route: String,
    /// The last request that came to the callee.
    forwarded: String,
}

impl Call {
    fn new(number: u64) -> Call {
        Call { number, route: String::new(), forwarded: String::new() }
    }

    fn is_of_callee(&self, step: Step) -> bool {
        matches!(step, Step::Ringing | Step::Answer | Step::ReInviteAnswer | Step::ByeAnswer)
    }

    /// A request of the caller.
    pub fn request(&self, step: Step) -> Vec<u8> {
        let (method, sequence, body) = match step {
            Step::Invite => ("INVITE", 1, SDP),
            Step::ReInvite => ("INVITE", 2, SDP),
            Step::ReInviteAck => ("ACK", 2, ""),
            Step::Bye => ("BYE", 3, ""),
            _ => ("ACK", 1, ""),
        };
        let number = self.number;
        let (uri, route, tag) = if step == Step::Invite {
            ("sip:bob@127.0.0.1:5060", String::new(), "")
        } else {
            ("sip:127.0.0.1:5080", format!("Route: {}\r\n", self.route), ";tag=callee")
        };
        let content = if body.is_empty() { "" } else { "Subject: Performance Test\r\nContent-Type: application/sdp\r\n" };
        format!(
            "{method} {uri} SIP/2.0\r\n{route}Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{number}-{step:?}\r\n\
             From: sipp <sip:sipp@127.0.0.1:5070>;tag=f{number}\r\nTo: bob <sip:bob@127.0.0.1:5060>{tag}\r\n\
             Call-ID: {number}-4711@127.0.0.1\r\nCSeq: {sequence} {method}\r\nContact: <sip:sipp@127.0.0.1:5070>\r\n\
             Max-Forwards: 70\r\n{content}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// The callee's reply: Via, Record-Route, From, To with a tag, Call-ID, CSeq of the request.
    pub fn reply(&self, step: Step) -> Vec<u8> {
        let (status, body) = match step {
            Step::Ringing => ("180 Ringing", ""),
            Step::ByeAnswer => ("200 OK", ""),
            _ => ("200 OK", SDP),
        };
        let mut reply = format!("SIP/2.0 {status}\r\n");
        for line in self.forwarded.split("\r\n").take_while(|line| !line.is_empty()) {
            if ["Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
                reply.push_str(line);
                reply.push_str("\r\n");
            } else if line.starts_with("To:") {
                reply.push_str(line);
                reply.push_str(if line.contains(";tag=") { "\r\n" } else { ";tag=callee\r\n" });
            }
        }
        let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        reply.push_str(&format!("Contact: <sip:127.0.0.1:5080>\r\n{content}Content-Length: {}\r\n\r\n{body}", body.len()));
        reply.into_bytes()
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn header(message: &str, name: &str) -> String {
    message.split("\r\n").find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_leaves_no_dialog_and_after_five_seconds_no_transaction() -> Result<(), String> {
        let mut scene = Scene::new()?;
        for _ in 0..100 {
            scene.call(&CALL_WITH_RE_INVITE, &[], &mut Uncounted)?;
        }
        assert_eq!(scene.proxy.node.dialogs.statistics().active, 0);
        assert_eq!(scene.proxy.node.dialogs.statistics().processed, 100);
        assert!(!scene.proxy.node.transactions.is_empty());
        for _ in 0..60 {
            scene.now.time.0 += 1_000;
            scene.step(Step::Tick, &mut scene.next_call(), &mut Uncounted)?;
        }
        assert_eq!((scene.proxy.node.transactions.len(), scene.proxy.node.dialogs.len()), (0, 0));
        Ok(())
    }

    #[test]
    fn after_the_first_calls_the_number_of_transactions_stays_the_same() -> Result<(), String> {
        let mut scene = Scene::after(CALLS_UNTIL_STEADY, &BASIC_CALL)?;
        let before = scene.proxy.node.transactions.len();
        for _ in 0..800 {
            scene.call(&BASIC_CALL, &[], &mut Uncounted)?;
        }
        let after = scene.proxy.node.transactions.len();
        assert!(before.abs_diff(after) * 20 < before, "{before} transactions became {after}");
        Ok(())
    }

    #[test]
    fn a_step_that_leads_to_nothing_is_an_error() -> Result<(), String> {
        let mut scene = Scene::new()?;
        let mut call = scene.next_call();
        let outcome = scene.step(Step::Ringing, &mut call, &mut Uncounted);
        assert!(outcome.is_err_and(|error| error.starts_with("Ringing of call 0 led to no message")));
        Ok(())
    }
}
