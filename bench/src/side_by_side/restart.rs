//! A start on a file of very many calls that are up, with requests in them from the first moment.

use super::table::{Section, grouped, ratio};
use super::{Headline, Stage};
use crate::database;
use crate::reload::{Reloaded, Wanted, reload};
use crate::setup::Ground;
use crate::subject::Kind;

/// BYEs a second.
const RATE: u32 = 200;

fn restart(kind: Kind, dialogs: u32, used: u32) -> Result<Reloaded, String> {
    let ground = Ground {
        subject: kind,
        database: Some(database::Kind::Sqlite),
        mode: 1,
        journal: "wal".to_owned(),
        children: 2,
        hold_time: None,
        commit_interval: None,
    };
    reload(&Wanted { ground, dialogs, used, rate: RATE })
}

/// Both programs with few calls, one after the other, and duolog with many: Kamailio takes minutes for those.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let ((few, many), used) = (stage.scale.stored, stage.scale.used);
    let mut all = Vec::new();
    for (kind, dialogs) in [(Kind::Kamailio, few), (Kind::Duolog, few), (Kind::Duolog, many)] {
        all.push((kind, dialogs, restart(kind, dialogs, used)?));
    }
    let mut section = Section::new(
        "Start on a SQLite file of calls that are up",
        &[
            "calls",
            "subject",
            "serves after",
            "all loaded after",
            "to Kamailio",
            "CPU",
            "MB at most",
            "MB then",
            "BYEs answered meanwhile",
            "slowest BYE",
        ],
    );
    section.note(format!(
        "Of these calls {used} get a BYE, {RATE} a second from the first answer on, many a re-INVITE before; none may fail. Kamailio serves \
         nothing before it has loaded all. Two profiles and one variable a call."
    ));
    let loaded = |own: &Reloaded| own.seen.loaded.as_secs_f64();
    let theirs = all.first().map_or(0.0, |(_, _, own)| loaded(own));
    for (kind, dialogs, own) in &all {
        let is_compared = *kind == Kind::Duolog && *dialogs == few;
        section.row(vec![
            grouped(f64::from(*dialogs)),
            kind.name().to_owned(),
            format!("{:.2} s", own.serving.as_secs_f64()),
            format!("{:.2} s", loaded(own)),
            if is_compared { ratio(loaded(own), theirs) } else { "-".to_owned() },
            format!("{:.2} s", own.seen.processor.as_secs_f64()),
            own.seen.most_megabytes.to_string(),
            own.megabytes.to_string(),
            own.ended_meanwhile.to_string(),
            format!("{:.1} ms", own.slowest),
        ]);
    }
    let told = |own: &Reloaded| format!("{:.2} s, all after {:.1} s", own.serving.as_secs_f64(), loaded(own));
    if let [(_, _, kamailio), (_, _, duolog), (_, _, of_many)] = all.as_slice() {
        stage.headlines.push(Headline {
            what: format!("start with {} stored calls until it serves", grouped(f64::from(few))),
            theirs: told(kamailio),
            ours: told(duolog),
            ratio: ratio(loaded(duolog), loaded(kamailio)),
        });
        stage.headlines.push(Headline {
            what: format!("the same with {}", grouped(f64::from(many))),
            theirs: "not measured".to_owned(),
            ours: told(of_many),
            ratio: "-".to_owned(),
        });
    }
    stage.tell(section);
    Ok(())
}
