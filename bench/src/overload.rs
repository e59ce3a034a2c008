//! Several times as many calls as a subject can take: what becomes of those it takes, and how soon it is itself again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::generator::{Method, Stage, Totals};
use crate::measure;
use crate::setup::{Ground, Setup};
use crate::side_by_side::cores::{self, Cores};
use crate::side_by_side::search::Search;
use crate::subject::Kind;

/// What a run is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub subject: Kind,
    /// How long there are too many calls.
    pub seconds: u32,
    /// How many times the capacity they are.
    pub factor: f64,
}

/// One rate of the search for the capacity, and the first one.
const WINDOW: Duration = Duration::from_secs(3);
const FIRST_RATE: f64 = 2_000.0;
/// Transactions end within twice 64 * T1.
const END_MAX: Duration = Duration::from_secs(70);
/// Load at half of the capacity afterwards, and how finely the end of the overload is told.
const AFTERWARDS: Duration = Duration::from_secs(10);
const SLICE: Duration = Duration::from_millis(250);
/// What duolog is to reach.
const GOODPUT_MIN: f64 = 0.8;
const RECOVERY_MAX: Duration = Duration::from_secs(5);
/// Less than this part of the wanted load and the generator was too slow.
const BEGUN_MIN: f64 = 0.95;

/// What a time of load came to.
#[derive(Clone, Debug, Default)]
struct Phase {
    seconds: f64,
    totals: Totals,
    /// The numbers of the calls that began.
    calls: Range<usize>,
    /// Most memory of the subject, bytes.
    memory: u64,
    /// How much of its core the generator used, 0 to 1.
    busy: f64,
}

impl Phase {
    /// Calls completed a second.
    fn goodput(&self) -> f64 {
        f64::from(self.totals.ended) / self.seconds
    }

    fn begun(&self) -> f64 {
        self.calls.len() as f64 / self.seconds
    }
}

fn memory(setup: &Setup) -> u64 {
    measure::resident_bytes(setup.subject.process())
}

/// Load of that rate for that long.
fn load(setup: &mut Setup, rate: f64, lasting: Duration) -> Result<Phase, String> {
    setup.generator.reset_totals();
    let (first, begun, own) = (setup.generator.calls().len(), Instant::now(), measure::own_thread_microseconds());
    setup.generator.set_rate(rate);
    let mut most = 0;
    while begun.elapsed() < lasting {
        setup.generator.run_until((begun + lasting).min(Instant::now() + Duration::from_secs(1)))?;
        most = most.max(memory(setup));
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Phase {
        seconds,
        totals: setup.generator.reset_totals(),
        calls: first..setup.generator.calls().len(),
        memory: most,
        busy: (measure::own_thread_microseconds() - own) / (seconds * 1e6),
    })
}

/// What a subject can take, calls a second.
struct Capacity {
    /// The highest rate without any loss: what a user plans with.
    loss_free: f64,
    /// The most that were completed, whatever became of the others.
    completed: f64,
}

/// Searches the highest loss-free rate. A subject that lost something is started anew.
fn capacity(setup: &mut Setup) -> Result<Capacity, String> {
    println!("{:>9} {:>10} {:>10} {:>9} {:>9} {:>9}", "offered/s", "begun/s", "ended/s", "refused", "repeated", "p99 ms");
    let (mut search, mut completed) = (Search::from(FIRST_RATE), 0.0_f64);
    while let Some(rate) = search.rate() {
        let phase = load(setup, rate, WINDOW)?;
        let is_over = setup.generator.finish(END_MAX)?;
        let late = setup.generator.reset_totals();
        let all = refused(&phase.totals.refused, |_, _| true) + refused(&late.refused, |_, _| true);
        let repeated = phase.totals.repeated + late.repeated;
        println!(
            "{rate:>9.0} {:>10.0} {:>10.0} {all:>9} {repeated:>9} {:>9.2}",
            phase.begun(),
            phase.goodput(),
            phase.totals.invites.milliseconds(0.99)
        );
        completed = completed.max(phase.goodput());
        let is_loss_free = is_over && all + repeated + phase.totals.cut + late.cut == 0 && phase.begun() >= rate * BEGUN_MIN;
        if !is_loss_free {
            setup.subject.kill()?;
            setup.start(0)?;
        }
        search.note(is_loss_free);
    }
    let loss_free = search.good.ok_or_else(|| setup.subject.with_log("no rate without loss"))?;
    Ok(Capacity { loss_free, completed })
}

fn refused(all: &BTreeMap<(Method, u16), u32>, which: impl Fn(Method, u16) -> bool) -> u32 {
    all.iter().filter(|((method, code), _)| which(*method, *code)).map(|(_, count)| count).sum()
}

/// What came in the overload and behind it.
struct Outcome {
    capacity: Capacity,
    overload: Phase,
    /// Until the last call had ended: refusals by request and status, and calls cut.
    refused: BTreeMap<(Method, u16), u32>,
    cut: u32,
    /// From the end of the overload until the last call began that failed.
    recovery: Duration,
    memory: [u64; 3],
}

impl Outcome {
    fn share(&self) -> f64 {
        self.overload.goodput() / self.capacity.loss_free
    }

    /// Requests within calls that failed.
    fn failed_within(&self) -> u32 {
        refused(&self.refused, |method, _| method != Method::Invite) + self.cut
    }

    fn tell(&self, wanted: &Wanted) {
        let Outcome { overload, refused: all, .. } = self;
        println!("capacity: {:.0} calls/s without loss; at most {:.0} completed", self.capacity.loss_free, self.capacity.completed);
        println!(
            "{} times that for {:.1} s: {:.0} calls/s begun, {:.0} calls/s completed, {:.0} % of the capacity, {:.0} % of the most",
            wanted.factor,
            overload.seconds,
            overload.begun(),
            overload.goodput(),
            self.share() * 100.0,
            overload.goodput() / self.capacity.completed * 100.0
        );
        let invites = |code| refused(all, |method, own| method == Method::Invite && own == code);
        let others = refused(all, |method, code| method == Method::Invite && !matches!(code, 503 | 408));
        println!(
            "  of {} calls: {} refused with 503, {} timed out or answered 408, {others} refused otherwise",
            overload.calls.len(),
            invites(503),
            invites(408)
        );
        println!(
            "  within calls: {} BYE, {} ACK and {} other requests failed, {} calls cut; {} messages sent again",
            refused(all, |method, _| method == Method::Bye),
            refused(all, |method, _| method == Method::Ack),
            refused(all, |method, _| method == Method::Other),
            self.cut,
            overload.totals.repeated
        );
        let (median, slow) = (overload.totals.invites.milliseconds(0.5), overload.totals.invites.milliseconds(0.99));
        println!("  INVITE to 200 of the calls taken: p50 {median:.2} ms, p99 {slow:.2} ms");
        let [before, during, after] = self.memory.map(|bytes| bytes as f64 / f64::from(1 << 20));
        println!("  memory: {before:.1} MB before, at most {during:.1} MB, {after:.1} MB when all calls had ended");
        println!("  generator: {:.0} % of its core, late by {:.1} ms at most", overload.busy * 100.0, overload.totals.lateness);
        if overload.begun() < self.capacity.loss_free * wanted.factor * BEGUN_MIN {
            println!("  the generator was too slow: {:.2} times the capacity came", overload.begun() / self.capacity.loss_free);
        }
        println!("half of the capacity afterwards: no call failed that began later than {:.2} s", self.recovery.as_secs_f64());
    }

    fn judge(&self) -> Result<(), String> {
        if self.share() < GOODPUT_MIN {
            return Err(format!("{:.0} % of the capacity instead of {:.0} %", self.share() * 100.0, GOODPUT_MIN * 100.0));
        }
        if self.recovery > RECOVERY_MAX {
            return Err(format!("recovered after {:?} instead of {RECOVERY_MAX:?}", self.recovery));
        }
        match self.failed_within() {
            0 => Ok(()),
            failed => Err(format!("{failed} requests within calls failed")),
        }
    }
}

/// Half of the capacity: the calls of each slice of the time.
fn afterwards(setup: &mut Setup, rate: f64) -> Result<Vec<Range<usize>>, String> {
    let (begun, mut slices) = (Instant::now(), Vec::new());
    setup.generator.set_rate(rate);
    while begun.elapsed() < AFTERWARDS {
        let first = setup.generator.calls().len();
        setup.generator.run_until(begun + SLICE * (slices.len() as u32 + 1))?;
        slices.push(first..setup.generator.calls().len());
    }
    Ok(slices)
}

/// Finds the capacity, offers more, tells what came of it. An error when duolog does not keep what it should.
pub fn overload(wanted: &Wanted) -> Result<(), String> {
    let cores = Cores::here()?;
    if !cores.are_apart(1) {
        return Err("the generator needs a core of its own".to_owned());
    }
    // Others' work may take less from the figures. Without the right to it all just run.
    let _ = rustix::process::setpriority_process(None, PRIORITY);
    let ground = Ground {
        subject: wanted.subject,
        database: None,
        mode: 0,
        journal: String::new(),
        children: 1,
        hold_time: None,
        commit_interval: None,
    };
    // A proxy under full load has nobody to wake up.
    let mut setup = Setup::new(&ground, |plan| plan.spins = true)?;
    setup.subject.run_on(&cores::list(cores.of_subject(1)));
    setup.start(0)?;
    let _pinned = cores.pin_generator()?;
    println!("{} with one worker on a core of its own, the generator on another", wanted.subject.name());
    let capacity = capacity(&mut setup)?;
    setup.generator.reset_totals();
    let before = memory(&setup);
    let overload = load(&mut setup, capacity.loss_free * wanted.factor, Duration::from_secs(u64::from(wanted.seconds)))?;
    let slices = afterwards(&mut setup, capacity.loss_free / 2.0)?;
    let is_over = setup.generator.finish(END_MAX)?;
    let late = setup.generator.reset_totals();
    let mut refused = overload.totals.refused.clone();
    late.refused.iter().for_each(|(which, count)| *refused.entry(*which).or_default() += count);
    let has_failed = |calls: &Range<usize>| {
        setup.generator.calls().get(calls.clone()).is_some_and(|calls| calls.iter().any(|call| call.stage != Stage::Ended))
    };
    let recovery = SLICE * slices.iter().rposition(has_failed).map_or(0, |place| place as u32 + 1);
    let memory = [before, overload.memory, memory(&setup)];
    let outcome = Outcome { capacity, cut: overload.totals.cut + late.cut, overload, refused, recovery, memory };
    outcome.tell(wanted);
    if !is_over {
        println!("calls were left over that did not end in {END_MAX:?}");
    }
    if wanted.subject == Kind::Duolog { outcome.judge() } else { Ok(()) }
}

/// Of subject and generator alike, where the system allows it.
const PRIORITY: i32 = -15;
