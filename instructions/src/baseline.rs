//! The recorded counts, and what a new count means beside them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::surroundings::Surroundings;

/// A count may lie this much above its baseline.
pub const LIMIT_PERCENT: u64 = 3;

/// What to do about a baseline that no longer fits.
pub const REMEDY: &str = "cargo xtask instructions --write";

/// The contents of `baseline.tsv`.
#[derive(Debug, PartialEq, Eq)]
pub struct Baseline {
    /// With what it was made, as its comments tell: name and value.
    pub made_with: BTreeMap<String, String>,
    /// Instructions of one operation, by the name of the case.
    pub counts: BTreeMap<String, u64>,
}

/// How one case stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Within the limit, so many percent above the baseline.
    Same(f64),
    /// More than the limit below.
    Better(f64),
    /// More than the limit above.
    Worse(f64),
    /// Counted, but not in the baseline.
    New,
    /// In the baseline, but not a case any more.
    Gone,
}

impl Verdict {
    /// Does the check fail by it?
    pub fn is_failure(self) -> bool {
        matches!(self, Verdict::Worse(_) | Verdict::New | Verdict::Gone)
    }
}

impl Baseline {
    /// Reads the file: comments `# name<TAB>value`, rows `case<TAB>instructions`, under a head that begins with `case`.
    pub fn read(text: &str) -> Result<Baseline, String> {
        let mut baseline = Baseline { made_with: BTreeMap::new(), counts: BTreeMap::new() };
        for (number, line) in text.lines().enumerate() {
            if let Some(comment) = line.strip_prefix("# ") {
                if let Some((name, value)) = comment.split_once('\t') {
                    baseline.made_with.insert(name.to_owned(), value.to_owned());
                }
                continue;
            }
            let row = line.split_once('\t').ok_or_else(|| format!("line {} of the baseline has no tab", number + 1))?;
            if row.0 == "case" {
                continue;
            }
            let count = row.1.parse().map_err(|_| format!("line {} of the baseline has no count", number + 1))?;
            baseline.counts.insert(row.0.to_owned(), count);
        }
        Ok(baseline)
    }

    /// How each case stands beside it, in the order counted, then the cases that are gone.
    pub fn compare(&self, counted: &[(&str, u64)]) -> Vec<(String, Verdict)> {
        let known = counted.iter().map(|(name, count)| {
            let verdict = self.counts.get(*name).map_or(Verdict::New, |recorded| judge(*recorded, *count));
            ((*name).to_owned(), verdict)
        });
        let gone = self.counts.keys().filter(|name| counted.iter().all(|(other, _)| other != name));
        known.chain(gone.map(|name| (name.clone(), Verdict::Gone))).collect()
    }

    /// What is different here from where it was made, in sentences.
    pub fn differences(&self, here: &Surroundings) -> Vec<String> {
        let facts = here.facts();
        let different = facts.iter().filter(|(name, value)| self.made_with.get(*name).is_none_or(|recorded| recorded != value));
        different
            .map(|(name, value)| {
                let recorded = self.made_with.get(*name).map_or("nothing", String::as_str);
                format!("{name} is {value}, the baseline was made with {recorded}")
            })
            .collect()
    }
}

fn judge(recorded: u64, counted: u64) -> Verdict {
    let percent = (counted as f64 / recorded.max(1) as f64 - 1.0) * 100.0;
    // In whole numbers, so that the limit itself is on the right side.
    let (recorded, counted) = (recorded.saturating_mul(100), counted.saturating_mul(100));
    let tolerated = recorded / 100 * LIMIT_PERCENT;
    if counted > recorded.saturating_add(tolerated) {
        Verdict::Worse(percent)
    } else if counted.saturating_add(tolerated) < recorded {
        Verdict::Better(percent)
    } else {
        Verdict::Same(percent)
    }
}

/// The text of a new baseline.
pub fn write(counted: &[(&str, u64)], here: &Surroundings) -> String {
    let mut text = format!("# Instructions of one operation, profile `fast`; written by `{REMEDY}`, explained in docs/performance.md.\n");
    for (name, value) in here.facts() {
        let _ = writeln!(text, "# {name}\t{value}");
    }
    text.push_str("case\tinstructions\n");
    for (name, count) in counted {
        let _ = writeln!(text, "{name}\t{count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Surroundings {
        let text = |text: &str| text.to_owned();
        Surroundings { rustc: text("rustc 1"), libc: text("glibc 2"), processor: text("x86_64"), valgrind: text("valgrind-3") }
    }

    fn recorded() -> Baseline {
        Baseline::read(&write(&[("call", 100_000), ("script", 1_000)], &here())).expect("what is written can be read")
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let baseline = recorded();
        assert_eq!(baseline.counts.get("call"), Some(&100_000));
        assert_eq!(baseline.counts.len(), 2);
        assert_eq!(baseline.made_with.get("libc").map(String::as_str), Some("glibc 2"));
        assert!(baseline.differences(&here()).is_empty());
    }

    #[test]
    fn a_row_without_a_count_is_an_error() {
        assert_eq!(Baseline::read("call\tmany\n"), Err("line 1 of the baseline has no count".to_owned()));
        assert_eq!(Baseline::read("call 1\n"), Err("line 1 of the baseline has no tab".to_owned()));
    }

    #[test]
    fn three_percent_above_passes_and_more_fails() {
        let baseline = recorded();
        let verdicts = baseline.compare(&[("call", 103_000), ("script", 1_031)]);
        assert!(matches!(verdicts.first(), Some((name, Verdict::Same(_))) if name == "call"), "{verdicts:?}");
        assert!(matches!(verdicts.get(1), Some((name, verdict @ Verdict::Worse(_))) if name == "script" && verdict.is_failure()));
    }

    #[test]
    fn more_than_three_percent_below_is_told_but_passes() {
        let verdicts = recorded().compare(&[("call", 96_900), ("script", 970)]);
        assert!(matches!(verdicts.first(), Some((_, verdict @ Verdict::Better(_))) if !verdict.is_failure()));
        assert!(matches!(verdicts.get(1), Some((_, Verdict::Same(_)))));
    }

    #[test]
    fn a_case_without_a_row_and_a_row_without_a_case_fail() {
        let verdicts = recorded().compare(&[("call", 100_000), ("match", 5)]);
        assert_eq!(verdicts.get(1), Some(&("match".to_owned(), Verdict::New)));
        assert_eq!(verdicts.get(2), Some(&("script".to_owned(), Verdict::Gone)));
        assert!(Verdict::New.is_failure() && Verdict::Gone.is_failure());
    }

    #[test]
    fn other_surroundings_are_named() {
        let there = Surroundings { libc: "glibc 3".to_owned(), ..here() };
        assert_eq!(recorded().differences(&there), ["libc is glibc 3, the baseline was made with glibc 2"]);
    }
}
