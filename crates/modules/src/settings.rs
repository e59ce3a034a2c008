//! Values of module parameters, with the defaults of the export tables.

use std::collections::BTreeMap;

use script::exports::Default as ParameterDefault;
use script::syntax::ast::{CustomParameter, Literal, ModuleParameter};
use script::value::{Text, parse_integer};

use crate::registry;

/// What `modparam` set, in order.
#[derive(Debug, Default, Clone)]
pub struct Settings {
    values: BTreeMap<(String, String), Vec<Literal>>,
    loaded: Vec<String>,
    groups: Vec<String>,
}

impl Settings {
    /// From the parsed configuration: loaded modules in order and their parameters.
    pub fn new(loaded: Vec<String>, parameters: &[ModuleParameter]) -> Settings {
        let mut values: BTreeMap<(String, String), Vec<Literal>> = BTreeMap::new();
        for parameter in parameters {
            values.entry((parameter.module.clone(), parameter.name.clone())).or_default().push(parameter.value.clone());
        }
        Settings { values, loaded, groups: Vec::new() }
    }

    /// With the groups of custom parameters that the configuration makes.
    pub fn with_groups(self, parameters: &[CustomParameter]) -> Settings {
        Settings { groups: parameters.iter().map(|parameter| parameter.group.clone()).collect(), ..self }
    }

    /// Does the configuration make a group of this name?
    pub fn has_own_group(&self, name: &[u8]) -> bool {
        self.groups.iter().any(|group| group.as_bytes() == name)
    }

    /// Was this module loaded?
    pub fn is_loaded(&self, module: &str) -> bool {
        self.loaded.iter().any(|name| name == module)
    }

    /// Names of loaded modules in order of loading.
    pub fn loaded(&self) -> &[String] {
        &self.loaded
    }

    fn last(&self, module: &str, name: &str) -> Option<&Literal> {
        self.values.get(&(module.to_owned(), name.to_owned()))?.last()
    }

    /// Was the parameter given?
    pub fn is_set(&self, module: &str, name: &str) -> bool {
        self.last(module, name).is_some()
    }

    /// An integer parameter or its default (0 when unset).
    pub fn integer(&self, module: &str, name: &str) -> i64 {
        match self.last(module, name) {
            Some(Literal::Integer(value)) => *value,
            Some(Literal::Text(text)) => parse_integer(text).unwrap_or(0),
            None => match registry::parameter(module, name).map(|parameter| parameter.default) {
                Some(ParameterDefault::Integer(value)) => value,
                _ => 0,
            },
        }
    }

    /// A text parameter or its default; None when unset.
    pub fn text(&self, module: &str, name: &str) -> Option<Text> {
        match self.last(module, name) {
            Some(Literal::Text(text)) => Some(text.clone()),
            Some(Literal::Integer(value)) => Some(Text::from(value.to_string())),
            None => match registry::parameter(module, name).map(|parameter| parameter.default) {
                Some(ParameterDefault::Text(text)) => Some(Text::from(text)),
                _ => None,
            },
        }
    }

    /// Every value of a repeatable parameter, in order.
    pub fn texts(&self, module: &str, name: &str) -> Vec<Text> {
        self.values.get(&(module.to_owned(), name.to_owned())).map_or_else(Vec::new, |values| {
            values
                .iter()
                .map(|value| match value {
                    Literal::Text(text) => text.clone(),
                    Literal::Integer(number) => Text::from(number.to_string()),
                })
                .collect()
        })
    }
}
