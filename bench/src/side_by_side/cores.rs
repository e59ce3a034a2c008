//! Which core runs what: subjects on the first ones, the generator on the last.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores this process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// Asks the kernel.
    pub fn here() -> Result<Cores, String> {
        let set = sched_getaffinity(None).map_err(|error| format!("sched_getaffinity: {error}"))?;
        Ok(Cores((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The first `count`, for a subject; fewer where there are fewer.
    pub fn of_subject(&self, count: usize) -> &[usize] {
        self.0.get(..count).unwrap_or(&self.0)
    }

    /// The last, for the generator.
    pub fn of_generator(&self) -> &[usize] {
        self.0.get(self.0.len().saturating_sub(1)..).unwrap_or_default()
    }

    /// Whether a subject on so many cores has them for itself.
    pub fn are_apart(&self, count: usize) -> bool {
        count < self.0.len()
    }

    /// Puts the calling thread on the generator's core until the answer is dropped. Processes started meanwhile inherit it unless
    /// they are told otherwise.
    pub fn pin_generator(&self) -> Result<Pinned<'_>, String> {
        put(self.of_generator())?;
        Ok(Pinned(self))
    }
}

/// The calling thread runs on one core.
#[must_use]
pub struct Pinned<'a>(&'a Cores);

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        // What was allowed before is allowed again.
        let _ = put(&self.0.0);
    }
}

fn put(cores: &[usize]) -> Result<(), String> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).map_err(|error| format!("sched_setaffinity to {cores:?}: {error}"))
}

/// As `taskset -c` wants them.
pub fn list(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<String>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_have_the_first_cores_and_the_generator_the_last() {
        let cores = Cores(vec![2, 3, 5]);
        assert_eq!((cores.of_subject(1), cores.of_subject(2), cores.of_generator()), (&[2][..], &[2, 3][..], &[5][..]));
        assert!(cores.are_apart(2) && !cores.are_apart(3));
        assert_eq!(list(cores.of_subject(9)), "2,3,5");
    }

    #[test]
    fn a_pinned_thread_is_free_again_afterwards() {
        let cores = Cores::here().unwrap();
        let pinned = cores.pin_generator().unwrap();
        assert_eq!(Cores::here().unwrap().0, cores.of_generator());
        drop(pinned);
        assert_eq!(Cores::here().unwrap(), cores);
    }
}
