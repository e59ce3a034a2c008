//! Development commands: `cargo xtask test` installs what the tests need and runs every suite.

mod compat;
mod packages;
mod step;

use std::process::ExitCode;

use step::{Step, run_all};

const HELP: &str = "\
cargo xtask COMMAND

  test                   everything: packages, unit tests, simulation, conformance on duolog and on Kamailio
  quick                  unit tests only
  simulate [SEEDS]       the simulator over SEEDS seeds (default 300)
  conformance [SUBJECT]  conformance cases on duolog (default) or kamailio
  lint                   rustfmt and clippy
  load [CALLS RATE]      calls through examples/call-limit.cfg with SIPp (default 10000 300)
  compare                CPU per call beside Kamailio, at 200 and 800 calls a second
  bench [OPTIONS]        everything beside Kamailio and a bare forwarder, on cores of their own (25 minutes; --quick: 4);
                         writes bench/results and the table of README.md
  survive [ROUNDS]       kill -9 at random moments under 300 calls/s: ROUNDS on SQLite (default 500), a tenth on each server
  storage                the short form of survive, outage and reload, as test should run it
  outage [SECONDS]       each database goes away under 200 calls/s (default 60)
  reload [DIALOGS]       a start on a SQLite file of DIALOGS (default 1000000)
  cost                   CPU per call with db_mode 0 and 1, beside Kamailio
  instructions           instructions of the hot parts beside instructions/baseline.tsv (needs valgrind); with --write a new
                         baseline
  compat                 writes COMPAT.md from the export tables; with --check only compares
";

/// Seeds run by `test`.
const SEEDS_IN_TEST: &str = "300";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let steps = match words.as_slice() {
        ["test"] => test(),
        ["quick"] => vec![unit_tests()],
        ["simulate"] => vec![simulation(SEEDS_IN_TEST)],
        ["simulate", seeds] => vec![simulation(seeds)],
        ["conformance"] => vec![build(), conformance("duolog")],
        ["conformance", subject] => vec![build(), conformance(subject)],
        ["lint"] => vec![
            Step::cargo("rustfmt", &["fmt", "--all", "--check"]),
            Step::cargo("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ],
        ["load"] => vec![release(), bench(&["load", "10000", "300"])],
        ["load", calls, rate] => vec![release(), bench(&["load", calls, rate])],
        ["compare"] => vec![release(), bench(&["compare", "10", "200", "800"])],
        ["bench", options @ ..] => vec![release(), bench(&[&["side-by-side"], options].concat())],
        ["survive"] => survive("500", "50"),
        ["survive", rounds] => survive(rounds, &rounds.parse().map_or(0, |rounds: u32| rounds.div_ceil(10)).to_string()),
        ["outage"] => outage("60"),
        ["outage", seconds] => outage(seconds),
        ["storage"] => storage_under_load(),
        ["reload"] => vec![release(), bench(&["reload"])],
        ["reload", dialogs] => vec![release(), bench(&["reload", "--dialogs", dialogs])],
        ["cost"] => vec![release(), bench(&["cost"])],
        ["instructions"] => vec![instructions("check")],
        ["instructions", "--write"] => vec![instructions("write")],
        ["compat"] => return compat::write(),
        ["compat", "--check"] => return compat::check(),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    run_all(&steps)
}

fn build() -> Step {
    Step::cargo("build", &["build", "--workspace"])
}

fn release() -> Step {
    Step::cargo("release build", &["build", "--release", "--package", "server", "--package", "bench"])
}

fn bench(words: &[&str]) -> Step {
    let mut arguments = vec!["run", "--release", "--package", "bench", "--"];
    arguments.extend(words);
    Step::cargo("bench", &arguments)
}

/// SIPp's basic call through the example: none may fail, nothing may be left, and the third call of an account gets 486.
fn calls_with_sipp() -> Vec<Step> {
    let run = ["run", "--profile", "fast", "--package", "bench", "--"];
    vec![
        Step::cargo("optimised build", &["build", "--profile", "fast", "--package", "server", "--package", "bench"]),
        Step::cargo("SIPp calls", &[&run[..], &["load", "500", "100"]].concat()),
        Step::cargo("SIPp call limit", &[&run[..], &["limit"]].concat()),
    ]
}

/// Acknowledged calls and kill -9, on each database.
fn survive(rounds: &str, rounds_on_servers: &str) -> Vec<Step> {
    let on = |database, rounds| bench(&["survive", "--database", database, "--rounds", rounds]);
    vec![release(), on("sqlite", rounds), on("postgres", rounds_on_servers), on("mysql", rounds_on_servers)]
}

/// Every way in which a database goes away.
fn outage(seconds: &str) -> Vec<Step> {
    let mut steps = vec![release(), bench(&["outage", "--database", "sqlite", "--seconds", seconds])];
    for database in ["postgres", "mysql"] {
        for outage in ["stopped", "frozen", "read-only"] {
            steps.push(bench(&["outage", "--database", database, "--outage", outage, "--seconds", seconds]));
        }
    }
    steps
}

/// The short forms for every run of the tests: about two minutes after the optimised build.
fn storage_under_load() -> Vec<Step> {
    let run = |name, words: &[&str]| Step::cargo(name, &[&["run", "--profile", "fast", "--package", "bench", "--"], words].concat());
    let survive = |database, rounds| run("kill -9", &["survive", "--database", database, "--rounds", rounds, "--rate", "150"]);
    vec![
        Step::cargo("optimised build", &["build", "--profile", "fast", "--package", "server", "--package", "bench"]),
        survive("sqlite", "6"),
        survive("postgres", "3"),
        survive("mysql", "3"),
        run("database outage", &["outage", "--database", "sqlite", "--seconds", "60", "--rate", "100"]),
        run("restart", &["reload", "--dialogs", "20000", "--used", "500"]),
    ]
}

fn unit_tests() -> Step {
    Step::cargo("unit tests", &["test", "--workspace"])
}

fn simulation(seeds: &str) -> Step {
    Step::cargo("simulation", &["run", "--profile", "fast", "--package", "simulation", "--", "--seeds", seeds])
}

/// Counts with callgrind, on the optimised build without the long link.
fn instructions(command: &str) -> Step {
    Step::cargo("instruction counts", &["run", "--profile", "fast", "--package", "instructions", "--", command])
}

fn conformance(subject: &str) -> Step {
    Step::cargo("conformance", &["run", "--package", "conformance", "--", "--subject", subject])
}

/// The cases with a database on one of the servers, which the runner starts; skipped by name where it is not installed.
fn stored_on(database: &str) -> Step {
    let arguments = ["run", "--package", "conformance", "--", "--database", database, "storage/"];
    Step::cargo("conformance of storage", &arguments)
}

fn test() -> Vec<Step> {
    let found = packages::install();
    if compat::check() != ExitCode::SUCCESS {
        return vec![Step::failed("COMPAT.md", "COMPAT.md differs from the export tables: run `cargo xtask compat`")];
    }
    let mut steps = vec![build(), unit_tests(), simulation(SEEDS_IN_TEST)];
    if found.valgrind {
        steps.push(instructions("check"));
    } else {
        println!("skipped: instruction counts (package valgrind is not installed and cannot be)");
    }
    if found.kamailio && found.sipp {
        steps.extend(calls_with_sipp());
    } else {
        println!("skipped: SIPp calls (package sip-tester or kamailio is not installed and cannot be)");
    }
    // The runner reads both subjects through kamcmd, which comes with the package kamailio.
    if found.kamailio {
        steps.push(conformance("duolog"));
        steps.push(conformance("kamailio"));
        steps.extend(["postgres", "mysql"].map(stored_on));
    } else {
        println!("skipped: conformance (package kamailio, which brings kamcmd, is not installed and cannot be)");
    }
    steps.extend(storage_under_load());
    steps
}
