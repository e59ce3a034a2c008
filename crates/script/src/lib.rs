//! The configuration language: from the bytes of a `kamailio.cfg` to running routes.
//!
//! Front half: `source` → `preprocess` + `lexer` → `syntax` (tree), entered through `load`.
//! Back half: `compile` → `bytecode` → `vm`, with `variable`, `format`, `regex` and `transform` beside them.
//!
//! It does not know any module, message or proxy: functions and variables come in through the tables of `exports`,
//! files through `source::Files`. It reads no clock, file, environment or socket by itself.

pub mod bytecode;
pub mod compile;
pub mod core_parameters;
pub mod diagnostic;
pub mod exports;
pub mod format;
pub mod lexer;
pub mod limits;
pub mod load;
pub mod preprocess;
pub mod regex;
pub mod source;
pub mod syntax;
mod text;
pub mod transform;
pub mod value;
pub mod variable;
pub mod vm;

pub use bytecode::{Program, RouteId};

#[cfg(test)]
pub(crate) mod test_host;
