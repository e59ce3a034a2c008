//! The grammar: what a configuration looks like as a tree, and the parser that makes it.

pub mod ast;
mod calls;
mod configuration;
mod expressions;
mod matches;
mod modules;
mod parser;
mod routes;
mod sockets;
mod statements;
pub(crate) mod types;

pub(crate) use modules::module_name;
pub(crate) use parser::Parser;

#[cfg(test)]
mod tests;
