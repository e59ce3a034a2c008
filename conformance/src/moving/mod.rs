//! Moving house: live calls go from Kamailio to Duolog and back, or the other way round, on the same configuration and database.

mod household;
mod live_call;

use std::path::PathBuf;

use crate::Options;
use crate::database::{Driver, Server};
use crate::seeds;
use household::Household;

/// Calls unless the command says how many.
const CALLS_DEFAULT: usize = 500;
/// Calls of each move at the end of a whole run.
const CALLS_FIXED: usize = 16;

/// One move there and back.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Calls that are up when the first product ends.
    pub calls: usize,
    /// The product the calls begin on.
    pub first: String,
    /// The product they move to, and back from.
    pub second: String,
    /// The products are killed instead of stopped.
    pub is_killed: bool,
}

impl Plan {
    fn title(&self) -> String {
        let end = if self.is_killed { "killed" } else { "stopped" };
        format!("{} calls from {} to {} and back, each {end}", self.calls, self.first, self.second)
    }
}

/// `moving [CALLS] [--from PRODUCT] [--to PRODUCT] [--kill] [--database NAME] [--program FILE]`: moves so many calls there and back.
pub fn command(arguments: &[String], options: &Options) -> bool {
    let mut plan = Plan {
        calls: CALLS_DEFAULT,
        first: "kamailio".to_owned(),
        second: "duolog".to_owned(),
        is_killed: arguments.iter().any(|word| word == "--kill"),
    };
    let mut options = options.clone();
    let mut is_to_given = false;
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--from" => plan.first = words.next().cloned().unwrap_or_default(),
            "--to" => {
                plan.second = words.next().cloned().unwrap_or_default();
                is_to_given = true;
            }
            "--program" => options.program = words.next().map(PathBuf::from),
            "--database" => drop(words.next()),
            "--kill" => {}
            number => plan.calls = number.parse().unwrap_or(plan.calls),
        }
    }
    if !is_to_given && plan.first == "duolog" {
        plan.second = "kamailio".to_owned();
    }
    let server = match crate::database_server(arguments) {
        Ok(server) => server,
        Err(reason) => {
            println!("{reason}");
            return reason.starts_with(crate::SKIPPED);
        }
    };
    if let Some(server) = &server {
        options.database = Driver::Server(Server::of(server));
    }
    run(&plan, &options)
}

/// Both ways, stopped and killed, with a few calls; skipped by name without Kamailio.
pub fn run_fixed(options: &Options) -> bool {
    if !seeds::has_kamailio() || !crate::database::is_sqlite_installed() {
        println!("skip moving: kamailio or sqlite3 is not installed");
        return true;
    }
    let mut is_good = true;
    for (first, second) in [("kamailio", "duolog"), ("duolog", "kamailio")] {
        for is_killed in [false, true] {
            let plan = Plan { calls: CALLS_FIXED, first: first.to_owned(), second: second.to_owned(), is_killed };
            is_good &= run(&plan, options);
        }
    }
    is_good
}

fn run(plan: &Plan, options: &Options) -> bool {
    match Household::play(plan, options) {
        Ok(summary) => {
            println!("moved {}: {summary}", plan.title());
            true
        }
        Err(reason) if reason.contains(crate::database::NO_DRIVER) => {
            println!("skip moving {}: Kamailio has no driver for {}", plan.title(), options.database.name());
            true
        }
        Err(reason) => {
            println!("FAIL moving {}\n     {}", plan.title(), reason.replace('\n', "\n     "));
            false
        }
    }
}
