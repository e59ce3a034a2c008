//! Runs seeds and says which ones break an invariant: `simulation --seeds N [--from S] [--trace] [--shrink]`.

use std::process::ExitCode;
use std::time::Instant;

use simulation::checkers::Violation;
use simulation::scenario::{Mode, Scenario, hostile_datagrams};
use simulation::shrink::shrink;
use simulation::trace::Lines;
use simulation::{Outcome, run_seed};

struct Wish {
    seeds: u64,
    from: u64,
    trace: bool,
    shrink: bool,
}

fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!("simulation: {error}\nusage: simulation [--seeds N] [--from S] [--trace] [--shrink]");
            return ExitCode::from(2);
        }
    };
    let hostile = hostile_datagrams();
    let lines = if wish.trace { Lines::Printed } else { Lines::Hashed };
    let begin = Instant::now();
    let (mut passed, mut failed, mut events, mut dialogs) = (0u64, 0u64, 0usize, 0u64);
    for seed in wish.from..wish.from.saturating_add(wish.seeds) {
        let outcome = run_seed(seed, &hostile, lines);
        events += outcome.events;
        dialogs += outcome.dialogs;
        match outcome.violations.first() {
            None => passed += 1,
            Some(first) => {
                failed += 1;
                report(seed, &outcome, first);
                if !wish.trace {
                    let told = run_seed(seed, &hostile, Lines::Kept);
                    told.story.iter().for_each(|line| println!("    {line}"));
                }
                if wish.shrink {
                    report_shrunk(seed, first.invariant, &hostile);
                }
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64().max(0.001);
    println!("{events} events, {dialogs} dialogs, {:.1} seeds/s", wish.seeds as f64 / seconds);
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(seed: u64, outcome: &Outcome, first: &Violation) {
    println!(
        "seed {seed} [{}] breaks {} at {} ms, proxy {}: {} -- simulation --from {seed} --seeds 1 --trace",
        outcome.name.trim(),
        first.invariant,
        first.at,
        first.proxy,
        first.text
    );
}

/// The smallest world found that breaks the same invariant, and its story.
fn report_shrunk(seed: u64, invariant: &str, hostile: &[Vec<u8>]) {
    let Some(shrunk) = shrink(Scenario::of_seed(seed, Mode::of_seed(seed), hostile), invariant) else {
        return println!("    it cannot be made smaller");
    };
    println!("    smaller, after {} runs, with weather {:?}:", shrunk.runs, shrunk.scenario.weather);
    for plan in &shrunk.scenario.plans {
        println!("    {plan:?}");
    }
    for (at, fault) in &shrunk.scenario.faults {
        println!("    after {at} ms {fault:?}");
    }
    shrunk.outcome.violations.iter().for_each(|violation| println!("    {}: {}", violation.invariant, violation.text));
    shrunk.outcome.story.iter().for_each(|line| println!("    {line}"));
}

fn wish(arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish = Wish { seeds: 100, from: 1, trace: false, shrink: false };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or_else(|| format!("{argument} needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("`{text}` is not a number"))
        };
        match argument.as_str() {
            "--seeds" => wish.seeds = number()?,
            "--from" => wish.from = number()?,
            "--trace" => wish.trace = true,
            "--shrink" => wish.shrink = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(wish)
}
