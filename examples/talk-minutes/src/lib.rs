//! Talk minutes by account: the worked example of docs/building-on-dialogs.md. Duolog with one observer and one module.

pub mod books;
pub mod module;

/// The guide; its examples are compiled with the tests.
#[doc = include_str!("../../../docs/building-on-dialogs.md")]
#[cfg(doctest)]
pub struct Guide;
