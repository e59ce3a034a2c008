//! What can be said about calls of this module's functions before they run: profiles, sides, where a size goes.

use ::dialog::settings::{ParameterValue, ProfileDefinition};
use script::exports::Refusal;
use script::value::parse_integer;

use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "set_dlg_profile", examine: profile },
    Check { function: "unset_dlg_profile", examine: profile },
    Check { function: "dlg_profile_acquire", examine: acquired_profile },
    Check { function: "is_in_profile", examine: profile },
    Check { function: "get_profile_size", examine: profile_size },
    Check { function: "dlg_set_timeout_by_profile", examine: timeout_of_members },
    Check { function: "dlg_set_timeout", examine: timeout },
    Check { function: "dlg_bye", examine: side_to_end },
    Check { function: "dlg_refer", examine: side_to_refer },
];

/// The profile exists, and a value that is given is not empty.
fn profile(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    known_profile(settings, literals)?;
    match literals.text(1) {
        Some(value) if value.is_empty() => refuse(1, "the value of a profile cannot be empty"),
        _ => Ok(()),
    }
}

fn known_profile(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let (Some(name), Some(known)) = (literals.text(0), defined_profiles(settings)) else { return Ok(()) };
    if known.iter().any(|profile| profile.name.as_bytes() == &name[..]) {
        return Ok(());
    }
    let text = if name.is_empty() {
        String::from("the name of a profile cannot be empty")
    } else {
        format!("profile <{name}> is not defined by profiles_with_value or profiles_no_value")
    };
    refuse(0, text)
}

/// The profile is one with values.
fn has_value(settings: &Settings, literals: Literals<'_>) -> bool {
    let (Some(name), Some(known)) = (literals.text(0), defined_profiles(settings)) else { return false };
    known.iter().any(|profile| profile.has_value && profile.name.as_bytes() == &name[..])
}

/// What the parameters define. A list that cannot be read stops the start of the module with its own reason.
fn defined_profiles(settings: &Settings) -> Option<Vec<ProfileDefinition>> {
    let mut known = ::dialog::Settings::default();
    for parameter in ["profiles_no_value", "profiles_with_value"] {
        let list = settings.text("dialog", parameter).unwrap_or_default().to_string();
        known.set(parameter, ParameterValue::Text(&list)).ok()?;
    }
    Some(known.profiles)
}

/// The profile exists and has a value where it needs one; limit and headroom are no negative numbers.
fn acquired_profile(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    known_profile(settings, literals)?;
    let is_with_value = literals.count() > 2;
    if has_value(settings, literals) {
        if !is_with_value {
            return refuse(0, "a profile with values needs one: profile, value, limit");
        }
        if literals.text(1).is_some_and(|value| value.is_empty()) {
            return refuse(1, "the value of a profile cannot be empty");
        }
    }
    for place in if is_with_value { 2 } else { 1 }..literals.count() {
        if literals.text(place).and_then(|number| parse_integer(&number)).is_some_and(|number| number < 0) {
            return refuse(place, "a limit and a headroom are numbers from 0");
        }
    }
    Ok(())
}

/// The size goes into `$avp` or `$var`.
fn profile_size(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let place = literals.count().saturating_sub(1);
    if place > 1 {
        profile(settings, literals)?;
    } else {
        known_profile(settings, literals)?;
    }
    match literals.variable(place) {
        Some(variable) if !matches!(variable.name(), "avp" | "var") => {
            refuse(place, format!("the size goes into an $avp or a $var, not into {}", variable.text()))
        }
        _ => Ok(()),
    }
}

/// Behind the name comes a value that is not empty, unless only the seconds do.
fn timeout_of_members(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    if literals.count() > 2 { profile(settings, literals) } else { known_profile(settings, literals) }
}

/// A number of seconds fits 31 bits.
fn timeout(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(seconds) = literals.text(0) else { return Ok(()) };
    match parse_integer(&seconds) {
        Some(number) if i32::try_from(number).is_err() => refuse(0, format!("{seconds} seconds are more than a timer can run")),
        _ => Ok(()),
    }
}

fn side(literals: Literals<'_>, sides: &[&str]) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(side) if !sides.iter().any(|known| side.eq_ignore_ascii_case(known.as_bytes())) => {
            refuse(0, format!("the side is {}, not \"{side}\"", sides.join(" or ")))
        }
        _ => Ok(()),
    }
}

fn side_to_end(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    side(literals, &["caller", "callee", "all"])
}

fn side_to_refer(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    side(literals, &["caller", "callee"])
}
