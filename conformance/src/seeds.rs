//! What is made by chance from seeds and compared on both subjects: the command line, the threads, the summary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Options;

/// Seeds compared by a command unless it says how many.
const COUNT_DEFAULT: usize = 100;

/// One kind of thing made from seeds.
pub struct Kind {
    /// What the summary calls several of them.
    pub name: &'static str,
    /// How many lines both subjects wrote alike; none when the seed ended Kamailio itself; the error says where they part.
    pub compare: fn(u64, &Options) -> Result<Option<usize>, String>,
    /// Writes what a seed makes into a folder.
    pub show: fn(u64, &Path) -> std::io::Result<()>,
}

/// `NAME [COUNT] [--from SEED] [--jobs N] [--program FILE] [--show FOLDER]`: compares so many seeds, or writes what one makes.
pub fn command(kind: &Kind, arguments: &[String], options: &Options) -> bool {
    let mut options = options.clone();
    let (mut count, mut first) = (COUNT_DEFAULT, 1);
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--from" => first = words.next().and_then(|seed| seed.parse().ok()).unwrap_or(first),
            "--jobs" => options.jobs = words.next().and_then(|jobs| jobs.parse().ok()).unwrap_or(options.jobs).max(1),
            "--program" => options.program = words.next().map(PathBuf::from),
            "--show" => return words.next().is_some_and(|folder| (kind.show)(first, Path::new(folder)).is_ok()),
            number => count = number.parse().unwrap_or(count),
        }
    }
    run(kind, first, count, &options)
}

/// Compares `count` seeds from `first` on, a few side by side. False: some differ. Without Kamailio it is skipped by name.
pub fn run(kind: &Kind, first: u64, count: usize, options: &Options) -> bool {
    if !has_kamailio() {
        println!("skip {}: kamailio is not installed", kind.name);
        return true;
    }
    let results = compare_all(kind, first, count, options);
    let lines: usize = results.values().filter_map(|result| result.as_ref().ok()).flatten().sum();
    let undecided = results.values().filter(|result| matches!(result, Ok(None))).count();
    let mut differing = count - results.len();
    for (seed, reason) in results.iter().filter_map(|(seed, result)| result.as_ref().err().map(|reason| (seed, reason))) {
        differing += 1;
        println!("FAIL {}, seed {seed}\n     {}", kind.name, reason.replace('\n', "\n     "));
    }
    println!("{} {} agree in {lines} lines, {differing} differ", count - differing - undecided, kind.name);
    if undecided > 0 {
        println!("{undecided} ended Kamailio itself");
    }
    differing == 0
}

type Results = BTreeMap<u64, Result<Option<usize>, String>>;

/// A seed whose thread panicked is missing in the answer.
fn compare_all(kind: &Kind, first: u64, count: usize, options: &Options) -> Results {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Results::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let seed = first + index as u64;
                    let result = (kind.compare)(seed, options);
                    if let Ok(mut results) = results.lock() {
                        results.insert(seed, result);
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}

/// Is the real one installed?
pub fn has_kamailio() -> bool {
    Command::new("kamailio").arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
