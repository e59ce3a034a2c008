//! What can be said about calls of core functions before they run.

use script::exports::Refusal;

use crate::cfg_rpc::knows_group;
use crate::literals::{Check, Literals, refuse};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[Check { function: "cfg_select", examine: group }, Check { function: "cfg_reset", examine: group }];

fn group(settings: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(name) if !knows_group(settings, &name) => {
            refuse(0, format!("there is no group \"{name}\"; write {name}.NAME = VALUE in the configuration"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use script::exports::Argument;
    use script::value::Text;

    use super::*;

    #[test]
    fn groups_are_those_of_core_and_of_loaded_modules() {
        let settings = Settings::new(vec!["tm".to_owned()], &[]);
        for (name, is_known) in [("core", true), ("tcp", true), ("tm", true), ("maxfwd", false), ("own", false)] {
            let argument = Argument::Text(Text::from(name));
            assert_eq!(group(&settings, Literals(&[Some(&argument)])).is_ok(), is_known, "{name}");
        }
    }
}
