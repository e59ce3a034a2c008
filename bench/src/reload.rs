//! A start on a file with very many dialogs: how long, how much memory, and do calls that were up go on from the first second?

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::database;
use crate::generator::{Generator, Side, Stage};
use crate::setup::{Ground, Setup};
use crate::subject::{Kind, Subject};

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub ground: Ground,
    /// Dialogs in the file.
    pub dialogs: u32,
    /// Of those, calls that go on: each gets a BYE, many a re-INVITE before.
    pub used: u32,
    /// BYEs a second from the first moment.
    pub rate: u32,
}

/// The slots of the module's table (`hash_size`).
const SLOTS: u32 = 4_096;
/// The first number of a dialog in its slot.
const FIRST_NUMBER: u32 = 1_000;
const LOADED_MAX: Duration = Duration::from_secs(300);
/// How often the process is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TURN: Duration = Duration::from_millis(20);
const END_MAX: Duration = Duration::from_secs(60);

/// What was seen of the process until all was loaded.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub loaded: Duration,
    pub processor: Duration,
    pub most_megabytes: u64,
}

/// What a start came to.
#[derive(Clone, Copy, Debug)]
pub struct Reloaded {
    /// Until an OPTIONS was answered.
    pub serving: Duration,
    pub seen: Seen,
    /// Resident when all was loaded.
    pub megabytes: u64,
    /// BYEs of calls from before the start that were answered while it still loaded; their slowest, milliseconds.
    pub ended_meanwhile: u32,
    pub slowest: f64,
}

/// Makes the file, starts, uses some of the calls at once; an error when one of them fails or dialogs are missing.
pub fn reload(wanted: &Wanted) -> Result<Reloaded, String> {
    let mut setup = Setup::new(&wanted.ground, |plan| {
        plan.hold = Duration::ZERO..Duration::from_secs(8);
        (plan.updates_max, plan.callee_ends_share) = (1, 0.25);
        (plan.accounts, plan.trunks) = (wanted.dialogs / 100 + 1, 100);
    })?;
    if wanted.ground.database != Some(database::Kind::Sqlite) {
        return Err("reload makes SQLite files only".to_owned());
    }
    let used = wanted.used.min(wanted.dialogs);
    let begun = Instant::now();
    fill(&setup, wanted.dialogs)?;
    println!("{} rows made in {:.1} s", wanted.dialogs, begun.elapsed().as_secs_f64());
    let proxy = setup.subject.address.clone();
    setup.generator.adopt(used, |call_id, number| {
        format!("Route: <sip:{proxy};lr;did={}.{}>\r\n", reversed(slot(call_id)), reversed(FIRST_NUMBER + number))
    })?;
    let begun = Instant::now();
    setup.subject.launch()?;
    let serving = setup.subject.wait_for_sip(LOADED_MAX)?;
    println!("{}: start to OPTIONS {:.0} ms", wanted.ground, serving.as_secs_f64() * 1_000.0);
    let Setup { generator, subject, .. } = &mut setup;
    let (seen, during) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(subject, wanted.dialogs - used, begun));
        let mut next = 0;
        while !watching.is_finished() {
            end_due(generator, &mut next, used, wanted.rate, begun + serving)?;
        }
        let seen = watching.join().map_err(|_| "the watcher ended badly".to_owned())??;
        let during = generator.reset_totals();
        while next < used || generator.open() > 0 {
            end_due(generator, &mut next, used, wanted.rate, begun + serving)?;
        }
        Ok::<_, String>((seen, during))
    })?;
    if !setup.generator.finish(END_MAX)? {
        return Err(setup.subject.with_log("calls did not end"));
    }
    let megabytes = setup.subject.resident_megabytes();
    println!(
        "all loaded after {:.2} s ({:.2} s of CPU), at most {} MB resident meanwhile, {} MB now",
        seen.loaded.as_secs_f64(),
        seen.processor.as_secs_f64(),
        seen.most_megabytes,
        megabytes
    );
    println!(
        "while loading: {} BYEs and {} re-INVITEs answered, {} sent again, BYE p50 {:.2} p99 {:.2} max {:.1} ms",
        during.ended,
        during.updated,
        during.repeated,
        during.byes.milliseconds(0.5),
        during.byes.milliseconds(0.99),
        during.byes.longest_milliseconds()
    );
    let failures = during.failures() + setup.generator.totals().failures();
    let ended = setup.generator.calls().iter().filter(|call| call.stage == Stage::Ended).count() as u32;
    let left = setup.dialogs()?;
    println!("ended {ended} of {used}, refused {:?} and {:?}, dialogs left {left}", during.refused, setup.generator.totals().refused);
    setup.tell_errors();
    if failures == 0 && ended == used && left == wanted.dialogs - used {
        Ok(Reloaded { serving, seen, megabytes, ended_meanwhile: during.ended, slowest: during.byes.longest_milliseconds() })
    } else {
        Err("calls of before the start were not served as they should".to_owned())
    }
}

/// Hangs up the calls whose turn has come.
fn end_due(generator: &mut Generator, next: &mut u32, used: u32, rate: u32, since: Instant) -> Result<(), String> {
    let due = (since.elapsed().as_secs_f64() * f64::from(rate)) as u32;
    while *next < used.min(due) {
        generator.end(*next)?;
        *next += 1;
    }
    generator.run_until(Instant::now() + TURN)
}

/// Looks at the process until all is loaded: it says so itself, or so many dialogs are there.
fn watch(subject: &Subject, expected: u32, begun: Instant) -> Result<Seen, String> {
    let mut most = 0;
    loop {
        most = most.max(subject.resident_megabytes());
        let loading = subject.ask(&["dlg.db_status"]).ok().and_then(|answer| answer.number("loading"));
        let is_loaded = match loading {
            Some(loading) => loading == 0,
            None => {
                let all = subject.ask(&["dlg.stats_active"]).ok().and_then(|answer| answer.number("all"));
                subject.kind() == Kind::Kamailio || all.is_some_and(|all| all >= i64::from(expected))
            }
        };
        if is_loaded {
            let processor = Duration::from_micros(subject.cpu_microseconds());
            return Ok(Seen { loaded: begun.elapsed(), processor, most_megabytes: most });
        }
        if begun.elapsed() > LOADED_MAX {
            return Err(subject.with_log("loading does not end"));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The slot of a Call-ID (spec dialog 1.2).
fn slot(call_id: &str) -> u32 {
    let mut hash = 0_u32;
    let mut chunks = call_id.as_bytes().chunks_exact(4);
    let mut add = |bytes: &[u8]| {
        let value = bytes.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
        hash = hash.wrapping_add(value ^ (value >> 3));
    };
    chunks.by_ref().for_each(&mut add);
    add(chunks.remainder());
    hash.wrapping_add(hash >> 11).wrapping_add(hash >> 13).wrapping_add(hash >> 23) & (SLOTS - 1)
}

/// Hexadecimal digits, the lowest first, as the cookie holds them (spec dialog 1.4).
fn reversed(number: u32) -> String {
    format!("{number:x}").chars().rev().collect()
}

/// Fills the tables with rows as either program writes them for calls of the generator.
fn fill(setup: &Setup, dialogs: u32) -> Result<(), String> {
    let (generator, plan) = (&setup.generator, setup.generator.plan());
    let seed = setup.subject.folder().join("slots.tsv");
    let mut slots = String::with_capacity(dialogs as usize * 13);
    for number in 0..dialogs {
        let _ = writeln!(slots, "{number}\t{}", slot(&generator.call_id(number)));
    }
    std::fs::write(&seed, slots).map_err(|error| format!("{}: {error}", seed.display()))?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let run = generator.call_id(0).trim_start_matches('0').to_owned();
    let account = format!("'account' || (number % {})", plan.accounts);
    let trunk = format!("'trunk' || (number % {})", plan.trunks);
    let statements = format!(
        "PRAGMA synchronous=OFF;\nDROP INDEX dialog_hash_idx;\nDROP INDEX dialog_vars_hash_idx;\nBEGIN;\n\
         CREATE TABLE slots (number INTEGER PRIMARY KEY, slot INTEGER);\n.mode tabs\n.import '{seed}' slots\n\
         INSERT INTO dialog (hash_entry, hash_id, callid, from_uri, from_tag, to_uri, to_tag, caller_cseq, callee_cseq,\n\
           caller_contact, callee_contact, caller_sock, callee_sock, state, start_time, timeout, req_uri, xdata)\n\
         SELECT slot, number + {FIRST_NUMBER}, number || '{run}', 'sip:' || {account} || '@example.com', 'r' || number,\n\
           'sip:' || {trunk} || '@example.com', 'e' || number, '1', '0', '{caller}', '{callee}', 'udp:{proxy}', 'udp:{proxy}',\n\
           4, {now}, {timeout}, 'sip:' || {trunk} || '@{proxy}',\n\
           '{{\"profiles\":[{{\"name\":\"trunk\",\"value\":\"' || {trunk} || '\",\"puid\":\"dlgp-6b0354b6-57be-' || (2 * number) ||\n\
           '\"}},{{\"name\":\"account\",\"value\":\"' || {account} || '\",\"puid\":\"dlgp-6b0354b6-57be-' || (2 * number + 1) || '\"}}]}}'\n\
         FROM slots;\n\
         INSERT INTO dialog_vars (hash_entry, hash_id, dialog_key, dialog_value)\n\
         SELECT slot, number + {FIRST_NUMBER}, 'step', '1' FROM slots;\n\
         DROP TABLE slots;\nCOMMIT;\n\
         CREATE INDEX dialog_hash_idx ON dialog (hash_entry, hash_id);\n\
         CREATE INDEX dialog_vars_hash_idx ON dialog_vars (hash_entry, hash_id);\n",
        seed = seed.display(),
        caller = generator.contact(Side::Caller),
        callee = generator.contact(Side::Callee),
        proxy = plan.proxy,
        timeout = now + 7_200,
    );
    setup.database()?.run(&statements)?;
    std::fs::remove_file(&seed).map_err(|error| format!("{}: {error}", seed.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_cookies_are_those_of_the_specification() {
        for (call_id, entry) in [("c1@x", 3837), ("1-19529@127.0.0.1", 2556), ("abcde", 1153), ("abcd", 1048), ("a", 109), ("", 0)] {
            assert_eq!(slot(call_id), entry, "{call_id}");
        }
        assert_eq!((reversed(3837), reversed(6244), reversed(0)), ("dfe".to_owned(), "4681".to_owned(), "0".to_owned()));
    }
}
