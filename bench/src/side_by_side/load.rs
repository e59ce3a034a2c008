//! CPU per call and latency at fixed loads: all subjects are up together and get the load in turn.

use std::time::{Duration, Instant};

use super::contestant::{Configuration, Contestant, NO_LIMIT, Turn, Which};
use super::plot::Plot;
use super::table::{Figure, Section, grouped, ratio};
use super::{Headline, Scale, Stage};
use crate::measure::Processor;
use crate::subject::Kind;

/// New calls a second.
pub const LOADS: [u32; 3] = [200, 800, 2_000];
/// The load of which the README tells.
const HEADLINE_LOAD: u32 = 800;

/// How long subjects are watched without load.
const IDLE: Duration = Duration::from_secs(5);

/// What one subject's turns at one load came to.
pub struct Turns {
    pub which: Which,
    pub turns: Vec<Turn>,
}

impl Turns {
    /// CPU per call.
    pub fn spent(&self) -> Figure {
        Figure::of(self.turns.iter().map(Turn::per_call))
    }

    /// The part of it in user mode: of all turns together, as the kernel's ticks are too coarse for one.
    pub fn user(&self) -> f64 {
        let sum = |part: fn(&Turn) -> f64| self.turns.iter().map(part).sum::<f64>();
        self.spent().middle * sum(|turn| turn.spent.user) / sum(|turn| turn.spent.total).max(1.0)
    }

    /// INVITE to 200, this part of the calls, milliseconds.
    pub fn latency(&self, part: f64) -> Figure {
        Figure::of(self.turns.iter().map(|turn| turn.totals.invites.milliseconds(part)))
    }

    /// Turns with failures or repetitions, and how many of each.
    pub fn trouble(&self) -> String {
        let count = |part: fn(&Turn) -> u32| self.turns.iter().map(part).sum::<u32>();
        let (failed, repeated) = (count(|turn| turn.failed), count(|turn| turn.repeated));
        if failed + repeated == 0 {
            return "0".to_owned();
        }
        let troubled = || self.turns.iter().filter(|turn| !turn.is_loss_free());
        let disturbed = troubled().filter(|turn| turn.is_disturbed()).count();
        format!("**{failed} failed, {repeated} repeated in {} turns, {disturbed} of them disturbed by others**", troubled().count())
    }
}

/// What other processes of the machine took meanwhile.
pub fn others(all: &[Turns]) -> String {
    let parts = || all.iter().flat_map(|turns| &turns.turns).map(|turn| turn.others * 100.0);
    let figure = Figure::of(parts());
    format!(
        "Other processes took {:.0} % of the machine in the middle of the turns, {:.0} % in the worst.",
        figure.middle,
        parts().fold(0.0, f64::max)
    )
}

/// What each one spends while nothing comes, microseconds a second; all at the same time.
fn idle(contestants: &[Contestant]) -> Vec<f64> {
    let spent = || contestants.iter().map(|contestant| Processor::of(contestant.process()).total).collect::<Vec<f64>>();
    let (before, begun) = (spent(), Instant::now());
    std::thread::sleep(IDLE);
    let seconds = begun.elapsed().as_secs_f64();
    spent().iter().zip(before).map(|(after, before)| (after - before) / seconds).collect()
}

/// Gives each contestant its load again and again, each time another one first, and tells every turn.
pub fn rounds(contestants: &mut [&mut Contestant], rates: &[f64], count: usize, scale: &Scale) -> Result<Vec<Turns>, String> {
    let mut all: Vec<Turns> = contestants.iter().map(|contestant| Turns { which: contestant.which, turns: Vec::new() }).collect();
    let subjects = contestants.len();
    for round in 0..count {
        for place in (0..subjects).map(|place| (place + round) % subjects) {
            let (Some(contestant), Some(rate), Some(own)) = (contestants.get_mut(place), rates.get(place), all.get_mut(place)) else {
                continue;
            };
            let turn = contestant.turn(*rate, scale.warm_up, scale.turn)?;
            tell(contestant.which, *rate, &turn);
            own.turns.push(turn);
        }
    }
    Ok(all)
}

/// The head of what [`tell`] prints.
pub fn tell_head() {
    println!(
        "{:>8} {:<20} {:>10} {:>8} {:>8} {:>8} {:>7} {:>8} {:>10} {:>7}",
        "calls/s", "subject", "µs CPU/call", "user", "p50 ms", "p99 ms", "failed", "repeated", "generator", "others"
    );
}

/// One turn, on the terminal.
pub fn tell(which: Which, rate: f64, turn: &Turn) {
    println!(
        "{rate:>8.0} {:<20} {:>10.1} {:>8.1} {:>8.2} {:>8.2} {:>7} {:>8} {:>9.0}% {:>6.0}%{}",
        which.name(),
        turn.per_call(),
        turn.user_per_call(),
        turn.totals.invites.milliseconds(0.5),
        turn.totals.invites.milliseconds(0.99),
        turn.failed,
        turn.repeated,
        turn.generator_busy * 100.0,
        turn.others * 100.0,
        if turn.is_loss_free() { "" } else { "  !" }
    );
}

/// The subjects in the order of the table.
pub const SUBJECTS: [Which; 5] = [
    Which::Proxy(Kind::Kamailio, 1),
    Which::Proxy(Kind::Duolog, 1),
    Which::Proxy(Kind::Kamailio, 2),
    Which::Proxy(Kind::Duolog, 2),
    Which::Forwarder,
];

/// Starts some of the subjects on a configuration.
pub fn start(stage: &Stage, subjects: &[Which], configuration: &Configuration) -> Result<Vec<Contestant>, String> {
    subjects.iter().map(|which| Contestant::start(*which, configuration, &stage.cores, stage.ways)).collect()
}

/// All subjects at all loads.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let cores = stage.cores.clone();
    let mut contestants = start(stage, &SUBJECTS, &Configuration::call_limit(NO_LIMIT))?;
    let mut section = Section::new(
        "CPU per call and latency",
        &["calls/s", "subject", "µs CPU a call", "user", "to Kamailio", "p50 ms", "p99 ms", "p99 above the forwarder", "failures"],
    );
    section.note(format!(
        "Basic call (INVITE 100 180 200 ACK BYE 200) through `examples/call-limit.cfg` in memory; {} turns of {:.1} s each, after {:.1} s of \
         warm-up. Medians, quartiles in parentheses. Latency is INVITE to 200; the callee answers at once.",
        stage.scale.rounds,
        stage.scale.turn.as_secs_f64(),
        stage.scale.warm_up.as_secs_f64()
    ));
    section.note(stage.places());
    section.note("Both programs get the same receive buffer (`-b 4194304`), Kamailio `-x fm -X fm -m 4096`, and log errors only.");
    section.note("User time is of all turns together; the rest is spent in the kernel.");
    section.note("The forwarder passes datagrams without looking at them: 12 a call, where a proxy that answers 100 has 13.");
    let idle: Vec<String> =
        contestants.iter().zip(idle(&contestants)).map(|(own, spent)| format!("{} {}", own.which.name(), grouped(spent))).collect();
    section.note(format!("Without load they spend, in microseconds of CPU a second: {}.", idle.join("; ")));
    let mut plot = Plot::default();
    let _pinned = cores.pin_generator()?;
    tell_head();
    let mut contestants: Vec<&mut Contestant> = contestants.iter_mut().collect();
    for load in LOADS {
        let all = rounds(&mut contestants, &vec![f64::from(load); SUBJECTS.len()], stage.scale.rounds, &stage.scale)?;
        let of = |which: Which| all.iter().find(|turns| turns.which == which);
        let floor = of(Which::Forwarder).map_or(0.0, |turns| turns.latency(0.99).middle);
        for turns in &all {
            let theirs = match turns.which {
                Which::Proxy(Kind::Duolog, workers) => of(Which::Proxy(Kind::Kamailio, workers)),
                _ => None,
            };
            let compared = theirs.map_or("-".to_owned(), |theirs| ratio(turns.spent().middle, theirs.spent().middle));
            section.row(vec![
                load.to_string(),
                turns.which.name(),
                turns.spent().told(1),
                format!("{:.1}", turns.user()),
                compared,
                turns.latency(0.5).told(2),
                turns.latency(0.99).told(2),
                format!("{:.2}", turns.latency(0.99).middle - floor),
                turns.trouble(),
            ]);
            plot.add(&turns.which.name(), f64::from(load), turns.spent().middle);
        }
        section.note(format!("{load} calls/s: {}", others(&all)));
        if let (Some(theirs), Some(ours)) = (of(Which::Proxy(Kind::Kamailio, 1)), of(Which::Proxy(Kind::Duolog, 1))) {
            let told = |turns: &Turns| format!("{:.0} µs", turns.spent().middle);
            stage.headlines.push(Headline {
                what: format!("CPU of a call at {load} calls/s, one core"),
                theirs: told(theirs),
                ours: told(ours),
                ratio: ratio(ours.spent().middle, theirs.spent().middle),
            });
            if load == HEADLINE_LOAD {
                let told = |turns: &Turns| format!("{:.1} / {:.1} ms", turns.latency(0.5).middle, turns.latency(0.99).middle);
                stage.headlines.push(Headline {
                    what: format!("INVITE to 200 at {load} calls/s, p50 / p99"),
                    theirs: told(theirs),
                    ours: told(ours),
                    ratio: ratio(ours.latency(0.99).middle, theirs.latency(0.99).middle),
                });
            }
        }
    }
    stage.plot = Some(plot);
    stage.tell(section);
    Ok(())
}
