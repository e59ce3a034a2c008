//! Two workers on threads of their own work for one proxy at the same time, over its shared tables: which one takes the next
//! message of a call is left to the machine. Nothing is said about order or time, only about what is left in the tables.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use modules::Worker;
use modules::outbox::Effect;
use modules::run::Answer;
use modules::worker::Random;
use proxy::{Input, Proxy};
use sip::message::Message;
use transaction::Endpoint;

use simulation::checkers::{Checker, Counts, Lifetimes, Profiles, Snapshot, Transactions, Verdicts};
use simulation::party::{Alarm, Party, Step};
use simulation::plan::{Behaviour, Plan};
use simulation::proxy_node::{ProxyNode, now_at};
use simulation::scenario::{CALLER, FIRST, Mode, ProxyPlan, SECOND, Scenario};

const CALLS: usize = 400;
/// More inputs than that and the calls do not end.
const INPUTS_MAX: usize = CALLS * 400;
/// Virtual seconds after which everything is over: the record of an ended call is kept for 300.
const SETTLE_SECONDS: u64 = 900;

const BEHAVIOURS: [Behaviour; 8] = [
    Behaviour::CallerHangsUp,
    Behaviour::BothHangUp,
    Behaviour::Refused,
    Behaviour::Churn,
    Behaviour::Spiral,
    Behaviour::Reliable,
    Behaviour::ByeAtAnswer,
    Behaviour::Cancelled,
];

/// Something that waits for whichever thread is free.
enum Job {
    Message { bytes: Vec<u8>, from: SocketAddr },
    Answer { ticket: u64, answer: Answer },
    Alarm { party: usize, alarm: Alarm },
    Tick,
}

/// What the threads share beside the proxy.
struct Field {
    jobs: Mutex<VecDeque<Job>>,
    /// Jobs queued or in work: none left means that nothing more will come.
    open: AtomicUsize,
    done: AtomicUsize,
    now: AtomicU64,
    parties: Vec<Mutex<Party>>,
    places: BTreeMap<(SocketAddr, Vec<u8>), usize>,
    own: SocketAddr,
}

impl Field {
    fn push(&self, job: Job) {
        self.open.fetch_add(1, SeqCst);
        self.jobs.lock().expect("jobs").push_back(job);
    }

    /// Works until nobody has anything left to do.
    fn run(&self, proxy: &Proxy, worker: &mut Worker, random: &mut Random) {
        while self.open.load(SeqCst) > 0 {
            let job = self.jobs.lock().expect("jobs").pop_front();
            let Some(job) = job else {
                std::thread::yield_now();
                continue;
            };
            assert!(self.done.fetch_add(1, SeqCst) < INPUTS_MAX, "the calls do not end");
            self.work(proxy, worker, random, job);
            self.open.fetch_sub(1, SeqCst);
        }
    }

    fn work(&self, proxy: &Proxy, worker: &mut Worker, random: &mut Random, job: Job) {
        let now = now_at(self.now.fetch_add(1, SeqCst));
        match job {
            Job::Message { bytes, from } => proxy.handle(worker, now, Input::Message { bytes: &bytes, from: Endpoint::udp(from, 0) }),
            Job::Answer { ticket, answer } => proxy.handle(worker, now, Input::Answer { ticket, answer }),
            Job::Tick => proxy.handle(worker, now, Input::Tick),
            Job::Alarm { party, alarm } => return self.act(party, random, |party, step| party.woken(step, alarm)),
        }
        let outbox = std::mem::take(&mut worker.outbox);
        for effect in &outbox.effects {
            match effect {
                Effect::Send { destination, bytes, .. } => {
                    let bytes = outbox.bytes.get(bytes.clone()).unwrap_or_default();
                    self.deliver(*destination, bytes, random);
                }
                Effect::Wake { ticket, .. } => self.push(Job::Answer { ticket: *ticket, answer: Answer::Awake }),
                _ => {}
            }
        }
    }

    fn deliver(&self, to: SocketAddr, bytes: &[u8], random: &mut Random) {
        if to == self.own {
            return self.push(Job::Message { bytes: bytes.to_vec(), from: to });
        }
        let Ok(message) = Message::from_bytes(bytes) else { return };
        if let Some(party) = self.places.get(&(to, message.call_id().to_vec())) {
            self.act(*party, random, |party, step| party.receive(step, &message));
        }
    }

    /// A party acts; what it waits for happens soon, except copies of messages: none is lost here.
    fn act(&self, number: usize, random: &mut Random, act: impl FnOnce(&mut Party, &mut Step<'_>)) {
        let Some(party) = self.parties.get(number) else { return };
        let (own, sends, alarms) = {
            let mut party = party.lock().expect("party");
            let mut step = Step::new(self.now.load(SeqCst), random);
            act(&mut party, &mut step);
            (party.address, step.sends, step.alarms)
        };
        for (_, bytes) in sends {
            self.push(Job::Message { bytes, from: own });
        }
        for (_, alarm) in alarms {
            if !matches!(alarm, Alarm::Request(_) | Alarm::Reply(_)) {
                self.push(Job::Alarm { party: number, alarm });
            }
        }
    }
}

/// The first world of one proxy that runs workload.cfg.
fn plan() -> ProxyPlan {
    let mut scenarios = (1..).map(|seed| Scenario::of_seed(seed, Mode::Safety, &[]));
    let found = scenarios.find(|scenario| scenario.proxies.len() == 1 && scenario.proxies.iter().all(|proxy| proxy.promises.marks));
    found.and_then(|scenario| scenario.proxies.into_iter().next()).expect("one of the first seeds has such a proxy")
}

fn field(own: SocketAddr) -> Field {
    let mut random = Random::new(7);
    let (mut parties, mut places) = (Vec::new(), BTreeMap::new());
    let mut jobs = VecDeque::new();
    for number in 0..CALLS {
        let behaviour = BEHAVIOURS.get(number % BEHAVIOURS.len()).copied().unwrap_or(Behaviour::CallerHangsUp);
        let plan = Plan { behaviour, ring: Some(0), is_stream: false, ..Plan::of_seed(number, 1, true, &mut random) };
        for (is_caller, address) in [(true, CALLER), (false, FIRST), (false, SECOND)] {
            if is_caller {
                jobs.push_back(Job::Alarm { party: parties.len(), alarm: Alarm::Begin });
            }
            places.insert((address, plan.call_id.clone().into_bytes()), parties.len());
            parties.push(Mutex::new(Party::new(plan.clone(), is_caller, address, own)));
        }
    }
    Field {
        open: AtomicUsize::new(jobs.len()),
        jobs: Mutex::new(jobs),
        done: AtomicUsize::new(0),
        now: AtomicU64::new(10_000),
        parties,
        places,
        own,
    }
}

fn broken(checkers: &mut [Box<dyn Checker>], snapshot: &Snapshot, is_end: bool) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for checker in checkers {
        if is_end {
            checker.settled(snapshot, &mut verdicts);
        } else {
            checker.inspect(snapshot, &mut verdicts);
        }
    }
    verdicts
}

#[test]
fn two_threads_leave_the_tables_consistent_and_in_the_end_empty() {
    let plan = plan();
    let node = ProxyNode::start(&plan.start, now_at(10_000)).expect("the configuration starts");
    let proxy = &node.proxy;
    let field = field(node.address);
    std::thread::scope(|scope| {
        for number in 0..2 {
            let (proxy, field) = (proxy, &field);
            scope.spawn(move || {
                let mut worker = proxy.worker(number, 100 + u64::from(number), now_at(10_000));
                field.run(proxy, &mut worker, &mut Random::new(u64::from(number)));
            });
        }
    });
    let promises = plan.promises;
    let mut checkers: Vec<Box<dyn Checker>> = vec![
        Box::new(Counts::new(0)),
        Box::new(Profiles::new(0, promises)),
        Box::new(Transactions::new(0)),
        Box::new(Lifetimes::new(0, promises)),
    ];
    let snapshot = |at: u64| Snapshot::of(proxy, now_at(at), promises.profiles);
    let begun = snapshot(field.now.load(SeqCst));
    assert!(begun.counts.processed as usize >= CALLS / 2, "only {} calls were made", begun.counts.processed);
    let verdicts = broken(&mut checkers, &begun, false);
    assert!(verdicts.list.is_empty(), "{:?}", verdicts.list);

    let mut worker = proxy.worker(2, 200, now_at(10_000));
    for _ in 0..SETTLE_SECONDS {
        field.now.fetch_add(1_000, SeqCst);
        field.push(Job::Tick);
        field.run(proxy, &mut worker, &mut Random::new(2));
    }
    let end = snapshot(field.now.load(SeqCst));
    let verdicts = broken(&mut checkers, &end, true);
    assert!(verdicts.list.is_empty(), "{:?}", verdicts.list);
    assert_eq!((end.records, end.transaction_count, end.parked), (0, 0, 0));
}
