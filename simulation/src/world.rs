//! The world of one seed: event heap, clock, proxies, parties, network, checkers. No threads, no real time.

mod faults;
mod storing;
mod traffic;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;

use modules::run::Answer;
use modules::worker::Random;
use proxy::Input;
use sip::message::Message;
use sip::time::Now;

use crate::checkers::{self, Checker, Sight, Snapshot, Verdicts};
use crate::limits::EVENTS_MAX;
use crate::network::Network;
use crate::party::{Alarm, Party, Step};
use crate::proxy_node::{ProxyNode, now_at, now_with};
use crate::scenario::{Fault, Scenario};
use crate::streams::{Streams, Towards};
use crate::trace::Trace;

/// First moment of every world, milliseconds.
pub const BEGINNING: u64 = 10_000;

/// One thing that happens.
#[derive(Debug)]
enum Event {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
    Piece { stream: u64, towards: Towards, bytes: Vec<u8> },
    Tick { proxy: usize },
    Answer { proxy: usize, start: u32, worker: usize, ticket: u64, answer: Answer },
    Alarm { party: usize, alarm: Alarm },
    Fault(Fault),
    Restart { proxy: usize },
    Storage { proxy: usize, start: u32, what: storing::StorageEvent },
    Second,
}

/// A world on its way.
pub struct World {
    now: u64,
    /// The first moment, milliseconds.
    beginning: u64,
    /// How far the date was set off, milliseconds.
    jumped: i64,
    sequence: u64,
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    pub proxies: Vec<ProxyNode>,
    checkers: Vec<Vec<Box<dyn Checker>>>,
    parties: Vec<Party>,
    /// Parties by address and Call-ID.
    places: BTreeMap<(SocketAddr, Vec<u8>), usize>,
    network: Network,
    streams: Streams,
    /// Of proxies that store their dialogs.
    pub stores: Vec<Option<storing::Store>>,
    /// How long a proxy that stops stays away, milliseconds.
    away: u64,
    random: Random,
    scenario: Scenario,
    overheard: Vec<Vec<u8>>,
    pub verdicts: Verdicts,
    pub trace: Trace,
    pub handled: usize,
}

impl World {
    /// Starts the proxies and plans the calls.
    pub fn new(scenario: Scenario, trace: Trace) -> Result<World, String> {
        let starts = scenario.proxies.iter().map(|plan| ProxyNode::start(&plan.stored_start(), now_at(BEGINNING)));
        let proxies = starts.collect::<Result<Vec<_>, _>>()?;
        Ok(World::on(proxies, BEGINNING, scenario, trace))
    }

    /// The same on proxies that run already and have no calls.
    pub fn on(proxies: Vec<ProxyNode>, beginning: u64, scenario: Scenario, trace: Trace) -> World {
        let families = scenario.proxies.iter().enumerate();
        let families = families.map(|(number, plan)| checkers::all(number, plan.start.address, plan.promises)).collect();
        let mut world = World {
            now: beginning,
            beginning,
            jumped: 0,
            sequence: 0,
            heap: BinaryHeap::new(),
            events: BTreeMap::new(),
            proxies,
            checkers: families,
            parties: Vec::new(),
            places: BTreeMap::new(),
            network: Network::new(scenario.weather.clone()),
            streams: Streams::default(),
            stores: scenario.proxies.iter().enumerate().map(|(number, plan)| storing::Store::of(number, plan)).collect(),
            away: 0,
            random: Random::new(scenario.seed ^ 0x5EED),
            overheard: Vec::new(),
            verdicts: Verdicts::default(),
            trace,
            handled: 0,
            scenario,
        };
        world.populate();
        world
    }

    /// The proxies and the present moment, for another world that goes on with them.
    pub fn into_proxies(mut self) -> (Vec<ProxyNode>, u64) {
        for proxy in &mut self.proxies {
            proxy.tick_at = None;
        }
        (self.proxies, self.now)
    }

    fn populate(&mut self) {
        let Some(entrance) = self.proxies.first().map(|proxy| proxy.address) else { return };
        for plan in self.scenario.plans.clone() {
            let begin = plan.begin;
            for (is_caller, address) in [(true, crate::scenario::CALLER), (false, crate::scenario::FIRST), (false, crate::scenario::SECOND)]
            {
                self.places.insert((address, plan.call_id.clone().into_bytes()), self.parties.len());
                if is_caller {
                    self.push(begin, Event::Alarm { party: self.parties.len(), alarm: Alarm::Begin });
                }
                self.parties.push(Party::new(plan.clone(), is_caller, address, entrance));
            }
        }
        for (at, fault) in self.scenario.faults.clone() {
            self.push(at, Event::Fault(fault));
        }
        self.push(1_000, Event::Second);
        for proxy in 0..self.proxies.len() {
            if self.open_storage(proxy) {
                self.arm(proxy);
            } else {
                self.start_fails(proxy);
            }
        }
    }

    fn push(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse((self.now + delay, self.sequence)));
        self.events.insert(self.sequence, event);
    }

    /// The present moment as proxies see it.
    fn clock(&self) -> Now {
        now_with(self.now, self.jumped)
    }

    /// Lets things happen until the end of the scenario, then looks at what is left.
    pub fn run(&mut self) {
        let end = self.beginning + self.scenario.until;
        while let Some(Reverse((at, sequence))) = self.heap.pop() {
            if at > end || !self.verdicts.list.is_empty() {
                break;
            }
            self.now = at;
            self.handled += 1;
            if self.handled > EVENTS_MAX {
                self.verdicts.add("R2", at, 0, format!("more than {EVENTS_MAX} events"));
                break;
            }
            if let Some(event) = self.events.remove(&sequence) {
                self.happen(event);
            }
        }
        for proxy in 0..self.proxies.len() {
            self.inspect(proxy);
            if self.verdicts.list.is_empty() && self.scenario.must_settle {
                let snapshot = self.snapshot(proxy);
                for checker in self.checkers.get_mut(proxy).into_iter().flatten() {
                    checker.settled(&snapshot, &mut self.verdicts);
                }
            }
        }
    }

    /// What the network carried and lost.
    pub fn traffic(&self) -> (u64, u64) {
        (self.network.carried, self.network.lost)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Datagram { from, to, bytes } => self.deliver(from, to, &bytes),
            Event::Piece { stream, towards, bytes } => self.deliver_piece(stream, towards, &bytes),
            Event::Tick { proxy } => {
                let Some(node) = self.proxies.get_mut(proxy) else { return };
                if node.tick_at != Some(self.now) || node.is_down {
                    return;
                }
                node.tick_at = None;
                self.input(proxy, None, Input::Tick, None);
            }
            Event::Answer { proxy, start, worker, ticket, answer } => {
                if self.proxies.get(proxy).is_some_and(|node| node.starts == start && !node.is_down) {
                    self.input(proxy, Some(worker), Input::Answer { ticket, answer }, None);
                }
            }
            Event::Alarm { party, alarm } => self.step(party, |party, step| party.woken(step, alarm)),
            Event::Fault(fault) => self.go_wrong(fault),
            Event::Restart { proxy } => self.restart(proxy),
            Event::Storage { proxy, start, what } => self.storage_happens(proxy, start, what),
            Event::Second => self.second(),
        }
    }

    /// Once a virtual second: partitions begin and end, the faults stop, every table is recounted.
    fn second(&mut self) {
        if self.now >= self.beginning + self.scenario.faults_until && self.scenario.must_settle {
            self.network.heal();
        }
        let mut places: Vec<SocketAddr> = self.proxies.iter().map(|proxy| proxy.address).collect();
        places.extend([crate::scenario::CALLER, crate::scenario::FIRST]);
        self.network.second(self.now, &places, &mut self.random);
        for proxy in 0..self.proxies.len() {
            self.inspect(proxy);
            self.check_rows(proxy);
        }
        self.push(1_000, Event::Second);
    }

    fn step(&mut self, party: usize, work: impl FnOnce(&mut Party, &mut Step<'_>)) {
        let Some(acting) = self.parties.get_mut(party) else { return };
        let (own, is_stream) = (acting.address, acting.is_stream());
        let was_gone = acting.is_gone;
        let mut step = Step::new(self.now, &mut self.random);
        work(acting, &mut step);
        let Step { sends, alarms, .. } = step;
        if was_gone {
            return;
        }
        for (to, bytes) in sends {
            if is_stream {
                self.transmit_on_stream(own, to, &bytes);
            } else {
                self.transmit(own, to, &bytes);
            }
        }
        for (delay, alarm) in alarms {
            self.push(delay, Event::Alarm { party, alarm });
        }
    }

    /// One input to one worker of a proxy, its effects, and a look at what happened.
    fn input(&mut self, proxy: usize, worker: Option<usize>, input: Input<'_>, cause: Option<&Message>) {
        let now = self.clock();
        self.work(proxy, worker, cause, |node, worker| node.handle(worker, now, input));
    }

    /// Lets one worker do something; everything that comes of it is carried out and shown to the checkers.
    fn work(&mut self, proxy: usize, worker: Option<usize>, cause: Option<&Message>, work: impl FnOnce(&mut ProxyNode, usize)) {
        let chosen = worker.unwrap_or_else(|| self.random.below(64) as usize);
        let Some(node) = self.proxies.get_mut(proxy) else { return };
        let chosen = chosen % node.workers.len().max(1);
        let awaiting = node.proxy.awaiting_dialogs();
        work(node, chosen);
        let waits = node.proxy.awaiting_dialogs() > awaiting;
        let Some(worker) = node.workers.get_mut(chosen) else { return };
        let outbox = std::mem::take(&mut worker.outbox);
        let occurrences = node.occurrences();
        for (dialog, occurrence) in &occurrences {
            self.trace.dialog(self.now, proxy, dialog, *occurrence);
            if occurrence.kind == dialog::OccurrenceKind::Created {
                self.check_number(proxy, dialog);
            }
        }
        self.check_waiting(proxy, cause, waits);
        if waits {
            self.show(proxy, &Sight::Awaits);
        }
        self.observe(proxy);
        // Lines come from routes that run between the reports of one step; created and answered are told first.
        let (last, first): (Vec<_>, Vec<_>) =
            occurrences.iter().partition(|(_, occurrence)| occurrence.kind == dialog::OccurrenceKind::Destroyed);
        for (dialog, occurrence) in first {
            self.show(proxy, &Sight::Dialog { dialog, occurrence: *occurrence, cause });
        }
        self.carry_out(proxy, chosen, outbox, cause);
        for (dialog, occurrence) in last {
            self.show(proxy, &Sight::Dialog { dialog, occurrence: *occurrence, cause });
        }
        self.show(proxy, &Sight::StepOver);
        self.ring(proxy);
        self.arm(proxy);
        if std::mem::take(&mut self.verdicts.wants_look) || self.handled.is_multiple_of(self.scenario.inspect_every) {
            self.inspect(proxy);
        }
    }

    /// Makes sure that a tick comes when the next timer is due, sometimes a little late.
    fn arm(&mut self, proxy: usize) {
        let late = self.random.below(10);
        let Some(node) = self.proxies.get_mut(proxy) else { return };
        let Some(deadline) = node.proxy.next_deadline() else { return };
        let at = (deadline.0 + late).max(self.now + 1);
        if node.tick_at.is_none_or(|armed| armed > at) {
            node.tick_at = Some(at);
            self.push(at - self.now, Event::Tick { proxy });
        }
    }

    fn show(&mut self, proxy: usize, sight: &Sight<'_>) {
        for checker in self.checkers.get_mut(proxy).into_iter().flatten() {
            checker.see(self.now, sight, &mut self.verdicts);
        }
    }

    fn snapshot(&self, proxy: usize) -> Snapshot {
        let profiles = self.scenario.proxies.get(proxy).map_or(&[][..], |start| start.promises.profiles);
        self.proxies.get(proxy).map_or_else(Snapshot::default, |node| Snapshot::of(&node.proxy, self.clock(), profiles))
    }

    fn inspect(&mut self, proxy: usize) {
        if self.proxies.get(proxy).is_none_or(|node| node.is_down) {
            return;
        }
        let snapshot = self.snapshot(proxy);
        for checker in self.checkers.get_mut(proxy).into_iter().flatten() {
            checker.inspect(&snapshot, &mut self.verdicts);
        }
    }
}
