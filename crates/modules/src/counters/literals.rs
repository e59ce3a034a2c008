//! What can be said about calls of this module's functions before they run: the counter exists.

use script::exports::Refusal;

use super::State;
use crate::literals::{Check, Literals, refuse};
use crate::registry;
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "cnt_inc", examine: known_name },
    Check { function: "cnt_add", examine: known_name },
    Check { function: "cnt_reset", examine: known_name },
];

fn known_name(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(text) = literals.text(0) else { return Ok(()) };
    // Parameters that cannot be read stop the start of the module with their own reason.
    let Ok(state) = State::read(settings) else { return Ok(()) };
    let text = text.to_string();
    let (group, name) = text.split_once('.').unwrap_or((&state.group, &text));
    let mut declared = registry::ALL.iter().flat_map(|module| module.statistics);
    if state.variables.find(Some(group), name).is_some() || declared.any(|statistic| (statistic.group, statistic.name) == (group, name)) {
        return Ok(());
    }
    refuse(0, format!("there is no counter {group}.{name}; modparam(\"counters\", \"script_counter\", \"{group}.{name}\") would make it"))
}
