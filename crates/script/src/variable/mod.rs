//! References to pseudo-variables: `$name(inner)[index]{transformations}`, parsed once (spec cfg-language 11.1).

mod parse;

pub(crate) use parse::{closing, parse_nested};
pub use parse::{is_name_byte, parse, parse_prefix};

use std::any::Any;
use std::fmt;

use crate::exports::{Catalogue, Host, Index, Inner, InnerKind, Variable};
use crate::format::Format;
use crate::transform::Transformation;
use crate::value::Text;

/// Variables inside variables (`$hdr($var(a))`) in one text.
pub const NESTING_MAX: usize = 16;
/// Transformations chained on one variable.
pub const TRANSFORMATIONS_MAX: usize = 64;

/// Where names of variables are looked up while a text is parsed. [`Known`] makes one from a catalogue.
pub trait Dictionary {
    /// The variable of this name, if its module is loaded.
    fn find(&self, name: &str) -> Option<Named>;
    /// The module it would come from.
    fn home_of(&self, name: &str) -> Option<&'static str>;
}

/// A variable as the parser needs it, without the host's type.
#[derive(Clone, Copy)]
pub struct Named {
    pub name: &'static str,
    pub inner: InnerKind,
    pub is_indexed: bool,
    pub is_writable: bool,
    /// Inner names that are read only all the same.
    pub fixed: &'static [&'static str],
    /// A `Variable<H>`.
    variable: &'static (dyn Any + Send + Sync),
}

impl Named {
    /// The declaration, stripped of its type.
    pub fn new<H: Host>(variable: &'static Variable<H>) -> Named {
        Named {
            name: variable.name,
            inner: variable.inner,
            is_indexed: variable.indexed,
            is_writable: variable.write.is_some(),
            fixed: variable.fixed,
            variable,
        }
    }

    /// The declaration for the host it was made for; `None` for another host.
    pub(crate) fn variable<H: Host>(&self) -> Option<&'static Variable<H>> {
        self.variable.downcast_ref::<Variable<H>>()
    }
}

/// A catalogue as a dictionary.
pub struct Known<'a, H: Host>(pub &'a dyn Catalogue<H>);

impl<H: Host> Dictionary for Known<'_, H> {
    fn find(&self, name: &str) -> Option<Named> {
        self.0.variable(name).map(Named::new)
    }

    fn home_of(&self, name: &str) -> Option<&'static str> {
        self.0.home_of(name)
    }
}

/// What a reference reads or writes.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// `$null`
    Null,
    /// `$true`
    True,
    /// `$$`
    Dollar,
    /// `$rc`, `$retcode`, `$?`
    ReturnCode,
    /// `$_s(format)`
    Formatted,
    /// Declared by a module.
    Declared(Named),
}

/// The text in parentheses, prepared.
#[derive(Clone, Debug)]
pub(crate) enum InnerText {
    Constant(Inner),
    Format(Format),
    Xavp { root: Format, root_index: Option<IndexText>, key: Option<(Format, Option<IndexText>)> },
}

/// The index, prepared.
#[derive(Clone, Debug)]
pub(crate) enum IndexText {
    Constant(Index),
    Variable(Box<Reference>),
}

/// A parsed reference. Cheap to share, independent of any message.
#[derive(Clone)]
pub struct Reference {
    pub(crate) text: Text,
    pub(crate) target: Target,
    pub(crate) inner: InnerText,
    pub(crate) index: Option<IndexText>,
    pub(crate) transformations: Vec<Transformation>,
}

impl Reference {
    /// As it was written.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The name of the variable, without `$`.
    pub fn name(&self) -> &'static str {
        match &self.target {
            Target::Null => "null",
            Target::True => "true",
            Target::Dollar => "$",
            Target::ReturnCode => "rc",
            Target::Formatted => "_s",
            Target::Declared(named) => named.name,
        }
    }

    /// The inner name, unless it must be evaluated per message.
    pub fn constant_inner(&self) -> Option<&Inner> {
        match &self.inner {
            InnerText::Constant(inner) => Some(inner),
            _ => None,
        }
    }

    /// The index, unless it must be evaluated per message.
    pub fn constant_index(&self) -> Option<Index> {
        match &self.index {
            Some(IndexText::Constant(index)) => Some(*index),
            _ => None,
        }
    }

    /// Is it `$null`?
    pub fn is_null_constant(&self) -> bool {
        matches!(self.target, Target::Null) && self.transformations.is_empty()
    }

    /// Are there transformations?
    pub fn is_transformed(&self) -> bool {
        !self.transformations.is_empty()
    }

    /// May it stand on the left of an assignment? The error says why not (spec cfg-language 10.1).
    pub fn check_writable(&self) -> Result<(), String> {
        if self.is_transformed() {
            return Err(format!("{} has transformations, it cannot be assigned", self.text));
        }
        match &self.target {
            Target::Declared(named) if named.is_writable && !self.is_fixed(named) => Ok(()),
            _ => Err(format!("{} is read only", self.text)),
        }
    }
}

impl Reference {
    fn is_fixed(&self, named: &Named) -> bool {
        let (InnerKind::OneOf(names), Some(Inner::Choice(choice))) = (named.inner, self.constant_inner()) else { return false };
        names.get(usize::from(*choice)).is_some_and(|name| named.fixed.contains(name))
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Reference) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reference({})", self.text)
    }
}

#[cfg(test)]
mod tests;
