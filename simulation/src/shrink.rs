//! Makes a failing world smaller: calls and faults are taken away as long as the same invariant breaks.

use crate::limits::SHRINK_RUNS_MAX;
use crate::network::Weather;
use crate::outcome::{Outcome, run_scenario};
use crate::scenario::Scenario;
use crate::trace::Lines;

/// A smaller world that breaks the same invariant, and how.
#[derive(Debug)]
pub struct Shrunk {
    pub scenario: Scenario,
    pub outcome: Outcome,
    pub runs: usize,
}

/// Shrinks a scenario that breaks `invariant`. None: it does not break it.
pub fn shrink(scenario: Scenario, invariant: &str) -> Option<Shrunk> {
    let mut search = Search { invariant, runs: 0 };
    let mut smallest = scenario;
    if !search.fails(&smallest) {
        return None;
    }
    loop {
        let size = (smallest.plans.len(), smallest.faults.len());
        search.without(&mut smallest, |scenario| scenario.plans.len(), |scenario, range| drop(scenario.plans.drain(range)));
        search.without(&mut smallest, |scenario| scenario.faults.len(), |scenario, range| drop(scenario.faults.drain(range)));
        if size == (smallest.plans.len(), smallest.faults.len()) {
            break;
        }
    }
    let calmer = Scenario { weather: Weather::calm(), ..smallest.clone() };
    if search.fails(&calmer) {
        smallest = calmer;
    }
    let outcome = run_scenario(smallest.clone(), Lines::Kept);
    Some(Shrunk { scenario: smallest, outcome, runs: search.runs })
}

struct Search<'a> {
    invariant: &'a str,
    runs: usize,
}

impl Search<'_> {
    fn fails(&mut self, scenario: &Scenario) -> bool {
        if self.runs >= SHRINK_RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let outcome = run_scenario(scenario.clone(), Lines::Hashed);
        outcome.violations.first().is_some_and(|first| first.invariant == self.invariant)
    }

    /// Takes away ever smaller ranges of a list.
    fn without(
        &mut self,
        smallest: &mut Scenario,
        length: impl Fn(&Scenario) -> usize,
        remove: impl Fn(&mut Scenario, std::ops::Range<usize>),
    ) {
        let mut width = length(smallest).div_ceil(2);
        while width > 0 {
            let mut start = 0;
            while start < length(smallest) {
                let mut smaller = smallest.clone();
                remove(&mut smaller, start..(start + width).min(length(smallest)));
                if self.fails(&smaller) {
                    *smallest = smaller;
                } else {
                    start += width;
                }
            }
            width /= 2;
        }
    }
}
