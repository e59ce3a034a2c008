//! The generator's calls against what the subject says it holds.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::dump::{self, Dialog};
use crate::generator::{Call, Generator, Stage};
use crate::subject::Subject;

/// What was found wrong, and how much was right.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Calls whose caller has the 200 and that no side has ended.
    pub acknowledged: u32,
    /// Dialogs that the subject lists and has not ended.
    pub listed: u32,
    /// Acknowledged, not listed.
    pub missing: u32,
    /// Listed although the 200 to the BYE was there.
    pub zombies: u32,
    /// Listed twice, or with a Call-ID that nobody used.
    pub unknown: u32,
    /// A state, CSeq or variable older than the last acknowledged step.
    pub stale: u32,
    /// Memberships other than those of the call.
    pub memberships: u32,
    /// Values of profiles whose size is not that of the calls listed.
    pub sizes: u32,
}

impl Findings {
    /// How much is wrong.
    pub fn wrong(&self) -> u32 {
        self.missing + self.zombies + self.unknown + self.stale + self.memberships + self.sizes
    }

    /// Adds those of another round.
    pub fn add(&mut self, other: &Findings) {
        self.acknowledged += other.acknowledged;
        self.listed += other.listed;
        self.missing += other.missing;
        self.zombies += other.zombies;
        self.unknown += other.unknown;
        self.stale += other.stale;
        self.memberships += other.memberships;
        self.sizes += other.sizes;
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "acknowledged {} listed {}: missing {} zombies {} unknown {} stale {} memberships {} profile sizes {}",
            self.acknowledged, self.listed, self.missing, self.zombies, self.unknown, self.stale, self.memberships, self.sizes
        )
    }
}

/// Compares again and again in the course of a run; what was found once is not found again.
#[derive(Debug, Default)]
pub struct Ledger {
    written_off: HashSet<u32>,
    /// The first few of what was wrong, in words.
    pub examples: Vec<String>,
}

/// Examples that are told.
const EXAMPLES_MAX: usize = 10;

impl Ledger {
    /// Compares now, while the generator rests. Lost calls are hung up by their sides, dialogs that should not be there are
    /// ended by command, so that the next round begins clean.
    pub fn compare(&mut self, generator: &mut Generator, subject: &Subject) -> Result<Findings, String> {
        let dialogs = dump::dialogs(subject)?;
        let mut findings = Findings::default();
        let mut listed = HashSet::new();
        let mut members: BTreeMap<(&str, String), i64> = BTreeMap::new();
        for dialog in dialogs.iter().filter(|dialog| !dialog.has_ended()) {
            findings.listed += 1;
            for (profile, value) in dialog.pairs("profiles") {
                let profile = if profile == "account" { "account" } else { "trunk" };
                *members.entry((profile, value)).or_default() += 1;
            }
            let number = generator.number_of(dialog.text("call_id"));
            let Some(number) = number.filter(|number| listed.insert(*number)) else {
                findings.unknown += 1;
                self.tell(format!("unknown or twice: {dialog:?}"));
                self.end(subject, dialog)?;
                continue;
            };
            let Some(call) = generator.calls().get(number as usize) else { continue };
            if call.stage == Stage::Ended {
                if self.written_off.insert(number) {
                    findings.zombies += 1;
                    self.tell(format!("zombie: {dialog:?} of {call:?}"));
                }
                self.end(subject, dialog)?;
                continue;
            }
            if call.stage != Stage::Up {
                continue;
            }
            self.compare_call(generator, number, call, dialog, &mut findings);
        }
        self.compare_sizes(generator, subject, &members, &mut findings)?;
        let missing: Vec<u32> = (0_u32..)
            .zip(generator.calls())
            .filter(|(number, call)| call.stage == Stage::Up && !self.written_off.contains(number))
            .inspect(|_| findings.acknowledged += 1)
            .filter(|(number, _)| !listed.contains(number))
            .map(|(number, _)| number)
            .collect();
        for number in missing {
            findings.missing += 1;
            self.tell(format!("missing: {:?}", generator.calls().get(number as usize)));
            self.written_off.insert(number);
            generator.end(number)?;
        }
        Ok(findings)
    }

    fn compare_call(&mut self, generator: &Generator, number: u32, call: &Call, dialog: &Dialog, findings: &mut Findings) {
        let plan = generator.plan();
        let wanted = [("account".to_owned(), plan.account(number)), ("trunk".to_owned(), plan.trunk(number))];
        if dialog.pairs("profiles") != wanted {
            findings.memberships += 1;
            self.tell(format!("memberships: {dialog:?}"));
        }
        // A re-INVITE whose 200 was not there yet may have been seen or not.
        let is_between = |value: &str| value.parse::<u32>().is_ok_and(|value| (call.accepted..=call.offered).contains(&value));
        let is_right = dialog.variable("step").is_some_and(is_between)
            && is_between(dialog.of_leg("caller", "cseq"))
            && (!call.is_confirmed || dialog.number("state") == 4);
        if !is_right {
            findings.stale += 1;
            self.tell(format!("stale: {dialog:?} of {call:?}"));
        }
    }

    fn compare_sizes(
        &mut self,
        generator: &Generator,
        subject: &Subject,
        members: &BTreeMap<(&str, String), i64>,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let plan = generator.plan();
        let accounts = (0..plan.accounts).map(|number| ("account", plan.account(number)));
        for key in accounts.chain((0..plan.trunks).map(|number| ("trunk", plan.trunk(number)))) {
            let size = subject.ask(&["dlg.profile_get_size", key.0, &key.1])?.only_number();
            let wanted = members.get(&key).copied().unwrap_or(0);
            if size != Some(wanted) {
                findings.sizes += 1;
                self.tell(format!("profile {} of {}: {size:?} instead of {wanted}", key.0, key.1));
            }
        }
        Ok(())
    }

    fn end(&self, subject: &Subject, dialog: &Dialog) -> Result<(), String> {
        let (entry, id) = dialog.id();
        subject.ask(&["dlg.end_dlg", &entry.to_string(), &id.to_string()]).map(|_| ())
    }

    fn tell(&mut self, example: String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example);
        }
    }
}
