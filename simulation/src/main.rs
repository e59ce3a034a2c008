//! Runs seeds and says which ones break an invariant: `simulation --seeds N [--from S] [--trace] [--shrink]`.
//!
//! `--twins` compares the rows of worlds with and without outages of their database, `--fail-each` lets each storage call of a
//! world fail once.

use std::process::ExitCode;
use std::time::Instant;

use simulation::checkers::Violation;
use simulation::outages::{compare_twins, fail_each};
use simulation::outcome::Stored;
use simulation::scenario::{Mode, Scenario, hostile_datagrams};
use simulation::shrink::shrink;
use simulation::trace::Lines;
use simulation::{Outcome, run_seed};

struct Wish {
    seeds: u64,
    from: u64,
    trace: bool,
    shrink: bool,
    twins: bool,
    fail_each: bool,
}

fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!("simulation: {error}\nusage: simulation [--seeds N] [--from S] [--trace] [--shrink] [--twins | --fail-each]");
            return ExitCode::from(2);
        }
    };
    if wish.twins || wish.fail_each {
        return compare(&wish);
    }
    let hostile = hostile_datagrams();
    let lines = if wish.trace { Lines::Printed } else { Lines::Hashed };
    let begin = Instant::now();
    let (mut passed, mut failed, mut events, mut dialogs) = (0u64, 0u64, 0usize, 0u64);
    let mut storage = Stored::default();
    for seed in wish.from..wish.from.saturating_add(wish.seeds) {
        let outcome = run_seed(seed, &hostile, lines);
        events += outcome.events;
        dialogs += outcome.dialogs;
        storage.add(outcome.storage);
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
    println!(
        "{} storage calls, {} dialogs loaded, {} messages after their commit, {} before",
        storage.calls, storage.loaded, storage.kept, storage.unkept
    );
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Worlds that differ in their database alone.
fn compare(wish: &Wish) -> ExitCode {
    let (mut passed, mut failed, mut count) = (0u64, 0u64, 0usize);
    for seed in wish.from..wish.from.saturating_add(wish.seeds) {
        let mut broken = Vec::new();
        if wish.twins {
            match compare_twins(seed) {
                Ok(rows) => count += rows,
                Err(difference) => broken.push(difference),
            }
        } else {
            let found = fail_each(seed);
            count += found.runs;
            broken.extend(
                found.broken.iter().map(|(call, failure, first)| format!("call {call} {failure:?}: {}: {}", first.invariant, first.text)),
            );
        }
        broken.iter().for_each(|text| println!("seed {seed}: {text}"));
        if broken.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    println!("{count} {}", if wish.twins { "rows compared" } else { "worlds with a failing call" });
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
    let mut wish = Wish { seeds: 100, from: 1, trace: false, shrink: false, twins: false, fail_each: false };
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
            "--twins" => wish.twins = true,
            "--fail-each" => wish.fail_each = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(wish)
}
