//! CPU time of a process tree as the kernel counts it, and medians.

use std::fs;

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
    family(process).into_iter().map(of_process).sum::<u64>() / 1_000
}

/// Whether a process is there and no zombie.
pub fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state stands behind the name, which is in parentheses.
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Nanoseconds of all threads of one process.
fn of_process(process: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
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
    fn quantiles_are_values_that_were_measured() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|part| quantile(&values, part)), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((median(&values), median(&[])), (3.0, 0.0));
    }
}
