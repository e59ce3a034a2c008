//! Runs this program under callgrind and reads how many instructions it counted.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use crate::case::Case;
use crate::meter::COUNTED;

/// What callgrind prints before the sum of what it counted.
const SUM: &str = "Collected :";

/// Instructions of one operation of the case, rounded.
pub fn count(program: &Path, case: Case) -> Result<u64, String> {
    let operations = case.count();
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(program)
        .args(["run", case.name(), &operations.to_string()]);
    // The environment lies at the top of the stack, and where the stack begins can change a count.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let output = command
        .env_clear()
        .env("PATH", path)
        .output()
        .map_err(|error| format!("valgrind cannot be started: {error} (Debian package valgrind)"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} under callgrind: {}\n{said}", case.name(), output.status));
    }
    let sum = sum(&said).filter(|sum| *sum > 0).ok_or_else(|| format!("callgrind counted nothing of {}:\n{said}", case.name()))?;
    let operations = u64::from(operations);
    Ok((sum + operations / 2) / operations)
}

fn sum(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once(SUM)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The counts of several cases, in their order; as many run at once as there are cores.
pub fn count_all(program: &Path, cases: &[Case]) -> Result<Vec<(Case, u64)>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(cases.len());
    let waiting = Mutex::new(cases.iter().copied().enumerate());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let one_thread = || {
        let mut counted = Vec::new();
        while let Some((place, case)) = next() {
            counted.push((place, case, count(program, case)));
        }
        counted
    };
    let mut counted: Vec<(usize, Case, Result<u64, String>)> = std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads).map(|_| scope.spawn(one_thread)).collect();
        spawned.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    counted.sort_by_key(|(place, ..)| *place);
    counted.into_iter().map(|(_, case, count)| Ok((case, count?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_read_from_what_callgrind_prints() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n==7== I   refs:      123,456\n";
        assert_eq!(sum(said), Some(123_456));
        assert_eq!(sum("==7== Events    : Ir\n"), None);
    }
}
