//! A subject on a database and the generator that calls through it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::database::{self, Database};
use crate::generator::{Generator, Plan};
use crate::subject::{Kind, Subject};

/// How long a start may take until an OPTIONS is answered, and until all dialogs are there.
const START_MAX: Duration = Duration::from_secs(60);
/// When the subject does not tell whether it still loads: loading counts as over when the number of dialogs rests this long.
const LOADING_QUIET: Duration = Duration::from_millis(1_500);
/// How long rows may take to go when all calls have ended.
const ROWS_GONE_MAX: Duration = Duration::from_secs(20);
/// Held calls that are ended in one go, and the time until the next ones.
const ENDED_AT_ONCE: usize = 100;
const ENDED_EVERY: Duration = Duration::from_millis(50);
/// Megabytes shared and of each process, enough for a million dialogs: it reads a table whole.
const KAMAILIO_MEMORY: [&str; 4] = ["-m", "4096", "-M", "2048"];
/// Kinds of errors in the log that are told.
const ERRORS_TOLD: usize = 8;

/// `bench/scenarios/calls.cfg` on which program and database.
#[derive(Clone, Debug)]
pub struct Ground {
    pub subject: Kind,
    pub database: Option<database::Kind>,
    /// `db_mode`.
    pub mode: u32,
    /// Of a SQLite file: `wal` or `delete`.
    pub journal: String,
    /// Workers of Kamailio.
    pub children: u32,
    /// `db_hold_time` and `db_commit_interval` of duolog, where they are not the usual ones; milliseconds.
    pub hold_time: Option<u32>,
    pub commit_interval: Option<u32>,
}

impl fmt::Display for Ground {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({} workers) on {}", self.subject.name(), self.children, self.database.map_or("nothing", database::Kind::name))?;
        if self.database == Some(database::Kind::Sqlite) {
            write!(out, " (journal {})", self.journal)?;
        }
        write!(out, ", db_mode {}", self.mode)
    }
}

/// All that a run needs. What is used by others is dropped last.
pub struct Setup {
    pub generator: Generator,
    pub subject: Subject,
    pub database: Option<Database>,
}

/// How long a start took.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// Until an OPTIONS was answered.
    pub serving: Duration,
    /// Until all dialogs were there.
    pub loaded: Duration,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

impl Setup {
    /// Prepares everything but starts no subject.
    pub fn new(ground: &Ground, change: impl FnOnce(&mut Plan)) -> Result<Setup, String> {
        let kind = ground.subject;
        let mut subject = Subject::place(kind, "bench/scenarios/calls.cfg", &KAMAILIO_MEMORY)?;
        let database = ground.database.map(|database| Database::start(database, &ground.journal, subject.folder())).transpose()?;
        if let Some(database) = &database {
            subject.define(&format!("DB_MODULE=\"{}\"", database.module()));
            subject.define(&format!("DB_URL=\"{}\"", database.url()));
            subject.define(&format!("DB_MODE={}", ground.mode));
        }
        if kind == Kind::Duolog {
            subject.define("DUOLOG=1");
            subject.define(&format!("FOLDER=\"{}\"", subject.folder().display()));
            for (name, value) in [("HOLD_TIME", ground.hold_time), ("COMMIT_INTERVAL", ground.commit_interval)] {
                if let Some(value) = value {
                    subject.define(&format!("{name}={value}"));
                }
            }
        }
        subject.define(&format!("CHILDREN={}", ground.children));
        let mut plan = Plan::plain(address(&subject.address)?, address(&subject.gateway)?);
        change(&mut plan);
        Ok(Setup { generator: Generator::new(plan)?, subject, database })
    }

    /// Starts the subject and waits until it serves and has loaded; `expected` dialogs are hoped for.
    pub fn start(&mut self, expected: u32) -> Result<Started, String> {
        let begun = Instant::now();
        self.subject.launch()?;
        let serving = self.subject.wait_for_sip(START_MAX)?;
        self.subject.wait_for_rpc()?;
        let (mut last, mut changed) = (0, Instant::now());
        loop {
            let dialogs = self.dialogs()?;
            match self.is_loading() {
                Some(false) => break,
                None if dialogs >= expected || changed.elapsed() > LOADING_QUIET => break,
                _ if begun.elapsed() > START_MAX => return Err(self.subject.with_log("loading does not end")),
                _ => {}
            }
            if dialogs != last {
                (last, changed) = (dialogs, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Started { serving, loaded: begun.elapsed() })
    }

    /// Dialogs that have not ended.
    pub fn dialogs(&self) -> Result<u32, String> {
        let answer = self.subject.ask(&["dlg.stats_active"])?;
        let all = answer.number("all").ok_or_else(|| format!("dlg.stats_active: {answer:?}"))?;
        u32::try_from(all).map_err(|_| format!("dlg.stats_active: {all}"))
    }

    /// Whether the subject still reads its dialogs; None: it does not tell.
    fn is_loading(&self) -> Option<bool> {
        // Kamailio serves nothing before it has read all.
        if self.subject.kind() == Kind::Kamailio {
            return Some(false);
        }
        self.status("loading").map(|loading| loading != 0)
    }

    /// A number of `dlg.db_status`; Kamailio has no such command.
    pub fn status(&self, name: &str) -> Option<i64> {
        if self.subject.kind() == Kind::Kamailio {
            return None;
        }
        self.subject.ask(&["dlg.db_status"]).ok()?.number(name)
    }

    /// Ends the calls that have no planned end.
    pub fn end_held(&mut self) -> Result<(), String> {
        let calls = (0_u32..).zip(self.generator.calls());
        let held: Vec<u32> = calls.filter(|(_, call)| call.is_held).map(|(number, _)| number).collect();
        for part in held.chunks(ENDED_AT_ONCE) {
            for number in part {
                self.generator.end(*number)?;
            }
            self.generator.run_until(Instant::now() + ENDED_EVERY)?;
        }
        Ok(())
    }

    /// Rows of dialogs and of variables once they rest, hopefully none.
    pub fn rows_left(&self) -> Result<(u64, u64), String> {
        let end = Instant::now() + ROWS_GONE_MAX;
        loop {
            let left = (self.database()?.count("dialog")?, self.database()?.count("dialog_vars")?);
            if left == (0, 0) || Instant::now() > end {
                return Ok(left);
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// Prints what the subject itself complained about, by the text behind the place in its sources.
    pub fn tell_errors(&self) {
        let log = self.subject.log();
        let mut errors: BTreeMap<&str, u32> = BTreeMap::new();
        for line in log.lines().filter(|line| line.contains("ERROR") || line.contains("CRITICAL")) {
            *errors.entry(line.split_once("): ").map_or(line, |(_, text)| text)).or_default() += 1;
        }
        let mut errors: Vec<(&str, u32)> = errors.into_iter().collect();
        errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (text, count) in errors.into_iter().take(ERRORS_TOLD) {
            println!("  log: {count} x {}", text.chars().take(160).collect::<String>());
        }
    }

    /// The database; an error when the run has none.
    pub fn database(&self) -> Result<&Database, String> {
        self.database.as_ref().ok_or_else(|| "this run has no database".to_owned())
    }
}
