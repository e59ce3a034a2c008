//! The highest loss-free rate on one core, what a call costs there, and the latency at half of it.

use std::time::Duration;

use super::contestant::{Configuration, Contestant, NO_LIMIT, Turn, Which};
use super::load::{rounds, start, tell, tell_head};
use super::search::{STEP, Search};
use super::table::{Figure, Section, grouped, ratio};
use super::{Headline, Scale, Stage, Ways};
use crate::subject::Kind;

/// Calls a second: where the first search begins.
const FIRST: f64 = 2_000.0;
/// Until the last transaction of a try is gone: its wait state of 5 s, and a little.
const TRANSACTIONS_END: Duration = Duration::from_secs(6);
/// A generator that uses more of its core than this may itself be what lost calls.
const GENERATOR_BUSY_MAX: f64 = 0.95;
/// A rate counts when that share of its calls was begun.
const BEGUN_MIN: f64 = 0.98;

/// What the searches of one subject found.
struct Found {
    which: Which,
    /// The highest loss-free try of each search.
    best: Vec<(f64, Turn)>,
    /// Searches that ended because the generator had no more to give.
    bound_by_generator: usize,
}

impl Found {
    fn rate(&self) -> Figure {
        Figure::of(self.best.iter().map(|(rate, _)| *rate))
    }

    fn spent(&self) -> Figure {
        Figure::of(self.best.iter().map(|(_, turn)| turn.per_call()))
    }

    fn user(&self) -> f64 {
        let sum = |part: fn(&Turn) -> f64| self.best.iter().map(|(_, turn)| part(turn)).sum::<f64>();
        self.spent().middle * sum(|turn| turn.spent.user) / sum(|turn| turn.spent.total).max(1.0)
    }

    /// How much of its core the subject used.
    fn busy(&self) -> f64 {
        Figure::of(self.best.iter().map(|(_, turn)| turn.spent.total / (turn.seconds * 1e6))).middle
    }

    fn told_rate(&self) -> String {
        let sign = if self.bound_by_generator > 0 { "≥ " } else { "" };
        format!("{sign}{}", grouped(self.rate().middle))
    }
}

/// A search that goes on.
struct Going {
    search: Search,
    best: Option<(f64, Turn)>,
    /// The last try with losses had them from the generator.
    is_bound: bool,
    /// Tries with losses that do not count: others used the machine.
    disturbed: usize,
}

impl Going {
    fn note(&mut self, rate: f64, turn: Turn, ways: Ways, disturbed_max: usize) {
        let is_whole = f64::from(turn.totals.begun) >= rate * turn.seconds * BEGUN_MIN;
        let is_loss_free = turn.is_loss_free() && is_whole;
        if !is_loss_free && turn.is_disturbed() && self.disturbed < disturbed_max {
            self.disturbed += 1;
            return;
        }
        self.search.note(is_loss_free);
        if !is_loss_free {
            // A generator that spins is always busy; one that cannot keep the rate is the bound all the same.
            self.is_bound = !is_whole || !ways.spins && turn.generator_busy > GENERATOR_BUSY_MAX;
        } else if self.best.as_ref().is_none_or(|(highest, _)| rate > *highest) {
            self.best = Some((rate, turn));
        }
    }
}

/// One search of each contestant, one after the other: what a proxy still has to do for the transactions of its last try must not
/// fall into a try of the next one on the same core.
fn search(contestants: &mut [Contestant], found: &mut [Found], scale: &Scale, ways: Ways) -> Result<(), String> {
    for (contestant, found) in contestants.iter_mut().zip(found) {
        let first = found.best.last().map_or(FIRST, |(rate, _)| rate / STEP / STEP);
        let mut going = Going { search: Search::from(first), best: None, is_bound: false, disturbed: 0 };
        while let Some(rate) = going.search.rate() {
            let turn = contestant.turn(rate, scale.warm_up, scale.turn)?;
            tell(contestant.which, rate, &turn);
            if !turn.is_loss_free() {
                contestant.restart()?;
            }
            going.note(rate, turn, ways, scale.disturbed_max);
        }
        std::thread::sleep(TRANSACTIONS_END);
        found.best.extend(going.best);
        found.bound_by_generator += usize::from(going.is_bound);
    }
    Ok(())
}

/// Searches, then turns at nine tenths and at half of what each one found.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let subjects = [Which::Proxy(Kind::Kamailio, 1), Which::Proxy(Kind::Duolog, 1), Which::Forwarder];
    let cores = stage.cores.clone();
    let mut contestants = start(stage, &subjects, &Configuration::call_limit(NO_LIMIT))?;
    let mut found: Vec<Found> = subjects.iter().map(|which| Found { which: *which, best: Vec::new(), bound_by_generator: 0 }).collect();
    let _pinned = cores.pin_generator()?;
    tell_head();
    for _ in 0..stage.scale.searches {
        search(&mut contestants, &mut found, &stage.scale, stage.ways)?;
    }
    highest_rates(stage, &found);
    at_parts(stage, &mut contestants, &found)
}

fn highest_rates(stage: &mut Stage, found: &[Found]) {
    let mut section = Section::new(
        "Highest loss-free rate on one core",
        &["subject", "calls/s (searches)", "to Kamailio", "µs CPU a call there", "user", "to Kamailio", "of the core"],
    );
    section.note(format!(
        "Loss-free: every call of the try succeeds and neither side repeats anything. {} searches each, in turn, rates told apart by \
         10 %. A try with losses while other processes used the machine is made again, at most {} times a search. \
         A proxy that lost something is started anew. ≥: the generator's own core was full before the subject lost a call.",
        stage.scale.searches, stage.scale.disturbed_max
    ));
    let kamailio = found.iter().find(|found| found.which == Which::Proxy(Kind::Kamailio, 1));
    for own in found {
        let compared = kamailio.filter(|theirs| theirs.which != own.which);
        let rates: Vec<String> = own.best.iter().map(|(rate, _)| grouped(*rate)).collect();
        section.row(vec![
            own.which.name(),
            format!("{} ({})", own.told_rate(), rates.join(", ")),
            compared.map_or("-".to_owned(), |theirs| ratio(own.rate().middle, theirs.rate().middle)),
            own.spent().told(1),
            format!("{:.1}", own.user()),
            compared.map_or("-".to_owned(), |theirs| ratio(own.spent().middle, theirs.spent().middle)),
            format!("{:.0} %", own.busy() * 100.0),
        ]);
    }
    let duolog = found.iter().find(|found| found.which == Which::Proxy(Kind::Duolog, 1));
    if let (Some(theirs), Some(ours)) = (kamailio, duolog) {
        stage.headlines.push(Headline {
            what: "highest loss-free rate, one core".to_owned(),
            theirs: format!("{} calls/s", theirs.told_rate()),
            ours: format!("{} calls/s", ours.told_rate()),
            ratio: ratio(ours.rate().middle, theirs.rate().middle),
        });
        stage.headlines.push(Headline {
            what: "CPU of a call at that rate".to_owned(),
            theirs: format!("{:.0} µs", theirs.spent().middle),
            ours: format!("{:.0} µs", ours.spent().middle),
            ratio: ratio(ours.spent().middle, theirs.spent().middle),
        });
    }
    stage.tell(section);
}

/// CPU at nine tenths of the own highest rate, latency at half of it; the forwarder at the same rates is the floor.
fn at_parts(stage: &mut Stage, contestants: &mut [Contestant], found: &[Found]) -> Result<(), String> {
    let mut section = Section::new(
        "At nine tenths and at half of the own highest rate",
        &[
            "part",
            "subject",
            "calls/s",
            "µs CPU a call",
            "p50 ms",
            "p99 ms",
            "p99 of the forwarder at that rate",
            "p99 above it",
            "failures",
        ],
    );
    tell_head();
    let Some((forwarder, proxies)) = contestants.split_last_mut() else { return Ok(()) };
    for (name, part) in [("9/10", 0.9), ("1/2", 0.5)] {
        for (proxy, found) in proxies.iter_mut().zip(found).filter(|(_, found)| !found.best.is_empty()) {
            let rate = found.rate().middle * part;
            std::thread::sleep(TRANSACTIONS_END);
            let turns = rounds(&mut [proxy, forwarder], &[rate, rate], stage.scale.few_rounds, &stage.scale)?;
            let [own, floor] = turns.as_slice() else { continue };
            let above = own.latency(0.99).middle - floor.latency(0.99).middle;
            section.row(vec![
                name.to_owned(),
                own.which.name(),
                grouped(rate),
                own.spent().told(1),
                own.latency(0.5).told(2),
                own.latency(0.99).told(2),
                floor.latency(0.99).told(2),
                format!("{above:.2}"),
                own.trouble(),
            ]);
        }
    }
    stage.tell(section);
    Ok(())
}
