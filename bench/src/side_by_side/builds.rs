//! Several builds of duolog in turn at given loads: did a change make a call cheaper?

use std::path::PathBuf;

use super::contestant::{Configuration, Contestant, NO_LIMIT, Which};
use super::cores::Cores;
use super::load::{Turns, rounds, tell_head};
use super::priority::First;
use super::{Scale, Ways};
use crate::subject::Kind;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Programs that take the command line of duolog; `kamailio` and `forwarder` name those of any comparison.
    pub programs: Vec<PathBuf>,
    /// New calls a second.
    pub rates: Vec<f64>,
    pub rounds: usize,
    pub ways: Ways,
}

/// Starts one after the other, gives them each load in turn, tells medians.
pub fn builds(wanted: &Wanted) -> Result<(), String> {
    let cores = Cores::here()?;
    let first = First::of_all();
    println!("{}", first.told());
    let configuration = Configuration::call_limit(NO_LIMIT);
    let start = |program: &PathBuf| match program.to_str() {
        Some("kamailio") => Contestant::start(Which::Proxy(Kind::Kamailio, 1), &configuration, &cores, wanted.ways),
        Some("forwarder") => Contestant::start(Which::Forwarder, &configuration, &cores, wanted.ways),
        _ => Contestant::start_build(Which::Proxy(Kind::Duolog, 1), Some(program), &configuration, &cores, wanted.ways),
    };
    let mut contestants = wanted.programs.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    let _pinned = cores.pin_generator()?;
    let mut lines = Vec::new();
    for rate in &wanted.rates {
        tell_head();
        let mut all: Vec<&mut Contestant> = contestants.iter_mut().collect();
        let turns = rounds(&mut all, &vec![*rate; wanted.programs.len()], wanted.rounds, &Scale::FULL)?;
        lines.extend(turns.iter().zip(&wanted.programs).map(|(turns, program)| line(*rate, program, turns)));
    }
    println!("\n calls/s  µs CPU a call (quartiles)   p50 ms            p99 ms            program");
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn line(rate: f64, program: &std::path::Path, turns: &Turns) -> String {
    let (spent, half, most) = (turns.spent().told(1), turns.latency(0.5).told(2), turns.latency(0.99).told(2));
    format!("{rate:>8.0}  {spent:<27} {half:<17} {most:<17} {} {}", program.display(), turns.trouble())
}
