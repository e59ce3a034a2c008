//! `@NAME@` marks in configurations and timelines: addresses of the proxy and the agents.

use std::collections::BTreeMap;

/// Replaces every `@NAME@` that is known, and `@NAME_PORT@` by its port alone.
pub fn fill(text: &str, marks: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in marks {
        filled = filled.replace(&format!("@{name}@"), value);
        if let Some((_, port)) = value.rsplit_once(':') {
            filled = filled.replace(&format!("@{name}_PORT@"), port);
        }
    }
    filled
}
