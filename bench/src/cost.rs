//! What keeping dialogs in a database costs: CPU per call with `db_mode` 0 and 1, of all subjects in the same minute.
//!
//! All subjects are up together and get the load in turn, a few seconds each, again and again: the speed of a machine drifts
//! by more than what is to be measured, and neighbouring turns drift together.

use std::time::{Duration, Instant};

use crate::database;
use crate::measure::{median, quantile};
use crate::setup::{Ground, Setup};
use crate::subject::Kind;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub ground: Ground,
    pub subjects: Vec<Kind>,
    /// New calls a second.
    pub rate: u32,
    /// How long is measured in each turn.
    pub seconds: u32,
    /// How long a call lasts, milliseconds.
    pub hold: u32,
    pub rounds: u32,
}

/// Load before the measurement, in each turn.
const WARM_UP: Duration = Duration::from_secs(1);
const END_MAX: Duration = Duration::from_secs(60);

/// What one turn came to.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// CPU of the subject, microseconds a call.
    spent: f64,
    median_milliseconds: f64,
    p99_milliseconds: f64,
    failed: u32,
}

/// One program with and without database.
struct Pair {
    subject: Kind,
    setups: [Setup; 2],
    costs: [Vec<Cost>; 2],
}

impl Pair {
    fn start(wanted: &Wanted, subject: Kind) -> Result<Pair, String> {
        let setups = [setup(wanted, subject, 0)?, setup(wanted, subject, 1)?];
        Ok(Pair { subject, setups, costs: Default::default() })
    }

    fn turn(&mut self, wanted: &Wanted) -> Result<(), String> {
        for (mode, (setup, costs)) in self.setups.iter_mut().zip(&mut self.costs).enumerate() {
            let cost = measure(wanted, setup)?;
            println!(
                "{:>9} {mode:>8} {:>12.1} {:>9.2} {:>9.2} {:>7}",
                self.subject.name(),
                cost.spent,
                cost.median_milliseconds,
                cost.p99_milliseconds,
                cost.failed
            );
            costs.push(cost);
        }
        Ok(())
    }

    fn tell(&self) {
        let name = self.subject.name();
        let spent = self.costs.each_ref().map(|costs| costs.iter().map(|cost| cost.spent).collect::<Vec<f64>>());
        for (mode, (costs, spent)) in self.costs.iter().zip(&spent).enumerate() {
            let middle = |part: fn(&Cost) -> f64| median(&costs.iter().map(part).collect::<Vec<f64>>());
            let (half, slow) = (middle(|cost| cost.median_milliseconds), middle(|cost| cost.p99_milliseconds));
            println!("median: {name:>9} db_mode {mode}: {:.1} µs a call, p50 {half:.2} ms, p99 {slow:.2} ms", median(spent));
        }
        let [without, with] = &spent;
        let factors: Vec<f64> = without.iter().zip(with).map(|(without, with)| with / without).collect();
        let of = |part| quantile(&factors, part);
        println!(
            "{name}: db_mode 1 costs {:.2} times the CPU of db_mode 0 (medians); turn by turn {:.2}, quartiles {:.2} and {:.2}, from {:.2} to {:.2}",
            median(with) / median(without),
            median(&factors),
            of(0.25),
            of(0.75),
            of(0.0),
            of(1.0)
        );
    }

    fn failed(&self) -> u32 {
        self.costs.iter().flatten().map(|cost| cost.failed).sum()
    }
}

/// Runs all, tells each and the medians; an error when a call of ours failed.
pub fn cost(wanted: &Wanted) -> Result<(), String> {
    let database = wanted.ground.database.map_or("", database::Kind::name);
    let mut pairs = wanted.subjects.iter().map(|subject| Pair::start(wanted, *subject)).collect::<Result<Vec<Pair>, String>>()?;
    println!("{} calls/s of {} ms, measured for {} s a turn, database {database}", wanted.rate, wanted.hold, wanted.seconds);
    println!("{:>9} {:>8} {:>12} {:>9} {:>9} {:>7}", "subject", "db_mode", "µs CPU/call", "p50 ms", "p99 ms", "failed");
    for _ in 0..wanted.rounds {
        pairs.iter_mut().try_for_each(|pair| pair.turn(wanted))?;
    }
    pairs.iter().for_each(Pair::tell);
    let failed: u32 = pairs.iter().filter(|pair| pair.subject == Kind::Duolog).map(Pair::failed).sum();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} calls through duolog failed")) }
}

/// A subject that serves.
fn setup(wanted: &Wanted, subject: Kind, mode: u32) -> Result<Setup, String> {
    let ground = Ground { subject, mode, database: wanted.ground.database.filter(|_| mode != 0), ..wanted.ground.clone() };
    let hold = Duration::from_millis(u64::from(wanted.hold));
    let mut setup = Setup::new(&ground, |plan| plan.hold = hold / 2..hold * 3 / 2)?;
    setup.start(0)?;
    Ok(setup)
}

fn measure(wanted: &Wanted, setup: &mut Setup) -> Result<Cost, String> {
    setup.generator.set_rate(f64::from(wanted.rate));
    setup.generator.run_until(Instant::now() + WARM_UP)?;
    setup.generator.reset_totals();
    let before = setup.subject.cpu_microseconds();
    setup.generator.run_until(Instant::now() + Duration::from_secs(u64::from(wanted.seconds)))?;
    let spent = setup.subject.cpu_microseconds() - before;
    let totals = setup.generator.reset_totals();
    let is_over = setup.generator.finish(END_MAX)?;
    let late = setup.generator.reset_totals().failures();
    if !is_over && setup.subject.kind() == Kind::Duolog {
        return Err(setup.subject.with_log("calls did not end"));
    }
    Ok(Cost {
        spent: spent as f64 / f64::from(totals.ended.max(1)),
        median_milliseconds: totals.invites.milliseconds(0.5),
        p99_milliseconds: totals.invites.milliseconds(0.99),
        failed: totals.failures() + late,
    })
}
