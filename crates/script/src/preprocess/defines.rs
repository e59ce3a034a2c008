//! The table of defines, in order of definition, and the ones every configuration starts with (spec cfg-language 2.2, 2.7).

use std::collections::BTreeMap;

use crate::limits::DEFINES_MAX;
use crate::value::Text;

/// Names and their texts; a name may be defined without one.
#[derive(Debug, Default)]
pub struct Defines {
    entries: Vec<(String, Option<Text>)>,
    places: BTreeMap<String, usize>,
}

/// Why a define was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefineError {
    /// The name exists and only `redefine` may change it.
    AlreadyDefined,
    NotDefined,
    TooMany,
}

/// The release whose `KAMAILIO_*` names are predefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Default for Version {
    fn default() -> Version {
        Version { major: 6, minor: 1, patch: 0 }
    }
}

impl Defines {
    /// The table with the predefined names.
    pub fn predefined(version: Version, system: &str) -> Defines {
        let Version { major, minor, patch } = version;
        let mut defines = Defines::default();
        let number = u64::from(major) * 1_000_000 + u64::from(minor) * 1000 + u64::from(patch);
        defines.set(&format!("KAMAILIO_{major}"), None);
        defines.set(&format!("KAMAILIO_{major}_{minor}"), None);
        defines.set(&format!("KAMAILIO_{major}_{minor}_{patch}"), None);
        defines.set("KAMAILIO_VERSION", Some(Text::from(number.to_string())));
        defines.set("OS_NAME", Some(Text::from(format!("\"{system}\""))));
        defines
    }

    /// `#!define`: a name that exists is an error.
    pub fn define(&mut self, name: &str, text: Option<Text>) -> Result<(), DefineError> {
        if self.is_defined(name) {
            return Err(DefineError::AlreadyDefined);
        }
        if self.entries.len() >= DEFINES_MAX {
            return Err(DefineError::TooMany);
        }
        self.set(name, text);
        Ok(())
    }

    /// `#!redefine`: replaces or creates.
    pub fn redefine(&mut self, name: &str, text: Option<Text>) -> Result<(), DefineError> {
        if !self.is_defined(name) {
            return self.define(name, text);
        }
        self.set(name, text);
        Ok(())
    }

    /// `#!undefine`.
    pub fn undefine(&mut self, name: &str) -> Result<(), DefineError> {
        let place = self.places.remove(name).ok_or(DefineError::NotDefined)?;
        self.entries.remove(place);
        self.places.values_mut().filter(|other| **other > place).for_each(|other| *other -= 1);
        Ok(())
    }

    fn set(&mut self, name: &str, text: Option<Text>) {
        let text = text.filter(|text| !text.is_empty());
        match self.places.get(name).and_then(|place| self.entries.get_mut(*place)) {
            Some(entry) => entry.1 = text,
            None => {
                self.places.insert(name.to_string(), self.entries.len());
                self.entries.push((name.to_string(), text));
            }
        }
    }

    pub fn is_defined(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// None: not defined; `Some(None)`: defined without text.
    pub fn text(&self, name: &str) -> Option<Option<&Text>> {
        self.places.get(name).and_then(|place| self.entries.get(*place)).map(|(_, text)| text.as_ref())
    }

    /// All names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Names and texts in order.
    pub fn into_entries(self) -> Vec<(String, Option<Text>)> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_defined_once_and_redefined_at_will() {
        let mut defines = Defines::default();
        assert_eq!(defines.define("A", Some(Text::from("1"))), Ok(()));
        assert_eq!(defines.define("A", None), Err(DefineError::AlreadyDefined));
        assert_eq!(defines.redefine("A", Some(Text::from("2"))), Ok(()));
        assert_eq!(defines.text("A").flatten(), Some(&Text::from("2")));
        assert_eq!(defines.define("B", None), Ok(()));
        assert_eq!(defines.undefine("A"), Ok(()));
        assert_eq!(defines.undefine("A"), Err(DefineError::NotDefined));
        assert_eq!(defines.text("B"), Some(None));
        assert_eq!(defines.text("A"), None);
    }

    #[test]
    fn the_release_is_predefined() {
        let defines = Defines::predefined(Version { major: 5, minor: 6, patch: 3 }, "linux");
        assert!(defines.is_defined("KAMAILIO_5") && defines.is_defined("KAMAILIO_5_6_3"));
        assert_eq!(defines.text("KAMAILIO_VERSION").flatten(), Some(&Text::from("5006003")));
        assert_eq!(defines.text("OS_NAME").flatten(), Some(&Text::from("\"linux\"")));
    }
}
