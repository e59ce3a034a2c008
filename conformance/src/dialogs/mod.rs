//! Dialog scripts by chance: random calls whose routes use random functions of the dialog module, played on both subjects.

mod call;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Options;
use crate::case;
use crate::edits::random::Random;
use crate::runner;

/// Calls compared by the command unless it says how many.
const COUNT_DEFAULT: usize = 100;

/// Fields of listings that are left out: seconds that pass meanwhile, and CSeq numbers, which 5.6.3 does not count in every state.
const LEFT_OUT: [&str; 2] = ["cseq:", "duration:"];

/// `dialogs [COUNT] [--from SEED] [--jobs N] [--program FILE] [--show FOLDER]`: compares so many seeds, or writes one as a case.
pub fn command(arguments: &[String], options: &Options) -> bool {
    let mut options = options.clone();
    let (mut count, mut first) = (COUNT_DEFAULT, 1);
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--from" => first = words.next().and_then(|seed| seed.parse().ok()).unwrap_or(first),
            "--jobs" => options.jobs = words.next().and_then(|jobs| jobs.parse().ok()).unwrap_or(options.jobs).max(1),
            "--program" => options.program = words.next().map(PathBuf::from),
            "--show" => {
                return words.next().is_some_and(|folder| std::fs::write(Path::new(folder).join(file(first)), text(first)).is_ok());
            }
            number => count = number.parse().unwrap_or(count),
        }
    }
    run(first, count, &options)
}

/// Compares `count` seeds from `first` on, a few side by side. False: some differ. Without Kamailio it is skipped by name.
pub fn run(first: u64, count: usize, options: &Options) -> bool {
    if !crate::differential::has_kamailio() {
        println!("skip dialog scripts by chance: kamailio is not installed");
        return true;
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let seed = first + index as u64;
                    let result = compare(seed, options);
                    if let Ok(mut results) = results.lock() {
                        results.insert(seed, result);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    let lines: usize = results.values().filter_map(|result| result.as_ref().ok()).sum();
    let mut differing = count - results.len();
    for (seed, reason) in results.iter().filter_map(|(seed, result)| result.as_ref().err().map(|reason| (seed, reason))) {
        differing += 1;
        println!("FAIL dialog script {seed}\n     {}", reason.replace('\n', "\n     "));
    }
    println!("{} dialog scripts by chance agree in {lines} lines, {differing} differ", count - differing);
    differing == 0
}

/// How many lines of the trace are alike on both subjects; the error says where they part.
fn compare(seed: u64, options: &Options) -> Result<usize, String> {
    let kamailio = Options { subject: "kamailio".to_owned(), program: None, ..options.clone() };
    let reference = trace(seed, &kamailio)?;
    let found = trace(seed, options)?;
    match runner::difference(&reference, &found) {
        Some(difference) => Err(difference),
        None => Ok(reference.lines().count()),
    }
}

fn trace(seed: u64, options: &Options) -> Result<String, String> {
    let case = case::parse(&text(seed))?;
    // The name is the same on both subjects, for it is in the Call-ID; the folder of a subject has its own.
    let trace = runner::trace(&name(seed), Path::new(""), &case, options).map_err(|reason| format!("{}: {reason}", options.subject))?;
    let is_compared = |line: &&str| !LEFT_OUT.iter().any(|key| line.trim_start().starts_with(key));
    Ok(trace.lines().filter(is_compared).fold(String::new(), |text, line| text + line + "\n"))
}

fn name(seed: u64) -> String {
    format!("chance-{seed}")
}

fn file(seed: u64) -> String {
    format!("{}.md", name(seed))
}

/// The case of a seed.
fn text(seed: u64) -> String {
    let mut random = Random::new(seed, 0);
    let call = call::call(&mut random);
    let configuration = script::configuration(&mut random, &call, &format!("call-{}", name(seed)));
    format!("# A dialog script by chance\n\n```cfg\n{configuration}```\n\n```timeline\n{}logged P \n```\n", call.timeline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_case_and_it_can_be_read() {
        for seed in 1..50 {
            assert_eq!(text(seed), text(seed));
            assert!(case::parse(&text(seed)).is_ok());
        }
        assert_ne!(text(1), text(2));
    }
}
