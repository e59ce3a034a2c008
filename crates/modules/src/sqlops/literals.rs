//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;

use crate::database;
use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "sql_query", examine: connection },
    Check { function: "sql_query_async", examine: connection },
    Check { function: "sql_xquery", examine: connection },
    Check { function: "sql_pvquery", examine: connection },
];

/// The name of a `sqlcon`.
fn connection(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(name) = literals.text(0) else { return Ok(()) };
    let is_known = |text: &script::value::Text| database::named(text).is_some_and(|(own, _)| *own == name[..]);
    if settings.texts("sqlops", "sqlcon").iter().any(is_known) {
        return Ok(());
    }
    refuse(0, format!("there is no connection \"{name}\": add modparam(\"sqlops\", \"sqlcon\", \"{name}=>sqlite:///...\")"))
}
