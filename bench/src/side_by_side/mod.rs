//! Duolog beside Kamailio and a bare forwarder, in the same minutes on the same cores: what `cargo xtask bench` measures.

pub mod builds;
mod contention;
mod contestant;
pub mod cores;
mod forwarder;
mod held;
mod highest;
mod listings;
mod load;
mod machine;
mod plot;
mod priority;
mod restart;
mod results;
mod script;
pub mod search;
mod table;

use std::time::Duration;

pub use forwarder::forward;

use crate::generator::Plan;
use cores::Cores;
use plot::Plot;
use priority::First;
use table::Section;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement {
    Load,
    Highest,
    Script,
    Contention,
    Held,
    Restart,
    Listing,
}

impl Measurement {
    /// All, in the order they are made.
    pub const ALL: [Measurement; 7] = [
        Measurement::Load,
        Measurement::Highest,
        Measurement::Script,
        Measurement::Contention,
        Measurement::Held,
        Measurement::Restart,
        Measurement::Listing,
    ];

    /// As `--only` names it.
    pub fn name(self) -> &'static str {
        match self {
            Measurement::Load => "load",
            Measurement::Highest => "highest",
            Measurement::Script => "script",
            Measurement::Contention => "contention",
            Measurement::Held => "held",
            Measurement::Restart => "restart",
            Measurement::Listing => "listing",
        }
    }

    fn make(self, stage: &mut Stage) -> Result<(), String> {
        match self {
            Measurement::Load => load::measure(stage),
            Measurement::Highest => highest::measure(stage),
            Measurement::Script => script::measure(stage),
            Measurement::Contention => contention::measure(stage),
            Measurement::Held => held::measure(stage),
            Measurement::Restart => restart::measure(stage),
            Measurement::Listing => listings::measure(stage),
        }
    }
}

/// How the generator waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// It asks its sockets without a pause instead of sleeping until something comes.
    pub spins: bool,
}

impl Ways {
    fn apply(self, plan: &mut Plan) {
        plan.spins = self.spins;
    }
}

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub measurements: Vec<Measurement>,
    /// At most four minutes instead of 25.
    pub is_quick: bool,
    pub ways: Ways,
    /// The page of results, the plot and the table of the README are written.
    pub is_written: bool,
}

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Turns of each subject at the fixed loads, and elsewhere.
    pub rounds: usize,
    pub few_rounds: usize,
    pub warm_up: Duration,
    pub turn: Duration,
    /// Of the highest rate.
    pub searches: usize,
    /// Tries of one search that are made again because other processes used the machine.
    pub disturbed_max: usize,
    /// Calls held by both programs, and by duolog once more.
    pub held: (u32, u32),
    /// Calls in the file of a start: for both programs, and for duolog once more; and how many of them get a BYE.
    pub stored: (u32, u32),
    pub used: u32,
    /// Calls that are listed, and the seconds of a round.
    pub listed: (u32, u32),
}

impl Scale {
    const FULL: Scale = Scale {
        rounds: 10,
        few_rounds: 5,
        warm_up: Duration::from_millis(500),
        turn: Duration::from_millis(2_500),
        searches: 3,
        disturbed_max: 3,
        held: (100_000, 1_000_000),
        stored: (100_000, 1_000_000),
        used: 2_000,
        listed: (100_000, 8),
    };
    const QUICK: Scale = Scale {
        rounds: 3,
        few_rounds: 2,
        warm_up: Duration::from_millis(300),
        turn: Duration::from_millis(1_000),
        searches: 1,
        disturbed_max: 1,
        held: (10_000, 20_000),
        stored: (20_000, 50_000),
        used: 400,
        listed: (10_000, 1),
    };
}

/// A line of the README's table.
#[derive(Clone, Debug)]
pub struct Headline {
    pub what: String,
    pub theirs: String,
    pub ours: String,
    pub ratio: String,
}

/// Where the measurements are made, and what they found so far.
pub struct Stage {
    pub first: First,
    pub cores: Cores,
    pub ways: Ways,
    pub scale: Scale,
    pub sections: Vec<Section>,
    pub headlines: Vec<Headline>,
    pub plot: Option<Plot>,
}

impl Stage {
    /// Shows a section and keeps it.
    fn tell(&mut self, section: Section) {
        print!("{}", section.plain());
        self.sections.push(section);
    }

    /// Who runs where.
    fn places(&self) -> String {
        let mut text = format!(
            "Subjects with one worker or child run whole on core {}, the generator on core {}, where it {}. {}",
            cores::list(self.cores.of_subject(1)),
            cores::list(self.cores.of_generator()),
            if self.ways.spins { "spins" } else { "sleeps until something comes" },
            self.first.told()
        );
        if !self.cores.are_apart(2) {
            text.push_str(" Subjects with two have both cores and share the second with the generator.");
        }
        text
    }
}

/// Measures what is wanted, tells it, and writes it down when that is wanted.
pub fn side_by_side(wanted: &Wanted) -> Result<(), String> {
    let cores = Cores::here()?;
    if !cores.are_apart(1) {
        println!("skipped: a comparison needs two cores, one for the subject and one for the generator; here is {}", cores.count());
        return Ok(());
    }
    let machine = machine::Machine::here()?;
    let first = First::of_all();
    println!("{machine}");
    let scale = if wanted.is_quick { Scale::QUICK } else { Scale::FULL };
    let mut stage = Stage { first, cores, ways: wanted.ways, scale, sections: Vec::new(), headlines: Vec::new(), plot: None };
    for measurement in &wanted.measurements {
        measurement.make(&mut stage)?;
    }
    if wanted.is_written { results::write(&machine, &stage) } else { Ok(()) }
}
