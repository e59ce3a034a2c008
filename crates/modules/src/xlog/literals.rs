//! What can be said about calls of this module's functions before they run: level and facility.

use script::exports::Refusal;

use super::level;
use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "xlog", examine: level_and_facility },
    Check { function: "xlogl", examine: level_and_facility },
    Check { function: "xlogm", examine: level_and_facility },
];

fn level_and_facility(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let place = match literals.count() {
        0 | 1 => return Ok(()),
        2 => 0,
        _ => 1,
    };
    if place == 1
        && let Some(name) = literals.text(0).filter(|name| level::facility(name).is_none())
    {
        return refuse(0, format!("\"{name}\" is no syslog facility, for example LOG_DAEMON"));
    }
    match literals.text(place) {
        // Kamailio tells levels apart by the third letter alone, and configurations live with it.
        Some(name) if !name.get(2).is_some_and(|letter| b"ABCEWNID".contains(letter)) => {
            refuse(place, format!("\"{name}\" is no log level, for example L_INFO"))
        }
        _ => Ok(()),
    }
}
