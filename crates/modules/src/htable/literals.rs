//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;

use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "sht_lock", examine: table_and_key },
    Check { function: "sht_unlock", examine: table_and_key },
    Check { function: "sht_rm_name_re", examine: table_and_key },
    Check { function: "sht_rm_value_re", examine: table_and_key },
];

/// `table=>key`
fn table_and_key(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(text) if !text.windows(2).any(|pair| pair == b"=>") => refuse(0, format!("\"{text}\" is not table=>key")),
        _ => Ok(()),
    }
}
