//! What can be said about calls of this module's functions before they run: the statistic exists, the change is one.

use script::exports::Refusal;
use script::value::parse_integer;

use crate::literals::{Check, Literals, refuse};
use crate::registry;
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] =
    &[Check { function: "update_stat", examine: update }, Check { function: "reset_stat", examine: known_name }];

fn known_name(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(name) = literals.text(0) else { return Ok(()) };
    let is_declared = registry::ALL.iter().flat_map(|module| module.statistics).any(|statistic| statistic.name.as_bytes() == &name[..]);
    let is_own = |text: &[u8]| text.split(|byte| *byte == b'/').next().is_some_and(|own| own.trim_ascii() == &name[..]);
    if is_declared || settings.texts("statistics", "variable").iter().any(|text| is_own(text)) {
        return Ok(());
    }
    refuse(0, format!("there is no statistic \"{name}\"; modparam(\"statistics\", \"variable\", \"{name}\") would make it"))
}

fn update(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    known_name(settings, literals)?;
    let Some(change) = literals.text(1) else { return Ok(()) };
    match parse_integer(change.strip_prefix(b"+").unwrap_or(&change)) {
        Some(0) => refuse(1, "an update by 0 changes nothing"),
        Some(_) => Ok(()),
        None => refuse(1, format!("\"{change}\" is no number")),
    }
}
