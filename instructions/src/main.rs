//! `instructions COMMAND`: counts, compares with the baseline, writes it, and measures time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use instructions::baseline::{self, Baseline, LIMIT_PERCENT, REMEDY, Verdict};
use instructions::meter::{Counted, Timed};
use instructions::surroundings::Surroundings;
use instructions::{Case, callgrind, threads};

const HELP: &str = "\
instructions COMMAND

  check [CASE...]    counts with callgrind and fails when a case is more than 3 % above the baseline
  write              counts and writes the baseline
  time [CASE...]     microseconds of one operation, the best of five rounds (build with --release)
  workers [COUNT]    the basic call on 1 to COUNT threads at the same time through one proxy (default: as many as processors)
  list               the cases
  run CASE COUNT     does a case so often: what callgrind watches, and what profilers may
";

/// Rounds of a measurement of time; the least disturbed one counts.
const ROUNDS: usize = 5;
/// How long each round of several workers lasts.
const WORKERS_TIME: Duration = Duration::from_secs(1);
/// Operations of a round.
const OPERATIONS_TIMED: u32 = 4_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check", names @ ..] => cases(names).and_then(|cases| check(&cases)),
        ["write"] => write(),
        ["time", names @ ..] => cases(names).and_then(|cases| time(&cases)),
        ["workers"] => workers(std::thread::available_parallelism().map_or(1, |count| count.get() as u32)),
        ["workers", count] => count.parse().map_err(|_| format!("`{count}` is no number\n{HELP}")).and_then(workers),
        ["list"] => list(),
        ["run", name, count] => run(name, count),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The named cases; all of them when none is named.
fn cases(names: &[&str]) -> Result<Vec<Case>, String> {
    if names.is_empty() {
        return Ok(Case::ALL.to_vec());
    }
    names.iter().map(|name| Case::named(name).ok_or_else(|| format!("`{name}` is no case; `instructions list` names them"))).collect()
}

fn baseline_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.tsv")
}

fn count(cases: &[Case]) -> Result<Vec<(&'static str, u64)>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(callgrind::count_all(&program, cases)?.into_iter().map(|(case, count)| (case.name(), count)).collect())
}

fn check(cases: &[Case]) -> Result<(), String> {
    let path = baseline_path();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut recorded = Baseline::read(&text)?;
    if cases.len() < Case::ALL.len() {
        recorded.counts.retain(|name, _| cases.iter().any(|case| case.name() == name));
    }
    let differences = recorded.differences(&Surroundings::here());
    let counted = count(cases)?;
    let verdicts = recorded.compare(&counted);
    println!("{:<16} {:>10} {:>10} {:>8}", "case", "baseline", "now", "change");
    for (name, verdict) in &verdicts {
        let recorded = recorded.counts.get(name).map_or_else(|| "-".to_owned(), u64::to_string);
        let now = counted.iter().find(|(other, _)| other == name).map_or_else(|| "-".to_owned(), |(_, count)| count.to_string());
        println!("{name:<16} {recorded:>10} {now:>10} {}", in_words(*verdict));
    }
    if !differences.is_empty() {
        println!(
            "{}; counts can be different by that alone: if no code explains them, {REMEDY}, and say so in the commit",
            differences.join("; ")
        );
    }
    if verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Better(_))) {
        println!("better by more than {LIMIT_PERCENT} %: keep it with {REMEDY}");
    }
    if verdicts.iter().any(|(_, verdict)| verdict.is_failure()) {
        return Err(format!("the counts do not fit the baseline; when that is intended, {REMEDY}, and say why in the commit"));
    }
    Ok(())
}

fn in_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Same(percent) => format!("{percent:>+6.1} %"),
        Verdict::Better(percent) => format!("{percent:>+6.1} %  better"),
        Verdict::Worse(percent) => format!("{percent:>+6.1} %  WORSE"),
        Verdict::New => "not in the baseline".to_owned(),
        Verdict::Gone => "no case any more".to_owned(),
    }
}

fn write() -> Result<(), String> {
    let counted = count(&Case::ALL)?;
    let text = baseline::write(&counted, &Surroundings::here());
    let path = baseline_path();
    std::fs::write(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    print!("{text}");
    Ok(())
}

fn time(cases: &[Case]) -> Result<(), String> {
    for case in cases {
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let mut timed = Timed::default();
            case.run(OPERATIONS_TIMED, &mut timed)?;
            best = best.min(timed.spent.as_secs_f64() * 1e6 / f64::from(OPERATIONS_TIMED));
        }
        println!("{:<16} {best:>8.2} µs  {}", case.name(), case.about());
    }
    Ok(())
}

fn workers(most: u32) -> Result<(), String> {
    println!("{:>7} {:>12} {:>12} {:>8}", "workers", "calls/s", "µs a call", "scaling");
    let mut alone = None;
    for count in 1..=most {
        let mut all = Vec::new();
        for _ in 0..ROUNDS {
            all.push(threads::calls(count, WORKERS_TIME)?);
        }
        all.sort_by(|one, other| one.each.total_cmp(&other.each));
        let Some(middle) = all.get(ROUNDS / 2) else { continue };
        let alone = *alone.get_or_insert(middle.calls_a_second);
        println!("{count:>7} {:>12.0} {:>12.2} {:>8.2}", middle.calls_a_second, middle.each, middle.calls_a_second / alone);
    }
    Ok(())
}

fn list() -> Result<(), String> {
    for case in Case::ALL {
        println!("{:<16} {}", case.name(), case.about());
    }
    Ok(())
}

fn run(name: &str, count: &str) -> Result<(), String> {
    let case = Case::named(name).ok_or_else(|| format!("`{name}` is no case\n{HELP}"))?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number\n{HELP}"))?;
    case.run(count, &mut Counted)
}
