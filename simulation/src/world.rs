//! The world of one seed: event heap, clock, proxies, parties, network, checkers. No threads, no real time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use modules::outbox::{Effect, Outbox};
use modules::run::Answer;
use modules::worker::Random;
use proxy::Input;
use sip::message::Message;
use transaction::Endpoint;

use crate::checkers::{self, Checker, Sight, Snapshot, Verdicts};
use crate::limits::{EVENTS_MAX, OVERHEARD_MAX};
use crate::network::Network;
use crate::party::{Alarm, Party, Step};
use crate::proxy_node::{ProxyNode, now_at};
use crate::scenario::Scenario;
use crate::trace::Trace;

/// First moment of every world, milliseconds.
const BEGINNING: u64 = 10_000;

/// One thing that happens.
#[derive(Debug)]
enum Event {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
    Tick { proxy: usize },
    Answer { proxy: usize, worker: usize, ticket: u64, answer: Answer },
    Alarm { party: usize, alarm: Alarm },
    Lie,
    Second,
}

/// A world on its way.
pub struct World {
    now: u64,
    sequence: u64,
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    pub proxies: Vec<ProxyNode>,
    checkers: Vec<Vec<Box<dyn Checker>>>,
    parties: Vec<Party>,
    /// Parties by address and Call-ID.
    places: BTreeMap<(SocketAddr, Vec<u8>), usize>,
    network: Network,
    random: Random,
    scenario: Scenario,
    overheard: Vec<Vec<u8>>,
    pub verdicts: Verdicts,
    pub trace: Trace,
    pub handled: usize,
}

impl World {
    /// Starts the proxies and plans the calls.
    pub fn new(scenario: Scenario, print: bool) -> Result<World, String> {
        let mut proxies = Vec::new();
        let mut families = Vec::new();
        for (number, start) in scenario.proxies.iter().enumerate() {
            proxies.push(ProxyNode::start(&start.start, now_at(BEGINNING))?);
            families.push(checkers::all(number, start.promises));
        }
        let mut world = World {
            now: BEGINNING,
            sequence: 0,
            heap: BinaryHeap::new(),
            events: BTreeMap::new(),
            proxies,
            checkers: families,
            parties: Vec::new(),
            places: BTreeMap::new(),
            network: Network::new(scenario.weather.clone()),
            random: Random::new(scenario.seed ^ 0x5EED),
            overheard: Vec::new(),
            verdicts: Verdicts::default(),
            trace: Trace::new(print),
            handled: 0,
            scenario,
        };
        world.populate();
        Ok(world)
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
        for _ in 0..self.scenario.lies {
            let delay = self.random.below(self.scenario.faults_until);
            self.push(delay, Event::Lie);
        }
        self.push(1_000, Event::Second);
        for proxy in 0..self.proxies.len() {
            self.arm(proxy);
        }
    }

    fn push(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse((self.now + delay, self.sequence)));
        self.events.insert(self.sequence, event);
    }

    /// Lets things happen until the end of the scenario, then looks at what is left.
    pub fn run(&mut self) {
        let end = BEGINNING + self.scenario.until;
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
            Event::Tick { proxy } => {
                let Some(node) = self.proxies.get_mut(proxy) else { return };
                if node.tick_at != Some(self.now) {
                    return;
                }
                node.tick_at = None;
                self.input(proxy, None, Input::Tick);
            }
            Event::Answer { proxy, worker, ticket, answer } => self.input(proxy, Some(worker), Input::Answer { ticket, answer }),
            Event::Alarm { party, alarm } => self.step(party, |party, step| party.woken(step, alarm)),
            Event::Lie => self.lie(),
            Event::Second => self.second(),
        }
    }

    /// Once a virtual second: partitions begin and end, the faults stop, every table is recounted.
    fn second(&mut self) {
        if self.now >= BEGINNING + self.scenario.faults_until && self.scenario.must_settle {
            self.network.heal();
        }
        let mut places: Vec<SocketAddr> = self.proxies.iter().map(|proxy| proxy.address).collect();
        places.extend([crate::scenario::CALLER, crate::scenario::FIRST]);
        self.network.second(self.now, &places, &mut self.random);
        for proxy in 0..self.proxies.len() {
            self.inspect(proxy);
        }
        self.push(1_000, Event::Second);
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.trace.datagram(self.now, from, to, bytes);
        if let Some(proxy) = self.proxies.iter().position(|proxy| proxy.address == to) {
            if let Ok(message) = Message::from_bytes(bytes) {
                self.show(proxy, &Sight::Received { message: &message, from });
            }
            return self.input(proxy, None, Input::Message { bytes, from: Endpoint::udp(from, 0) });
        }
        let Ok(message) = Message::from_bytes(bytes) else { return };
        let known = self.places.get(&(to, message.call_id().to_vec())).copied();
        match known {
            Some(party) => self.step(party, |party, step| party.receive(step, &message)),
            None => self.refuse(to, &message),
        }
    }

    /// A callee that knows nothing of the call, such as one a liar made.
    fn refuse(&mut self, own: SocketAddr, message: &Message) {
        use sip::method::Method;
        if !message.is_request() || message.method() == Method::Ack {
            return;
        }
        let code = if message.method() == Method::Invite { 404 } else { 481 };
        if let Some(to) = crate::party::reply_address(message) {
            let reply = crate::party::reply_bytes(message, code, "Not Here", "nobody", "");
            self.transmit(own, to, &reply);
        }
    }

    fn step(&mut self, party: usize, work: impl FnOnce(&mut Party, &mut Step<'_>)) {
        let Some(acting) = self.parties.get_mut(party) else { return };
        let own = acting.address;
        let was_gone = acting.is_gone;
        let mut step = Step::new(self.now, &mut self.random);
        work(acting, &mut step);
        let Step { sends, alarms, .. } = step;
        if was_gone {
            return;
        }
        for (to, bytes) in sends {
            self.transmit(own, to, &bytes);
        }
        for (delay, alarm) in alarms {
            self.push(delay, Event::Alarm { party, alarm });
        }
    }

    fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.overheard.len() < OVERHEARD_MAX {
            self.overheard.push(bytes.to_vec());
        } else if let Some(place) = self.overheard.get_mut(self.random.below(OVERHEARD_MAX as u64 * 8) as usize) {
            *place = bytes.to_vec();
        }
        for delay in self.network.carry(from, to, bytes.len(), &mut self.random) {
            self.push(delay, Event::Datagram { from, to, bytes: bytes.to_vec() });
        }
    }

    /// One input to one worker of a proxy, its effects, and a look at what happened.
    fn input(&mut self, proxy: usize, worker: Option<usize>, input: Input<'_>) {
        let now = now_at(self.now);
        let chosen = worker.unwrap_or_else(|| self.random.below(64) as usize);
        let Some(node) = self.proxies.get_mut(proxy) else { return };
        let chosen = chosen % node.workers.len().max(1);
        node.handle(chosen, now, input);
        let Some(worker) = node.workers.get_mut(chosen) else { return };
        let outbox = std::mem::take(&mut worker.outbox);
        let occurrences = node.occurrences();
        let own = node.address;
        for (dialog, occurrence) in &occurrences {
            self.trace.dialog(self.now, proxy, dialog, *occurrence);
        }
        // Lines come from routes that run between the reports of one step; created and answered are told first.
        let (last, first): (Vec<_>, Vec<_>) =
            occurrences.iter().partition(|(_, occurrence)| occurrence.kind == dialog::OccurrenceKind::Destroyed);
        for (dialog, occurrence) in first {
            self.show(proxy, &Sight::Dialog { dialog, occurrence: *occurrence });
        }
        self.carry_out(proxy, chosen, own, &outbox);
        for (dialog, occurrence) in last {
            self.show(proxy, &Sight::Dialog { dialog, occurrence: *occurrence });
        }
        self.arm(proxy);
        if self.handled.is_multiple_of(self.scenario.inspect_every) {
            self.inspect(proxy);
        }
    }

    fn carry_out(&mut self, proxy: usize, worker: usize, own: SocketAddr, outbox: &Outbox) {
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    match Message::from_bytes(bytes) {
                        Ok(message) => self.show(proxy, &Sight::Sent { message: &message, to: *destination }),
                        Err(error) => self.trace.note(self.now, &format!("proxy {proxy} sends what does not parse: {error}")),
                    }
                    self.transmit(own, *destination, bytes);
                }
                Effect::Resolve { ticket, host, .. } => {
                    let addresses = if host.len() % 2 == 0 { vec![IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1))] } else { Vec::new() };
                    let delay = self.random.below(3_000);
                    self.push(delay, Event::Answer { proxy, worker, ticket: *ticket, answer: Answer::Addresses(addresses) });
                }
                Effect::Wake { ticket, at } => {
                    let delay = at.0.saturating_sub(self.now);
                    self.push(delay, Event::Answer { proxy, worker, ticket: *ticket, answer: Answer::Awake });
                }
                Effect::Log { text, level, .. } => {
                    let text = String::from_utf8_lossy(text);
                    self.trace.line(self.now, proxy, *level, &text);
                    self.show(proxy, &Sight::Line(&text));
                }
                Effect::Answer { .. } => {}
                Effect::Stop => self.verdicts.add("A2", self.now, proxy, String::from("the proxy wants to stop")),
                Effect::StreamSend { .. } | Effect::StreamClose { .. } => {}
            }
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

    fn lie(&mut self) {
        let mut bytes = if self.random.below(2) == 0 || self.overheard.is_empty() {
            let count = self.scenario.hostile.len() as u64;
            self.scenario.hostile.get(self.random.below(count) as usize).cloned().unwrap_or_default()
        } else {
            let place = self.random.below(self.overheard.len() as u64) as usize;
            self.overheard.get(place).cloned().unwrap_or_default()
        };
        for _ in 0..self.random.below(4) {
            let place = self.random.below(bytes.len() as u64) as usize;
            let value = self.random.next_u64() as u8;
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        let target = self.random.below(self.proxies.len() as u64) as usize;
        if let Some(to) = self.proxies.get(target).map(|proxy| proxy.address) {
            if let Ok(message) = Message::from_bytes(&bytes) {
                self.verdicts.tainted.insert(message.call_id().to_vec());
            }
            self.deliver(crate::scenario::LIAR, to, &bytes);
        }
    }

    fn show(&mut self, proxy: usize, sight: &Sight<'_>) {
        for checker in self.checkers.get_mut(proxy).into_iter().flatten() {
            checker.see(self.now, sight, &mut self.verdicts);
        }
    }

    fn snapshot(&self, proxy: usize) -> Snapshot {
        let profiles = self.scenario.proxies.get(proxy).map_or(&[][..], |start| start.promises.profiles);
        self.proxies.get(proxy).map_or_else(Snapshot::default, |node| Snapshot::of(&node.proxy, now_at(self.now), profiles))
    }

    fn inspect(&mut self, proxy: usize) {
        let snapshot = self.snapshot(proxy);
        for checker in self.checkers.get_mut(proxy).into_iter().flatten() {
            checker.inspect(&snapshot, &mut self.verdicts);
        }
    }
}
