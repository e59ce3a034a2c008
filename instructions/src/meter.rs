//! What is counted: the one function that callgrind watches, and who decides whether an operation runs inside it.

use std::time::{Duration, Instant};

/// Runs `work` where callgrind counts. Its name is what `--toggle-collect` is given ([`COUNTED`]), so it must stay a function.
#[inline(never)]
pub fn counted_work<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}

/// The pattern by which callgrind finds every form of [`counted_work`]; nothing else in the program has such a name.
pub const COUNTED: &str = "*counted_work*";

/// Told of each operation; must run the work it is given, once. What surrounds an operation (making messages, reading what was
/// sent) happens outside.
pub trait Meter {
    /// Runs `work` and returns its result.
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T;
}

/// Counts nothing: for what comes before, and between.
pub struct Uncounted;

impl Meter for Uncounted {
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// Counts instructions, when callgrind watches the process.
pub struct Counted;

impl Meter for Counted {
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        counted_work(work)
    }
}

/// Adds up the time that passes; reading the clock adds about 25 ns to each operation.
#[derive(Default)]
pub struct Timed {
    pub spent: Duration,
}

impl Meter for Timed {
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = counted_work(work);
        self.spent += began.elapsed();
        result
    }
}
