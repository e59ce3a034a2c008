//! A configuration that does much for every request: what do its statements cost?

use super::contestant::{Configuration, Contestant, Which};
use super::load::{rounds, start, tell_head};
use super::table::{Section, ratio};
use super::{Headline, Stage};
use crate::subject::Kind;

/// New calls a second.
const LOAD: f64 = 800.0;

/// Both programs with one worker, with the long script and with the short one.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let cores = stage.cores.clone();
    let subjects = [Which::Proxy(Kind::Kamailio, 1), Which::Proxy(Kind::Duolog, 1)];
    let heavy = Configuration { file: "bench/configurations/script-heavy.cfg", defines: Vec::new() };
    let light = Configuration { defines: vec!["WITHOUT_SCREENING".to_owned()], ..heavy.clone() };
    let mut contestants = start(stage, &subjects, &heavy)?;
    contestants.extend(start(stage, &subjects, &light)?);
    let _pinned = cores.pin_generator()?;
    tell_head();
    let mut all: Vec<&mut Contestant> = contestants.iter_mut().collect();
    let turns = rounds(&mut all, &[LOAD; 4], stage.scale.few_rounds, &stage.scale)?;
    let mut section = Section::new(
        "A script of many statements",
        &["configuration", "subject", "µs CPU a call", "user", "to Kamailio", "p50 ms", "p99 ms", "failures"],
    );
    section.note(format!(
        "{LOAD:.0} calls/s. `bench/configurations/script-heavy.cfg` runs 74 statements for every request (regular expressions, \
         variables, transformations, a hash table, switch and if); without screening it only relays, so the difference is the script."
    ));
    let middle = |place: usize| turns.get(place).map_or(0.0, |turns| turns.spent().middle);
    for (place, own) in turns.iter().enumerate() {
        let theirs = if place % 2 == 1 { middle(place - 1) } else { 0.0 };
        section.row(vec![
            if place < 2 { "all of it" } else { "without screening" }.to_owned(),
            own.which.name(),
            own.spent().told(1),
            format!("{:.1}", own.user()),
            ratio(own.spent().middle, theirs),
            own.latency(0.5).told(2),
            own.latency(0.99).told(2),
            own.trouble(),
        ]);
    }
    let (theirs, ours) = (middle(0) - middle(2), middle(1) - middle(3));
    section.row(vec![
        "the difference".to_owned(),
        "kamailio, duolog".to_owned(),
        format!("{theirs:.1}, {ours:.1}"),
        String::new(),
        ratio(ours, theirs),
        String::new(),
        String::new(),
        String::new(),
    ]);
    stage.headlines.push(Headline {
        what: format!("CPU of a call with a script of 74 statements a request, {LOAD:.0} calls/s"),
        theirs: format!("{:.0} µs", middle(0)),
        ours: format!("{:.0} µs", middle(1)),
        ratio: ratio(middle(1), middle(0)),
    });
    stage.tell(section);
    Ok(())
}
