//! What a seed stands for: proxies and their configurations, calls, weather, liars, and how long it lasts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use modules::worker::Random;

use crate::checkers::Promises;
use crate::network::Weather;
use crate::plan::{Behaviour, Plan};
use crate::proxy_node::Start;
use crate::storage_plan::StoragePlan;
use crate::world::BEGINNING;

pub const CALLER: SocketAddr = place(1, 1);
pub const FIRST: SocketAddr = place(2, 1);
pub const SECOND: SocketAddr = place(2, 2);
pub const LIAR: SocketAddr = place(9, 9);

const WORKLOAD: &str = include_str!("../configurations/workload.cfg");
const CALL_LIMIT: &str = include_str!("../../examples/call-limit.cfg");
const ATOMIC_LIMIT: &str = include_str!("../../examples/atomic-limit.cfg");

/// `ka_interval` of worlds with probes: the shortest there is.
const PROBE_SECONDS: u64 = 30;

/// After the faults stop everything has to be over within this time, milliseconds: a call, its BYEs, all waits.
const SETTLE: u64 = 900_000;

pub const fn place(network: u8, host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, network, host)), 5060)
}

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Faults until the end; every step is checked.
    Safety,
    /// Faults stop; everything must be over in time.
    Liveness,
    /// Safety twice, byte for byte.
    Doublecheck,
}

impl Mode {
    /// The mode a seed runs in.
    pub fn of_seed(seed: u64) -> Mode {
        match seed % 4 {
            0 => Mode::Safety,
            3 => Mode::Doublecheck,
            _ => Mode::Liveness,
        }
    }
}

/// Something that goes wrong, or that an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A damaged or hostile message comes in; `is_stream`: over a connection of its own.
    Lie { is_stream: bool },
    /// A proxy loses its memory and is away for some milliseconds.
    Crash { proxy: usize, away: u64 },
    /// A proxy is stopped, saves what it has to, and is away for some milliseconds.
    Stop { proxy: usize, away: u64 },
    /// The date of all proxies jumps by this many milliseconds; time goes on.
    DateJump(i64),
    /// An RPC command at a proxy.
    Command { proxy: usize },
    /// Somebody speaks for a live call and knows its cookie or its Call-ID, not both with the tags.
    Forgery { proxy: usize },
}

/// A proxy and what its configuration promises.
#[derive(Clone, Debug)]
pub struct ProxyPlan {
    pub start: Start,
    pub promises: Promises,
    /// How its dialogs are stored; None: they are not, and nothing looks at it.
    pub storage: Option<StoragePlan>,
}

impl ProxyPlan {
    /// How to start it, with the parameters of its storage.
    pub fn stored_start(&self) -> Start {
        let mut start = self.start.clone();
        match &self.storage {
            Some(storage) => start.parameters.extend(storage.parameters()),
            None => start.parameters.push(String::from("dialog:db_mode:i:0")),
        }
        start
    }
}

/// Everything a world is made of.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub mode: Mode,
    pub name: String,
    pub proxies: Vec<ProxyPlan>,
    pub plans: Vec<Plan>,
    pub weather: Weather,
    /// Milliseconds from the beginning.
    pub faults: Vec<(u64, Fault)>,
    pub hostile: Vec<Vec<u8>>,
    /// Milliseconds from the beginning.
    pub faults_until: u64,
    pub until: u64,
    pub must_settle: bool,
    /// Tables are recounted after each event whose number this divides.
    pub inspect_every: usize,
}

impl Scenario {
    /// The scenario of a seed. `hostile`: datagrams liars send.
    pub fn of_seed(seed: u64, mode: Mode, hostile: &[Vec<u8>]) -> Scenario {
        let mut random = Random::new(seed);
        let count = 1 + random.below(2) as usize;
        let call_seconds = 10 + random.below(50);
        let mut name = String::new();
        let proxies = (0..count).map(|number| {
            let gateway = (number + 1 < count).then(|| place(0, number as u8 + 2));
            let plan = proxy(number, gateway, call_seconds, &mut random);
            name.push_str(&format!("{} ", plan.1));
            plan.0
        });
        let mut proxies: Vec<ProxyPlan> = proxies.collect();
        let has_prefixes = proxies.first().is_some_and(|proxy| proxy.promises.marks);
        let weather = Weather::of_seed(&mut random);
        let calls = 3 + random.below(18) as usize;
        let faults_until = 60_000;
        let mut plans = (0..calls).map(|number| Plan::of_seed(number, 30_000, has_prefixes, &mut random)).collect::<Vec<_>>();
        if random.below(4) == 0 {
            storm(&mut plans, &mut random);
            name.push_str("storm ");
        }
        let mut faults = faults(count, faults_until, &mut random);
        // Of its own, so that worlds without storage stay what they were.
        let mut storage_random = Random::new(seed ^ 0x5708_A6E5);
        if storage_random.below(2) == 0 {
            name.push_str(&store(&mut proxies, &mut faults, faults_until, &mut storage_random));
        }
        let lies = faults.iter().filter(|(_, fault)| matches!(fault, Fault::Lie { .. })).count();
        let crashes = faults.iter().filter(|(_, fault)| matches!(fault, Fault::Crash { .. } | Fault::Stop { .. })).count();
        let must_settle = mode == Mode::Liveness;
        Scenario {
            seed,
            mode,
            name: format!(
                "{}calls={calls} lies={lies} crashes={crashes} others={} loss={} delay={}",
                name,
                faults.len() - lies - crashes,
                weather.loss,
                weather.delay_long
            ),
            proxies,
            plans,
            weather,
            faults,
            hostile: hostile.to_vec(),
            faults_until,
            until: if must_settle { faults_until + SETTLE } else { 180_000 },
            must_settle,
            inspect_every: 1 + random.below(4) as usize,
        }
    }
}

/// Lets the proxies store their dialogs, and be killed and stopped some more.
fn store(proxies: &mut [ProxyPlan], faults: &mut Vec<(u64, Fault)>, until: u64, random: &mut Random) -> String {
    let mut name = String::new();
    for plan in proxies.iter_mut() {
        let storage = StoragePlan::of_seed(BEGINNING, until, random);
        let habits = &storage.habits;
        name.push_str(&format!(
            "{:?}(slow={} failing={} outages={} refuses={}) ",
            storage.storing,
            habits.slow,
            habits.failing,
            habits.outages.len(),
            habits.refuses
        ));
        plan.storage = Some(storage);
    }
    // Deadlines are stored as dates.
    faults.retain(|(_, fault)| !matches!(fault, Fault::DateJump(_)));
    for _ in 0..random.below(5) {
        let (proxy, away) = (random.below(proxies.len() as u64) as usize, 50 + random.below(3_000));
        let fault = if random.below(3) == 0 { Fault::Stop { proxy, away } } else { Fault::Crash { proxy, away } };
        faults.push((2_000 + random.below(until - 5_000), fault));
    }
    faults.sort_by_key(|(at, _)| *at);
    name
}

/// Many calls of one account at the same moment, which nobody ends soon: a limit of K has to let exactly K of them in.
fn storm(plans: &mut [Plan], random: &mut Random) {
    let begin = random.below(20_000);
    for plan in plans {
        if random.below(5) == 0 {
            continue;
        }
        plan.account = String::from("storm");
        plan.begin = begin + random.below(30);
        if random.below(3) != 0 {
            plan.behaviour = Behaviour::Endless;
        }
    }
}

/// What goes wrong, in the order of time.
fn faults(proxies: usize, until: u64, random: &mut Random) -> Vec<(u64, Fault)> {
    let mut count = |one_in: u64, most: u64| if random.below(one_in) == 0 { random.below(most) + 1 } else { 0 };
    let (lies, crashes, jumps, commands, forgeries) = (count(3, 60), count(5, 2), count(4, 4), count(2, 12), count(4, 12));
    let mut faults = Vec::new();
    for _ in 0..lies {
        faults.push((random.below(until), Fault::Lie { is_stream: random.below(4) == 0 }));
    }
    for _ in 0..crashes {
        let proxy = random.below(proxies as u64) as usize;
        faults.push((2_000 + random.below(until - 20_000), Fault::Crash { proxy, away: 50 + random.below(5_000) }));
    }
    for _ in 0..jumps {
        let by = 1 + random.below(3_600_000) as i64;
        faults.push((random.below(until), Fault::DateJump(if random.below(2) == 0 { by } else { -by })));
    }
    for _ in 0..commands {
        faults.push((1_000 + random.below(until), Fault::Command { proxy: random.below(proxies as u64) as usize }));
    }
    for _ in 0..forgeries {
        faults.push((1_000 + random.below(until), Fault::Forgery { proxy: random.below(proxies as u64) as usize }));
    }
    faults.sort_by_key(|(at, _)| *at);
    faults
}

fn proxy(number: usize, gateway: Option<SocketAddr>, call_seconds: u64, random: &mut Random) -> (ProxyPlan, String) {
    let address = place(0, number as u8 + 1);
    let limit = 1 + random.below(3);
    let example = [None, None, None, None, Some(CALL_LIMIT), Some(ATOMIC_LIMIT)].get(random.below(6) as usize).copied().flatten();
    let is_atomic = example == Some(ATOMIC_LIMIT);
    // Parties are probed in worlds whose calls last longer than the shortest interval of probes.
    let call_seconds = call_seconds + if random.below(4) == 0 { PROBE_SECONDS } else { 0 };
    let mut parameters = Vec::new();
    let mut defines = vec![format!("LISTEN=udp:{address}"), format!("CALL_SECONDS_MAX={call_seconds}")];
    if call_seconds > PROBE_SECONDS {
        defines.push(format!("PROBE_SECONDS={PROBE_SECONDS}"));
        // Else the probes of one proxy are requests that keep the call alive at the other, and the other way round.
        parameters.push(String::from("dialog:timeout_noreset:i:1"));
    }
    let mut name = String::from("workload");
    if example.is_some() {
        name = format!("{}-limit({limit})", if is_atomic { "atomic" } else { "call" });
        defines.push(format!("GATEWAY=\"sip:{}\"", gateway.unwrap_or(FIRST)));
        defines.push(format!("{}_LIMIT={limit}", if is_atomic { "ACCOUNT" } else { "DEFAULT" }));
        parameters.push(String::from("dialog:hash_size:i:16"));
    } else {
        match gateway {
            Some(gateway) => defines.push(format!("GATEWAY=\"sip:{gateway}\"")),
            None => match random.below(3) {
                0 => {
                    defines.push(String::from("WITH_PARALLEL"));
                    name.push_str("+parallel");
                }
                1 => {
                    defines.push(String::from("WITH_SERIAL"));
                    name.push_str("+serial");
                }
                _ => {}
            },
        }
        defines.push(format!("REPLY_SECONDS={}", 3_000 + random.below(10_000)));
        defines.push(format!("RINGING_SECONDS={}", 8_000 + random.below(40_000)));
    }
    let promises = Promises {
        marks: example.is_none(),
        call_limit: example.map(|_| limit),
        profiles: match example {
            None => &["account", "all"],
            Some(_) if is_atomic => &["account", "gateway"],
            Some(_) => &["account"],
        },
        call_seconds_max: call_seconds,
        early_seconds_max: 300,
    };
    let start = Start {
        address,
        configuration: example.unwrap_or(WORKLOAD),
        defines,
        parameters,
        seed: random.next_u64(),
        workers: 1 + random.below(2) as u32,
    };
    (ProxyPlan { start, promises, storage: None }, name)
}

/// The hostile datagrams of the `sip` room, sorted by name; none when they are not there.
pub fn hostile_datagrams() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sip/tests/hostile");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "dat")).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
