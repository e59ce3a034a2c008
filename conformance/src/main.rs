//! Conformance: cases that run against `duolog` or the real `kamailio`, on the wire.
//!
//! A case is a Markdown file: prose, a `cfg` block, a `timeline` block (README.md of this folder has the language).
//! This crate knows nothing of the product's crates: a subject is a process with ports.

mod agent;
mod case;
mod database;
mod details;
mod dialogs;
mod differential;
mod edits;
mod generate;
mod http_door;
mod json_door;
mod message;
mod moving;
mod normalise;
mod runner;
mod seeds;
mod sipp;
mod subject;
mod template;
mod timeline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use database_servers::{DatabaseServer, Product, Trouble};

use crate::database::{Driver, Server};

/// How many cases run side by side unless `--jobs` says otherwise.
const JOBS_DEFAULT: usize = 6;

/// What the line of a run begins with that cannot be made here.
const SKIPPED: &str = "skipped: ";

/// Generated configurations compared at the end of a whole run.
const GENERATED: usize = 12;

/// What the command line asks for.
#[derive(Clone)]
pub struct Options {
    pub subject: String,
    /// `start other` starts this product; the one of the two that is not the subject unless given.
    pub other: Option<String>,
    pub program: Option<PathBuf>,
    /// Where the databases of cases are.
    pub database: Driver,
    pub filter: Option<String>,
    pub record: bool,
    pub verbose: bool,
    pub jobs: usize,
    /// Cases played by SIPp are skipped without it.
    pub has_sipp: bool,
}

impl Options {
    /// The same for another product, found where its binary usually is.
    fn with_subject(&self, subject: &str) -> Options {
        let program = self.program.clone().filter(|_| subject == self.subject);
        Options { subject: subject.to_owned(), program, ..self.clone() }
    }

    /// What a case goes on with after `start other`.
    fn other_than(&self, subject: &str) -> String {
        let other = if subject == "kamailio" { "duolog" } else { "kamailio" };
        self.other.clone().unwrap_or_else(|| other.to_owned())
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            subject: "duolog".to_owned(),
            other: None,
            program: None,
            database: Driver::Sqlite,
            filter: None,
            record: false,
            verbose: false,
            jobs: JOBS_DEFAULT,
            has_sipp: false,
        }
    }
}

/// How one case ended.
enum Outcome {
    Passed,
    /// Why it cannot run here; empty when the case is for the other subject.
    Skipped(String),
    Failed(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let agrees = match arguments.first().map(String::as_str) {
        Some("edits") => Some(edits::run(&arguments)),
        Some("language") => Some(seeds::command(&differential::LANGUAGE, &arguments, &options(&[]))),
        Some("moving") => Some(moving::command(&arguments, &options(&[]))),
        Some("dialogs") => Some(seeds::command(&dialogs::DIALOGS, &arguments, &options(&[]))),
        _ => None,
    };
    if let Some(agrees) = agrees {
        return if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut options = options(&arguments);
    let server = match database_server(&arguments) {
        Ok(server) => server,
        Err(reason) => {
            println!("{reason}");
            return if reason.starts_with(SKIPPED) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    if let Some(server) = &server {
        options.database = Driver::Server(Server::of(server));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    let mut cases: Vec<(String, PathBuf)> = paths
        .into_iter()
        .map(|path| (path.strip_prefix(&folder).unwrap_or(&path).with_extension("").display().to_string(), path))
        .collect();
    if let Some(filter) = &options.filter {
        cases.retain(|(name, _)| name.contains(filter.as_str()));
    }
    let (passed, failed, skipped) = run_all(&cases, &options);
    println!("conformance on {}:", options.subject);
    let is_whole = options.filter.is_none() && options.subject != "kamailio";
    let agrees = !is_whole || by_chance(&options);
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 && passed > 0 && agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `--database NAME`: the server cases that want a database run on; none for SQLite.
fn database_server(arguments: &[String]) -> Result<Option<DatabaseServer>, String> {
    let name = arguments.iter().skip_while(|word| *word != "--database").nth(1).map_or("sqlite", String::as_str);
    let product = match name {
        "sqlite" => return Ok(None),
        "postgres" => Product::Postgres,
        "mysql" => Product::Mariadb,
        other => return Err(format!("--database is sqlite, postgres or mysql, not {other}")),
    };
    DatabaseServer::start(product).map(Some).map_err(|trouble| match trouble {
        Trouble::NotInstalled(_) => format!("{SKIPPED}{trouble}"),
        Trouble::Failed(why) => why,
    })
}

/// What ends a whole run: things made by chance, from fixed seeds.
fn by_chance(options: &Options) -> bool {
    let language = seeds::run(&differential::LANGUAGE, 1, GENERATED, options);
    let dialogs = seeds::run(&dialogs::DIALOGS, 1, GENERATED, options);
    let moving = moving::run_fixed(options);
    edits::run_fixed() && language && dialogs && moving
}

fn options(arguments: &[String]) -> Options {
    let mut options = Options { has_sipp: sipp::is_installed(), ..Options::default() };
    let mut arguments = arguments.iter().cloned();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--subject" => options.subject = arguments.next().unwrap_or_default(),
            "--database" => drop(arguments.next()),
            "--other" => options.other = arguments.next(),
            "--program" => options.program = arguments.next().map(PathBuf::from),
            "--record" => options.record = true,
            "--verbose" => options.verbose = true,
            "--jobs" => options.jobs = arguments.next().and_then(|jobs| jobs.parse().ok()).unwrap_or(JOBS_DEFAULT).max(1),
            other => options.filter = Some(other.to_owned()),
        }
    }
    options
}

/// Runs the cases on a few threads; results are printed in the order of the names. Returns passed, failed, skipped.
fn run_all(cases: &[(String, PathBuf)], options: &Options) -> (usize, usize, usize) {
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some((name, path)), Some(slot)) = (cases.get(index), outcomes.get(index)) else { return };
                    let outcome = run_one(name, path, options);
                    if let Ok(mut slot) = slot.lock() {
                        *slot = Some(outcome);
                    }
                }
            });
        }
        for ((name, _), slot) in cases.iter().zip(&outcomes) {
            match wait_for(slot) {
                Outcome::Passed => {
                    passed += 1;
                    if options.verbose {
                        println!("ok   {name}");
                    }
                }
                Outcome::Skipped(reason) => {
                    skipped += 1;
                    if !reason.is_empty() || options.verbose {
                        println!("skip {name}: {reason}");
                    }
                }
                Outcome::Failed(reason) => {
                    failed += 1;
                    println!("FAIL {name}\n     {}", reason.replace('\n', "\n     "));
                }
            }
        }
    });
    (passed, failed, skipped)
}

fn run_one(name: &str, path: &Path, options: &Options) -> Outcome {
    let case = match case::read(path) {
        Ok(case) => case,
        Err(reason) => return Outcome::Failed(reason),
    };
    if case.only.as_ref().is_some_and(|only| *only != options.subject) {
        return Outcome::Skipped(String::new());
    }
    if runner::needs_sipp(&case) && !options.has_sipp {
        return Outcome::Skipped("sipp is not installed (package sip-tester)".to_owned());
    }
    if runner::wants_database(&case) {
        if options.database == Driver::Sqlite && !database::is_sqlite_installed() {
            return Outcome::Skipped("sqlite3 is not installed (package sqlite3)".to_owned());
        }
        if case.database.as_ref().is_some_and(|only| only != options.database.name()) {
            return Outcome::Skipped(String::new());
        }
    }
    if runner::needs_both(&case) && !seeds::has_kamailio() {
        return Outcome::Skipped("kamailio is not installed".to_owned());
    }
    let mut result = runner::run(name, path, &case, options);
    // Another process may take the port between the look and the start.
    if let Err(reason) = &result
        && reason.contains("Address already in use")
    {
        println!("again {name}: {}", reason.lines().take(4).collect::<Vec<_>>().join(" | "));
        result = runner::run(name, path, &case, options);
    }
    match result {
        Ok(()) => Outcome::Passed,
        Err(reason) if reason.contains(database::NO_DRIVER) => {
            let driver = options.database.name();
            Outcome::Skipped(format!("Kamailio has no db_{driver}.so (package kamailio-{driver}-modules)"))
        }
        Err(reason) => Outcome::Failed(reason),
    }
}

/// Blocks until a thread has put the outcome of a case into its slot.
fn wait_for(slot: &Mutex<Option<Outcome>>) -> Outcome {
    loop {
        match slot.lock() {
            Ok(mut outcome) => {
                if let Some(outcome) = outcome.take() {
                    return outcome;
                }
            }
            Err(_) => return Outcome::Failed("the thread of this case panicked".to_owned()),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}
