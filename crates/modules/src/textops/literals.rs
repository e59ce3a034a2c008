//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;
use sip::method::Method;

use crate::literals::{Check, Literals, header_name, refuse};
use crate::settings::Settings;

/// Words of the Privacy header (RFC 3323 §4.2, RFC 3325 §9.3, RFC 4244 §4.1).
const PRIVACY_WORDS: &[&str] = &["user", "header", "session", "none", "critical", "id", "history"];

pub(super) static CHECKS: &[Check] = &[
    Check { function: "subst_hf", examine: header_name::<0> },
    Check { function: "remove_hf", examine: header_name::<0> },
    Check { function: "is_present_hf", examine: header_name::<0> },
    Check { function: "insert_hf", examine: header_name::<1> },
    Check { function: "append_hf", examine: header_name::<1> },
    Check { function: "is_method", examine: methods },
    Check { function: "has_body", examine: media_type },
    Check { function: "in_list", examine: separator },
    Check { function: "in_list_prefix", examine: separator },
    Check { function: "is_privacy", examine: privacy },
];

/// One name of any method, or a list of known ones.
fn methods(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(text) = literals.text(0) else { return Ok(()) };
    let names: Vec<&[u8]> = text.split(|byte| *byte == b'|').filter(|name| !name.is_empty()).collect();
    let is_list = text.contains(&b'|');
    let is_known = |name: &&[u8]| Method::from_bytes(&name.to_ascii_uppercase()) != Method::Other;
    if names.is_empty() {
        return refuse(0, "a method is named here");
    }
    match names.iter().find(|name| is_list && !is_known(name)) {
        Some(name) => refuse(0, format!("{} is no method a list can hold", String::from_utf8_lossy(name))),
        None => Ok(()),
    }
}

/// `type/subtype`; nothing at all asks for any body.
fn media_type(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(text) if !text.is_empty() && !text.contains(&b'/') => refuse(0, format!("\"{text}\" is no media type, write type/subtype")),
        _ => Ok(()),
    }
}

fn separator(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(2) {
        Some(text) if text.len() != 1 => refuse(2, "the separator is one character"),
        _ => Ok(()),
    }
}

fn privacy(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(text) if !PRIVACY_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes())) => {
            refuse(0, format!("the kind of privacy is one of {}", PRIVACY_WORDS.join(", ")))
        }
        _ => Ok(()),
    }
}
