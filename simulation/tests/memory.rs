//! Ten quiet minutes after the last call nothing is left of the calls: tables are empty and the memory is back.

use std::alloc::System;

use cap::Cap;
use simulation::plan::Plan;
use simulation::scenario::{Fault, Mode, Scenario};
use simulation::trace::{Lines, Trace};
use simulation::world::{BEGINNING, World};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Calls of one wave, more than tables and buffers of a proxy keep room for anyway.
const CALLS: usize = 250;
/// Waves that fill caches and let tables grow, and waves after which nothing may be more.
const FIRST_WAVES: usize = 4;
const WAVES: usize = 7;
/// Quiet after everything has ended, milliseconds.
const QUIET: u64 = 600_000;
/// What may come and go between two quiet moments: one buffer more or less that a worker keeps. A forgotten dialog or
/// transaction in every tenth call of a wave would be more.
const SLACK: usize = 12 * 1024;

/// One wave of calls on a bad network, with forgers and commands. Crashes would give memory back by themselves.
fn wave(seed: u64) -> Scenario {
    let mut scenario = Scenario::of_seed(seed, Mode::Liveness, &[]);
    let mut random = modules::worker::Random::new(seed);
    let has_prefixes = scenario.proxies.first().is_some_and(|proxy| proxy.promises.marks);
    scenario.plans = (0..CALLS).map(|number| Plan::of_seed(number, 50_000, has_prefixes, &mut random)).collect();
    scenario.faults.retain(|(_, fault)| matches!(fault, Fault::Command { .. } | Fault::Forgery { .. }));
    scenario.until += QUIET;
    scenario.inspect_every = 64;
    scenario
}

/// Heap bytes held by the proxies of a seed before the calls and after each wave, with nothing else alive.
fn heap_after_waves(seed: u64) -> Vec<usize> {
    let before = HEAP.allocated();
    let mut world = World::new(wave(seed), Trace::new(Lines::Hashed)).expect("the configuration starts");
    let mut heaps = Vec::with_capacity(WAVES + 1);
    for number in 0..WAVES {
        world.run();
        assert!(world.verdicts.list.is_empty(), "seed {seed}, wave {number}: {:?}", world.verdicts.list);
        let (proxies, now) = world.into_proxies();
        assert!(now > BEGINNING + QUIET, "the quiet minutes happened");
        assert!(proxies.iter().all(|proxy| proxy.proxy.node.dialogs.is_empty()), "seed {seed}, wave {number}: dialogs are left");
        heaps.push(HEAP.allocated() - before);
        world = World::on(proxies, now, wave(seed), Trace::new(Lines::Hashed));
    }
    heaps
}

#[test]
fn ten_minutes_after_the_last_call_the_memory_is_back() {
    for seed in [40_001, 40_002, 40_005] {
        let heaps = heap_after_waves(seed);
        let settled = heaps.get(FIRST_WAVES - 1).copied().unwrap_or(0);
        assert!(settled > 0, "the allocator counts");
        for heap in heaps.iter().skip(FIRST_WAVES) {
            assert!(*heap <= settled + SLACK, "seed {seed}: after each wave the proxies hold {heaps:?} bytes");
        }
    }
}
