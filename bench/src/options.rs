//! Options of the commands: `--name value`.

use crate::cost;
use crate::database::{self, Outage};
use crate::outage;
use crate::overload;
use crate::reload;
use crate::setup::Ground;
use crate::side_by_side::{self, Measurement, Ways};
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

/// Of `overload`.
pub fn overload(words: &[&str]) -> Result<overload::Wanted, String> {
    let options = Options::read(words, &["subject", "factor", "seconds"])?;
    let wanted =
        overload::Wanted { subject: options.subject()?, factor: options.number("factor", 3.0)?, seconds: options.number("seconds", 20)? };
    let is_bounded = (1.0..=10.0).contains(&wanted.factor) && (1..=600).contains(&wanted.seconds);
    if is_bounded { Ok(wanted) } else { Err("--factor is 1 to 10, --seconds 1 to 600".to_owned()) }
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

/// Of `builds`.
pub fn builds(words: &[&str]) -> Result<side_by_side::builds::Wanted, String> {
    let options = Options::read(words, &["programs", "rates", "rounds", "generator"])?;
    let programs: Vec<_> = options.text("programs").ok_or("--programs PATH,... is needed")?.split(',').map(Into::into).collect();
    let rate = |text: &str| text.parse::<u32>().map(f64::from).map_err(|_| format!("--rates {text}: no number"));
    let rates = options.text("rates").unwrap_or("800,4000").split(',').map(rate).collect::<Result<_, _>>()?;
    Ok(side_by_side::builds::Wanted { programs, rates, rounds: options.number("rounds", 5)?, ways: ways(&options)? })
}

fn ways(options: &Options<'_>) -> Result<Ways, String> {
    match options.text("generator") {
        None | Some("sleeps") => Ok(Ways { spins: false }),
        Some("spins") => Ok(Ways { spins: true }),
        Some(other) => Err(format!("a generator cannot {other}: use sleeps or spins")),
    }
}

/// Of `side-by-side`. What is measured whole is written down unless `--write no` says otherwise; parts only with `--write yes`.
pub fn side_by_side(words: &[&str]) -> Result<side_by_side::Wanted, String> {
    let is_quick = words.contains(&"--quick");
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "--quick").collect();
    let options = Options::read(&words, &["only", "generator", "write"])?;
    let named = |name: &str| Measurement::ALL.into_iter().find(|measurement| measurement.name() == name);
    let measurements = match options.text("only") {
        None => Measurement::ALL.to_vec(),
        Some(names) => {
            let all = Measurement::ALL.map(Measurement::name).join(", ");
            names.split(',').map(|name| named(name).ok_or_else(|| format!("no measurement {name}: use {all}"))).collect::<Result<_, _>>()?
        }
    };
    let is_written = match options.text("write") {
        None => !is_quick && measurements.len() == Measurement::ALL.len(),
        Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(format!("--write {other}: use yes or no")),
    };
    Ok(side_by_side::Wanted { measurements, is_quick, ways: ways(&options)?, is_written })
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

    #[test]
    fn a_whole_comparison_is_written_down_and_a_part_is_not() {
        let [whole, quick, part] = [&[][..], &["--quick"], &["--only", "load"]].map(|words| side_by_side(words).unwrap());
        assert_eq!((whole.is_written, quick.is_written, part.is_written), (true, false, false));
        assert_eq!((whole.measurements, part.measurements), (Measurement::ALL.to_vec(), vec![Measurement::Load]));
        assert!(quick.is_quick && side_by_side(&["--quick", "--write", "yes"]).unwrap().is_written);
        for bad in [&["--only", "speed"][..], &["--generator", "naps"], &["--write", "maybe"], &["quick"]] {
            assert!(side_by_side(bad).is_err(), "{bad:?}");
        }
    }
}
