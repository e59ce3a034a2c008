//! Kill -9 at random moments under load: is every acknowledged call there afterwards, and only those?

use std::time::{Duration, Instant};

use crate::generator::{Generator, Plan, Stage};
use crate::ledger::{Findings, Ledger};
use crate::measure::median;
use crate::random::Random;
use crate::setup::{Ground, Setup, Started};

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub ground: Ground,
    pub rounds: u32,
    /// New calls a second.
    pub rate: u32,
    pub seed: u64,
    /// Calls that stay up through all rounds.
    pub held: u32,
}

/// The kill comes within this time after load begins.
const KILL_WITHIN: std::ops::Range<Duration> = Duration::from_millis(200)..Duration::from_millis(1_500);
/// How long calls may take to end in the end.
const END_MAX: Duration = Duration::from_secs(60);
/// Calls without answer at one time while the held ones are set up, and how many of them a second at least.
const FILL_UNANSWERED: usize = 50;
const FILL_RATE_MIN: u32 = 200;
/// The share of survivors that is hung up after a round.
const ENDED_SHARE: f64 = 0.5;
/// The share of rounds in which the subject is killed once more as soon as it serves: while it loads.
const KILLED_LOADING_SHARE: f64 = 0.1;
/// A line is told after so many rounds.
const TELL_EVERY: u32 = 25;

/// Starts of all rounds.
#[derive(Debug, Default)]
struct Starts {
    serving: Vec<f64>,
    loaded: Vec<f64>,
}

/// Rounds in which messages left before their commit: what is lost then is not against the promise.
#[derive(Debug, Default)]
struct Slow {
    rounds: u32,
    messages: i64,
    findings: Findings,
}

impl Starts {
    fn add(&mut self, started: Started) {
        self.serving.push(started.serving.as_secs_f64() * 1_000.0);
        self.loaded.push(started.loaded.as_secs_f64() * 1_000.0);
    }

    fn longest(times: &[f64]) -> f64 {
        times.iter().copied().fold(0.0, f64::max)
    }
}

fn shape(plan: &mut Plan, seed: u64) {
    plan.ring = Duration::ZERO..Duration::from_millis(30);
    plan.hold = Duration::from_millis(50)..Duration::from_millis(2_500);
    plan.updates_max = 1;
    plan.callee_ends_share = 0.25;
    plan.seed = seed;
}

/// Runs the rounds; an error when anything acknowledged was lost, or anything else was wrong.
pub fn survive(wanted: &Wanted) -> Result<(), String> {
    let mut setup = Setup::new(&wanted.ground, |plan| shape(plan, wanted.seed))?;
    let (mut random, mut ledger, mut all, mut starts) =
        (Random::new(!wanted.seed), Ledger::default(), Findings::default(), Starts::default());
    setup.start(0)?;
    hold(&mut setup, wanted.held)?;
    let (begun, mut slow) = (Instant::now(), Slow::default());
    for round in 1..=wanted.rounds {
        setup.generator.set_rate(f64::from(wanted.rate));
        setup.generator.run_until(Instant::now() + random.within(&KILL_WITHIN))?;
        setup.generator.set_rate(0.0);
        let unheld = setup.status("unheld").unwrap_or(0);
        setup.subject.kill()?;
        setup.generator.proxy_died()?;
        if random.happens(KILLED_LOADING_SHARE) {
            setup.subject.launch()?;
            setup.subject.wait_for_sip(END_MAX)?;
            setup.subject.kill()?;
        }
        let up = count(&setup.generator, Stage::Up);
        starts.add(setup.start(up)?);
        let findings = ledger.compare(&mut setup.generator, &setup.subject)?;
        all.add(&findings);
        if unheld > 0 {
            slow.rounds += 1;
            slow.messages += unheld;
            slow.findings.add(&findings);
        }
        if findings.wrong() > 0 || round % TELL_EVERY == 0 || round == wanted.rounds {
            println!("round {round} after {:.0} s: {findings}", begun.elapsed().as_secs_f64());
        }
        setup.generator.proxy_is_back()?;
        end_some(&mut setup.generator, &mut random)?;
    }
    finish(&mut setup)?;
    if slow.rounds > 0 {
        println!(
            "in {} rounds a commit took longer than db_hold_time, and {} messages left before it: {}",
            slow.rounds, slow.messages, slow.findings
        );
    }
    report(wanted, &setup, &ledger, &all, &starts)
}

/// Sets up the calls that stay.
fn hold(setup: &mut Setup, count: u32) -> Result<(), String> {
    if count == 0 {
        return Ok(());
    }
    setup.generator.change_plan(|plan| plan.held_share = 1.0);
    setup.generator.fill(count, FILL_UNANSWERED, Duration::from_secs(u64::from(count / FILL_RATE_MIN) + 30))?;
    setup.generator.change_plan(|plan| plan.held_share = 0.0);
    Ok(())
}

fn count(generator: &Generator, stage: Stage) -> u32 {
    generator.calls().iter().filter(|call| call.stage == stage).count() as u32
}

fn end_some(generator: &mut Generator, random: &mut Random) -> Result<(), String> {
    let calls = (0_u32..).zip(generator.calls());
    let up: Vec<u32> = calls.filter(|(_, call)| call.stage == Stage::Up && !call.is_held).map(|(number, _)| number).collect();
    for number in up {
        if random.happens(ENDED_SHARE) {
            generator.end(number)?;
        }
    }
    Ok(())
}

/// All calls end, and nothing stays behind.
fn finish(setup: &mut Setup) -> Result<(), String> {
    setup.end_held()?;
    if !setup.generator.finish(END_MAX)? {
        return Err(format!("{} calls did not end in {END_MAX:?}", count(&setup.generator, Stage::Up)));
    }
    Ok(())
}

fn report(wanted: &Wanted, setup: &Setup, ledger: &Ledger, all: &Findings, starts: &Starts) -> Result<(), String> {
    let totals = setup.generator.totals();
    for example in &ledger.examples {
        println!("  {example}");
    }
    let left = setup.rows_left()?;
    let dialogs = setup.dialogs()?;
    println!("{}, {} rounds at {} calls/s:", wanted.ground, wanted.rounds, wanted.rate);
    println!("  calls begun {} answered {} ended {} updated {}", totals.begun, totals.answered, totals.ended, totals.updated);
    println!("  {all}");
    println!("  requests refused or unanswered {:?}, calls cut {}", totals.refused, totals.cut);
    println!("  left at the end: dialogs {dialogs}, rows {}, rows of variables {}", left.0, left.1);
    println!(
        "  start to OPTIONS p50 {:.0} max {:.0} ms, to all dialogs loaded p50 {:.0} max {:.0} ms",
        median(&starts.serving),
        Starts::longest(&starts.serving),
        median(&starts.loaded),
        Starts::longest(&starts.loaded)
    );
    println!(
        "  INVITE to 200 p50 {:.2} p99 {:.2} ms (repetitions over a restart included)",
        totals.invites.milliseconds(0.5),
        totals.invites.milliseconds(0.99)
    );
    setup.tell_errors();
    let is_clean = all.wrong() == 0 && totals.failures() == 0 && dialogs == 0 && left == (0, 0);
    if is_clean { Ok(()) } else { Err(format!("{} did not keep every call as it was", wanted.ground.subject.name())) }
}
