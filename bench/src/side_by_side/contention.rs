//! A storm of calls of one account at its limit: is the limit kept, and what does an attempt cost?

use std::time::{Duration, Instant};

use super::Stage;
use super::contestant::{Configuration, Contestant, Which};
use super::table::{Figure, Section, grouped, ratio};
use crate::generator::{Generator, Method, Stage as CallStage};
use crate::measure::Processor;
use crate::subject::Kind;

/// Calls that the account may have.
const LIMIT: u32 = 50;
/// Attempts a second: twenty times what has room.
const RATE: f64 = 2_000.0;
const HOLD: std::ops::Range<Duration> = Duration::from_millis(300)..Duration::from_millis(700);
/// How often calls that are up are counted.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Calls begun before these have ended: the longest hold at that rate, and as much again.
const LOOKED_AT: usize = 3_000;
const END_MAX: Duration = Duration::from_secs(70);

/// What one turn came to.
struct Storm {
    attempts: u32,
    admitted: u32,
    refused: u32,
    failed: u32,
    /// Most calls that were up for their caller at the same time.
    most: usize,
    spent: f64,
}

fn up(generator: &Generator) -> usize {
    let calls = generator.calls();
    calls.iter().skip(calls.len().saturating_sub(LOOKED_AT)).filter(|call| call.stage == CallStage::Up).count()
}

fn storm(contestant: &mut Contestant, lasting: Duration) -> Result<Storm, String> {
    let process = contestant.process();
    let generator = &mut contestant.generator;
    generator.reset_totals();
    generator.set_rate(RATE);
    let (end, before, mut most) = (Instant::now() + lasting, Processor::of(process), 0);
    while Instant::now() < end {
        generator.run_until(Instant::now() + LOOK_EVERY)?;
        most = most.max(up(generator));
    }
    let is_over = generator.finish(END_MAX)?;
    let spent = Processor::of(process).since(before).total;
    let totals = generator.reset_totals();
    let refused = totals.refused.get(&(Method::Invite, 486)).copied().unwrap_or(0);
    let failed = totals.failures() - refused + u32::from(!is_over);
    Ok(Storm { attempts: totals.begun, admitted: totals.answered, refused, failed, most, spent: spent / f64::from(totals.begun.max(1)) })
}

/// Both programs with the example that asks and then joins, duolog also with the one that does both in one step.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let cores = stage.cores.clone();
    let atomic = Configuration {
        file: "examples/atomic-limit.cfg",
        defines: vec![format!("ACCOUNT_LIMIT={LIMIT}"), "GATEWAY_LIMIT=1000000".to_owned()],
    };
    let mut contestants = Vec::new();
    for (which, configuration) in [
        (Which::Proxy(Kind::Kamailio, 2), Configuration::call_limit(LIMIT)),
        (Which::Proxy(Kind::Duolog, 2), Configuration::call_limit(LIMIT)),
        (Which::Proxy(Kind::Duolog, 2), atomic),
    ] {
        let mut contestant = Contestant::start(which, &configuration, &cores, stage.ways)?;
        contestant.generator.change_plan(|plan| (plan.accounts, plan.hold) = (1, HOLD));
        contestants.push((configuration.file, contestant, Vec::new()));
    }
    let _pinned = cores.pin_generator()?;
    for _ in 0..stage.scale.few_rounds {
        for (_, contestant, storms) in &mut contestants {
            storms.push(storm(contestant, stage.scale.turn)?);
        }
    }
    let mut section = Section::new(
        &format!("One account at its limit of {LIMIT} calls"),
        &[
            "subject",
            "configuration",
            "attempts",
            "admitted",
            "refused with 486",
            "otherwise failed",
            "most up at once",
            "µs CPU an attempt",
            "to Kamailio",
        ],
    );
    section.note(format!(
        "{RATE:.0} INVITEs a second of one account, calls of 0.3 to 0.7 s, {} turns of {:.1} s each. `call-limit.cfg` asks first and joins \
         after, so INVITEs of the same moment may pass together on either program; `atomic-limit.cfg` does both in one step.",
        stage.scale.few_rounds,
        stage.scale.turn.as_secs_f64()
    ));
    let cost = |storms: &[Storm]| Figure::of(storms.iter().map(|storm| storm.spent));
    let theirs = contestants.first().map_or(0.0, |(_, _, storms)| cost(storms).middle);
    for (file, contestant, storms) in &contestants {
        let sum = |part: fn(&Storm) -> u32| grouped(f64::from(storms.iter().map(part).sum::<u32>()));
        let is_kamailio = matches!(contestant.which, Which::Proxy(Kind::Kamailio, _));
        section.row(vec![
            contestant.which.name(),
            format!("`{file}`"),
            sum(|storm| storm.attempts),
            sum(|storm| storm.admitted),
            sum(|storm| storm.refused),
            sum(|storm| storm.failed),
            storms.iter().map(|storm| storm.most).max().unwrap_or(0).to_string(),
            cost(storms).told(1),
            if is_kamailio { "-".to_owned() } else { ratio(cost(storms).middle, theirs) },
        ]);
    }
    stage.tell(section);
    Ok(())
}
