//! What happens to the bytes before they are tokens: defines, conditions, substitutions, includes (spec cfg-language 2).

pub mod conditional;
pub mod defines;
mod directive;
pub mod expression;
mod include;
mod static_variable;
pub mod substitution;

pub use defines::Defines;
pub use directive::Effect;
pub(crate) use directive::{Directive, Manner, directive_at};
pub(crate) use include::unescape_path;
pub(crate) use static_variable::unquoted;
