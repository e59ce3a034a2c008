//! What a run-time variable is: name, kind, value at the start, what a change does.

use script::syntax::ast::Literal;
use script::value::{Text, parse_integer};

use crate::node::Node;
use crate::registry;

/// Carries a change out; false: it is not possible.
pub(super) type Apply = fn(&Node, &str, &Literal) -> bool;

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Least and most value.
    Integer(i64, i64),
    /// An integer that is decided at the start.
    Fixed,
    Text,
}

/// The value of a variable whose configuration says nothing.
#[derive(Debug, Clone, Copy)]
enum Preset {
    Integer(i64),
    Text(&'static str),
}

/// One variable of a group.
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    preset: Preset,
    pub(super) help: &'static str,
    /// None: the value is kept and shown, nothing here looks at it.
    pub(super) apply: Option<Apply>,
}

/// An integer without bounds of its own.
pub(super) const fn integer(name: &'static str, preset: i64, help: &'static str) -> Variable {
    within(name, preset, (i32::MIN as i64, i32::MAX as i64), help)
}

/// An integer between two bounds, both included.
pub(super) const fn within(name: &'static str, preset: i64, bounds: (i64, i64), help: &'static str) -> Variable {
    Variable { name, kind: Kind::Integer(bounds.0, bounds.1), preset: Preset::Integer(preset), help, apply: None }
}

/// An integer that cannot be changed any more.
pub(super) const fn fixed(name: &'static str, preset: i64, help: &'static str) -> Variable {
    Variable { name, kind: Kind::Fixed, preset: Preset::Integer(preset), help, apply: None }
}

/// A text.
pub(super) const fn text(name: &'static str, preset: &'static str, help: &'static str) -> Variable {
    Variable { name, kind: Kind::Text, preset: Preset::Text(preset), help, apply: None }
}

impl Variable {
    /// The same variable, whose changes take effect.
    pub(super) const fn with(self, apply: Apply) -> Variable {
        Variable { apply: Some(apply), ..self }
    }

    /// The value as the variable's kind has it; None: it does not fit, or the variable is fixed.
    pub(super) fn fit(&self, value: Literal) -> Option<Literal> {
        match self.kind {
            Kind::Fixed => None,
            Kind::Integer(least, most) => {
                let number = number(&value)?;
                (least..=most).contains(&number).then_some(Literal::Integer(number))
            }
            Kind::Text => Some(Literal::Text(match value {
                Literal::Integer(number) => Text::from(number.to_string()),
                Literal::Text(text) => text,
            })),
        }
    }
}

/// A number, also one written as text.
pub(super) fn number(value: &Literal) -> Option<i64> {
    match value {
        Literal::Integer(number) => Some(*number),
        Literal::Text(text) => parse_integer(text),
    }
}

/// Where the configuration sets the variables of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Core parameters whose name begins with this.
    Core(&'static str),
    /// Parameters of the module that has the group's name.
    Module,
}

/// One group.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    pub(super) variables: &'static [Variable],
}

impl Group {
    /// Finds a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&'static Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// The value a variable has at the start.
    pub(super) fn preset(&self, node: &Node, variable: &Variable) -> Literal {
        let preset = match variable.preset {
            Preset::Integer(number) => Literal::Integer(number),
            Preset::Text(text) => Literal::Text(Text::from(text)),
        };
        match (self.origin, variable.kind) {
            (Origin::Core(prefix), kind) => {
                let written = node.core.all.iter().rev().find(|(name, _)| name.strip_prefix(prefix) == Some(variable.name));
                match (written, kind) {
                    (Some((_, value)), Kind::Text) => value.clone(),
                    (Some((_, value)), _) => number(value).map_or(preset, Literal::Integer),
                    (None, _) => preset,
                }
            }
            (Origin::Module, _) if registry::parameter(self.name, variable.name).is_none() => preset,
            (Origin::Module, Kind::Text) => node.settings.text(self.name, variable.name).map_or(preset, Literal::Text),
            (Origin::Module, _) => Literal::Integer(node.settings.integer(self.name, variable.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_must_fit_the_kind_and_its_bounds() {
        let code = within("default_code", 500, (400, 699), "");
        assert_eq!(code.fit(Literal::Integer(404)), Some(Literal::Integer(404)));
        assert_eq!(code.fit(Literal::Text(Text::from("404"))), Some(Literal::Integer(404)));
        assert_eq!(code.fit(Literal::Integer(200)), None);
        assert_eq!(code.fit(Literal::Text(Text::from("many"))), None);
        assert_eq!(fixed("async", 1, "").fit(Literal::Integer(1)), None);
        assert_eq!(text("reason", "", "").fit(Literal::Integer(5)), Some(Literal::Text(Text::from("5"))));
    }
}
