//! Memory of calls that are up: two profiles and one variable each, nothing stored.

use std::time::{Duration, Instant};

use super::table::{Section, grouped, ratio};
use super::{Headline, Stage, cores};
use crate::measure;
use crate::setup::{Ground, Setup};
use crate::subject::Kind;

/// New calls a second, well below what each program can do on one core: what is measured is memory.
fn rate(kind: Kind) -> f64 {
    match kind {
        Kind::Kamailio => 1_500.0,
        Kind::Duolog => 5_000.0,
    }
}

/// How long a program remembers the transactions of a call that is up: Kamailio `wt_timer` and a margin, duolog 64 * T1 (RFC 6026).
fn remembered(kind: Kind) -> Duration {
    Duration::from_secs(match kind {
        Kind::Kamailio => 8,
        Kind::Duolog => 34,
    })
}

/// The last calls are over within this: twice 64 * T1.
const SETTLE_MAX: Duration = Duration::from_secs(70);
/// Calls of an account, about.
const CALLS_OF_ACCOUNT: u32 = 10;

/// What holding so many calls took.
struct Held {
    kind: Kind,
    calls: u32,
    /// Resident bytes of all processes, memory they share counted once.
    before: u64,
    after: u64,
    /// Of Kamailio's shared pool, as it tells itself (`core.shmmem`).
    pool: Option<(i64, i64)>,
}

impl Held {
    fn of_call(&self) -> f64 {
        self.after.saturating_sub(self.before) as f64 / f64::from(self.calls)
    }
}

fn look(setup: &Setup) -> (u64, Option<i64>) {
    let pool = setup.subject.ask(&["core.shmmem"]).ok().and_then(|answer| answer.number("real_used"));
    (measure::resident_bytes(setup.subject.process()), pool.filter(|_| setup.subject.kind() == Kind::Kamailio))
}

/// Makes calls until there are so many, looks at once, and makes sure that all of them are up.
fn hold_so_many(setup: &mut Setup, calls: u32) -> Result<(u64, Option<i64>), String> {
    let rate = rate(setup.subject.kind());
    while setup.generator.totals().begun < calls {
        let missing = f64::from(calls - setup.generator.totals().begun);
        setup.generator.set_rate(rate);
        setup.generator.run_until(Instant::now() + Duration::from_secs_f64(missing / rate))?;
    }
    let seen = look(setup);
    setup.generator.set_rate(0.0);
    setup.generator.settle(SETTLE_MAX)?;
    let (begun, failures, up) = (setup.generator.totals().begun, setup.generator.totals().failures(), setup.dialogs()?);
    if failures > 0 || up != begun {
        return Err(setup.subject.with_log(&format!("{begun} calls should be up: {up}, {failures} failed")));
    }
    Ok(seen)
}

/// Sets up one number of calls after the other. Calls for as long as transactions are remembered go before: at every look there
/// are as many transactions, and the difference is the calls.
fn hold(stage: &Stage, kind: Kind, numbers: &[u32]) -> Result<Vec<Held>, String> {
    let ground =
        Ground { subject: kind, database: None, mode: 0, journal: "wal".to_owned(), children: 1, hold_time: None, commit_interval: None };
    let most = numbers.iter().copied().max().unwrap_or(0);
    let mut setup = Setup::new(&ground, |plan| {
        (plan.held_share, plan.accounts, plan.trunks, plan.spins) = (1.0, most / CALLS_OF_ACCOUNT + 1, 100, stage.ways.spins);
    })?;
    setup.subject.run_on(&cores::list(stage.cores.of_subject(1)));
    setup.start(0)?;
    let first = (rate(kind) * remembered(kind).as_secs_f64()) as u32;
    let (before, pool_before) = hold_so_many(&mut setup, first)?;
    let mut all = Vec::new();
    for calls in numbers {
        let (after, pool_after) = hold_so_many(&mut setup, first + calls)?;
        let held = Held { kind, calls: *calls, before, after, pool: pool_before.zip(pool_after) };
        println!("{}: {calls} calls more, {:.0} bytes each", kind.name(), held.of_call());
        all.push(held);
    }
    // So many calls need no BYE each when the process ends anyway.
    setup.subject.kill()?;
    Ok(all)
}

/// Holds as many calls as the scale says on each program.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let cores = stage.cores.clone();
    let _pinned = cores.pin_generator()?;
    let (few, many) = stage.scale.held;
    let mut all = hold(stage, Kind::Kamailio, &[few])?;
    all.extend(hold(stage, Kind::Duolog, &[few, many])?);
    let mut section = Section::new(
        "Memory of held calls",
        &["subject", "calls", "bytes a call", "to Kamailio", "MB before", "MB after", "bytes a call in its shared pool"],
    );
    section.note(
        "Two profiles and one variable a call, no database (`bench/scenarios/calls.cfg`, one worker). Resident memory of all processes, \
         what they share counted once (Pss), before and after that many more calls, at the same load and so with as many transactions \
         beside them. The shared pool is what Kamailio's `core.shmmem` tells.",
    );
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    let theirs = all.first().map_or(0.0, Held::of_call);
    for held in &all {
        section.row(vec![
            held.kind.name().to_owned(),
            grouped(f64::from(held.calls)),
            format!("{:.0}", held.of_call()),
            if held.kind == Kind::Kamailio { "-".to_owned() } else { ratio(held.of_call(), theirs) },
            megabytes(held.before),
            megabytes(held.after),
            held.pool.map_or("-".to_owned(), |(before, after)| format!("{:.0}", (after - before) as f64 / f64::from(held.calls))),
        ]);
    }
    if let (Some(kamailio), Some(duolog)) = (all.first(), all.last()) {
        stage.headlines.push(Headline {
            what: format!(
                "memory of a call that is up ({} and {} held)",
                grouped(f64::from(kamailio.calls)),
                grouped(f64::from(duolog.calls))
            ),
            theirs: format!("{:.0} bytes", kamailio.of_call()),
            ours: format!("{:.0} bytes", duolog.of_call()),
            ratio: ratio(duolog.of_call(), kamailio.of_call()),
        });
    }
    stage.tell(section);
    Ok(())
}
