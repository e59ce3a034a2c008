//! The grammar: what a configuration looks like as a tree, and the parser that makes it.

pub mod ast;
