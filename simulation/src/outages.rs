//! Worlds that differ in their database alone: with and without an outage, and with each call of it failing once.

use modules::worker::Random;
use storage::{Column, DialogRow};

use dialog::{DialogId, Storing};

use crate::checkers::Violation;
use crate::database::{Failure, Tables};
use crate::limits::TWIN_SEEDS_MAX;
use crate::network::Weather;
use crate::outcome::{Outcome, run_scenario};
use crate::plan::{Behaviour, Plan};
use crate::scenario::{Fault, Mode, Scenario};
use crate::storage_plan::StoragePlan;
use crate::trace::{Lines, Trace};
use crate::world::{BEGINNING, World};

/// When rows are compared, milliseconds from the beginning: long after outages and after anything that calls do.
const COMPARED_AT: u64 = 165_000;
/// Talk of calls that are up then: what they do begins after a quarter, a third and a half of it.
const LONG_TALK: u64 = 200_000;
/// Lifetime of all calls, seconds.
const LIFETIME: u64 = 600;
/// When proxies that write at their stop are stopped.
const STOPPED_AT: u64 = 155_000;

/// What calls do here; none of it depends on milliseconds.
const BEHAVIOURS: [Behaviour; 5] =
    [Behaviour::CallerHangsUp, Behaviour::CalleeHangsUp, Behaviour::Renegotiated, Behaviour::Churn, Behaviour::Reliable];

/// Columns that are the same whenever something was written, and although a message was held back a little.
const LASTING: [Column; 17] = [
    Column::HashEntry,
    Column::CallId,
    Column::FromUri,
    Column::FromTag,
    Column::ToUri,
    Column::ToTag,
    Column::CallerCseq,
    Column::CalleeCseq,
    Column::CallerContact,
    Column::CalleeContact,
    Column::CallerSocket,
    Column::CalleeSocket,
    Column::State,
    Column::ScriptFlags,
    Column::InternalFlags,
    Column::TimeoutRouteName,
    Column::RequestUri,
];

/// Columns that are the same, too, where no message waits for a commit. Deadlines are rounded to the second of the writing.
const EXACT: [Column; 5] = [Column::HashId, Column::CallerRouteSet, Column::CalleeRouteSet, Column::StartTime, Column::ExtraData];

/// A world of calm calls whose proxies store their dialogs in this way.
fn calm(seed: u64, storing: Storing) -> Scenario {
    let is_workload = |scenario: &Scenario| scenario.proxies.iter().all(|proxy| proxy.promises.marks);
    let mut candidates = (0..TWIN_SEEDS_MAX).map(|step| Scenario::of_seed(seed + step * 1_000_003, Mode::Safety, &[]));
    let mut scenario = candidates.find(is_workload).unwrap_or_else(|| Scenario::of_seed(seed, Mode::Safety, &[]));
    let mut random = Random::new(seed);
    scenario.faults.clear();
    scenario.weather = Weather { delay_short: 1, delay_long: 1, ..Weather::calm() };
    scenario.until = COMPARED_AT;
    scenario.plans = (0..12)
        .map(|number| {
            let behaviour = BEHAVIOURS.get(random.below(BEHAVIOURS.len() as u64) as usize).copied().unwrap_or(Behaviour::CallerHangsUp);
            let talk = if random.below(3) == 0 { random.below(15_000) } else { LONG_TALK };
            Plan {
                behaviour,
                talk,
                lifetime: Some(LIFETIME),
                is_stream: false,
                bye_code: 200,
                acknowledges: true,
                answers_apart: 1,
                wish: None,
                ..Plan::of_seed(number, 40_000, true, &mut random)
            }
        })
        .collect();
    for (number, proxy) in scenario.proxies.iter_mut().enumerate() {
        proxy.storage = Some(StoragePlan::calm(storing, seed + number as u64));
        if storing == Storing::AtStop {
            scenario.faults.push((STOPPED_AT, Fault::Stop { proxy: number, away: LONG_TALK }));
        }
    }
    scenario
}

/// Runs the same calls with and without outages of the database: the rows must be equal afterwards. Err: what differs.
pub fn compare_twins(seed: u64) -> Result<usize, String> {
    let storing = [Storing::Realtime, Storing::Delayed, Storing::AtStop].get(seed as usize % 3).copied().unwrap_or(Storing::Realtime);
    let quiet = calm(seed, storing);
    let mut troubled = quiet.clone();
    let mut random = Random::new(!seed);
    for plan in troubled.proxies.iter_mut().filter_map(|proxy| proxy.storage.as_mut()) {
        for _ in 0..1 + random.below(3) {
            let from = BEGINNING + 2_000 + random.below(40_000);
            plan.habits.outages.push((from, from + 500 + random.below(40_000)));
        }
        plan.habits.repeated = 100;
    }
    let (quiet, troubled) = (tables_of(quiet)?, tables_of(troubled)?);
    let mut rows = 0;
    for (number, (quiet, troubled)) in quiet.iter().zip(&troubled).enumerate() {
        rows += quiet.len();
        let more = if storing == Storing::Realtime { &[][..] } else { &EXACT[..] };
        let (quiet, troubled) = (lasting(quiet, more), lasting(troubled, more));
        if quiet != troubled {
            let only =
                |one: &[String], other: &[String]| one.iter().filter(|row| !other.contains(row)).cloned().collect::<Vec<_>>().join("\n");
            let (lost, strange) = (only(&quiet, &troubled), only(&troubled, &quiet));
            return Err(format!("{storing:?}: after an outage proxy {number} has the rows\n{strange}\nnot\n{lost}"));
        }
    }
    Ok(rows)
}

fn tables_of(scenario: Scenario) -> Result<Vec<Tables>, String> {
    let mut world = World::new(scenario, Trace::new(Lines::Hashed))?;
    world.run();
    match world.verdicts.list.first() {
        Some(first) => Err(format!("breaks {} at {} ms, proxy {}: {}", first.invariant, first.at, first.proxy, first.text)),
        None => Ok(world.stores.iter().flatten().map(|store| store.storage.database.tables().clone()).collect()),
    }
}

/// What lasts of all rows, sorted: columns, these too, and variables.
fn lasting(tables: &Tables, more: &[Column]) -> Vec<String> {
    let shown = |row: &DialogRow| {
        let id = row.id().map(|(entry, id)| DialogId { entry, id });
        let variables = id.map(|id| tables.variables_of(id)).unwrap_or_default();
        let cells = LASTING
            .iter()
            .chain(more)
            .map(|column| row.cell(*column).to_text().map(|text| crate::checkers::text(&text)).unwrap_or_default());
        let variables = variables.iter().map(|(key, value)| format!("{}={}", crate::checkers::text(key), crate::checkers::text(value)));
        cells.chain(variables).collect::<Vec<_>>().join(" ")
    };
    let mut all: Vec<String> = tables.rows().map(shown).collect();
    all.sort();
    all
}

/// What came of failing one call after another.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    pub runs: usize,
    /// Which call failed how, and the first violation of that world.
    pub broken: Vec<(u64, Failure, Violation)>,
}

/// Lets each storage call of a world fail once, in each way: nothing breaks.
pub fn fail_each(seed: u64) -> Failures {
    let storing = [Storing::Realtime, Storing::Delayed, Storing::AtStop].get(seed as usize % 3).copied().unwrap_or(Storing::Realtime);
    let mut scenario = calm(seed, storing);
    scenario.plans.truncate(5);
    scenario.proxies.truncate(1);
    scenario.until = 60_000;
    // Killed, then stopped, with calls up each time.
    scenario.faults = vec![
        (15_000 + seed % 7_000, Fault::Crash { proxy: 0, away: 300 }),
        (30_000 + seed % 5_000, Fault::Stop { proxy: 0, away: 300 }),
        (45_000, Fault::Stop { proxy: 0, away: 300 }),
    ];
    for plan in &mut scenario.plans {
        plan.begin /= 4;
    }
    // A proxy whose next hop is another one of this world would talk to nobody.
    for proxy in &mut scenario.proxies {
        proxy.start.defines.retain(|define| !define.starts_with("GATEWAY"));
    }
    let mut found = Failures::default();
    for failure in Failure::ALL {
        for call in 1.. {
            let mut world = scenario.clone();
            for plan in world.proxies.iter_mut().filter_map(|proxy| proxy.storage.as_mut()) {
                plan.failing_call = Some((call, failure));
            }
            let Outcome { violations, storage, .. } = run_scenario(world, Lines::Hashed);
            found.runs += 1;
            if let Some(first) = violations.into_iter().next() {
                found.broken.push((call, failure, first));
            }
            if storage.calls < call || call >= crate::limits::FAILED_CALLS_MAX {
                break;
            }
        }
    }
    found
}
