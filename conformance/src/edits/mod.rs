//! Message edits by chance: sequences of header and body edits on varied messages, played on both subjects and compared.

mod configuration;
mod messages;
mod play;
mod random;
mod statements;

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
        let statements = (0..count).map(|_| statements::statement(&mut random, route)).collect();
        let ending = if route == Route::Request {
            random.choose(&["forward();", "t_relay();", "t_relay();", "sl_send_reply(\"200\", \"OK\");", "t_newtran(); t_reply(\"404\", \"No\");"])
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

/// `edits [--seed N] [--count N] [--only N] [--keep]`: true when both subjects did the same.
pub fn run(arguments: &[String]) -> bool {
    let number = |name: &str| arguments.iter().position(|word| word == name).and_then(|at| arguments.get(at + 1)?.parse::<u64>().ok());
    let seed = number("--seed").unwrap_or(SEED_DEFAULT);
    let count = number("--count").and_then(|count| usize::try_from(count).ok()).unwrap_or(COUNT_DEFAULT);
    let sequences: Vec<Sequence> = match number("--only") {
        Some(only) => vec![Sequence::new(seed, only)],
        None => (0..count as u64).map(|index| Sequence::new(seed, index)).collect(),
    };
    let mut differing = 0;
    for batch in sequences.chunks(BATCH) {
        match compare(batch) {
            Ok(differences) => {
                for index in differences.keys() {
                    if let Some(sequence) = batch.get(*index) {
                        differing += 1;
                        report(sequence);
                    }
                }
            }
            Err(reason) => {
                println!("edits: {reason}");
                return false;
            }
        }
    }
    println!("edits: {} sequences of seed {seed}, {differing} differ", sequences.len());
    differing == 0
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
    Options { subject: name.to_owned(), program: None, filter: None, record: false, verbose: false, jobs: 1, has_sipp: false }
}

/// Takes statements away while the subjects still differ, then shows what is left.
fn report(sequence: &Sequence) {
    let mut smallest = sequence.clone();
    let mut shown = None;
    for _ in 0..SHRINK_ROUNDS {
        let shorter: Vec<Sequence> = (0..smallest.statements.len()).map(|index| smallest.without(index)).collect();
        let Ok(differences) = compare(&shorter) else { break };
        let Some((index, difference)) = differences.into_iter().next() else { break };
        smallest = smallest.without(index);
        shown = Some(difference);
    }
    if shown.is_none() {
        shown = compare(std::slice::from_ref(&smallest)).ok().and_then(|mut found| found.remove(&0));
    }
    let (seed, number) = smallest.origin;
    println!("DIFFERS seed {seed} number {number}, {:?} route, {}", smallest.route, smallest.ending);
    for statement in &smallest.statements {
        println!("    {statement}");
    }
    match shown {
        Some(difference) => println!("{}", side_by_side(&difference)),
        None => println!("    (only together with the sequences before it)"),
    }
}

/// The lines of one transcript, with what the other has instead.
fn side_by_side(difference: &Difference) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (difference.kamailio.lines().collect(), difference.duolog.lines().collect());
    let same = left.iter().zip(&right).take_while(|(one, other)| one == other).count();
    let same_at_end = left[same..].iter().rev().zip(right[same..].iter().rev()).take_while(|(one, other)| one == other).count();
    let mut out = String::new();
    left[..same].iter().for_each(|line| out.push_str(&format!("      {line}\n")));
    left[same..left.len() - same_at_end].iter().for_each(|line| out.push_str(&format!("    K {line}\n")));
    right[same..right.len() - same_at_end].iter().for_each(|line| out.push_str(&format!("    D {line}\n")));
    out
}
