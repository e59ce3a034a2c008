//! Storage: outages change nothing that lasts, any one call may fail, and what is built wrongly is found.

use simulation::outages::{compare_twins, fail_each};
use simulation::run_scenario;
use simulation::scenario::{Mode, Scenario};
use simulation::storage_plan::Mutant;
use simulation::trace::Lines;

/// Seeds tried before something built wrongly counts as unseen.
const SEEDS: std::ops::Range<u64> = 1..400;

#[test]
fn rows_after_an_outage_equal_those_without_one() {
    let mut rows = 0;
    for seed in 100..106 {
        rows += compare_twins(seed).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
    }
    assert!(rows > 0, "some calls are up when rows are compared");
}

#[test]
fn any_one_storage_call_may_fail_in_any_way() {
    for seed in [300, 301, 302] {
        let found = fail_each(seed);
        assert!(found.runs > 20, "seed {seed}: only {} runs", found.runs);
        assert!(found.broken.is_empty(), "seed {seed}: {:?}", found.broken);
    }
}

/// The invariant that breaks first when the storage of every proxy has this flaw, and the seed.
fn first_broken(mutant: Mutant) -> Option<(u64, &'static str)> {
    SEEDS.map(|seed| (seed, Scenario::of_seed(seed, Mode::Liveness, &[]))).find_map(|(seed, mut scenario)| {
        let mut is_stored = false;
        for plan in scenario.proxies.iter_mut().filter_map(|proxy| proxy.storage.as_mut()) {
            plan.mutant = Some(mutant);
            if mutant == Mutant::EndedCallsAreLoaded {
                // Only a call that is over and forgotten while its row is on the way can come back.
                plan.load_pause = 3_000;
            }
            is_stored = true;
        }
        let outcome = is_stored.then(|| run_scenario(scenario, Lines::Hashed))?;
        outcome.violations.first().map(|violation| (seed, violation.invariant))
    })
}

#[test]
fn whatever_is_built_wrongly_is_found() {
    let found: Vec<_> = Mutant::ALL.into_iter().map(|mutant| (mutant, first_broken(mutant))).collect();
    let is_known =
        |found: &Option<(u64, &str)>| found.is_some_and(|(_, invariant)| invariant.starts_with('K') || ["P3", "D5"].contains(&invariant));
    let unseen: Vec<_> = found.iter().filter(|(_, found)| !is_known(found)).collect();
    assert!(unseen.is_empty(), "{unseen:?} of {found:?}");
}
