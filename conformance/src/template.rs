//! `@NAME@` marks in configurations and timelines: addresses of the proxy and the agents.

use std::collections::BTreeMap;

/// Replaces every `@NAME@` that is known.
pub fn fill(text: &str, marks: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in marks {
        filled = filled.replace(&format!("@{name}@"), value);
    }
    filled
}
