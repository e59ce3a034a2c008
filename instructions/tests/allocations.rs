//! How often the heap is asked for memory while calls pass `Proxy::handle` in steady state.

use std::collections::BTreeMap;

use instructions::call::{CALL_WITH_RE_INVITE, CALLS_UNTIL_STEADY, Scene, Step};
use instructions::meter::Meter;

/// Calls over which is counted: five seconds of the run's clock, in which the table of transactions turns over once.
const CALLS: u32 = 4_000;

/// Allocations a step may make in the mean, beside [`GROWTH`]. They may only go down.
const ALLOWED: [(Step, u64); 10] = [
    (Step::Invite, 7),
    (Step::Ringing, 0),
    (Step::Answer, 3),
    (Step::Ack, 0),
    (Step::ReInvite, 0),
    (Step::ReInviteAnswer, 0),
    (Step::ReInviteAck, 0),
    (Step::Bye, 0),
    (Step::ByeAnswer, 0),
    (Step::Tick, 0),
];

/// What tables that reach a new size ask for now and then, in the mean of all calls. A part of a table grows when more meet in it
/// than ever before, which becomes rarer but never ends; the memory of ended calls grows until it is full.
const GROWTH: [(Step, f64); 4] = [(Step::Invite, 0.1), (Step::ReInvite, 0.03), (Step::Bye, 0.03), (Step::Tick, 0.25)];

#[derive(Default)]
struct Allocations {
    count: u64,
    bytes: u64,
}

impl Meter for Allocations {
    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let mut result = None;
        let counted = allocation_counter::measure(|| result = Some(work()));
        self.count += counted.count_total;
        self.bytes += counted.bytes_total;
        result.expect("measure runs what it is given")
    }
}

#[test]
fn no_step_of_a_call_allocates_more_than_it_is_allowed() -> Result<(), String> {
    let mut scene = Scene::after(CALLS_UNTIL_STEADY, &CALL_WITH_RE_INVITE)?;
    let mut found: BTreeMap<Step, Allocations> = BTreeMap::new();
    for _ in 0..CALLS {
        let mut call = scene.next_call();
        for step in CALL_WITH_RE_INVITE {
            scene.step(step, &mut call, found.entry(step).or_default())?;
        }
        scene.end_call();
    }
    let each = |total: u64| total as f64 / f64::from(CALLS);
    for (step, Allocations { count, bytes }) in &found {
        println!("{:<16} {:>7.3} allocations {:>8.1} bytes", format!("{step:?}"), each(*count), each(*bytes));
    }
    for (step, allowed) in ALLOWED {
        let count = found.get(&step).map(|found| each(found.count)).ok_or("a step is missing")?;
        let growth = GROWTH.iter().find(|(growing, _)| *growing == step).map_or(0.0, |(_, growth)| *growth);
        assert!(
            count <= allowed as f64 + growth,
            "{step:?} allocates {count:.3} times, allowed are {allowed} and {growth} for tables that grow"
        );
    }
    Ok(())
}
