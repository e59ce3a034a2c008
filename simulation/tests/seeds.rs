//! A handful of seeds in each mode.

use simulation::run_seed_in;
use simulation::scenario::{Mode, hostile_datagrams};
use simulation::trace::Lines;

fn run(mode: Mode, seeds: std::ops::Range<u64>) {
    let hostile = hostile_datagrams();
    let mut dialogs = 0;
    for seed in seeds {
        let outcome = run_seed_in(seed, mode, &hostile, Lines::Hashed);
        assert!(outcome.violations.is_empty(), "seed {seed} [{}]: {:?}", outcome.name, outcome.violations);
        dialogs += outcome.dialogs;
    }
    assert!(dialogs > 0, "no call was made");
}

#[test]
fn invariants_hold_at_every_step_on_a_bad_network() {
    run(Mode::Safety, 1_000..1_006);
}

#[test]
fn everything_ends_once_the_faults_stop() {
    run(Mode::Liveness, 2_000..2_006);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    run(Mode::Doublecheck, 3_000..3_004);
}

#[test]
fn different_seeds_give_different_worlds() {
    let first = run_seed_in(1, Mode::Safety, &[], Lines::Hashed);
    let second = run_seed_in(2, Mode::Safety, &[], Lines::Hashed);
    assert_ne!(first.hash, second.hash);
}
