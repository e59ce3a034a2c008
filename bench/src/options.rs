//! Options of the commands: `--name value`.

use crate::cost;
use crate::database::{self, Outage};
use crate::outage;
use crate::reload;
use crate::setup::Ground;
use crate::subject::Kind;
use crate::survive;

/// Pairs of names and values, each name at most once and only known ones.
struct Options<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    fn read(words: &[&'a str], known: &[&str]) -> Result<Options<'a>, String> {
        let mut pairs = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").filter(|name| known.contains(name));
            let name = name.ok_or_else(|| format!("`{word}` is no option here: --{}", known.join(" --")))?;
            let value = words.next().ok_or_else(|| format!("--{name} needs a value"))?;
            pairs.push((name, *value));
        }
        Ok(Options { pairs })
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().rev().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    fn number<N: std::str::FromStr>(&self, name: &str, otherwise: N) -> Result<N, String> {
        match self.text(name) {
            Some(text) => text.parse().map_err(|_| format!("--{name} {text}: no number")),
            None => Ok(otherwise),
        }
    }

    fn optional(&self, name: &str) -> Result<Option<u32>, String> {
        self.text(name).map(|_| self.number(name, 0)).transpose()
    }

    fn subject(&self) -> Result<Kind, String> {
        match self.text("subject") {
            None | Some("duolog") => Ok(Kind::Duolog),
            Some("kamailio") => Ok(Kind::Kamailio),
            Some(other) => Err(format!("no subject {other}: use duolog or kamailio")),
        }
    }

    fn ground(&self) -> Result<Ground, String> {
        let journal = self.text("journal").unwrap_or("wal");
        if !matches!(journal, "wal" | "delete") {
            return Err(format!("no journal {journal}: use wal or delete"));
        }
        Ok(Ground {
            subject: self.subject()?,
            database: Some(database::Kind::of(self.text("database").unwrap_or("sqlite"))?),
            mode: 1,
            journal: journal.to_owned(),
            children: self.number("children", 4)?,
            hold_time: self.optional("hold-time")?,
            commit_interval: self.optional("commit-interval")?,
        })
    }
}

/// What every run on a database may be told.
const GROUND: [&str; 6] = ["subject", "database", "journal", "children", "hold-time", "commit-interval"];

/// Of `survive`.
pub fn survive(words: &[&str]) -> Result<survive::Wanted, String> {
    let options = Options::read(words, &[&GROUND[..], &["rounds", "rate", "seed", "held"]].concat())?;
    Ok(survive::Wanted {
        ground: options.ground()?,
        rounds: options.number("rounds", 20)?,
        rate: options.number("rate", 300)?,
        seed: options.number("seed", 1)?,
        held: options.number("held", 0)?,
    })
}

/// Of `outage`.
pub fn outage(words: &[&str]) -> Result<outage::Wanted, String> {
    let options = Options::read(words, &[&GROUND[..], &["outage", "seconds", "rate", "seed"]].concat())?;
    Ok(outage::Wanted {
        ground: options.ground()?,
        outage: options.text("outage").map(Outage::of).transpose()?,
        seconds: options.number("seconds", 60)?,
        rate: options.number("rate", 200)?,
        seed: options.number("seed", 1)?,
    })
}

/// Of `cost`.
pub fn cost(words: &[&str]) -> Result<cost::Wanted, String> {
    let options = Options::read(words, &[&GROUND[..], &["rate", "seconds", "hold", "rounds"]].concat())?;
    let subjects = if options.text("subject").is_some() { vec![options.subject()?] } else { vec![Kind::Duolog, Kind::Kamailio] };
    Ok(cost::Wanted {
        ground: options.ground()?,
        subjects,
        rate: options.number("rate", 800)?,
        seconds: options.number("seconds", 3)?,
        hold: options.number("hold", 400)?,
        rounds: options.number("rounds", 10)?,
    })
}

/// Of `reload`.
pub fn reload(words: &[&str]) -> Result<reload::Wanted, String> {
    let options = Options::read(words, &[&GROUND[..], &["dialogs", "used", "rate"]].concat())?;
    Ok(reload::Wanted {
        ground: options.ground()?,
        dialogs: options.number("dialogs", 1_000_000)?,
        used: options.number("used", 2_000)?,
        rate: options.number("rate", 200)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults_and_what_is_not_known_is_refused() {
        let wanted = survive(&["--rounds", "5", "--subject", "kamailio"]).unwrap();
        assert_eq!((wanted.rounds, wanted.rate), (5, 300));
        assert_eq!((wanted.ground.subject, wanted.ground.database), (Kind::Kamailio, Some(database::Kind::Sqlite)));
        for bad in [&["--rounds"][..], &["--rounds", "x"], &["--colour", "1"], &["rounds", "1"], &["--subject", "other"]] {
            assert!(survive(bad).is_err(), "{bad:?}");
        }
    }
}
