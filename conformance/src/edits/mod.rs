//! Message edits by chance: sequences of header and body edits on varied messages, played on both subjects and compared.

mod configuration;
mod messages;
mod play;
pub mod random;
mod statements;
mod words;

use std::collections::BTreeMap;

use crate::Options;
use random::Random;
use statements::Route;

/// Sequences in one configuration: a start of the subject costs more than a hundred messages.
const BATCH: usize = 100;
/// Statements of one sequence at most.
const STATEMENTS_MAX: usize = 6;
/// Statements that may be taken away before a difference is shown.
const SHRINK_ROUNDS: usize = 8;
/// The seed when none is given.
const SEED_DEFAULT: u64 = 1;
/// Sequences when no number is given.
const COUNT_DEFAULT: usize = 100;

/// One sequence: where it runs, what it does, and the chance that makes its messages.
#[derive(Clone)]
pub struct Sequence {
    pub route: Route,
    pub ending: &'static str,
    pub statements: Vec<String>,
    /// Seed and number, from which the messages are made again.
    pub origin: (u64, u64),
}

impl Sequence {
    fn new(seed: u64, number: u64) -> Sequence {
        let mut random = Random::new(seed, number);
        let route = Route::CHOICE[random.below(Route::CHOICE.len())];
        let count = 1 + random.below(STATEMENTS_MAX);
        let mut statements: Vec<String> = (0..count).map(|_| statements::statement(&mut random, route)).collect();
        if route != Route::Reply && route != Route::Onsend && random.one_in(6) {
            // Record-Route lines come before all others that stand at the same place, so they are asked for first.
            statements.insert(0, random.choose(&statements::RECORDING).to_owned());
        }
        let ending = if route == Route::Request {
            random.choose(&[
                "forward();",
                "t_relay();",
                "t_relay();",
                "sl_send_reply(\"200\", \"OK\");",
                "t_newtran(); t_reply(\"404\", \"No\");",
            ])
        } else {
            "t_relay();"
        };
        Sequence { route, ending, statements, origin: (seed, number) }
    }

    /// The same sequence with one statement less.
    fn without(&self, index: usize) -> Sequence {
        let mut shorter = self.clone();
        shorter.statements.remove(index);
        shorter
    }
}

/// The sequences that close a run of all cases: seeds in which nothing meets a fault of 5.6.3.
const SEEDS_OF_A_RUN: [u64; 3] = [83, 84, 86];
const COUNT_OF_A_RUN: usize = 60;

/// Plays the fixed sequences: true when both subjects did the same, or when there is no Kamailio to compare with.
pub fn run_fixed() -> bool {
    if std::process::Command::new("kamailio").arg("-v").output().is_err() {
        println!("skipped: message edits (kamailio is not installed)");
        return true;
    }
    SEEDS_OF_A_RUN.iter().all(|seed| run(&["--seed".to_owned(), seed.to_string(), "--count".to_owned(), COUNT_OF_A_RUN.to_string()]))
}

/// `edits [--seed N] [--count N] [--each | --only N] [--whole] [--verbose]`: true when both subjects did the same.
pub fn run(arguments: &[String]) -> bool {
    let number = |name: &str| arguments.iter().position(|word| word == name).and_then(|at| arguments.get(at + 1)?.parse::<u64>().ok());
    let seed = number("--seed").unwrap_or(SEED_DEFAULT);
    let count = number("--count").and_then(|count| usize::try_from(count).ok()).unwrap_or(COUNT_DEFAULT);
    let sequences: Vec<Sequence> = match number("--only") {
        Some(only) => vec![Sequence::new(seed, only)],
        None if arguments.iter().any(|word| word == "--each") => each(seed),
        None => (0..count as u64).map(|index| Sequence::new(seed, index)).collect(),
    };
    let mut differing = Vec::new();
    let is_verbose = arguments.iter().any(|word| word == "--verbose");
    for batch in sequences.chunks(BATCH) {
        match compare(batch) {
            Ok(differences) if is_verbose => {
                eprintln!("{} of {} differ", differences.len(), batch.len());
                differing.extend(differences.keys().filter_map(|index| batch.get(*index)).cloned());
            }
            Ok(differences) => differing.extend(differences.keys().filter_map(|index| batch.get(*index)).cloned()),
            Err(reason) => {
                println!("edits: {reason}");
                return false;
            }
        }
    }
    let is_whole = arguments.iter().any(|word| word == "--whole");
    for (sequence, difference) in shrink(&differing) {
        report(&sequence, difference.as_ref(), is_whole);
    }
    println!("edits: {} sequences of seed {seed}, {} differ", sequences.len(), differing.len());
    differing.is_empty()
}

/// Every statement alone, filled in many ways.
fn each(seed: u64) -> Vec<Sequence> {
    let statements = statements::each(&mut Random::new(seed, u64::MAX));
    let alone = |(number, (route, statement)): (usize, (Route, String))| Sequence {
        route,
        ending: if route == Route::Request && number % 4 == 0 { "sl_send_reply(\"200\", \"OK\");" } else { "t_relay();" },
        statements: vec![statement],
        origin: (seed, number as u64),
    };
    statements.into_iter().enumerate().map(alone).collect()
}

/// Both transcripts of one sequence.
struct Difference {
    kamailio: String,
    duolog: String,
}

/// Plays the sequences on both subjects; the differing ones by index.
fn compare(sequences: &[Sequence]) -> Result<BTreeMap<usize, Difference>, String> {
    let (kamailio, duolog) = std::thread::scope(|scope| {
        let reference = scope.spawn(|| play::play(&subject("kamailio"), sequences));
        let own = play::play(&subject("duolog"), sequences);
        (reference.join().unwrap_or_else(|_| Err("the thread of kamailio panicked".to_owned())), own)
    });
    let differences = kamailio?.into_iter().zip(duolog?).enumerate().filter(|(_, (kamailio, duolog))| kamailio != duolog);
    Ok(differences.map(|(index, (kamailio, duolog))| (index, Difference { kamailio, duolog })).collect())
}

fn subject(name: &str) -> Options {
    Options { subject: name.to_owned(), ..Options::default() }
}

/// Takes statements away while the subjects still differ.
fn shrink(sequences: &[Sequence]) -> Vec<(Sequence, Option<Difference>)> {
    // What cannot be made shorter is played once more, with the other ones of its kind.
    let mut smallest: Vec<(Sequence, Option<Difference>)> = sequences.iter().map(|sequence| (sequence.clone(), None)).collect();
    for _ in 0..SHRINK_ROUNDS {
        let shorter: Vec<(usize, Sequence)> = smallest
            .iter()
            .enumerate()
            .filter(|(_, (sequence, _))| sequence.statements.len() > 1)
            .flat_map(|(owner, (sequence, _))| (0..sequence.statements.len()).map(move |index| (owner, sequence.without(index))))
            .collect();
        let mut is_smaller = false;
        for batch in shorter.chunks(BATCH) {
            let variants: Vec<Sequence> = batch.iter().map(|(_, variant)| variant.clone()).collect();
            for (index, difference) in compare(&variants).unwrap_or_default() {
                let Some((owner, variant)) = batch.get(index) else { continue };
                if let Some(slot) = smallest.get_mut(*owner).filter(|slot| slot.0.statements.len() > variant.statements.len()) {
                    *slot = (variant.clone(), Some(difference));
                    is_smaller = true;
                }
            }
        }
        if !is_smaller {
            break;
        }
    }
    for batch in smallest.chunks_mut(BATCH) {
        let sequences: Vec<Sequence> = batch.iter().map(|(sequence, _)| sequence.clone()).collect();
        for (index, found) in compare(&sequences).unwrap_or_default() {
            if let Some((_, difference)) = batch.get_mut(index) {
                *difference = Some(found);
            }
        }
    }
    smallest
}

/// Shows what is left of a sequence, and where the transcripts differ.
fn report(sequence: &Sequence, difference: Option<&Difference>, is_whole: bool) {
    let (seed, number) = sequence.origin;
    println!("DIFFERS seed {seed} number {number}, {:?} route, {}", sequence.route, sequence.ending);
    for statement in &sequence.statements {
        println!("    {statement}");
    }
    match difference {
        Some(difference) => println!("{}", side_by_side(difference, is_whole)),
        None => println!("    (only together with the sequences before it)"),
    }
}

/// Both transcripts in one: lines of one subject alone are marked.
fn side_by_side(difference: &Difference, is_whole: bool) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (difference.kamailio.lines().collect(), difference.duolog.lines().collect());
    // The length of the longest common part of what follows, for each pair of places.
    let mut common = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for one in (0..left.len()).rev() {
        for other in (0..right.len()).rev() {
            common[one][other] =
                if left[one] == right[other] { common[one + 1][other + 1] + 1 } else { common[one + 1][other].max(common[one][other + 1]) };
        }
    }
    let mut out = String::new();
    let (mut one, mut other) = (0, 0);
    while one < left.len() || other < right.len() {
        if one < left.len() && other < right.len() && left[one] == right[other] {
            if is_whole || left[one].starts_with("=== ") {
                out.push_str(&format!("      {}\n", left[one]));
            }
            (one, other) = (one + 1, other + 1);
        } else if other == right.len() || (one < left.len() && common[one + 1][other] >= common[one][other + 1]) {
            out.push_str(&format!("    K {}\n", left[one]));
            one += 1;
        } else {
            out.push_str(&format!("    D {}\n", right[other]));
            other += 1;
        }
    }
    out
}
