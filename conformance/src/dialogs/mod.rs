//! Dialog scripts by chance: random calls whose routes use random functions of the dialog module, played on both subjects.

mod call;
mod script;

use std::path::Path;

use crate::Options;
use crate::case;
use crate::edits::random::Random;
use crate::runner;
use crate::seeds::Kind;

/// Random dialog scripts.
pub const DIALOGS: Kind = Kind { name: "dialog scripts by chance", compare, show };

/// Fields of listings that are left out: seconds that pass meanwhile, and CSeq numbers, which 5.6.3 does not count in every state.
const LEFT_OUT: [&str; 2] = ["cseq:", "duration:"];

/// How many lines of the trace are alike on both subjects; the error says where they part.
fn compare(seed: u64, options: &Options) -> Result<Option<usize>, String> {
    let kamailio = Options { subject: "kamailio".to_owned(), program: None, ..options.clone() };
    let reference = trace(seed, &kamailio)?;
    let found = trace(seed, options)?;
    match runner::difference(&reference, &found) {
        Some(difference) => Err(difference),
        None => Ok(Some(reference.lines().count())),
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

fn show(seed: u64, folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join(format!("{}.md", name(seed))), text(seed))
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
