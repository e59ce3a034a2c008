//! CPU time of a process tree as the kernel counts it, and medians.

use std::fs;
use std::path::{Path, PathBuf};

/// A process and all that descend from it; the kernel leaves out none that runs.
pub fn family(process: u32) -> Vec<u32> {
    let mut tree = vec![process];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        next += 1;
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        tree.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
    }
    tree
}

/// CPU microseconds spent by a process, its threads and its children (`/proc/*/schedstat`).
pub fn cpu_microseconds(process: u32) -> u64 {
    family(process).into_iter().flat_map(threads).map(|thread| scheduled(&thread)).sum::<u64>() / 1_000
}

/// CPU time of a process, its threads and its children, microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processor {
    /// As the scheduler counts it, to the nanosecond.
    pub total: f64,
    /// The part of it in user mode and in the kernel, from the ticks of each thread: right over seconds only.
    pub user: f64,
    pub system: f64,
}

impl Processor {
    /// Spent so far.
    pub fn of(process: u32) -> Processor {
        let mut spent = Processor::default();
        for thread in family(process).into_iter().flat_map(threads) {
            spent.total += scheduled(&thread) as f64 / 1_000.0;
            let (user, system) = ticks(&fs::read_to_string(thread.join("stat")).unwrap_or_default()).unwrap_or_default();
            spent.user += user as f64 * TICK;
            spent.system += system as f64 * TICK;
        }
        spent
    }

    /// Spent since then: the total divided as the ticks are.
    pub fn since(self, before: Processor) -> Processor {
        let (total, user, system) = (self.total - before.total, self.user - before.user, self.system - before.system);
        let user = total * if user + system > 0.0 { user / (user + system) } else { 0.0 };
        Processor { total, user, system: total - user }
    }
}

/// Microseconds of a tick of `/proc/*/stat` (USER_HZ, 100 everywhere).
const TICK: f64 = 10_000.0;

/// `utime` and `stime` of a `stat` file: the 14th and 15th field, counted behind the name in parentheses.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = stat.rsplit_once(") ")?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// What all cores together have worked since the machine began, whoever for, microseconds; in steps of 10 ms.
pub fn machine_microseconds() -> f64 {
    busy_ticks(&fs::read_to_string("/proc/stat").unwrap_or_default()) as f64 * TICK
}

/// All of the first line of `/proc/stat` but idling, waiting and what guests have (which user time holds already).
fn busy_ticks(stat: &str) -> u64 {
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let fields: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].into_iter().filter_map(|place| fields.get(place)).sum()
}

/// CPU spent by the calling thread, microseconds.
pub fn own_thread_microseconds() -> f64 {
    scheduled(Path::new("/proc/thread-self")) as f64 / 1_000.0
}

/// Resident memory of a process and all that descend from it, bytes; what several of them share counts once (Pss).
pub fn resident_bytes(process: u32) -> u64 {
    let of_one = |process: u32| {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    family(process).into_iter().map(of_one).sum::<u64>() * 1_024
}

/// Whether a process is there and no zombie.
pub fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state stands behind the name, which is in parentheses.
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The folders of all threads of one process.
fn threads(process: u32) -> Vec<PathBuf> {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    threads.map(|threads| threads.flatten().map(|thread| thread.path()).collect()).unwrap_or_default()
}

/// Nanoseconds of the thread of this folder.
fn scheduled(thread: &Path) -> u64 {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The middle value; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which that part (0 to 1) of the values lies; 0 of nothing.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (part * sorted.len() as f64) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_stand_behind_a_name_that_may_hold_anything() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 17 29 0 0 20 0 1 0 5 6 7";
        assert_eq!((ticks(stat), ticks("42 (a"), ticks("")), (Some((17, 29)), None, None));
        let before = Processor { total: 100.0, user: 0.0, system: 10_000.0 };
        let spent = Processor { total: 40_100.0, user: 10_000.0, system: 40_000.0 }.since(before);
        assert_eq!((spent.total, spent.user, spent.system), (40_000.0, 10_000.0, 30_000.0));
    }

    #[test]
    fn a_machine_works_when_it_neither_idles_nor_waits() {
        assert_eq!(busy_ticks("cpu  1 20 300 4000 50000 600000 7000000 80000000 5 5\ncpu0 9 9\n"), 87_600_321);
        assert_eq!(busy_ticks(""), 0);
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|part| quantile(&values, part)), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((median(&values), median(&[])), (3.0, 0.0));
    }
}
