//! One seed from beginning to end, and what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::checkers::Violation;
use crate::scenario::{Mode, Scenario};
use crate::trace::{Lines, Trace};
use crate::world::World;

/// What came of a seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub name: String,
    pub violations: Vec<Violation>,
    pub hash: u64,
    pub events: usize,
    /// Dialogs created at the first proxy.
    pub dialogs: u64,
    pub storage: Stored,
    /// The last lines before the end, when they were asked for.
    pub story: Vec<String>,
}

/// How much storage a world saw, all its proxies together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Calls of databases.
    pub calls: u64,
    /// Dialogs that came back from rows.
    pub loaded: u64,
    /// Messages about stored dialogs that left after their commit, and before.
    pub kept: u64,
    pub unkept: u64,
}

impl Stored {
    fn of(world: &World) -> Stored {
        world.stores.iter().flatten().fold(Stored::default(), |mut sum, store| {
            sum.add(Stored {
                calls: store.storage.database.calls(),
                loaded: store.rows.loaded,
                kept: store.rows.kept,
                unkept: store.rows.unkept,
            });
            sum
        })
    }

    /// Adds another world's.
    pub fn add(&mut self, other: Stored) {
        self.calls += other.calls;
        self.loaded += other.loaded;
        self.kept += other.kept;
        self.unkept += other.unkept;
    }
}

/// Runs a seed in the mode it stands for.
pub fn run_seed(seed: u64, hostile: &[Vec<u8>], lines: Lines) -> Outcome {
    run_seed_in(seed, Mode::of_seed(seed), hostile, lines)
}

/// Runs a seed in a mode.
pub fn run_seed_in(seed: u64, mode: Mode, hostile: &[Vec<u8>], lines: Lines) -> Outcome {
    let mut outcome = run_scenario(Scenario::of_seed(seed, mode, hostile), lines);
    if mode == Mode::Doublecheck && outcome.violations.is_empty() {
        let second = run_scenario(Scenario::of_seed(seed, mode, hostile), Lines::Hashed);
        if second.hash != outcome.hash || second.events != outcome.events {
            let text =
                format!("two runs differ: {:x} after {} events, {:x} after {}", outcome.hash, outcome.events, second.hash, second.events);
            outcome.violations.push(Violation { invariant: "A2", at: 0, proxy: 0, text });
        }
    }
    outcome
}

/// Lets a scenario happen once. A panic is a broken A8.
pub fn run_scenario(scenario: Scenario, lines: Lines) -> Outcome {
    let name = format!("{:?} {}", scenario.mode, scenario.name);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(scenario, Trace::new(lines))?;
        world.run();
        let dialogs = world.proxies.first().map_or(0, |proxy| proxy.proxy.node.dialogs.statistics().processed);
        let storage = Stored::of(&world);
        let (violations, events, hash) = (std::mem::take(&mut world.verdicts.list), world.handled, world.trace.hash());
        Ok::<_, String>(Outcome { name: name.clone(), violations, hash, events, dialogs, storage, story: world.trace.story() })
    }));
    let failed = |invariant, text: String| Outcome {
        name: name.clone(),
        violations: vec![Violation { invariant, at: 0, proxy: 0, text }],
        ..Outcome::default()
    };
    match run {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => failed("start", error),
        Err(cause) => {
            let text = cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failed("A8", format!("panic: {}", text.unwrap_or_default()))
        }
    }
}
