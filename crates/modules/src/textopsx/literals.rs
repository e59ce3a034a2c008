//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;

use super::header_name::Name;
use crate::literals::{Check, Literals, is_header_name, refuse};
use crate::settings::Settings;

macro_rules! named {
    ($($function:literal),*) => { &[$(Check { function: $function, examine: name }),*] };
}

pub(super) static CHECKS: &[Check] = named!(
    "remove_hf_value",
    "remove_hf_value2",
    "insert_hf_value",
    "append_hf_value",
    "assign_hf_value",
    "assign_hf_value2",
    "include_hf_value",
    "exclude_hf_value",
    "hf_value_exists"
);

/// `name`, `name[index]`, `name.parameter`.
fn name(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(text) = literals.text(0) else { return Ok(()) };
    if Name::parse(&text).is_some_and(|name| is_header_name(name.header)) {
        return Ok(());
    }
    refuse(0, format!("\"{text}\" is not the name of a header, of one of its values or of a parameter"))
}
