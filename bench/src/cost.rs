//! What keeping dialogs in a database costs: CPU per call with `db_mode` 0 and 1, on both programs in turn.

use std::time::{Duration, Instant};

use crate::database;
use crate::measure::median;
use crate::setup::{Ground, Setup};
use crate::subject::Kind;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub ground: Ground,
    /// New calls a second.
    pub rate: u32,
    /// How long is measured.
    pub seconds: u32,
    /// How long a call lasts, milliseconds.
    pub hold: u32,
    pub rounds: u32,
}

/// Load before the measurement.
const WARM_UP: Duration = Duration::from_secs(2);
const END_MAX: Duration = Duration::from_secs(60);

/// What one run came to.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// CPU of the subject, microseconds a call.
    spent: f64,
    median_milliseconds: f64,
    p99_milliseconds: f64,
    failed: u32,
}

/// Runs all, tells each and the medians; an error when a call of ours failed.
pub fn cost(wanted: &Wanted) -> Result<(), String> {
    let database = wanted.ground.database.map_or("", database::Kind::name);
    println!("{} calls/s of {} ms, measured for {} s, database {database}", wanted.rate, wanted.hold, wanted.seconds);
    println!("{:>9} {:>8} {:>12} {:>9} {:>9} {:>7}", "subject", "db_mode", "µs CPU/call", "p50 ms", "p99 ms", "failed");
    let variants = [(Kind::Duolog, 0), (Kind::Duolog, 1), (Kind::Kamailio, 0), (Kind::Kamailio, 1)];
    let mut costs: [Vec<Cost>; 4] = Default::default();
    for _ in 0..wanted.rounds {
        for ((subject, mode), costs) in variants.into_iter().zip(&mut costs) {
            let cost = measure(wanted, subject, mode)?;
            println!(
                "{:>9} {mode:>8} {:>12.1} {:>9.2} {:>9.2} {:>7}",
                subject.name(),
                cost.spent,
                cost.median_milliseconds,
                cost.p99_milliseconds,
                cost.failed
            );
            costs.push(cost);
        }
    }
    let middle = |place: usize, part: fn(&Cost) -> f64| {
        median(&costs.get(place).map(|costs| costs.iter().map(part).collect::<Vec<f64>>()).unwrap_or_default())
    };
    for (place, (subject, mode)) in variants.into_iter().enumerate() {
        let (spent, half, slow) =
            (middle(place, |cost| cost.spent), middle(place, |cost| cost.median_milliseconds), middle(place, |cost| cost.p99_milliseconds));
        println!("median: {:>9} db_mode {mode}: {spent:.1} µs a call, p50 {half:.2} ms, p99 {slow:.2} ms", subject.name());
    }
    for (place, subject) in [(0, Kind::Duolog), (2, Kind::Kamailio)] {
        let factor = middle(place + 1, |cost| cost.spent) / middle(place, |cost| cost.spent);
        println!("{}: db_mode 1 costs {factor:.2} times the CPU of db_mode 0", subject.name());
    }
    let failed: u32 = costs.iter().take(2).flatten().map(|cost| cost.failed).sum();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} calls through duolog failed")) }
}

fn measure(wanted: &Wanted, subject: Kind, mode: u32) -> Result<Cost, String> {
    let ground = Ground { subject, mode, database: wanted.ground.database.filter(|_| mode != 0), ..wanted.ground.clone() };
    let hold = Duration::from_millis(u64::from(wanted.hold));
    let mut setup = Setup::new(&ground, |plan| plan.hold = hold / 2..hold * 3 / 2)?;
    setup.start(0)?;
    setup.generator.set_rate(f64::from(wanted.rate));
    setup.generator.run_until(Instant::now() + WARM_UP)?;
    setup.generator.reset_totals();
    let before = setup.subject.cpu_microseconds();
    setup.generator.run_until(Instant::now() + Duration::from_secs(u64::from(wanted.seconds)))?;
    let spent = setup.subject.cpu_microseconds() - before;
    let totals = setup.generator.reset_totals();
    let is_over = setup.generator.finish(END_MAX)?;
    let late = setup.generator.totals().failures();
    if !is_over && subject == Kind::Duolog {
        return Err(setup.subject.with_log("calls did not end"));
    }
    Ok(Cost {
        spent: spent as f64 / f64::from(totals.ended.max(1)),
        median_milliseconds: totals.invites.milliseconds(0.5),
        p99_milliseconds: totals.invites.milliseconds(0.99),
        failed: totals.failures() + late,
    })
}
