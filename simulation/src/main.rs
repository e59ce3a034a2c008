//! Runs seeds and says which ones break an invariant: `simulation --seeds N [--from S] [--trace]`.

use std::process::ExitCode;

use simulation::run_seed;
use simulation::scenario::hostile_datagrams;

struct Wish {
    seeds: u64,
    from: u64,
    trace: bool,
}

fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!("simulation: {error}\nusage: simulation [--seeds N] [--from S] [--trace]");
            return ExitCode::from(2);
        }
    };
    let hostile = hostile_datagrams();
    let (mut passed, mut failed, mut events, mut dialogs) = (0u64, 0u64, 0usize, 0u64);
    for seed in wish.from..wish.from.saturating_add(wish.seeds) {
        let outcome = run_seed(seed, &hostile, wish.trace);
        events += outcome.events;
        dialogs += outcome.dialogs;
        match outcome.violations.first() {
            None => passed += 1,
            Some(first) => {
                failed += 1;
                println!(
                    "seed {seed} [{}] breaks {} at {} ms, proxy {}: {} -- simulation --from {seed} --seeds 1 --trace",
                    outcome.name.trim(),
                    first.invariant,
                    first.at,
                    first.proxy,
                    first.text
                );
            }
        }
    }
    println!("{events} events, {dialogs} dialogs");
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wish(arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish = Wish { seeds: 100, from: 1, trace: false };
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
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(wish)
}
