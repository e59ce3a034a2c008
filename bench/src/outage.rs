//! The database goes away under load and comes back: do calls notice, and are the rows right afterwards?

use std::time::{Duration, Instant};

use crate::database::Outage;
use crate::dump;
use crate::generator::{Plan, Totals};
use crate::rows;
use crate::setup::{Ground, Setup};

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub ground: Ground,
    /// None: the usual one of the database.
    pub outage: Option<Outage>,
    pub seconds: u32,
    /// New calls a second.
    pub rate: u32,
    pub seed: u64,
}

/// Load before the outage and behind it.
const AROUND: Duration = Duration::from_secs(5);
/// The share of calls that stay to the end.
const HELD_SHARE: f64 = 0.02;
/// A request answered slower than this noticed something, microseconds, and the share that may beyond the usual one.
const SLOW: u64 = 50_000;
const SLOW_SHARE_MAX: f64 = 0.01;
/// The usual `db_hold_time`, milliseconds.
const HOLD_TIME: u32 = 2_000;
/// How long the backlog may take, and calls to end.
const DRAINED_MAX: Duration = Duration::from_secs(60);
const END_MAX: Duration = Duration::from_secs(60);
/// Differences that are told.
const DIFFERENCES_TOLD: usize = 6;

/// Runs it; an error when a call failed, too many were slow, or the rows differ from the dialogs.
pub fn outage(wanted: &Wanted) -> Result<(), String> {
    let mut setup = Setup::new(&wanted.ground, |plan| shape(plan, wanted.seed))?;
    let outage = wanted.outage.unwrap_or(setup.database()?.usual_outage());
    setup.start(0)?;
    println!("{}, {} calls/s, the database is {} for {} s", wanted.ground, wanted.rate, outage.name(), wanted.seconds);
    println!(
        "{:>8} {:>8} {:>9} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "", "begun", "answered", "ended", "failed", "p50 ms", "p99 ms", "max ms", "> 50 ms"
    );
    setup.generator.set_rate(f64::from(wanted.rate));
    setup.generator.run_until(Instant::now() + AROUND)?;
    let (mut usual, mut during) = (Slow::default(), Slow::default());
    let mut failures = tell("before", &setup.generator.reset_totals(), &mut usual);
    let database = setup.database.as_mut().ok_or("this run has no database")?;
    // Stopping and starting a server takes its time, and calls go on meanwhile.
    let generator = &mut setup.generator;
    alongside(generator, || database.go_away(outage))?;
    generator.run_until(Instant::now() + Duration::from_secs(u64::from(wanted.seconds)))?;
    failures += tell("away", &generator.reset_totals(), &mut during);
    alongside(generator, || database.come_back(outage))?;
    generator.run_until(Instant::now() + AROUND)?;
    failures += tell("back", &generator.reset_totals(), &mut during);
    if !generator.finish(END_MAX)? {
        return Err(setup.subject.with_log("calls did not end"));
    }
    failures += tell("end", &setup.generator.reset_totals(), &mut Slow::default());
    let different = compare(&mut setup)?;
    for text in different.iter().take(DIFFERENCES_TOLD) {
        println!("  {text}");
    }
    println!("calls up at the end {}, differences between rows and dialogs {}", setup.dialogs()?, different.len());
    setup.tell_errors();
    if !end(&mut setup)? {
        return Err("rows are left although all calls have ended".to_owned());
    }
    if failures > 0 {
        return Err(format!("{failures} calls failed"));
    }
    if !different.is_empty() {
        return Err("rows and dialogs differ".to_owned());
    }
    // What comes in the first moments waits until the proxy has made up its mind.
    let hold_seconds = f64::from(wanted.ground.hold_time.unwrap_or(HOLD_TIME)) / 1e3;
    let at_first = during.requests as f64 * (hold_seconds / f64::from(wanted.seconds.max(1))).min(1.0);
    if during.slow as f64 > at_first + (usual.share() + SLOW_SHARE_MAX) * during.requests as f64 {
        let [during, usual] = [during, usual].map(|slow| slow.share() * 100.0);
        return Err(format!("{during:.2} % of the requests were answered slower than 50 ms, before it were {usual:.2} %"));
    }
    Ok(())
}

fn shape(plan: &mut Plan, seed: u64) {
    plan.ring = Duration::ZERO..Duration::from_millis(30);
    plan.hold = Duration::from_millis(100)..Duration::from_secs(8);
    plan.held_share = HELD_SHARE;
    plan.updates_max = 1;
    plan.callee_ends_share = 0.25;
    plan.seed = seed;
}

/// Lets the generator go on while another thread does something that takes its time.
fn alongside(generator: &mut crate::generator::Generator, work: impl FnOnce() -> Result<(), String> + Send) -> Result<(), String> {
    std::thread::scope(|scope| {
        let working = scope.spawn(work);
        while !working.is_finished() {
            generator.run_until(Instant::now() + Duration::from_millis(20))?;
        }
        working.join().map_err(|_| "the outage ended badly".to_owned())?
    })
}

/// Requests answered, and those of them that noticed something.
#[derive(Clone, Copy, Debug, Default)]
struct Slow {
    requests: u64,
    slow: u64,
}

impl Slow {
    fn share(&self) -> f64 {
        self.slow as f64 / self.requests.max(1) as f64
    }
}

/// One line of the table; the calls that failed.
fn tell(name: &str, totals: &Totals, slow: &mut Slow) -> u32 {
    let times = &totals.invites;
    let own = Slow { requests: times.total() + totals.byes.total(), slow: times.longer_than(SLOW) + totals.byes.longer_than(SLOW) };
    slow.requests += own.requests;
    slow.slow += own.slow;
    println!(
        "{name:>8} {:>8} {:>9} {:>7} {:>7} {:>8.2} {:>8.2} {:>8.1} {:>7.2}%",
        totals.begun,
        totals.answered,
        totals.ended,
        totals.failures(),
        times.milliseconds(0.5),
        times.milliseconds(0.99),
        times.longest_milliseconds().max(totals.byes.longest_milliseconds()),
        own.share() * 100.0
    );
    if totals.failures() > 0 {
        println!("         refused or unanswered: {:?}, cut {}", totals.refused, totals.cut);
    }
    totals.failures()
}

/// What differs once the backlog is written.
fn compare(setup: &mut Setup) -> Result<Vec<String>, String> {
    let (proxy, begun) = (setup.generator.plan().proxy, Instant::now());
    loop {
        let dialogs = dump::dialogs(&setup.subject)?;
        let generator = &setup.generator;
        let different = rows::differences(setup.database()?, &dialogs, |dialog| {
            let number = generator.number_of(dialog.text("call_id"))?;
            Some(format!("sip:{}@{proxy}", generator.plan().trunk(number)))
        })?;
        if different.is_empty() || begun.elapsed() > DRAINED_MAX {
            println!("backlog written {:.1} s after the last call ended", begun.elapsed().as_secs_f64());
            return Ok(different);
        }
        setup.generator.run_until(Instant::now() + Duration::from_millis(200))?;
    }
}

/// Everything ends; false: rows stay.
fn end(setup: &mut Setup) -> Result<bool, String> {
    setup.end_held()?;
    if !setup.generator.finish(END_MAX)? {
        return Err(setup.subject.with_log("held calls did not end"));
    }
    Ok(setup.rows_left()? == (0, 0))
}
