//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;
use script::value::parse_integer;

use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

/// The highest global flag.
const FLAG_MAX: i64 = 31;
/// The probability that always happens, in percent.
const PROBABILITY_MAX: i64 = 100;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "rand_set_prob", examine: probability },
    Check { function: "set_gflag", examine: flag },
    Check { function: "reset_gflag", examine: flag },
    Check { function: "is_gflag", examine: flag },
];

fn number(literals: Literals<'_>) -> Option<i64> {
    literals.text(0).and_then(|text| parse_integer(&text))
}

fn probability(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match number(literals) {
        Some(percent) if percent > PROBABILITY_MAX => refuse(0, format!("a probability is at most {PROBABILITY_MAX} percent")),
        _ => Ok(()),
    }
}

fn flag(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match number(literals) {
        Some(flag) if !(0..=FLAG_MAX).contains(&flag) => refuse(0, format!("global flags are 0 to {FLAG_MAX}")),
        _ => Ok(()),
    }
}
