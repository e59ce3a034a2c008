//! Calls in an open loop: caller and callee in one thread, every call's state known exactly. No thread and no timer of
//! its own a call: one heap of moments, two sockets.

mod call;
mod histogram;
mod message;
mod plan;
mod requests;
mod takes;
mod timers;

use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use call::{Call, Side, Stage};
pub use histogram::Histogram;
pub use message::Method;
pub use plan::Plan;
use timers::{Purpose, Timer, Timers};

use crate::random::Random;

/// Bytes asked of the kernel for what has not been read.
const RECEIVE_BYTES: usize = 8 << 20;
/// Messages taken from one socket, and calls begun, before others have their turn.
const TURN_MAX: usize = 64;
/// Longest sleep.
const SLEEP_MAX: u64 = 50_000;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub begun: u32,
    pub answered: u32,
    pub ended: u32,
    /// Re-INVITEs answered with 200.
    pub updated: u32,
    /// Requests and answers sent again.
    pub repeated: u32,
    /// Refusals by request and status; 408 also when no answer came at all.
    pub refused: BTreeMap<(Method, u16), u32>,
    /// Calls that neither side ended: a BYE came from elsewhere.
    pub cut: u32,
    /// Messages that belong to none of the calls.
    pub strays: u32,
    /// INVITE to 200 without the ringing time, BYE to 200; microseconds.
    pub invites: Histogram,
    pub byes: Histogram,
    /// The generator itself was late by this much at most, milliseconds.
    pub lateness: f64,
}

impl Totals {
    /// Requests that were refused or never answered, and calls cut.
    pub fn failures(&self) -> u32 {
        self.refused.values().sum::<u32>() + self.cut
    }
}

/// Makes calls while it is run; keeps the ledger of all of them.
pub struct Generator {
    plan: Plan,
    /// Part of each Call-ID: calls of different runs are different.
    run: String,
    caller: UdpSocket,
    callee: UdpSocket,
    caller_contact: String,
    callee_contact: String,
    began: Instant,
    calls: Vec<Call>,
    timers: Timers,
    random: Random,
    /// Calls a second; 0: no new ones.
    rate: f64,
    next_call: f64,
    /// Calls with a request or an answer on its way.
    open: usize,
    /// Calls that have begun and will end by themselves.
    going: usize,
    totals: Totals,
    out: String,
}

fn bind(address: impl std::net::ToSocketAddrs + std::fmt::Debug) -> Result<UdpSocket, String> {
    let told = |error: io::Error| format!("{address:?}: {error}");
    let socket = UdpSocket::bind(&address).map_err(told)?;
    socket.set_nonblocking(true).map_err(told)?;
    // Less than asked for is no failure.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES)
        .or_else(|_| rustix::net::sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BYTES));
    Ok(socket)
}

impl Generator {
    /// Opens both sockets; no call yet.
    pub fn new(plan: Plan) -> Result<Generator, String> {
        let caller = bind("127.0.0.1:0")?;
        let callee = bind(plan.callee)?;
        let caller_address = caller.local_addr().map_err(|error| error.to_string())?;
        let mut random = Random::new(plan.seed);
        Ok(Generator {
            run: format!("{:x}.bench", random.bits() ^ u64::from(std::process::id())),
            caller_contact: format!("sip:caller@{caller_address}"),
            callee_contact: format!("sip:callee@{}", plan.callee),
            plan,
            caller,
            callee,
            began: Instant::now(),
            calls: Vec::new(),
            timers: Timers::default(),
            random,
            rate: 0.0,
            next_call: 0.0,
            open: 0,
            going: 0,
            totals: Totals::default(),
            out: String::new(),
        })
    }

    /// The ledger: the place of a call is its number.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The Call-ID of a call.
    pub fn call_id(&self, number: u32) -> String {
        format!("{number}.{}", self.run)
    }

    /// The number of a Call-ID of this run.
    pub fn number_of(&self, call_id: &str) -> Option<u32> {
        let (number, run) = call_id.split_once('.')?;
        let number: u32 = number.parse().ok()?;
        (run == self.run && (number as usize) < self.calls.len()).then_some(number)
    }

    /// The Contact of all callers or callees.
    pub fn contact(&self, side: Side) -> &str {
        match side {
            Side::Caller => &self.caller_contact,
            Side::Callee => &self.callee_contact,
        }
    }

    /// What kind of calls these are.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes the kind of the calls to come; addresses and seed stay.
    pub fn change_plan(&mut self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan);
    }

    /// What the run came to so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Counts anew from here; calls go on.
    pub fn reset_totals(&mut self) -> Totals {
        std::mem::take(&mut self.totals)
    }

    /// Calls with a request or an answer on its way.
    pub fn open(&self) -> usize {
        self.open
    }

    /// New calls a second from now on; 0: none.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        self.next_call = self.now() as f64;
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// Goes on until that moment.
    pub fn run_until(&mut self, end: Instant) -> Result<(), String> {
        self.go_on(end, |_| false)
    }

    /// Goes on until nothing is on its way any more; without new calls. False: something still was after the longest time.
    pub fn settle(&mut self, longest: Duration) -> Result<bool, String> {
        self.go_on(Instant::now() + longest, |generator| generator.open == 0)?;
        Ok(self.open == 0)
    }

    /// Goes on without new calls until all have ended but those that are held. False: some had not after the longest time.
    pub fn finish(&mut self, longest: Duration) -> Result<bool, String> {
        self.rate = 0.0;
        self.go_on(Instant::now() + longest, |generator| generator.going == 0 && generator.open == 0)?;
        Ok(self.going == 0 && self.open == 0)
    }

    /// Begins `count` calls as fast as they are answered, at most so many unanswered at a time, and waits for the last.
    pub fn fill(&mut self, count: u32, unanswered_max: usize, longest: Duration) -> Result<(), String> {
        let (last, end) = (self.calls.len() + count as usize, Instant::now() + longest);
        while self.calls.len() < last && Instant::now() < end {
            let now = self.now();
            while self.calls.len() < last && self.open < unanswered_max {
                self.launch(now)?;
            }
            self.go_on(end, |generator| generator.open < unanswered_max)?;
        }
        self.settle(end.saturating_duration_since(Instant::now()))?;
        if self.calls.len() < last { Err(format!("{} of {count} calls begun in {longest:?}", self.calls.len())) } else { Ok(()) }
    }

    fn go_on(&mut self, end: Instant, is_over: impl Fn(&Generator) -> bool) -> Result<(), String> {
        let end = end.saturating_duration_since(self.began).as_micros() as u64;
        loop {
            let now = self.now();
            if now >= end || is_over(self) {
                return Ok(());
            }
            self.launch_due(now)?;
            while let Some(timer) = self.timers.due(now) {
                self.totals.lateness = self.totals.lateness.max((now - timer.at) as f64 / 1_000.0);
                self.fire(timer, now)?;
            }
            if !self.receive()? {
                self.sleep(end)?;
            }
        }
    }

    fn launch_due(&mut self, now: u64) -> Result<(), String> {
        for _ in 0..TURN_MAX {
            if self.rate <= 0.0 || self.next_call > now as f64 {
                break;
            }
            self.next_call += 1_000_000.0 / self.rate;
            self.launch(now)?;
        }
        Ok(())
    }

    /// Takes what came; false: nothing did.
    fn receive(&mut self) -> Result<bool, String> {
        let mut buffer = [0_u8; 8_192];
        let mut has_come = false;
        for side in [Side::Caller, Side::Callee] {
            for _ in 0..TURN_MAX {
                let socket = if side == Side::Caller { &self.caller } else { &self.callee };
                match socket.recv_from(&mut buffer) {
                    Ok((length, _)) => {
                        has_come = true;
                        let text = std::str::from_utf8(buffer.get(..length).unwrap_or_default()).unwrap_or_default();
                        self.take(side, text)?;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(format!("cannot receive: {error}")),
                }
            }
        }
        Ok(has_come)
    }

    /// Until something comes or is due.
    fn sleep(&self, end: u64) -> Result<(), String> {
        let now = self.now();
        let mut until = end.min(now + SLEEP_MAX).min(self.timers.first().unwrap_or(u64::MAX));
        if self.rate > 0.0 {
            until = until.min(self.next_call as u64);
        }
        let wait = until.saturating_sub(now).max(1);
        let timeout = Timespec { tv_sec: (wait / 1_000_000) as i64, tv_nsec: (wait % 1_000_000 * 1_000) as i64 };
        let mut sockets = [PollFd::new(&self.caller, PollFlags::IN), PollFd::new(&self.callee, PollFlags::IN)];
        match poll(&mut sockets, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(format!("poll: {error}")),
        }
    }

    fn send(&self, side: Side, text: &str) -> Result<(), String> {
        let socket = if side == Side::Caller { &self.caller } else { &self.callee };
        match socket.send_to(text.as_bytes(), self.plan.proxy) {
            // A full buffer is a lost datagram, as on any network; what matters is sent again.
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(format!("cannot send to {}: {error}", self.plan.proxy)),
        }
    }

    fn arm(&mut self, now: u64, after: u64, number: u32, purpose: Purpose, serial: u16) {
        self.timers.arm(Timer { at: now + after, number, purpose, serial });
    }

    pub(super) fn call_mut(&mut self, number: u32) -> Option<&mut Call> {
        self.calls.get_mut(number as usize)
    }
}

#[cfg(test)]
mod tests;
