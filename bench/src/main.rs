//! Load on real processes: SIPp calls through `examples/call-limit.cfg`, on duolog and on Kamailio, CPU counted by the kernel.
//!
//! Everything runs on loopback, is bounded in calls and time, and stops by itself. Figures are ratios: both subjects
//! run alternately in the same minutes, because machines drift.

mod calls;
mod cost;
mod database;
mod dialog_memory;
mod dump;
mod generator;
mod ledger;
mod listing;
mod measure;
mod options;
mod outage;
mod overload;
mod random;
mod reload;
mod rows;
mod rpc;
mod setup;
mod side_by_side;
mod sipp;
mod storm;
mod subject;
mod survive;

use std::process::ExitCode;

use subject::{Kind, Subject};

const HELP: &str = "\
bench COMMAND

  load CALLS RATE            calls through duolog; fails unless all succeed and nothing is left behind
  limit                      the (N+1)th concurrent call of an account gets 486
  listing HELD RATE [SECONDS]   calls a second while HELD calls are up, without and with listings of all of them (30 s each)
  side-by-side [OPTIONS]     duolog, Kamailio and a bare forwarder in turn, on cores of their own: what `cargo xtask bench` runs
      --quick, --only MEASUREMENT,..., --generator sleeps|spins, --write yes|no
  builds [OPTIONS]           several builds of duolog in turn: did a change make a call cheaper?
      --programs PATH,... (`kamailio` and `forwarder` are known), --rates CALLS,... --rounds N --generator sleeps|spins
  forward ADDRESS CALLEE     the bare forwarder
  storm [THREADS COUNT]      a limit of 100 calls stormed by threads that acquire so often: is it ever broken? (64, 100000)
  dialog-memory [COUNT]      resident bytes of a confirmed dialog, in the engine alone (200000)
  compare SECONDS RATE...    CPU per call, duolog and kamailio in turn (3 rounds a rate)
  survive [OPTIONS]          kill -9 at random moments under load: is every acknowledged call there afterwards?
      --subject duolog|kamailio --database sqlite|postgres|mysql --rounds N --rate CALLS --seed N --held CALLS
      for Kamailio --children N --journal wal|delete, for duolog --hold-time and --commit-interval MILLISECONDS
  cost [OPTIONS]             CPU per call with db_mode 0 and 1, all in turn; both programs unless one is named
      --subject, --database, --rate CALLS --seconds N --hold MILLISECONDS --rounds N
  reload [OPTIONS]           a start on a SQLite file of very many dialogs, with requests in them from the first moment
      --subject, --dialogs N --used N --rate BYES
  outage [OPTIONS]           the database goes away under load: do calls notice, are the rows right afterwards?
      as above, and --outage locked|stopped|frozen|read-only --seconds N --rate CALLS
  overload [OPTIONS]         more calls than one core can take: how many are completed all the same, and when all is well again
      --subject duolog|kamailio --factor TIMES_THE_CAPACITY --seconds N
";

/// Rounds of a comparison.
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["load", calls, rate] => number(calls).and_then(|calls| load(calls, number(rate)?)),
        ["limit"] => limit(),
        ["read", door, address, file] => listing::read(door, address, file),
        ["listing", held, rate] => number(held).and_then(|held| listing::listing(held, number(rate)?, 30)).map(drop),
        ["listing", held, rate, seconds] => number(held).and_then(|held| listing::listing(held, number(rate)?, number(seconds)?)).map(drop),
        ["compare", seconds, rates @ ..] if !rates.is_empty() => number(seconds).and_then(|seconds| {
            rates.iter().map(|rate| number(rate)).collect::<Result<Vec<_>, _>>().and_then(|rates| compare(seconds, &rates))
        }),
        ["side-by-side", options @ ..] => options::side_by_side(options).and_then(|wanted| side_by_side::side_by_side(&wanted)),
        ["builds", options @ ..] => options::builds(options).and_then(|wanted| side_by_side::builds::builds(&wanted)),
        ["forward", address, callee] => side_by_side::forward(address, callee),
        ["storm"] => storm::storms(64, 100_000),
        ["storm", threads, count] => number(threads).and_then(|threads| storm::storms(threads as usize, number(count)? as usize)),
        ["dialog-memory"] => dialog_memory::held(200_000),
        ["dialog-memory", count] => number(count).and_then(dialog_memory::held),
        ["survive", options @ ..] => options::survive(options).and_then(|wanted| survive::survive(&wanted)),
        ["outage", options @ ..] => options::outage(options).and_then(|wanted| outage::outage(&wanted)),
        ["cost", options @ ..] => options::cost(options).and_then(|wanted| cost::cost(&wanted)),
        ["reload", options @ ..] => options::reload(options).and_then(|wanted| reload::reload(&wanted)).map(drop),
        ["overload", options @ ..] => options::overload(options).and_then(|wanted| overload::overload(&wanted)),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) if reason.starts_with(database::SKIPPED) => {
            println!("{reason}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no number\n{HELP}"))
}

/// `calls` calls at `rate` a second: none may fail, no dialog and no profile member may be left.
fn load(calls: u32, rate: u32) -> Result<(), String> {
    let subject = Subject::start(Kind::Duolog, "100000")?;
    let callee = sipp::Callee::start(&subject)?;
    let before = subject.cpu_microseconds();
    let outcome = sipp::call(&subject, calls, rate, 500)?;
    let spent = subject.cpu_microseconds() - before;
    drop(callee);
    println!("{outcome}");
    println!("CPU per call: {:.1} µs", spent as f64 / f64::from(outcome.successful.max(1)));
    subject.wait_until_idle()?;
    let statistics = subject.rpc(&["stats.get_statistics", "dialog:"])?;
    print!("{statistics}");
    let size = subject.rpc(&["dlg.profile_get_size", "account"])?;
    println!("profile account: {}", size.trim());
    let is_clean = outcome.failed == 0 && outcome.successful == calls && statistics.contains("active_dialogs = 0") && size.trim() == "0";
    if is_clean { Ok(()) } else { Err("calls failed or something was left behind".to_owned()) }
}

/// Two calls fit; while both are up a third gets 486, and it disturbs neither.
fn limit() -> Result<(), String> {
    let subject = Subject::start(Kind::Duolog, "2")?;
    let callee = sipp::Callee::start(&subject)?;
    let callers = sipp::Callers::start(&subject, 2, 100, 4_000)?;
    subject.wait_until_size("account", 2)?;
    if !sipp::is_refused(&subject)? {
        return Err("the third call of the account was not refused with 486".to_owned());
    }
    let outcome = callers.finish()?;
    drop(callee);
    println!("{outcome}");
    if outcome.successful == 2 && outcome.failed == 0 {
        println!("the third call of the account got 486");
        Ok(())
    } else {
        Err("expected two whole calls beside the refused one".to_owned())
    }
}

fn compare(seconds: u32, rates: &[u32]) -> Result<(), String> {
    println!("{:>6} {:>10} {:>12} {:>10} {:>10} {:>8}", "calls/s", "subject", "µs CPU/call", "p50 ms", "p99 ms", "failed");
    for rate in rates {
        let mut figures: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (place, kind) in [Kind::Duolog, Kind::Kamailio].into_iter().enumerate() {
                let subject = Subject::start(kind, "100000")?;
                let callee = sipp::Callee::start(&subject)?;
                // A second of warm-up is not counted.
                sipp::call(&subject, *rate, *rate, 0)?;
                let before = subject.cpu_microseconds();
                let outcome = sipp::call(&subject, rate * seconds, *rate, 0)?;
                let spent = (subject.cpu_microseconds() - before) as f64 / f64::from(outcome.successful.max(1));
                drop(callee);
                println!(
                    "{rate:>6} {:>10} {spent:>12.1} {:>10.2} {:>10.2} {:>8}",
                    kind.name(),
                    outcome.median_milliseconds,
                    outcome.p99_milliseconds,
                    outcome.failed
                );
                if let Some(list) = figures.get_mut(place) {
                    list.push(spent);
                }
            }
        }
        let [ours, theirs] = figures.map(|list| measure::median(&list));
        println!("{rate:>6} median: duolog {ours:.1} µs, kamailio {theirs:.1} µs, ratio {:.2}", ours / theirs);
    }
    Ok(())
}
