//! Calls in an open loop: callers and callees in one thread, every call's state known exactly. No thread and no timer of
//! its own a call: queues of moments, a few sockets, many datagrams a system call.

mod call;
mod histogram;
mod message;
mod outgoing;
mod peers;
mod plan;
mod requests;
mod roster;
mod takes;
mod text;
mod timers;
mod totals;

use std::time::{Duration, Instant};

use transport::batch::ReceiveBatch;

pub use call::{Call, Side, Stage};
pub use message::Method;
use peers::{Peers, TURN_MAX};
pub use plan::Plan;
use roster::Roster;
use timers::{Purpose, Timers};
pub use totals::Totals;

use crate::random::Random;

/// Timers that are served before what came has its turn.
const TIMERS_MAX: usize = 1_024;
/// Longest sleep, microseconds.
const SLEEP_MAX: u64 = 50_000;

/// Makes calls while it is run; keeps the ledger of all of them.
pub struct Generator {
    plan: Plan,
    /// Part of each Call-ID: calls of different runs are different.
    run: String,
    /// Hosts that the Request-URIs of new calls name in turn.
    hosts: Vec<String>,
    peers: Peers,
    /// None: its messages are being taken.
    batch: Option<ReceiveBatch>,
    began: Instant,
    roster: Roster,
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
}

impl Generator {
    /// Opens the sockets; no call yet.
    pub fn new(plan: Plan) -> Result<Generator, String> {
        let peers = Peers::open(&plan)?;
        let mut random = Random::new(plan.seed);
        Ok(Generator {
            run: format!("{:x}.bench", random.bits() ^ u64::from(std::process::id())),
            hosts: peers.hosts(&plan),
            plan,
            peers,
            batch: Some(ReceiveBatch::new(TURN_MAX)),
            began: Instant::now(),
            roster: Roster::default(),
            timers: Timers::default(),
            random,
            rate: 0.0,
            next_call: 0.0,
            open: 0,
            going: 0,
            totals: Totals::default(),
        })
    }

    /// The ledger: the place of a call is its number.
    pub fn calls(&self) -> &[Call] {
        self.roster.calls()
    }

    /// The Call-ID of a call.
    pub fn call_id(&self, number: u32) -> String {
        format!("{number}.{}", self.run)
    }

    /// The number of a Call-ID of this run.
    pub fn number_of(&self, call_id: &str) -> Option<u32> {
        let (number, run) = call_id.split_once('.')?;
        let number: u32 = number.parse().ok()?;
        (run == self.run && self.roster.call(number).is_some()).then_some(number)
    }

    /// The Contact of the first caller or callee.
    pub fn contact(&self, side: Side) -> &str {
        let place = match side {
            Side::Caller => self.peers.caller(0),
            Side::Callee => self.peers.callee(0),
        };
        self.peers.identity(place).map_or("", |identity| &identity.contact)
    }

    /// What kind of calls these are.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes the kind of the calls to come; addresses, peers and seed stay.
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
        let (last, end) = (self.roster.len() + count as usize, Instant::now() + longest);
        while self.roster.len() < last && Instant::now() < end {
            let now = self.now();
            while self.roster.len() < last && self.open < unanswered_max {
                self.launch(now)?;
            }
            self.go_on(end, |generator| generator.open < unanswered_max)?;
        }
        self.settle(end.saturating_duration_since(Instant::now()))?;
        if self.roster.len() < last { Err(format!("{} of {count} calls begun in {longest:?}", self.roster.len())) } else { Ok(()) }
    }

    /// Turn by turn: what is due, then what came. What a turn sends leaves together at its end.
    fn go_on(&mut self, end: Instant, is_over: impl Fn(&Generator) -> bool) -> Result<(), String> {
        let end = end.saturating_duration_since(self.began).as_micros() as u64;
        loop {
            let now = self.now();
            if now >= end || is_over(self) {
                return self.peers.flush();
            }
            self.launch_due(now)?;
            for _ in 0..TIMERS_MAX {
                let Some(timer) = self.timers.due(now) else { break };
                self.fire(timer, now)?;
            }
            self.peers.flush()?;
            let longest = self.until_due(end);
            self.peers.wait(longest)?;
            self.receive()?;
        }
    }

    fn launch_due(&mut self, now: u64) -> Result<(), String> {
        for _ in 0..TURN_MAX {
            if self.rate <= 0.0 || self.next_call > now as f64 {
                break;
            }
            self.is_late(now as f64 - self.next_call);
            self.next_call += 1_000_000.0 / self.rate;
            self.launch(now)?;
        }
        Ok(())
    }

    fn is_late(&mut self, microseconds: f64) {
        self.totals.lateness = self.totals.lateness.max(microseconds / 1_000.0);
    }

    /// Takes what has come; false: nothing had.
    fn receive(&mut self) -> Result<bool, String> {
        let Some(mut batch) = self.batch.take() else { return Ok(false) };
        let has_come = self.receive_into(&mut batch);
        self.batch = Some(batch);
        has_come
    }

    fn receive_into(&mut self, batch: &mut ReceiveBatch) -> Result<bool, String> {
        let mut has_come = false;
        for place in 0..self.peers.count() {
            let count = self.peers.receive(place, batch)?;
            has_come |= count > 0;
            let now = self.now();
            for (bytes, _) in (0..count).filter_map(|slot| batch.datagram(slot)) {
                self.take(place, bytes, now)?;
            }
        }
        Ok(has_come)
    }

    /// How long it may sleep.
    fn until_due(&mut self, end: u64) -> Duration {
        if self.plan.spins {
            return Duration::ZERO;
        }
        let Generator { timers, roster, .. } = self;
        let first = timers.first(|timer| requests::is_wanted(roster, timer));
        let now = self.now();
        let mut until = end.min(now + SLEEP_MAX).min(first.unwrap_or(u64::MAX));
        if self.rate > 0.0 {
            until = until.min(self.next_call as u64);
        }
        Duration::from_micros(until.saturating_sub(now))
    }

    fn arm(&mut self, now: u64, after: u64, number: u32, purpose: Purpose, serial: u16) {
        self.timers.arm(now, after, number, purpose, serial);
    }
}

#[cfg(test)]
mod tests;
